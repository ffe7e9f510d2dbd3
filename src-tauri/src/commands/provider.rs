//! The state of the program, its provider and key.

use quorum_api::dto::{
    app::{AppState, Connection, ProviderKind},
    error::ApiError,
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn app_state(program: State<'_, Program>) -> Result<AppState, ApiError> {
    program.blocking(|quorum| quorum.app_state()).await
}

#[tauri::command]
#[specta::specta]
pub async fn poll_now(program: State<'_, Program>) -> Result<Connection, ApiError> {
    program.quorum().await?.poll_now().await
}

#[tauri::command]
#[specta::specta]
pub async fn key_set(program: State<'_, Program>, key: String) -> Result<AppState, ApiError> {
    program.quorum().await?.key_set(&key).await
}

#[tauri::command]
#[specta::specta]
pub async fn key_clear(program: State<'_, Program>) -> Result<AppState, ApiError> {
    program.blocking(|quorum| quorum.key_clear()).await
}

#[tauri::command]
#[specta::specta]
pub async fn key_look(program: State<'_, Program>) -> Result<AppState, ApiError> {
    program.blocking(|quorum| quorum.key_look()).await
}

#[tauri::command]
#[specta::specta]
pub async fn provider_set(
    program: State<'_, Program>,
    kind: ProviderKind,
    url: Option<String>,
) -> Result<AppState, ApiError> {
    program.blocking(move |quorum| quorum.provider_set(kind, url.as_deref())).await
}

#[tauri::command]
#[specta::specta]
pub async fn sandbox_use(program: State<'_, Program>) -> Result<AppState, ApiError> {
    program.blocking(|quorum| quorum.sandbox_use()).await
}
