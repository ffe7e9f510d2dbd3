//! How far a topic's votes can be trusted: agreement, gold labels, aggregators, and what follows for verdicts.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;
use super::topic::TopicField;

/// A topic on a dataset. `k` decides which reviews gold is drawn from and which verdicts are meant; agreement and
/// aggregators are about all votes that the topic has on the dataset, as the consensus is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TrustQuery {
    pub dataset: String,
    pub topic: String,
    pub k: u32,
}

/// How votes become one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum AggregatorId {
    Majority,
    WeightedMajority,
    BestSingle,
    DawidSkene,
    OneCoin,
    Calibrated,
    Anchored,
    Stacked,
}

/// Which aggregator settled a topic's votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AppliedAggregator {
    pub aggregator: AggregatorId,
    /// Such as `weighted majority`.
    pub name: String,
    /// Questions that stay with weighted majority, as they have too few gold labels to learn from.
    pub kept: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TrustReport {
    pub query: TrustQuery,
    pub applied: AppliedAggregator,
    /// Reviews with a vote of the ensemble.
    pub reviews: u32,
    /// The runs that vote, such as `gpt-5-nano/2`.
    pub judges: Vec<String>,
    pub gold: GoldStand,
    /// Relevance first, then the topic's fields.
    pub questions: Vec<TrustQuestion>,
    /// Over whole reviews: the share of a review's questions that come out right. Empty without gold.
    pub aggregators: Vec<AggregatorScore>,
    pub recommendation: TrustRecommendation,
    /// What the votes and labels cannot tell.
    pub unknown: Vec<String>,
}

/// How many gold labels there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GoldStand {
    /// Labelled reviews of this dataset on the topic's present terms.
    pub labelled: u32,
    /// Labelled reviews on older definitions of the topic's terms; they do not count.
    pub stale: u32,
    /// Below this many nothing is recommended.
    pub enough: u32,
}

/// One question that the topic asks: is it relevant, or one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TrustQuestion {
    /// `None`: relevance.
    pub field: Option<String>,
    pub label: String,
    /// In the term's order.
    pub values: Vec<String>,
    /// The values have an order, as severities do.
    pub ordered: bool,
    pub reviews: u32,
    pub votes: u32,
    pub gold: u32,
    pub figures: Vec<TrustFigure>,
    pub confusions: Vec<ModelConfusion>,
    pub models: Vec<ModelScore>,
    /// Empty without gold.
    pub aggregators: Vec<AggregatorScore>,
    /// `None`: too little gold to learn from.
    pub learned: Option<LearnedWeights>,
}

/// What gold taught about a question, as numbers beside the configured weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LearnedWeights {
    pub judges: Vec<LearnedWeight>,
    /// What the learned blend multiplies, and how much each counts in it.
    pub blend: Vec<BlendPart>,
    pub words: String,
}

/// A run as calibrated weights see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LearnedWeight {
    pub judge: String,
    #[specta(type = Number)]
    pub configured: f64,
    /// How often it is expected to be right.
    #[specta(type = Number)]
    pub right_percent: f64,
    /// The learned weights' sizes sum to that of the configured ones. Below 0: its vote speaks against what it says.
    #[specta(type = Number)]
    pub weight: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BlendPart {
    pub aggregator: AggregatorId,
    pub name: String,
    #[specta(type = Number)]
    pub exponent: f64,
}

/// A figure and what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TrustFigure {
    pub name: String,
    /// `None`: the votes do not define it, and the words say why.
    #[specta(type = Option<Number>)]
    pub value: Option<f64>,
    pub words: String,
}

/// How two models' answers to the same reviews meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelConfusion {
    pub a: String,
    pub b: String,
    /// In percent; `None` where the two never meet.
    #[specta(type = Option<Number>)]
    pub agreement_percent: Option<f64>,
    /// Reviews where `a` says the row's value and `b` the column's.
    pub counts: Vec<Vec<u32>>,
}

