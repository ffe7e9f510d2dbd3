//! Topics.

use quorum_api::dto::{error::ApiError, topic::TopicSummary};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn topic_list(program: State<'_, Program>, dataset: Option<String>) -> Result<Vec<TopicSummary>, ApiError> {
    program.blocking(move |quorum| quorum.topic_list(dataset.as_deref())).await
}
