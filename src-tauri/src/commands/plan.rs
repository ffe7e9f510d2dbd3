//! Plans and their start.

use quorum_api::dto::{
    error::ApiError,
    plan::{Estimate, ExtractionStarted, ModelList, PlanRequest},
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn model_list(program: State<'_, Program>) -> Result<ModelList, ApiError> {
    program.blocking(|quorum| quorum.model_list()).await
}

#[tauri::command]
#[specta::specta]
pub async fn plan_estimate(program: State<'_, Program>, request: PlanRequest) -> Result<Estimate, ApiError> {
    program.blocking(move |quorum| quorum.plan_estimate(&request)).await
}

#[tauri::command]
#[specta::specta]
pub async fn extraction_start(
    program: State<'_, Program>,
    request: PlanRequest,
    budget_usd: Option<f64>,
    fingerprint: String,
) -> Result<ExtractionStarted, ApiError> {
    program.blocking(move |quorum| quorum.extraction_start(&request, budget_usd, &fingerprint)).await
}
