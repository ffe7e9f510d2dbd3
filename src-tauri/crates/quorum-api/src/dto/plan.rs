//! Plans and what they would cost. Nothing here sends anything but [`ExtractionStarted`]'s command.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// What the New extraction form says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PlanRequest {
    pub dataset: String,
    /// At least one topic id.
    pub topics: Vec<String>,
    /// Reviews of each business, 1 or more.
    pub k: u32,
    pub ensemble: Vec<EnsembleMember>,
    pub mode: Mode,
    /// Try models that are new to a topic with a few requests first; left out: where it costs money.
    #[serde(default)]
    #[specta(optional)]
    pub canary: Option<bool>,
}

/// One model of an ensemble: it is asked `runs` times, and each answer weighs `weight`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EnsembleMember {
    pub model: String,
    pub runs: u32,
    pub weight: u32,
    /// Models that sat here before: what they have answered is not asked again and counts here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[specta(optional)]
    pub replaces: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Through the Batch API, at half price, within 24 hours.
    Batch,
    /// One request after another, at full price, at once.
    OnDemand,
}

/// The models that can be chosen, and the ensembles that come ready-made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelList {
    pub models: Vec<ModelPrice>,
    /// The first is the default.
    pub ensembles: Vec<EnsemblePreset>,
    /// The ways of asking that this version has.
    pub modes: Vec<Mode>,
}

/// US dollars per million tokens, with the batch discount already taken off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelPrice {
    pub model: String,
    #[specta(type = Number)]
    pub input_usd: f64,
    #[specta(type = Number)]
    pub output_usd: f64,
    /// The day after which the provider no longer serves it, `YYYY-MM-DD`.
    pub shutdown_date: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EnsemblePreset {
    pub name: String,
    pub members: Vec<EnsembleMember>,
}

/// What a plan would send and cost. Votes that are stored or in flight in another run are not asked again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    pub businesses: u32,
    /// Reviews within the first K of each business; each counts once, whatever the number of topics.
    pub reviews: u32,
    /// `reviews` × topics × runs of the ensemble.
    pub votes_needed: u32,
    /// Of these, stored already.
    pub votes_known: u32,
    /// Of these, at the provider in another run.
    pub votes_in_flight: u32,
    /// What is left to send: `votes_needed` − `votes_known` − `votes_in_flight`.
    pub requests: u32,
    pub batches: Vec<BatchPlan>,
    pub per_model: Vec<ModelEstimate>,
    pub per_topic: Vec<TopicEstimate>,
    pub input_tokens: u32,
    pub output_tokens: u32,
    /// In the chosen mode.
    #[specta(type = Number)]
    pub usd: f64,
    /// Without the batch discount.
    #[specta(type = Number)]
    pub usd_full: f64,
    /// As batches, whatever the mode.
    #[specta(type = Number)]
    pub usd_batch: f64,
    pub output_basis: OutputBasis,
    /// Models that are tried with a few requests first, unless that is left out.
    pub trial_models: Vec<String>,
    /// Requests of each trial.
    pub trial_requests: u32,
    /// How long it may take; `None`: there is nothing to send.
    pub time: Option<TimeEstimate>,
    /// Names this very plan. `extraction_start` refuses one that has changed since.
    pub fingerprint: String,
    /// The presets and the chosen K, ascending.
    pub ladder: Vec<LadderStep>,
    pub warnings: Vec<PlanWarning>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BatchPlan {
    pub topic: String,
    pub model: String,
    pub requests: u32,
    /// Size of the input file in bytes, below 200 MB.
    pub bytes: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelEstimate {
    pub model: String,
    pub requests: u32,
    pub input_tokens: u32,
    pub output_tokens: u32,
    #[specta(type = Number)]
    pub usd: f64,
    #[specta(type = Number)]
    pub usd_full: f64,
    /// Price per million tokens in the chosen mode; `None` for a model without one, whose cost is in no sum.
    #[specta(type = Option<Number>)]
    pub input_price_usd: Option<f64>,
    #[specta(type = Option<Number>)]
    pub output_price_usd: Option<f64>,
    pub shutdown_date: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TopicEstimate {
    pub topic: String,
    pub votes_known: u32,
    pub requests: u32,
    /// `None`: a model that is asked has no price.
    #[specta(type = Option<Number>)]
    pub usd: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TimeEstimate {
    pub seconds_min: u32,
    pub seconds_max: u32,
    pub basis: TimeBasis,
}

/// Where the expected time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TimeBasis {
    /// Runs of a like size that this provider has answered in this mode.
    LikeRuns,
    /// No such run yet: the provider's window for a batch.
    Window,
    /// No such run yet: a usual time of an answer.
    Assumed,
}

/// Where the expected number of output tokens comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum OutputBasis {
    /// This topic's own answers so far.
    ThisTopic,
    /// Nothing was asked yet: the shape of the answer and a usual amount of reasoning.
    Assumed,
}

/// What the plan would be at another K.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LadderStep {
    pub k: u32,
    pub reviews: u32,
    /// Missing at this K.
    pub requests: u32,
    /// `None`: a model that is asked has no price.
    #[specta(type = Option<Number>)]
    pub usd: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PlanWarning {
    pub code: PlanWarningCode,
    /// In words, complete without the code.
    pub message: String,
    pub model: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PlanWarningCode {
    /// The model shuts down within 60 days.
    ModelShutsDown,
    /// The model is past its shutdown and cannot be asked.
    ModelShutDown,
    /// The provider was asked for its models and does not name it.
    ModelNotListed,
    /// By the model table it takes no answer schema, and cannot be asked.
    NoSchema,
    /// No price is known: the cost leaves this model out.
    PriceUnknown,
    /// The plan is above the daily budget.
    OverBudget,
    /// Batches go one after another, because of the queue allowance.
    QueueAllowance,
    /// Fewer reviews than K for some businesses.
    FewReviews,
}

/// One run a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExtractionStarted {
    /// Run ids in the order of the request's topics; empty if nothing was missing.
    pub runs: Vec<String>,
    pub requests: u32,
}
