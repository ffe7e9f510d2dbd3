//! Whether the desktop has a place for tray icons. On Linux that is a service on the session bus, and it may come and go.
//!
//! Without it a hidden window could not be brought back, so closing must quit; and if it goes while the window is hidden, the
//! window comes back.

use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use tauri::{AppHandle, Manager};
use zbus::{Connection, fdo::DBusProxy, names::BusName};

use crate::{tray::Tray, window};

const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// Watches for as long as there is a session bus.
pub async fn watch(app: AppHandle) {
    if let Err(error) = follow(&app).await {
        tracing::info!(%error, "no session bus: closing the window quits");
    }
    heard(&app, false);
}

async fn follow(app: &AppHandle) -> zbus::Result<()> {
    let connection = Connection::session().await?;
    let bus = DBusProxy::new(&connection).await?;
    // Listen first, then ask: nothing in between is missed.
    let mut changes = bus.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    heard(app, bus.name_has_owner(BusName::try_from(WATCHER)?).await?);
    while let Some(change) = changes.next().await {
        heard(app, change.args()?.new_owner().is_some());
    }
    Ok(())
}

fn heard(app: &AppHandle, has_host: bool) {
    let tray = app.state::<Tray>();
    tray.has_host.store(has_host, Ordering::Relaxed);
    tracing::info!(has_host, "the desktop's tray");
    if !tray.is_shown() {
        window::show_if_hidden(app);
    }
}
