//! Starting with the desktop: an entry among the programs that the system starts at login, hidden in the tray.
//!
//! The entry is changed only when the person changes the setting. Whoever removes it by the system's own means is not overruled.

use std::path::Path;

use quorum_api::dto::error::{ApiError, ErrorCode};
use tauri::{AppHandle, plugin::TauriPlugin};
use tauri_plugin_autostart::{Builder, ManagerExt};

use crate::arguments;

/// Makes the entry start Quorum as it was started now, but hidden.
pub fn plugin(data_dir: Option<&Path>) -> TauriPlugin<tauri::Wry> {
    let mut login = Builder::new().app_name("Quorum").arg(arguments::HIDDEN);
    if let Some(data_dir) = data_dir {
        login = login.args(["--data".to_owned(), data_dir.display().to_string()]);
    }
    login.build()
}

/// Adds the entry or takes it out.
pub fn set(app: &AppHandle, wanted: bool) -> Result<(), ApiError> {
    let login = app.autolaunch();
    let done = if wanted { login.enable() } else { login.disable() };
    done.map_err(|error| {
        let what = if wanted { "Quorum could not be put among" } else { "Quorum could not be taken out of" };
        ApiError::new(ErrorCode::FileUnwritable, format!("{what} the programs that start at login."))
            .detail(error.to_string())
            .safe("Every other setting is unchanged.")
            .action("Change it in your system's own settings.")
    })
}
