//! A place for tray icons on the scenario's bus, and a hand that uses the icon's menu.

use std::collections::HashMap;

use tokio::sync::mpsc;
use zbus::{Connection, OwnedVariant, Variant, interface, message::Header, proxy};

use crate::desktop::{Desktop, SOON};

struct Watcher {
    registered: mpsc::UnboundedSender<(String, String)>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let _the_scenario_ended = self.registered.send((sender, service));
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One line of a menu: id, properties, and lines below it.
type Line = (i32, HashMap<String, OwnedVariant>, Vec<OwnedVariant>);

#[proxy(interface = "com.canonical.dbusmenu", assume_defaults = false)]
trait Menu {
    fn get_layout(&self, parent: i32, depth: i32, properties: &[&str]) -> zbus::Result<(u32, Line)>;
    fn event(&self, id: i32, event: &str, data: &Variant<'_>, at: u32) -> zbus::Result<()>;
}

pub struct TrayHost {
    connection: Connection,
    registered: mpsc::UnboundedReceiver<(String, String)>,
}

impl TrayHost {
    pub async fn serve(desktop: &Desktop) -> Self {
        let (sender, registered) = mpsc::unbounded_channel();
        let connection = zbus::connection::Builder::address(desktop.bus_address.as_str())
            .serve_at("/StatusNotifierWatcher", Watcher { registered: sender })
            .name("org.kde.StatusNotifierWatcher")
            .build()
            .await
            .expect("the name is free");
        Self { connection, registered }
    }

    /// The app's icon, once it is there.
    pub async fn icon(&mut self) -> Icon<'_> {
        let (sender, path) = tokio::time::timeout(SOON, self.registered.recv())
            .await
            .expect("an icon registers")
            .expect("the watcher runs as long as the scenario");
        let menu = MenuProxy::builder(&self.connection)
            .destination(sender)
            .path(format!("{path}/Menu"))
            .build()
            .await
            .expect("a menu");
        Icon { menu }
    }

    /// The place for icons goes, as when a panel crashes.
    pub async fn leave(self) {
        self.connection.close().await.expect("the connection ends");
    }
}

pub struct Icon<'a> {
    menu: MenuProxy<'a>,
}

impl Icon<'_> {
    /// What the menu's lines say, with their ids.
    pub async fn lines(&self) -> Vec<(i32, String)> {
        let (_, (_, _, lines)) = self.menu.get_layout(0, -1, &[]).await.expect("the menu answers");
        lines
            .into_iter()
            .filter_map(|line| {
                let (id, properties, _) = Line::try_from(line).ok()?;
                let label = properties.get("label")?.downcast_ref::<String>().ok()?;
                Some((id, label))
            })
            .collect()
    }

    pub async fn choose(&self, label: &str) {
        let lines = self.lines().await;
        let (id, _) = lines.iter().find(|(_, said)| said == label).unwrap_or_else(|| panic!("{label} in {lines:?}"));
        self.menu.event(*id, "clicked", &Variant::from(0_i32), 0).await.expect("the menu takes the click");
    }
}
