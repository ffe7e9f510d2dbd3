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
    /// What happened, in one line: `{topic} K={k} {what}` where it is about a run.
    pub title: String,
    /// More about it, such as counts and money, or the provider's words.
    pub body: String,
    pub run: Option<String>,
    pub seen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ActivityKind {
    RunStarted,
    BatchSent,
    BatchIngested,
    BatchFailed,
    RunDone,
    RunNeedsYou,
    /// A run goes on by itself: with a new key, or into its next round.
    RunGoesOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    Info,
    Warning,
    Danger,
}
