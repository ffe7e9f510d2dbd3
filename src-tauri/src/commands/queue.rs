//! The review queue, and a person's word on a label.

use quorum_api::dto::{
    error::ApiError,
    overrides::{OverrideEntry, OverrideReceipt, OverrideRequest},
    queue::{LabelDetail, LabelQuery, QueueQuery, ReviewQueue},
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn queue_list(program: State<'_, Program>, query: QueueQuery) -> Result<ReviewQueue, ApiError> {
    program.blocking(move |quorum| quorum.queue_list(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn queue_label(program: State<'_, Program>, query: LabelQuery) -> Result<LabelDetail, ApiError> {
    program.blocking(move |quorum| quorum.queue_label(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn override_set(program: State<'_, Program>, request: OverrideRequest) -> Result<OverrideReceipt, ApiError> {
    program.blocking(move |quorum| quorum.override_set(&request)).await
}

#[tauri::command]
#[specta::specta]
pub async fn override_undo(program: State<'_, Program>, number: u32) -> Result<(), ApiError> {
    program.blocking(move |quorum| quorum.override_undo(number)).await
}

#[tauri::command]
#[specta::specta]
pub async fn override_trail(
    program: State<'_, Program>,
    dataset: String,
    topic: String,
) -> Result<Vec<OverrideEntry>, ApiError> {
    program.blocking(move |quorum| quorum.override_trail(&dataset, &topic)).await
}
