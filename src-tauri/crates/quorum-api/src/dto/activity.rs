//! What happened, kept: the same facts that notifications tell, so nothing depends on a notification service.

use serde::{Deserialize, Serialize};
use specta::Type;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Grows with time.
    pub activity: u32,
    pub at: u32,
    pub kind: ActivityKind,
    pub severity: Severity,
    /// The outcome in 45 characters or less.
    pub title: String,
    /// Counts, then money.
    pub body: String,
    pub run: Option<String>,
    pub seen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ActivityKind {
    DatasetImported,
    RunStarted,
    BatchSent,
    BatchIngested,
    BatchFailed,
    RunDone,
    RunNeedsYou,
    RunPaused,
    RunResumed,
    RunCancelled,
    ConnectionLost,
    ConnectionRestored,
    KeyChanged,
    ModelShutsDown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    Info,
    Warning,
    Danger,
}
