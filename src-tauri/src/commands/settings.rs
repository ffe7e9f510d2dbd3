//! Settings, and what the data take.

use quorum_api::dto::{error::ApiError, settings::Settings, storage::Storage};
use tauri::{AppHandle, State};

use crate::{login, program::Program, window};

#[tauri::command]
#[specta::specta]
pub async fn settings_get(program: State<'_, Program>) -> Result<Settings, ApiError> {
    program.blocking(|quorum| quorum.settings_get()).await
}

/// The window follows at once: its frame's theme, its zoom, and what closing it does; so does the entry at login.
#[tauri::command]
#[specta::specta]
pub async fn settings_set(
    app: AppHandle,
    program: State<'_, Program>,
    settings: Settings,
) -> Result<Settings, ApiError> {
    let handle = app.clone();
    let stored = program.blocking(move |quorum| login::store(&handle, quorum, settings)).await;
    stored.inspect(|stored| window::follow(&app, stored))
}

#[tauri::command]
#[specta::specta]
pub async fn storage(program: State<'_, Program>) -> Result<Storage, ApiError> {
    program.blocking(|quorum| quorum.storage()).await
}
