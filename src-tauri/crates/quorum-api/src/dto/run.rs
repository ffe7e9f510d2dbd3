//! Runs: extractions that were started, with their batches and failures.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;
use super::activity::Activity;
use super::plan::EnsembleMember;

/// One run as the list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// The manifest's id.
    pub run: String,
    pub dataset: String,
    pub dataset_name: String,
    pub topic: String,
    pub topic_name: String,
    pub k: u32,
    /// What people call the provider that it was sent to, whichever is chosen now.
    pub provider: String,
    pub state: RunState,
    /// Why it is in this state, in words, where the state alone does not say.
    pub reason: Option<String>,
    pub requests: u32,
    /// What the provider is done with: answered or failed.
    pub completed: u32,
    /// Of those, what it has answered.
    pub answered: u32,
    /// Votes stored here.
    pub ingested: u32,
    pub failed: u32,
    #[specta(type = Number)]
    pub usd_estimated: f64,
    #[specta(type = Number)]
    pub usd_spent: f64,
    pub created_at: u32,
    pub finished_at: Option<u32>,
    pub sandbox: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RunState {
    /// Nothing is at the provider yet: no network, no queue room, or not its turn.
    Waiting,
    Running,
    /// By the user: what is at the provider goes on, no more is sent.
    Paused,
    /// It cannot go on alone: key, budget or a failed batch. `reason` says which.
    NeedsYou,
    Cancelling,
    /// Every batch is ingested; some requests may have failed.
    Done,
    Cancelled,
    /// Given up: nothing of it could be sent or collected.
    Failed,
}

/// One run with all that its page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RunDetail {
    pub summary: RunSummary,
    pub ensemble: Vec<EnsembleMember>,
    /// In the order of sending.
    pub batches: Vec<BatchDetail>,
    pub failures: Vec<FailureGroup>,
    pub retry_when: RetryWhen,
    /// What going on would send; `None`: it is not paused.
    pub resume: Option<ResumeOffer>,
    /// Ascending in time; the sum grows with every ingested batch.
    pub spend: Vec<SpendPoint>,
    #[specta(type = Option<Number>)]
    pub usd_forecast: Option<f64>,
    /// Expected end by this run's own pace, before 2 % is answered by what the account's batches took; `None`: not known yet.
    pub eta_earliest_at: Option<u32>,
    pub eta_latest_at: Option<u32>,
    /// Newest first.
    pub activity: Vec<Activity>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BatchDetail {
    pub batch: String,
    pub model: String,
    /// Which of the run's batches for this model, from 1, and of how many.
    pub ordinal: u32,
    pub ordinal_of: u32,
    pub state: BatchState,
    pub requests: u32,
    pub completed: u32,
    pub failed: u32,
    /// The provider's id, such as `batch_…`.
    pub provider_id: Option<String>,
    pub planned_at: u32,
    /// The provider made the batch: validating from here.
    pub created_at: Option<u32>,
    /// In progress from here.
    pub started_at: Option<u32>,
    pub finalizing_at: Option<u32>,
    /// The provider is done: completed, failed, expired or cancelled.
    pub finished_at: Option<u32>,
    pub ingested_at: Option<u32>,
    /// While it waits: when it should be sent, by what this account's batches took and the tokens ahead; `None`: not known.
    pub expected_start_at: Option<u32>,
    /// When it should be done; `None`: done, or not known.
    pub expected_end_at: Option<u32>,
    /// The provider's words, if it failed.
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum BatchState {
    Planned,
    /// The model's queue allowance is used up.
    Waiting,
    Uploading,
    Uploaded,
    Creating,
    Validating,
    InProgress,
    Finalizing,
    /// Done at the provider, not yet collected.
    Ready,
    Ingested,
    Failed,
    Expired,
    Cancelling,
    Cancelled,
}

/// When failed requests can be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RetryWhen {
    Now,
    /// Batches are still under way.
    BatchesAreIn,
    /// It is paused before all was sent: asking again would let the rest go as well.
    Resumed,
}

/// What resuming a paused run lets go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ResumeOffer {
    /// Not sent yet.
    pub requests: u32,
    /// What they are expected to cost.
    #[specta(type = Number)]
    pub usd: f64,
    pub lifts: Option<ResumeLifts>,
}

/// What stopped a run, and stops it no more once it is resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ResumeLifts {
    Budget,
    Trial,
}

/// Failed requests of one cause and one model: what asking that cause again sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FailureGroup {
    pub cause: FailureCause,
    /// The provider's own code, such as `request_timeout`; several with commas.
    pub provider_code: Option<String>,
    /// The provider's message for one of them.
    pub example: Option<String>,
    pub model: String,
    pub count: u32,
    /// False where the same request would fail the same way.
    pub retryable: bool,
    #[specta(type = Number)]
    pub usd_retry: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum FailureCause {
    /// No answer within the provider's time limit.
    Timeout,
    /// An answer without content.
    EmptyAnswer,
    /// Cut off at the output limit.
    CutOff,
    /// The model or the content filter refused.
    Refused,
    RateLimited,
    /// The provider failed (HTTP 5xx).
    ProviderFailed,
    /// The provider rejects the request as such (HTTP 4xx).
    RequestRejected,
    /// The answer could not be read.
    Unreadable,
    /// The batch ended before the request was reached.
    Expired,
    Cancelled,
    /// The provider's files hold no line for it.
    Missing,
    /// Asked at once, and no answer arrived: it may have been answered and billed.
    Unclear,
    /// Its whole batch was refused, or could not be sent.
    BatchRefused,
    /// Its whole batch is unknown at the provider, or the batch's answers are gone there.
    BatchMissing,
    Other,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SpendPoint {
    pub at: u32,
    /// Sum so far.
    #[specta(type = Number)]
    pub usd: f64,
}
