//! The activity list.

use quorum_api::dto::{activity::Activity, app::AppState, error::ApiError};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn activity_list(program: State<'_, Program>, limit: u32) -> Result<Vec<Activity>, ApiError> {
    program.blocking(move |quorum| quorum.activity_list(limit)).await
}

#[tauri::command]
#[specta::specta]
pub async fn activity_seen(program: State<'_, Program>, activity: u32) -> Result<AppState, ApiError> {
    program.blocking(move |quorum| quorum.activity_seen(activity)).await
}
