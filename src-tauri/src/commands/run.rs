//! Runs.

use quorum_api::dto::{
    error::ApiError,
    run::{FailureCause, RunDetail, RunSummary},
    spend::SpendOverview,
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn run_list(program: State<'_, Program>) -> Result<Vec<RunSummary>, ApiError> {
    program.blocking(|quorum| quorum.run_list()).await
}

#[tauri::command]
#[specta::specta]
pub async fn run_detail(program: State<'_, Program>, run: String) -> Result<RunDetail, ApiError> {
    program.blocking(move |quorum| quorum.run_detail(&run)).await
}

#[tauri::command]
#[specta::specta]
pub async fn run_pause(program: State<'_, Program>, run: String) -> Result<RunSummary, ApiError> {
    program.blocking(move |quorum| quorum.run_pause(&run)).await
}

#[tauri::command]
#[specta::specta]
pub async fn run_resume(program: State<'_, Program>, run: String) -> Result<RunSummary, ApiError> {
    program.blocking(move |quorum| quorum.run_resume(&run)).await
}

#[tauri::command]
#[specta::specta]
pub async fn run_cancel(program: State<'_, Program>, run: String) -> Result<RunSummary, ApiError> {
    program.blocking(move |quorum| quorum.run_cancel(&run)).await
}

#[tauri::command]
#[specta::specta]
pub async fn run_retry(
    program: State<'_, Program>,
    run: String,
    cause: Option<FailureCause>,
    model: Option<String>,
) -> Result<RunSummary, ApiError> {
    program.blocking(move |quorum| quorum.run_retry(&run, cause, model.as_deref())).await
}

#[tauri::command]
#[specta::specta]
pub async fn spend_overview(program: State<'_, Program>) -> Result<SpendOverview, ApiError> {
    program.blocking(|quorum| quorum.spend_overview()).await
}