/// A share in percent with its 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    #[specta(type = Number)]
    pub percent: f64,
    #[specta(type = Number)]
    pub low_percent: f64,
    #[specta(type = Number)]
    pub high_percent: f64,
    /// Labels that it rests on.
    pub n: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelScore {
    pub model: String,
    /// `None` without gold on a review that the model judged.
    pub accuracy: Option<Share>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AggregatorScore {
    pub aggregator: AggregatorId,
    pub name: String,
    /// It learns from gold and was scored on labels that it had not seen.
    pub cross_fitted: bool,
    pub accuracy: Share,
    /// Expected calibration error of its probabilities, as they are and after scaling; `None` over whole reviews.
    #[specta(type = Option<Number>)]
    pub ece_raw_percent: Option<f64>,
    #[specta(type = Option<Number>)]
    pub ece_scaled_percent: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TrustRecommendation {
    pub aggregator: AggregatorId,
    pub name: String,
    pub evidence: EvidenceId,
    pub words: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum EvidenceId {
    /// Too few gold labels to choose by.
    TooThin,
    /// The difference is within chance.
    Thin,
    Clear,
}

/// A labelling session: the newest sample of a topic on a dataset, and where it stands. It shows nothing of the votes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LabelSession {
    /// `None`: no sample was drawn yet.
    pub draw: Option<u32>,
    pub total: u32,
    pub labelled: u32,
    /// The sample can be labelled from here.
    pub next: Option<LabelTask>,
    pub fields: Vec<TopicField>,
}

/// A review to label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LabelTask {
    pub review_id: String,
    pub business: String,
    pub date: Option<String>,
    pub text: String,
}

/// What a person says one review is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GoldLabelRequest {
    pub query: TrustQuery,
    pub draw: u32,
    pub review_id: String,
    pub relevant: bool,
    /// Fields that are left out stay open: the person could not tell.
    pub values: Vec<LabelledField>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LabelledField {
    pub field: String,
    pub value: String,
}

/// How sure the verdicts of a topic's policies are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerdictCertainties {
    pub applied: AppliedAggregator,
    pub policies: Vec<PolicyCertainty>,
    /// What the probabilities rest on.
    pub words: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyCertainty {
    pub policy: String,
    pub counts: Vec<VerdictCountRow>,
    /// Verdicts that are expected to be wrong.
    #[specta(type = Number)]
    pub expected_wrong: f64,
    /// The least sure first.
    pub businesses: Vec<BusinessCertainty>,
}

/// How many businesses have a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerdictCountRow {
    pub verdict: String,
    pub stated: u32,
    /// The sum of its probabilities.
    #[specta(type = Number)]
    pub expected: f64,
    /// Holds the true count with 95 %.
    pub low: u32,
    pub high: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BusinessCertainty {
    pub business: String,
    pub name: String,
    /// What the policy says now.
    pub verdict: String,
    /// How probable that is.
    #[specta(type = Number)]
    pub probability: f64,
    pub probabilities: Vec<VerdictChance>,
    /// Largest standard error of a simulated probability; `None`: they are exact.
    #[specta(type = Option<Number>)]
    pub standard_error: Option<f64>,
    /// Reviews whose label could change the most probable verdict, where they were asked for.
    pub flips: Vec<FlipReview>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerdictChance {
    pub verdict: String,
    #[specta(type = Number)]
    pub probability: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FlipReview {
    pub review_id: String,
    /// Place among the business's reviews, from 1.
    pub position: u32,
    /// The chance that its label changes the most probable verdict.
    #[specta(type = Number)]
    pub chance: f64,
}

/// What each run is worth, and what the same money buys otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EnsembleAdvice {
    /// The field that was looked at beside relevance.
    pub field: Option<String>,
    pub gold: u32,
    pub runs: Vec<RunAdvice>,
    /// The whole ensemble first, then one run fewer each time, the least missed left out.
    pub alternatives: Vec<EnsembleAlternative>,
    pub words: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RunAdvice {
    pub judge: String,
    #[specta(type = Number)]
    pub changed_percent: f64,
    /// What its votes cost; `None` where the ledger does not have it, as with imported votes.
    #[specta(type = Option<Number>)]
    pub usd: Option<f64>,
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EnsembleAlternative {
    pub judges: Vec<String>,
    #[specta(type = Option<Number>)]
    pub usd: Option<f64>,
    /// Reviews with the same answer as the whole ensemble's.
    #[specta(type = Number)]
    pub same_percent: f64,
    pub accuracy: Option<Share>,
}

/// Reviews in the order of what a person's look at them is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ValueQueue {
    pub entries: Vec<ValueEntry>,
    /// Verdicts expected to be wrong now, over all policies of the topic.
    #[specta(type = Number)]
    pub expected_wrong: f64,
    /// Another look is not expected to change anything.
    pub stop: bool,
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ValueEntry {
    pub business: String,
    /// Place among the business's reviews, from 1.
    pub position: u32,
    pub review_id: String,
    /// Verdicts that a correct label is expected to change.
    #[specta(type = Number)]
    pub expected_changes: f64,
}
