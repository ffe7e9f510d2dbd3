//! The model table.

use quorum_api::dto::{
    error::ApiError,
    model::{ModelEdit, ModelField, ModelReset, ModelTable, ModelTaken},
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn model_table(program: State<'_, Program>) -> Result<ModelTable, ApiError> {
    program.blocking(|quorum| quorum.model_table()).await
}

#[tauri::command]
#[specta::specta]
pub async fn model_edit(
    program: State<'_, Program>,
    model: String,
    field: ModelField,
    value: String,
) -> Result<ModelTable, ApiError> {
    program.blocking(move |quorum| quorum.model_edit(&model, field, &value)).await
}

#[tauri::command]
#[specta::specta]
pub async fn model_add(
    program: State<'_, Program>,
    model: String,
    edits: Vec<ModelEdit>,
) -> Result<ModelTable, ApiError> {
    program.blocking(move |quorum| quorum.model_add(&model, &edits)).await
}

#[tauri::command]
#[specta::specta]
pub async fn model_reset(program: State<'_, Program>, model: Option<String>) -> Result<ModelReset, ApiError> {
    program.blocking(move |quorum| quorum.model_reset(model.as_deref())).await
}

#[tauri::command]
#[specta::specta]
pub async fn model_restore(program: State<'_, Program>, taken: Vec<ModelTaken>) -> Result<ModelTable, ApiError> {
    program.blocking(move |quorum| quorum.model_restore(&taken)).await
}

#[tauri::command]
#[specta::specta]
pub async fn models_ask(program: State<'_, Program>) -> Result<ModelTable, ApiError> {
    program.quorum().await?.models_ask().await
}
