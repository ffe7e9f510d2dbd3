//! Trust in the votes.

use quorum_api::{
    dto::{
        error::ApiError,
        trust::{
            AggregatorId, AppliedAggregator, EnsembleAdvice, GoldLabelRequest, LabelSession, TrustQuery, TrustReport,
            ValueQueue, VerdictCertainties,
        },
    },
    trust::person,
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn trust_report(program: State<'_, Program>, query: TrustQuery) -> Result<TrustReport, ApiError> {
    program.blocking(move |quorum| quorum.trust_report(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn aggregator_choose(
    program: State<'_, Program>,
    query: TrustQuery,
    aggregator: AggregatorId,
) -> Result<AppliedAggregator, ApiError> {
    program.blocking(move |quorum| quorum.aggregator_choose(&query, aggregator)).await
}

#[tauri::command]
#[specta::specta]
pub async fn label_session(program: State<'_, Program>, query: TrustQuery) -> Result<LabelSession, ApiError> {
    program.blocking(move |quorum| quorum.label_session(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn gold_draw(program: State<'_, Program>, query: TrustQuery, size: u32) -> Result<LabelSession, ApiError> {
    program.blocking(move |quorum| quorum.gold_draw(&query, size, &person())).await
}

#[tauri::command]
#[specta::specta]
pub async fn gold_label(program: State<'_, Program>, request: GoldLabelRequest) -> Result<LabelSession, ApiError> {
    program.blocking(move |quorum| quorum.gold_label(&request, &person())).await
}

#[tauri::command]
#[specta::specta]
pub async fn gold_undo(program: State<'_, Program>, query: TrustQuery) -> Result<LabelSession, ApiError> {
    program.blocking(move |quorum| quorum.gold_undo(&query, &person())).await
}

#[tauri::command]
#[specta::specta]
pub async fn verdict_certainties(
    program: State<'_, Program>,
    query: TrustQuery,
) -> Result<VerdictCertainties, ApiError> {
    program.blocking(move |quorum| quorum.verdict_certainties(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn business_certainty(
    program: State<'_, Program>,
    query: TrustQuery,
    business: String,
) -> Result<VerdictCertainties, ApiError> {
    program.blocking(move |quorum| quorum.business_certainty(&query, &business)).await
}

#[tauri::command]
#[specta::specta]
pub async fn value_queue(program: State<'_, Program>, query: TrustQuery) -> Result<ValueQueue, ApiError> {
    program.blocking(move |quorum| quorum.value_queue(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn ensemble_advice(program: State<'_, Program>, query: TrustQuery) -> Result<EnsembleAdvice, ApiError> {
    program.blocking(move |quorum| quorum.ensemble_advice(&query)).await
}
