//! Providers that are not there, refuse the key or are something else; and the simulator as a server of its own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::PathBuf,
    process::Child,
    sync::{Arc, Mutex},
    thread,
};

use crate::program::{Data, end};

/// `quorumctl sandbox` in a process of its own; it ends with the test.
pub struct Sandbox {
    child: Child,
    pub port: u16,
}

impl Sandbox {
    /// Its state lives beside the data.
    pub fn start(data: &Data, args: &[&str]) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_quorumctl"));
        command.arg("--data").arg(data.beside("server")).arg("sandbox").args(args);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("a server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
        let port = line.trim().strip_prefix("listening on http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/v1"));
        let port = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
        Self { child, port }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub fn state(&self, data: &Data) -> PathBuf {
        data.beside("server").join("sandbox")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("dead");
    }
}

/// A server that answers everything with the same words.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 8192];
            // A caller that has gone is none of the server's business.
            if stream.read(&mut head).is_ok() {
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    address
}

const WISH: [&str; 9] = ["extract", "--dataset", "sample", "--topic", "G1_allergy", "--k", "1", "--yes", "--wait"];

/// The run is refused for now, and goes on at a provider that works.
#[track_caller]
fn refused(provider: &str, key: Option<&str>, words: &[&str]) {
    let data = Data::with_sample();
    let mut command = data.command(&[&["--json", "--provider", provider], &WISH[..]].concat());
    if let Some(key) = key {
        command.env("QUORUM_API_KEY", key);
    }
    let ended = end(command);
    ended.refused(1, &[words, &["Runs and votes are safe", "quorumctl poll --wait"]].concat());
    assert_eq!((&ended.json()["state"], &ended.json()["ingested"]), (&"live".into(), &0.into()));
    if let Some(key) = key {
        assert!(!ended.err.contains(key) && !ended.out.contains(key));
    }
    let polled = data.json(&["poll", "--wait"]);
    polled.refused(1, &["Runs and votes are safe"]);
    assert_eq!(polled.json()["live"], 1);
    let status = data.json(&["status"]).done();
    assert_eq!(
        (&status["manifests"][0]["state"], &status["manifests"][0]["batches"][0]["provider_id"]),
        (&"live".into(), &serde_json::Value::Null)
    );
}

#[test]
fn no_network_is_told_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    refused(&format!("http://127.0.0.1:{free}/v1"), None, &["cannot be reached", "Check the network"]);
}

#[test]
fn a_page_in_the_provider_s_place_is_told_at_once() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 26\r\n\r\n<html>Please log in</html>";
    refused(&answering(page), None, &["is not a Batch API", "login page"]);
}

#[test]
fn a_wrong_key_is_told_at_once_and_never_repeated() {
    let words = "{\"error\":{\"message\":\"Incorrect API key provided\",\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\"}}";
    let answer: &'static str = Box::leak(
        format!(
            "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{words}",
            words.len()
        )
        .into_boxed_str(),
    );
    refused(
        &answering(answer),
        Some("sk-of-somebody-else"),
        &["refused the key", "quorumctl key set", "Incorrect API key"],
    );
}

#[test]
fn no_key_is_told_before_anything_is_sent() {
    refused("https://provider.invalid/v1", None, &["quorumctl key set"]);
}

/// A server that refuses every key, and remembers which it was shown.
fn remembering() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let shown: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&shown);
    thread::spawn(move || {
        let body = r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#;
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 8192];
            let read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
            let key = head.lines().find_map(|line| line.strip_prefix("authorization: bearer ").map(str::to_owned));
            seen.lock().expect("the list").push(key.unwrap_or_else(|| "none".to_owned()));
            // A caller that has gone is none of the server's business.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (format!(":{port}/v1"), shown)
}

#[test]
fn the_environments_key_reaches_the_chosen_provider_and_no_other() {
    let data = Data::with_sample();
    let ((one, to_one), (other, to_other)) = (remembering(), remembering());
    // Two hosts, of one computer.
    let (one, other) = (format!("http://127.0.0.1{one}"), format!("http://localhost{other}"));
    let with_key = |args: &[&str]| {
        let mut command = data.command(&[&["--json"], args].concat());
        command.env("QUORUM_API_KEY", "sk-of-one");
        end(command)
    };
    let wish = ["extract", "--dataset", "sample", "--k", "1", "--yes", "--topic"];
    with_key(&[&["--provider", &one], &wish[..], &["G1_allergy"]].concat()).refused(1, &["refused the key"]);
    // The only provider that there are runs at.
    let shown = to_one.lock().expect("the list").len();
    with_key(&["poll"]);
    assert!(to_one.lock().expect("the list").len() > shown);
    // A run at the other provider, without a key.
    data.json(&[&["--provider", &other], &wish[..], &["G1_hygiene"]].concat()).refused(1, &["refused the key"]);
    with_key(&["--provider", &one, "poll"]);
    // Which of the two is meant nobody says: it is OpenAI's then.
    let shown = to_one.lock().expect("the list").len();
    with_key(&["poll"]);
    assert_eq!(to_one.lock().expect("the list")[shown..].iter().find(|key| *key != "none"), None);
    let (to_one, to_other) = (to_one.lock().expect("the list").clone(), to_other.lock().expect("the list").clone());
    assert!(to_one.contains(&"sk-of-one".to_owned()), "{to_one:?}");
    assert!(to_other.len() >= 3 && to_other.iter().all(|key| key == "none"), "{to_other:?}");
}

#[test]
fn the_simulator_as_a_server_answers_the_whole_pipeline() {
    let data = Data::with_sample();
    let sandbox = Sandbox::start(&data, &[]);
    let done = data.json(&[&["--provider", &sandbox.address()], &WISH[..]].concat()).done();
    assert_eq!((&done["state"], &done["ingested"]), (&"completed".into(), &48.into()));
    // What runs on this computer is a trial: its votes are the sandbox's.
    let stats = ["votes", "stats", "--dataset", "sample", "--topic", "G1_allergy", "--k", "1"];
    assert_eq!(data.json(&[&["--provider", "sandbox"], &stats[..]].concat()).done()["complete"], 12);
    let real = [&["--provider", "https://provider.invalid/v1"], &stats[..]].concat();
    assert_eq!(data.json(&real).done()["complete"], 0);
}
