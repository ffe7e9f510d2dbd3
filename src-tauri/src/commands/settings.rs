//! Settings.

use quorum_api::dto::{error::ApiError, settings::Settings};
use tauri::{AppHandle, State};

use crate::{program::Program, window};

#[tauri::command]
#[specta::specta]
pub async fn settings_get(program: State<'_, Program>) -> Result<Settings, ApiError> {
    program.blocking(|quorum| quorum.settings_get()).await
}

/// The window follows at once: its frame's theme, and what closing it does.
#[tauri::command]
#[specta::specta]
pub async fn settings_set(
    app: AppHandle,
    program: State<'_, Program>,
    settings: Settings,
) -> Result<Settings, ApiError> {
    program.blocking(|quorum| quorum.settings_set(settings)).await.inspect(|stored| window::follow(&app, stored))
}
