//! From the program's events to the window, the tray and notifications.
//!
//! Every variant of [`Event`] is a Tauri event of the same name with the variant's payload; the types here only carry those names.
//! An event may be lost: each listener asks again for the truth.

use quorum_api::dto::{
    activity::Activity,
    app::{Connection, KeyState},
    dataset::ImportProgress,
    events::{Event, PageRequest},
    run::RunSummary,
};
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager};
use tauri_specta::Event as _;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{notify::Notifier, tray::Tray};

#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct RunChanged(pub RunSummary);

#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct ConnectionChanged(pub Connection);

#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct KeyChanged(pub KeyState);

#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct ActivityAdded(pub Activity);

#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct ImportProgressed(pub ImportProgress);

#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct DatasetsChanged(pub u32);

#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct PageRequested(pub PageRequest);

/// The window is back from the tray for the first time; the shell's own, as nothing else has a window.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct TrayExplained;

/// Tells the window.
pub fn tell(app: &AppHandle, event: Event) {
    let told = match event {
        Event::RunChanged(run) => RunChanged(run).emit(app),
        Event::ConnectionChanged(connection) => ConnectionChanged(connection).emit(app),
        Event::KeyChanged(key) => KeyChanged(key).emit(app),
        Event::ActivityAdded(activity) => ActivityAdded(activity).emit(app),
        Event::ImportProgressed(progress) => ImportProgressed(progress).emit(app),
        Event::DatasetsChanged(datasets) => DatasetsChanged(datasets).emit(app),
        Event::PageRequested(page) => PageRequested(page).emit(app),
    };
    if let Err(error) = told {
        tracing::warn!(%error, "an event did not reach the window");
    }
}

/// Tells the window that it was in the tray.
pub fn tell_of_tray(app: &AppHandle) {
    if let Err(error) = TrayExplained.emit(app) {
        tracing::warn!(%error, "an event did not reach the window");
    }
}

/// Passes on everything the program tells, for as long as it is open.
pub async fn forward(app: AppHandle, mut heard: Receiver<Event>) {
    let (tray, notifier) = (app.state::<Tray>(), app.state::<Notifier>());
    tray.refresh();
    loop {
        match heard.recv().await {
            Ok(event) => {
                match &event {
                    Event::ActivityAdded(activity) => notifier.activity(activity.clone()),
                    Event::RunChanged(_) | Event::ConnectionChanged(_) => tray.refresh(),
                    Event::KeyChanged(_)
                    | Event::ImportProgressed(_)
                    | Event::DatasetsChanged(_)
                    | Event::PageRequested(_) => {}
                }
                tell(&app, event);
            }
            // Whoever missed something asks again with the next event.
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "events came faster than they were passed on"),
            Err(RecvError::Closed) => return,
        }
    }
}
