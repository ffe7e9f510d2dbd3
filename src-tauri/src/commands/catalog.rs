//! The catalog: browsing, edits tried and saved.

use std::path::PathBuf;

use quorum_api::dto::{
    catalog::{
        CatalogChange, CatalogCheck, CatalogImpact, CatalogOverview, CatalogText, CatalogTopic, PromptQuery,
        RenderedPrompt,
    },
    error::ApiError,
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn catalog_overview(program: State<'_, Program>) -> Result<CatalogOverview, ApiError> {
    program.blocking(|quorum| quorum.catalog_overview()).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_drafts(program: State<'_, Program>) -> Result<Vec<CatalogChange>, ApiError> {
    program.blocking(|quorum| quorum.catalog_drafts()).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_drafts_keep(program: State<'_, Program>, drafts: Vec<CatalogChange>) -> Result<(), ApiError> {
    program.blocking(move |quorum| quorum.catalog_drafts_keep(&drafts)).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_text(program: State<'_, Program>, path: String) -> Result<CatalogText, ApiError> {
    program.blocking(move |quorum| quorum.catalog_text(&path)).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_topic(
    program: State<'_, Program>,
    topic: String,
    changes: Vec<CatalogChange>,
) -> Result<CatalogTopic, ApiError> {
    program.blocking(move |quorum| quorum.catalog_topic(&topic, &changes)).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_prompt(
    program: State<'_, Program>,
    query: PromptQuery,
    changes: Vec<CatalogChange>,
) -> Result<RenderedPrompt, ApiError> {
    program.blocking(move |quorum| quorum.catalog_prompt(&query, &changes)).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_try(program: State<'_, Program>, changes: Vec<CatalogChange>) -> Result<CatalogCheck, ApiError> {
    program.blocking(move |quorum| quorum.catalog_try(&changes)).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_impact(
    program: State<'_, Program>,
    dataset: String,
    changes: Vec<CatalogChange>,
) -> Result<CatalogImpact, ApiError> {
    program.blocking(move |quorum| quorum.catalog_impact(&dataset, &changes)).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_save(
    program: State<'_, Program>,
    changes: Vec<CatalogChange>,
) -> Result<CatalogOverview, ApiError> {
    program.blocking(move |quorum| quorum.catalog_save(&changes)).await
}

#[tauri::command]
#[specta::specta]
pub async fn catalog_add(program: State<'_, Program>, dir: PathBuf) -> Result<CatalogOverview, ApiError> {
    program
        .blocking(move |quorum| {
            quorum.catalog_add(&dir)?;
            quorum.catalog_overview()
        })
        .await
}
