//! Overrides: a person's word on a label, and the trail of them.

use serde::{Deserialize, Serialize};
use specta::Type;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OverrideRequest {
    pub dataset: String,
    pub topic: String,
    /// The K at which the flips are counted; the correction itself holds at every K.
    pub k: u32,
    pub review_id: String,
    /// `is_relevant` takes `true` and `false`.
    pub field: String,
    /// The value that holds already keeps the label: a person has looked, and later votes do not change it.
    pub value: String,
    /// Needed for a change, not for keeping.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OverrideReceipt {
    /// Undo takes it.
    pub number: u32,
    pub kept: bool,
    /// Verdicts of the business that this changed.
    pub flips: Vec<VerdictFlip>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerdictFlip {
    pub policy: String,
    pub before: Option<u32>,
    pub after: Option<u32>,
}

/// One entry of the trail; nothing is ever taken out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OverrideEntry {
    pub number: u32,
    pub at: u32,
    pub review_id: String,
    /// The business's name where the dataset has it, else its id.
    pub business: Option<String>,
    pub kind: OverrideEntryKind,
    /// Of an undo: what it takes back.
    pub fields: Vec<CorrectedField>,
    pub reason: String,
    /// It has effect now: it was not undone.
    pub holds: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum OverrideEntryKind {
    Kept,
    Changed,
    Undone,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CorrectedField {
    pub field: String,
    /// What the votes said; `None`: no valid vote, or not recorded.
    pub voted: Option<String>,
    pub value: String,
}
