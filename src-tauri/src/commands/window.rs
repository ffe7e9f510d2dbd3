//! What the window tells of itself. The shell's own: `quorumctl` has no window.

use quorum_api::dto::error::ApiError;
use tauri::State;

use crate::window::Shown;

/// The window shows the page of this run, or of none: no notification tells what is in view.
#[tauri::command]
#[specta::specta]
pub async fn run_shown(shown: State<'_, Shown>, run: Option<String>) -> Result<(), ApiError> {
    shown.set_run(run);
    Ok(())
}
