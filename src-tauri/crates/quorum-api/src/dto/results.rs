//! Verdicts of a whole dataset, side by side, and their export.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;
use super::topic::PolicySummary;
use super::trust::AppliedAggregator;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ResultsQuery {
    pub dataset: String,
    pub topic: String,
    pub k: u32,
    /// Also compute the verdicts at this K and say what moved.
    pub compare_k: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ResultsOverview {
    pub query: ResultsQuery,
    /// What settled the votes.
    pub applied: AppliedAggregator,
    /// In variant order; the rows' `verdicts` follow it.
    pub policies: Vec<PolicyDistribution>,
    /// In dataset order.
    pub rows: Vec<ResultsRow>,
    /// Reviews within K, and those without a complete set of votes.
    pub reviews: u32,
    pub reviews_incomplete: u32,
    /// Votes that are missing, and why they are.
    pub missing: Vec<MissingVotes>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyDistribution {
    pub summary: PolicySummary,
    /// Businesses per outcome, in the order of `summary.verdicts`.
    pub counts: Vec<u32>,
    /// The same at `compare_k`.
    pub counts_compared: Option<Vec<u32>>,
    /// Businesses without a verdict: none of their reviews is complete.
    pub without_verdict: u32,
    /// Businesses whose verdict differs from that at `compare_k`.
    pub moved: u32,
}

/// Why votes are missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MissingVotes {
    pub reason: MissingReason,
    pub model: String,
    pub count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum MissingReason {
    NeverAsked,
    /// At the provider, or planned in a live run.
    InFlight,
    Failed,
}

/// One business.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ResultsRow {
    pub business: String,
    pub name: String,
    pub categories: String,
    /// Reviews that the consensus calls relevant.
    pub relevant: u32,
    /// Reviews within K, and those of them that are complete.
    pub reviews: u32,
    pub reviews_complete: u32,
    /// Incidents under the last policy.
    pub incidents: u32,
    /// One a policy, in the order of `ResultsOverview::policies`.
    pub verdicts: Vec<VerdictCell>,
    /// Some of its reviews are incomplete.
    pub provisional: bool,
    /// Smallest confidence of a field that a verdict rests on, 0 to 1.
    #[specta(type = Option<Number>)]
    pub least_sure: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerdictCell {
    pub verdict_index: Option<u32>,
    /// Points; they may be negative in a policy of one's own.
    pub score: Option<i32>,
    /// The verdict at `compare_k`.
    pub compared_index: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExportRequest {
    pub dataset: String,
    pub policies: Vec<String>,
    pub k: u32,
    /// The directory to write into; made if it is missing.
    pub dir: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExportReport {
    /// Paths of the files written, one a policy.
    pub files: Vec<String>,
    /// Some reviews were incomplete; the files say so too.
    pub provisional: bool,
}
