//! Starting with the desktop: an entry among the programs that the system starts at login, hidden in the tray.
//!
//! The entry is changed only when the person changes the setting. Whoever removes it by the system's own means is not overruled.

use std::path::Path;

use quorum_api::{
    Quorum,
    dto::{
        error::{ApiError, ErrorCode},
        settings::Settings,
    },
};
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

/// Stores settings, and the entry with them. Where the entry cannot be changed, the settings are as they were.
pub fn store(app: &AppHandle, quorum: &Quorum, settings: Settings) -> Result<Settings, ApiError> {
    let before = quorum.settings_get()?;
    let stored = quorum.settings_set(settings)?;
    if stored.start_at_login != before.start_at_login
        && let Err(error) = set(app, stored.start_at_login)
    {
        quorum.settings_set(before)?;
        return Err(error);
    }
    Ok(stored)
}

/// Adds the entry or takes it out.
fn set(app: &AppHandle, wanted: bool) -> Result<(), ApiError> {
    let login = app.autolaunch();
    let done = if wanted { login.enable() } else { login.disable() };
    done.map_err(|error| {
        let what = if wanted { "Quorum could not be put among" } else { "Quorum could not be taken out of" };
        ApiError::new(ErrorCode::FileUnwritable, format!("{what} the programs that start at login."))
            .detail(error.to_string())
            .safe("No setting was changed.")
            .action("Change it in your system's own settings.")
    })
}
