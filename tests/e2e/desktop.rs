//! A desktop for one scenario: X server, session bus, home directory; the app and its WebDriver are started on it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, json};
use tempfile::TempDir;

use crate::page::Page;

/// For what takes a moment: a page that draws, a process that starts or ends. Generous, as machines that build are slow.
pub const SOON: Duration = Duration::from_secs(60);

/// What the app's names on the bus begin with.
const INSTANCE: &str = "dev.quorum.desktop";

/// Between two looks at something that cannot be listened to.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Launches until a port is free for WebKit's inspector.
const LAUNCHES_MAX: usize = 4;

/// What WebKit says when it is not.
const PORT_TAKEN: &str = "Failed to start remote inspector server";

/// Nothing is started by a name on this bus, so an absent service is absent.
const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// A process that ends with the scenario.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended_before = self.0.kill();
        let _ended = self.0.wait();
    }
}

pub struct Desktop {
    // Dropped in this order: clients before servers, the folder last.
    running: Vec<Owned>,
    _bus: Owned,
    _screen: Owned,
    display: String,
    pub bus_address: String,
    /// Beside what every command gets.
    environment: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl Desktop {
    pub fn start() -> Self {
        Self::with_display(1280, 800)
    }

    /// A desktop whose display has this size.
    pub fn with_display(width: u32, height: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("quorum-e2e-").tempdir().expect("a temporary directory");
        let log = |name: &str| File::create(folder.path().join(name)).expect("a log file");
        // Without -noreset the server starts anew when its last window goes, and refuses the app that a scenario launches just then.
        let mut screen = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &format!("{width}x{height}x24"), "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(log("xvfb.log"))
            .spawn()
            .map(Owned)
            .unwrap_or_else(|error| panic!("Xvfb (Debian: xvfb): {error}"));
        let display = format!(":{}", first_line(&mut screen.0));
        let config = folder.path().join("bus.conf");
        fs::write(&config, BARE_BUS).expect("the bus's configuration");
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .arg(format!("--config-file={}", config.display()))
            .stdout(Stdio::piped())
            .stderr(log("bus.log"))
            .spawn()
            .map(Owned)
            .unwrap_or_else(|error| panic!("dbus-daemon (Debian: dbus): {error}"));
        let bus_address = first_line(&mut bus.0);
        for name in ["home", "run"] {
            fs::create_dir(folder.path().join(name)).expect("a directory");
        }
        set_private(&folder.path().join("run"));
        Self { running: Vec::new(), _bus: bus, _screen: screen, display, bus_address, environment: Vec::new(), folder }
    }

    /// Sets a variable of the environment for what is started from now on.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.environment.push((name, value.into()));
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// What the app wrote to standard error, all launches.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join("app.log")).unwrap_or_default()
    }

    /// A connection of the test's own to the scenario's bus.
    pub async fn bus(&self) -> zbus::Connection {
        zbus::connection::Builder::address(self.bus_address.as_str()).build().await.expect("the bus takes connections")
    }

    pub fn screen(&self) -> &str {
        &self.display
    }

    /// A command on this desktop, with a home directory of its own.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let home = self.folder().join("home");
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", self.folder().join("run"))
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("LANG", "C.UTF-8")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("GTK_USE_PORTAL", "0")
            .env("RUST_BACKTRACE", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Starts the Secret Service with an unlocked keyring.
    pub async fn start_keyring(&mut self) {
        let bus = self.bus().await;
        let mut keyring = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(self.folder().join("keyring.log")).expect("a log file"))
            .spawn()
            .unwrap_or_else(|error| panic!("gnome-keyring-daemon (Debian: gnome-keyring): {error}"));
        let mut password = keyring.stdin.take().expect("it was piped");
        password.write_all(b"a password of the test").expect("the keyring takes its password");
        drop(password);
        self.running.push(Owned(keyring));
        self.until("the Secret Service is on the bus", async || has_owner(&bus, "org.freedesktop.secrets").await).await;
    }

    /// Launches the app and takes hold of its window.
    pub async fn launch(&mut self) -> Page {
        self.launch_on(&self.data_dir()).await
    }

    pub async fn launch_on(&mut self, data_dir: &Path) -> Page {
        for _ in 0..LAUNCHES_MAX {
            if let Some(page) = self.try_launch(data_dir).await {
                return page;
            }
        }
        panic!("no free port for WebKit's inspector in {LAUNCHES_MAX} launches\n{}", self.log());
    }

