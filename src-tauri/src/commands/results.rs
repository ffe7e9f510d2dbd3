//! Verdicts and what they rest on.

use quorum_api::dto::{
    business::{BusinessDetail, BusinessQuery, ReviewDetail, ReviewQuery},
    compare::{CompareQuery, Comparison, VerdictsByK},
    confidence::ConfidenceOverview,
    error::ApiError,
    results::{ExportReport, ExportRequest, ResultsOverview, ResultsQuery},
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn results_overview(program: State<'_, Program>, query: ResultsQuery) -> Result<ResultsOverview, ApiError> {
    program.blocking(move |quorum| quorum.results_overview(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn business_detail(program: State<'_, Program>, query: BusinessQuery) -> Result<BusinessDetail, ApiError> {
    program.blocking(move |quorum| quorum.business_detail(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn review_detail(program: State<'_, Program>, query: ReviewQuery) -> Result<ReviewDetail, ApiError> {
    program.blocking(move |quorum| quorum.review_detail(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn results_compare(program: State<'_, Program>, query: CompareQuery) -> Result<Comparison, ApiError> {
    program.blocking(move |quorum| quorum.results_compare(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn results_by_k(
    program: State<'_, Program>,
    dataset: String,
    topic: String,
) -> Result<VerdictsByK, ApiError> {
    program.blocking(move |quorum| quorum.results_by_k(&dataset, &topic)).await
}

#[tauri::command]
#[specta::specta]
pub async fn results_confidence(
    program: State<'_, Program>,
    dataset: String,
    topic: String,
    k: u32,
) -> Result<ConfidenceOverview, ApiError> {
    program.blocking(move |quorum| quorum.results_confidence(&dataset, &topic, k)).await
}

#[tauri::command]
#[specta::specta]
pub async fn ground_truth_export(
    program: State<'_, Program>,
    request: ExportRequest,
) -> Result<ExportReport, ApiError> {
    program.blocking(move |quorum| quorum.ground_truth_export(&request)).await
}
