//! One business under one policy, and one review with its votes: how a verdict came about.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;
use super::results::VerdictCell;
use super::topic::{PolicySummary, TopicField};
use super::trust::AppliedAggregator;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BusinessQuery {
    pub dataset: String,
    pub topic: String,
    pub business: String,
    pub policy: String,
    pub k: u32,
    pub compare_k: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BusinessDetail {
    pub query: BusinessQuery,
    /// What settled the votes.
    pub applied: AppliedAggregator,
    pub name: String,
    pub categories: String,
    /// Reviews in the dataset, within K, complete, relevant.
    pub reviews_total: u32,
    pub reviews_used: u32,
    pub reviews_complete: u32,
    pub reviews_relevant: u32,
    pub provisional: bool,
    /// All policies of the topic, for the row of tabs.
    pub policies: Vec<PolicyOutcome>,
    /// Of the policy asked for.
    pub verdict_index: Option<u32>,
    pub score: Option<i32>,
    /// Scored policies: the thresholds in force at this K, ascending.
    pub thresholds: Vec<Threshold>,
    /// Rules policies: every rule in order of trying.
    pub rules: Vec<RuleOutcome>,
    /// Oldest first, those without a date last.
    pub incidents: Vec<Incident>,
    /// Added once, where there is an incident.
    pub cuisine_modifier: Option<PointsLabel>,
    /// The reviews within K, in dataset order.
    pub reviews: Vec<BusinessReview>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyOutcome {
    pub summary: PolicySummary,
    pub cell: VerdictCell,
    pub score_compared: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Threshold {
    pub verdict_index: u32,
    pub bound: ThresholdBound,
    pub points: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ThresholdBound {
    /// The verdict holds from this score up.
    Min,
    /// The verdict holds up to this score.
    Max,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RuleOutcome {
    pub verdict_index: u32,
    pub label: String,
    pub logic: RuleLogic,
    pub default: bool,
    pub holds: bool,
    /// The first rule that holds: it gave the verdict.
    pub matched: bool,
    pub conditions: Vec<ConditionOutcome>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RuleLogic {
    Any,
    All,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConditionOutcome {
    pub text: String,
    pub holds: bool,
    /// Relevant reviews that match, and how many are needed at this K.
    pub count: u32,
    pub needed: u32,
    pub review_ids: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PointsLabel {
    pub label: String,
    pub points: i32,
}

/// One review that adds points: (`base_points` + modifiers) × `recency_weight`, truncated toward zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    pub review_id: String,
    /// `YYYY-MM-DD`, if the review has a readable date.
    pub date: Option<String>,
    pub severity_field: String,
    pub severity_value: String,
    pub severity_label: String,
    pub base_points: i32,
    pub modifiers: Vec<PointsLabel>,
    pub total_points: i32,
    /// 1 for policies without recency.
    #[specta(type = Number)]
    pub recency_weight: f64,
    pub weighted_points: i32,
    /// Confidence of the severity field, and the weights it comes from.
    pub agreement: Option<Agreement>,
}

/// Weight of the votes that gave the settled value, and of all votes counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    pub weight_agreeing: u32,
    pub weight_counted: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BusinessReview {
    pub review_id: String,
    /// Place among the business's reviews, from 1.
    pub position: u32,
    pub date: Option<String>,
    /// 1 to 5; 0 if the dataset does not say.
    pub stars: u32,
    /// The first 160 characters of the text.
    pub excerpt: String,
    pub state: ReviewState,
    pub relevant: bool,
    /// It counts toward the policy's verdict: an incident, or a match of a condition.
    pub counted: bool,
    /// Why it does not count although it is relevant, in words.
    pub why: Option<String>,
    /// The settled values, in the order of the topic's fields.
    pub consensus: Vec<Option<String>>,
    /// Smallest confidence of its fields, 0 to 1.
    #[specta(type = Option<Number>)]
    pub least_sure: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ReviewState {
    Complete,
    /// Some votes are missing.
    Partial,
    /// No vote is stored.
    Unasked,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReviewQuery {
    pub dataset: String,
    pub topic: String,
    pub review_id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReviewDetail {
    pub query: ReviewQuery,
    pub business: String,
    pub position: u32,
    pub date: Option<String>,
    pub stars: u32,
    pub useful: u32,
    /// Plain text, to be shown as such: nothing in it is markup.
    pub text: String,
    /// Where the text was cut before it was sent, in UTF-16 code units of `text`; `None` if it was sent whole.
    pub cut_at: Option<u32>,
    pub state: ReviewState,
    pub relevance: Relevance,
    pub fields: Vec<ReviewField>,
    /// In the ensemble's order.
    pub votes: Vec<ReviewVote>,
    /// The ensemble's total weight.
    pub weight_total: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Relevance {
    /// `None` while no vote is stored.
    pub relevant: Option<bool>,
    pub tied: bool,
    pub agreement: Option<Agreement>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReviewField {
    pub field: TopicField,
    /// The settled value's id; `None` without a valid vote.
    pub value: Option<String>,
    /// In (0, 1].
    #[specta(type = Option<Number>)]
    pub confidence: Option<f64>,
    pub agreement: Option<Agreement>,
    pub tied: bool,
    /// A person set it; `value` is theirs.
    pub overridden: bool,
    /// Cue words of the settled value, to be marked in the text wherever they occur.
    pub cues: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReviewVote {
    pub model: String,
    pub run: u32,
    pub weight: u32,
    pub relevant: bool,
    /// In the order of `ReviewDetail::fields`; `None` is an abstention.
    pub values: Vec<Option<String>>,
}
