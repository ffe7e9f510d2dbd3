//! Tables and pictures that the window made, written where the person chose.

use std::path::PathBuf;

use quorum_api::dto::{error::ApiError, file::FileContent};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn file_save(program: State<'_, Program>, path: PathBuf, content: FileContent) -> Result<String, ApiError> {
    program.blocking(move |_| quorum_api::file_save(&path, &content)).await
}
