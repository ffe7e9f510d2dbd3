//! A notification service on the scenario's bus that keeps what it is asked to show.

use std::collections::HashMap;

use tokio::sync::mpsc;
use zbus::{OwnedVariant, interface, object_server::SignalEmitter};

use crate::desktop::{Desktop, SOON};

const PATH: &str = "/org/freedesktop/Notifications";

#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub id: u32,
    pub replaces: u32,
    pub app: String,
    pub title: String,
    pub body: String,
    pub actions: Vec<String>,
}

struct Server {
    next_id: u32,
    shown: mpsc::UnboundedSender<Shown>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[expect(clippy::too_many_arguments, reason = "the specification's own")]
    fn notify(
        &mut self,
        app: String,
        replaces: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _timeout_ms: i32,
    ) -> u32 {
        let id = if replaces > 0 {
            replaces
        } else {
            self.next_id += 1;
            self.next_id
        };
        let _the_scenario_ended = self.shown.send(Shown { id, replaces, app, title, body, actions });
        id
    }

    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("quorum-e2e".to_owned(), "quorum".to_owned(), "1".to_owned(), "1.2".to_owned())
    }

    fn close_notification(&self, _id: u32) {}

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

pub struct Notifications {
    connection: zbus::Connection,
    shown: mpsc::UnboundedReceiver<Shown>,
}

impl Notifications {
    pub async fn serve(desktop: &Desktop) -> Self {
        let (sender, shown) = mpsc::unbounded_channel();
        let connection = zbus::connection::Builder::address(desktop.bus_address.as_str())
            .serve_at(PATH, Server { next_id: 0, shown: sender })
            .name("org.freedesktop.Notifications")
            .build()
            .await
            .expect("the name is free");
        Self { connection, shown }
    }

    /// The next notification, once it comes.
    pub async fn next(&mut self) -> Shown {
        tokio::time::timeout(SOON, self.shown.recv())
            .await
            .expect("a notification comes")
            .expect("the service runs as long as the scenario")
    }

    /// One that has come already.
    pub fn waiting(&mut self) -> Option<Shown> {
        self.shown.try_recv().ok()
    }

    /// Clicks on it, as a person does.
    pub async fn click(&self, shown: &Shown) {
        let emitter = SignalEmitter::new(&self.connection, PATH).expect("a path");
        Server::action_invoked(&emitter, shown.id, "default").await.expect("the signal is sent");
    }
}