    /// `None`: the port that WebKit's driver chose for the app's inspector was taken by another scenario just then, and the driver would
    /// wait for it for ever.
    async fn try_launch(&mut self, data_dir: &Path) -> Option<Page> {
        let said_before = self.log().len();
        let (port, native_port) = (free_port(), free_port());
        let log = File::options().append(true).create(true).open(self.folder().join("app.log")).expect("a log file");
        let driver = self
            .command(tauri_driver())
            .args(["--port", &port.to_string(), "--native-port", &native_port.to_string()])
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("tauri-driver (run `make test`, which installs it): {error}"));
        self.running.push(Owned(driver));
        for port in [port, native_port] {
            self.until("the WebDriver listens", async || TcpStream::connect(("127.0.0.1", port)).is_ok()).await;
        }
        let options = json!({ "application": app(), "args": ["--data", data_dir] });
        let capabilities =
            Map::from_iter([("browserName".to_owned(), json!("wry")), ("tauri:options".to_owned(), options)]);
        let address = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connected = builder.capabilities(capabilities).connect(&address);
        let port_is_taken = async {
            while !self.log().get(said_before..).is_some_and(|said| said.contains(PORT_TAKEN)) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::select! {
            client = connected => {
                Some(Page::new(client.unwrap_or_else(|error| panic!("no window: {error}\n{}", self.log()))))
            }
            () = port_is_taken => {
                self.kill_app().await;
                self.running.pop();
                None
            }
        }
    }

    /// Launches the app again beside the first, as a second click on its icon would.
    pub async fn launch_again(&self) -> ExitStatus {
        let mut second = self
            .command(app())
            .arg("--data")
            .arg(self.data_dir())
            .stderr(Stdio::null())
            .spawn()
            .map(Owned)
            .expect("the app starts");
        let mut ended = None;
        self.until("the second launch ends", async || {
            ended = second.0.try_wait().expect("it can be asked");
            ended.is_some()
        })
        .await;
        ended.expect("it just ended")
    }

    /// Launches the app as the system does at login. It ends with what is returned.
    pub fn launch_hidden(&self) -> impl Sized + use<> {
        let log = File::options().append(true).create(true).open(self.folder().join("app.log")).expect("a log file");
        self.command(app())
            .arg("--hidden")
            .arg("--data")
            .arg(self.data_dir())
            .stderr(log)
            .spawn()
            .map(Owned)
            .expect("the app starts")
    }

    /// Kills the app without a word, as a power cut would.
    pub async fn kill_app(&self) {
        let processes = self.app_processes();
        assert!(!processes.is_empty(), "the app runs");
        for process in processes {
            let killed = Command::new("kill").args(["-KILL", &process]).status().expect("kill runs");
            assert!(killed.success());
        }
        self.app_ended().await;
    }

    /// Waits for the app's end: its processes, and its name on the bus, by which a next launch would take it for running.
    pub async fn app_ended(&self) {
        self.until("the app ends", async || self.app_processes().is_empty()).await;
        let bus = self.bus().await;
        let bus = zbus::fdo::DBusProxy::new(&bus).await.expect("a bus");
        self.until("the app's name is free", async || {
            let names = bus.list_names().await.expect("the bus answers");
            !names.iter().any(|name| name.as_str().starts_with(INSTANCE))
        })
        .await;
    }

    /// Ids of the processes that run the app on this desktop's display.
    fn app_processes(&self) -> Vec<String> {
        let mine = format!("DISPLAY={}", self.display).into_bytes();
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        processes
            .filter(|process| {
                let is_app = fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe == app());
                let environment = fs::read(process.path().join("environ")).unwrap_or_default();
                is_app && environment.split(|byte| *byte == 0).any(|variable| variable == mine)
            })
            .map(|process| process.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// Waits for what cannot be listened to.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let start = Instant::now();
        while !is_so().await {
            assert!(start.elapsed() < SOON, "waited in vain: {what}\n{}", self.log());
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// Whether somebody answers to this name.
pub async fn has_owner(bus: &zbus::Connection, name: &str) -> bool {
    let bus = zbus::fdo::DBusProxy::new(bus).await.expect("a bus");
    bus.name_has_owner(name.try_into().expect("a name")).await.expect("the bus answers")
}

pub fn app() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_quorum"))
}

/// Installed by `make test` inside the repository, else wherever the path leads.
fn tauri_driver() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".local/bin/tauri-driver");
    if own.is_file() { own } else { PathBuf::from("tauri-driver") }
}

/// Nobody else takes it in the moment until the server does, or the server says so.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it is bound").port()
}

fn first_line(child: &mut Child) -> String {
    let output = child.stdout.as_mut().expect("it was piped");
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).expect("a line");
    assert!(!line.trim().is_empty(), "a server of the desktop did not start");
    line.trim().to_owned()
}

fn set_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("a private directory");
}
