//! The one window: shown, hidden to the tray, closed.

use std::{
    fs,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use quorum_api::dto::{
    events::{Event, PageRequest},
    settings::{Settings, Theme},
};
use tauri::{AppHandle, CloseRequestApi, Manager, PhysicalSize, Window};

use crate::{events, notify::Notifier, program::Program, tray::Tray};

pub const LABEL: &str = "main";

/// A file in the data directory: the closing to the tray was explained once.
const EXPLAINED: &str = "tray-explained";

/// What must be known of the window and the settings at a moment that cannot wait for the store.
#[derive(Default)]
pub struct Shown {
    close_to_tray: AtomicBool,
    /// It is in the tray for the first time, and its return will say so.
    is_return_explained: AtomicBool,
    /// The run whose page the window shows.
    run: Mutex<Option<String>>,
}

impl Shown {
    /// The window shows the page of this run, or of none.
    pub fn set_run(&self, run: Option<String>) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = run;
    }
}

/// Shows the window in front of others, wherever it was.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let is_first_return = app.state::<Shown>().is_return_explained.swap(false, Ordering::Relaxed);
    if is_first_return {
        keep_explained(app);
    }
    let shown = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be shown");
        return;
    }
    if is_first_return {
        events::tell_of_tray(app);
    }
}

/// Whether it was explained is kept once the window itself has said it: a notification may not have been shown.
fn keep_explained(app: &AppHandle) {
    let Some(quorum) = app.state::<Program>().opened().cloned() else { return };
    if let Err(error) = fs::write(quorum.data_dir().join(EXPLAINED), []) {
        tracing::warn!(%error, "whether the tray was explained could not be kept");
    }
}

/// Makes the window no larger than the room that its display has, as on one of 800 by 600.
pub fn fit_display(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let fitted = || {
        let Some(monitor) = window.current_monitor()? else { return Ok(()) };
        let (size, room) = (window.inner_size()?, monitor.work_area());
        let fitting = PhysicalSize::new(size.width.min(room.size.width), size.height.min(room.size.height));
        if fitting == size {
            return Ok(());
        }
        window.set_size(fitting)?;
        window.set_position(room.position)
    };
    let fitted: tauri::Result<()> = fitted();
    if let Err(error) = fitted {
        tracing::warn!(%error, "the window could not be fitted to its display");
    }
}

/// Shows the window with this page.
pub fn show_page(app: &AppHandle, page: PageRequest) {
    show(app);
    events::tell(app, Event::PageRequested(page));
}

/// Brings the window in line with the settings.
pub fn follow(app: &AppHandle, settings: &Settings) {
    app.state::<Shown>().close_to_tray.store(settings.close_to_tray, Ordering::Relaxed);
    let theme = match settings.theme {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    };
    let Some(window) = app.get_webview_window(LABEL) else { return };
    if let Err(error) = window.set_theme(theme) {
        tracing::warn!(%error, "the window's frame could not follow the theme");
    }
    if let Err(error) = window.set_zoom(f64::from(settings.zoom_percent) / 100.0) {
        tracing::warn!(%error, "the window could not change its size of text");
    }
}

/// As [`follow`], with the settings as they are stored.
pub async fn follow_settings(app: &AppHandle) {
    match app.state::<Program>().blocking(|quorum| quorum.settings_get()).await {
        Ok(settings) => follow(app, &settings),
        Err(error) => tracing::warn!(%error, "the window could not learn the settings"),
    }
}

/// The person looks at this very run.
pub fn shows_run(app: &AppHandle, run: Option<&str>) -> bool {
    let shown = app.state::<Shown>();
    let is_open = run.is_some() && shown.run.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == run;
    is_open
        && app
            .get_webview_window(LABEL)
            .is_some_and(|window| window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false))
}

/// Brings the window back where nothing else could.
pub fn show_if_hidden(app: &AppHandle) {
    if app.get_webview_window(LABEL).is_some_and(|window| !window.is_visible().unwrap_or(true)) {
        show(app);
    }
}

/// The window is asked to close: it hides to the tray, if that is wanted and there is a tray to bring it back from.
pub fn close_requested(window: &Window, api: &CloseRequestApi) {
    let app = window.app_handle();
    if !app.state::<Shown>().close_to_tray.load(Ordering::Relaxed) || !app.state::<Tray>().is_shown() {
        return;
    }
    api.prevent_close();
    if let Err(error) = window.hide() {
        tracing::warn!(%error, "the window could not be hidden");
        return;
    }
    tracing::info!("the window is hidden, Quorum goes on in the tray");
    let Some(quorum) = app.state::<Program>().opened().cloned() else { return };
    if is_explained(quorum.data_dir()) {
        return;
    }
    app.state::<Shown>().is_return_explained.store(true, Ordering::Relaxed);
    app.state::<Notifier>().explain_tray();
}

fn is_explained(data_dir: &Path) -> bool {
    data_dir.join(EXPLAINED).exists()
}
