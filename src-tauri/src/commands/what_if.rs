//! What-if: a policy's numbers moved, and a policy of one's own made of it.

use quorum_api::dto::{
    error::ApiError,
    what_if::{PolicyDraft, WhatIfOutcome, WhatIfPage, WhatIfQuery, WhatIfRequest},
};
use tauri::State;

use crate::program::Program;

#[tauri::command]
#[specta::specta]
pub async fn what_if_open(program: State<'_, Program>, query: WhatIfQuery) -> Result<WhatIfPage, ApiError> {
    program.blocking(move |quorum| quorum.what_if_open(&query)).await
}

#[tauri::command]
#[specta::specta]
pub async fn what_if_try(program: State<'_, Program>, request: WhatIfRequest) -> Result<WhatIfOutcome, ApiError> {
    program.blocking(move |quorum| quorum.what_if_try(&request)).await
}

#[tauri::command]
#[specta::specta]
pub async fn what_if_draft(
    program: State<'_, Program>,
    request: WhatIfRequest,
    name: String,
) -> Result<PolicyDraft, ApiError> {
    program.blocking(move |quorum| quorum.what_if_draft(&request, &name)).await
}

#[tauri::command]
#[specta::specta]
pub async fn what_if_save(
    program: State<'_, Program>,
    request: WhatIfRequest,
    name: String,
) -> Result<PolicyDraft, ApiError> {
    program.blocking(move |quorum| quorum.what_if_save(&request, &name)).await
}
