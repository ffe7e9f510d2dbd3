//! Datasets.

use std::path::PathBuf;

use quorum_api::dto::{
    dataset::{DatasetSummary, ImportReport, RemovedDataset},
    error::ApiError,
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn dataset_list(program: State<'_, Program>) -> Result<Vec<DatasetSummary>, ApiError> {
    program.blocking(|quorum| quorum.dataset_list()).await
}

#[tauri::command]
#[specta::specta]
pub async fn dataset_import(
    program: State<'_, Program>,
    path: PathBuf,
    name: Option<String>,
) -> Result<ImportReport, ApiError> {
    program.blocking(move |quorum| quorum.dataset_import(&path, name.as_deref())).await
}

#[tauri::command]
#[specta::specta]
pub async fn dataset_import_sample(program: State<'_, Program>) -> Result<ImportReport, ApiError> {
    program.blocking(|quorum| quorum.dataset_import_sample()).await
}

#[tauri::command]
#[specta::specta]
pub async fn dataset_remove(program: State<'_, Program>, dataset: String) -> Result<RemovedDataset, ApiError> {
    program.blocking(move |quorum| quorum.dataset_remove(&dataset)).await
}

#[tauri::command]
#[specta::specta]
pub async fn dataset_removed(program: State<'_, Program>) -> Result<Vec<RemovedDataset>, ApiError> {
    program.blocking(|quorum| quorum.dataset_removed()).await
}

#[tauri::command]
#[specta::specta]
pub async fn dataset_restore(program: State<'_, Program>, number: u32) -> Result<DatasetSummary, ApiError> {
    program.blocking(move |quorum| quorum.dataset_restore(number)).await
}
