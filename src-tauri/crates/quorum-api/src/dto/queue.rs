//! The review queue: labels that need a person, and what hangs on each.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;
use super::business::ReviewDetail;
use super::topic::{PolicySummary, TopicField};
use super::trust::AppliedAggregator;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QueueQuery {
    pub dataset: String,
    pub topic: String,
    pub k: u32,
    pub order: QueueOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum QueueOrder {
    /// By how many verdicts flip if the label takes another plausible value, then by confidence.
    Verdicts,
    /// By how many verdicts a look at the review is expected to change, labels not in doubt included.
    Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReviewQueue {
    pub query: QueueQuery,
    /// In the order asked for.
    pub labels: Vec<QueueLabel>,
    /// Labels on which at least one verdict hangs.
    pub deciding: u32,
    /// Below this share of the weight a label needs a person.
    #[specta(type = Number)]
    pub unsure_below: f64,
    /// What settled the votes, and so says which labels are in doubt.
    pub applied: AppliedAggregator,
    /// Whether to go on; only of a queue by value.
    pub outlook: Option<QueueOutlook>,
}

/// What looking at another label is expected to bring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QueueOutlook {
    /// Verdicts expected to be wrong now, over all policies of the topic.
    #[specta(type = Number)]
    pub expected_wrong: f64,
    /// Another look is not worth it.
    pub stop: bool,
    pub words: String,
}

/// One field of one review, or its relevance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QueueLabel {
    pub review_id: String,
    pub business: String,
    pub business_name: String,
    /// `is_relevant` is the review's relevance, with the values `true` and `false`.
    pub field: String,
    /// What the votes settle to, and the value with the next most weight.
    pub value: Option<String>,
    pub rival: Option<String>,
    pub doubt: Doubt,
    /// The chosen aggregator's, in (0, 1]; `None` without a valid vote.
    #[specta(type = Option<Number>)]
    pub confidence: Option<f64>,
    /// Verdicts of this business, one a policy, that flip if the label takes another plausible value.
    pub verdicts: u32,
    /// Verdicts that a look at its review is expected to change; only of a queue by value.
    #[specta(type = Option<Number>)]
    pub expected_changes: Option<f64>,
}

/// Why a label needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Doubt {
    Tie,
    /// So many votes gave no valid value that those who did are too few.
    NoAnswer,
    /// Too little weight agrees, or the chosen aggregator gives the value too small a chance.
    Unsure,
    /// None: it is here for what its review could change.
    Settled,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LabelQuery {
    pub dataset: String,
    pub topic: String,
    pub k: u32,
    pub review_id: String,
    pub field: String,
}

/// A label with its review, and every value it could take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LabelDetail {
    pub query: LabelQuery,
    pub review: ReviewDetail,
    pub business_name: String,
    /// Reviews of the business within K.
    pub reviews: u32,
    pub field: TopicField,
    /// What holds now, a person's correction included.
    pub value: Option<String>,
    /// In the order of `field.values`.
    pub outcomes: Vec<LabelOutcome>,
    /// The verdicts as they are; in the order of `policies`.
    pub verdicts: Vec<Option<u32>>,
    pub policies: Vec<PolicySummary>,
}

/// What comes of one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LabelOutcome {
    /// What the value means, in the term's words.
    pub description: String,
    /// Weight of the votes that gave it.
    pub weight: u32,
    pub verdicts: Vec<Option<u32>>,
}
