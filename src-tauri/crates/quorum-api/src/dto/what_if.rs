//! What-if: a policy's numbers moved, and which verdicts flip. Nothing is sent and nothing is stored until it is saved.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;
use super::business::ThresholdBound;
use super::topic::PolicySummary;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfQuery {
    pub dataset: String,
    pub topic: String,
    pub policy: String,
    pub k: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfPage {
    pub query: WhatIfQuery,
    pub summary: PolicySummary,
    /// Everything that can be moved, by kind, in the policy's order.
    pub knobs: Vec<Knob>,
    /// Recency counts back from this day.
    pub reference_date: Option<String>,
    /// Reviews within K that no verdict uses yet, because votes are missing.
    pub missing_judgments: u32,
    /// Nothing moved.
    pub outcome: WhatIfOutcome,
}

/// A number that can be moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Knob {
    pub knob: String,
    pub kind: KnobKind,
    pub label: String,
    /// Where it stands in the policy's file, as people write such places.
    pub path: String,
    #[specta(type = Number)]
    pub value: f64,
    /// What a slider covers; a typed value may lie outside.
    #[specta(type = Number)]
    pub min: f64,
    #[specta(type = Number)]
    pub max: f64,
    #[specta(type = Number)]
    pub step: f64,
    /// Thresholds and counts: the outcome that they lead to.
    pub verdict_index: Option<u32>,
    pub bound: Option<ThresholdBound>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum KnobKind {
    Threshold,
    /// Points of a severity.
    Points,
    Modifier,
    Recency,
    /// How many judgments a condition needs.
    Count,
    /// Weight of each vote of a model. It belongs to the ensemble, so it is not saved with a policy.
    Weight,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct KnobChange {
    pub knob: String,
    #[specta(type = Number)]
    pub value: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfRequest {
    pub query: WhatIfQuery,
    pub changes: Vec<KnobChange>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfOutcome {
    /// Businesses per outcome as the policy stands, and with the changes.
    pub counts_before: Vec<u32>,
    pub counts: Vec<u32>,
    pub without_verdict: u32,
    /// Businesses by outcome before (rows) and after.
    pub matrix: Vec<Vec<u32>>,
    /// In dataset order.
    pub flips: Vec<WhatIfFlip>,
    /// Points policies: how many businesses have each score with the changes, ascending.
    pub scores: Vec<ScoreCount>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfFlip {
    pub business: String,
    pub name: String,
    pub before: Option<u32>,
    pub after: Option<u32>,
    pub score_before: Option<i32>,
    pub score: Option<i32>,
    /// The changes that make the flip by themselves; none: only several together do.
    pub causes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ScoreCount {
    pub score: i32,
    pub verdict_index: Option<u32>,
    pub count: u32,
}

/// A policy of one's own before it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyDraft {
    /// The id that it gets, and its file in the catalog.
    pub policy: String,
    pub variant: String,
    pub file: String,
    /// The file against that of the original, both written out whole.
    pub lines: Vec<DiffLine>,
    /// Changes that do not belong to a policy and are not saved.
    pub left_out: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DiffLine {
    pub kind: DiffKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DiffKind {
    Same,
    Added,
    Removed,
}
