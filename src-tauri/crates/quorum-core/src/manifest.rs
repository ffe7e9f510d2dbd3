//! The manifest: the durable plan and state of an extraction, and of every batch in it. Plain data.
//!
//! Not here: tables (quorum-store) and the decisions about what happens next (quorum-engine's `step`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ensemble::Ensemble,
    ids::{DatasetName, ModelId, TermHash, TopicId},
    models::Usage,
};

/// Unix seconds.
pub type Seconds = u32;

/// Number of a manifest in its store, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ManifestId(pub u32);

impl fmt::Display for ManifestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// A batch: its manifest and its number in it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BatchId {
    pub manifest: ManifestId,
    pub number: u32,
}

impl fmt::Display for BatchId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.manifest, self.number)
    }
}

/// Whose votes: those of the sandbox never mix with those of a provider.
///
/// Any provider on this computer (the built-in simulator, or an address on loopback) is the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Realm {
    Sandbox,
    Live,
}

impl fmt::Display for Realm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        })
    }
}

/// How requests reach the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Batch API: half price, up to 24 h.
    #[default]
    Batch,
    /// Synchronous calls at full price.
    OnDemand,
}

/// One user action "get the missing votes of topic T on dataset D at K with ensemble E".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub id: ManifestId,
    /// Goes into the provider's metadata, so that a batch can be told from those of other stores on the same account.
    pub key: String,
    pub realm: Realm,
    /// Base address of the provider, or `sandbox`.
    pub provider: String,
    pub dataset: DatasetName,
    pub topic: TopicId,
    pub term_hash: TermHash,
    /// The vote space that answers go to.
    pub space: u32,
    pub k: u32,
    pub ensemble: Ensemble,
    pub mode: Mode,
    pub prompt_version: u32,
    pub created_at: Seconds,
    pub usd_estimated: f64,
    /// No batch is submitted that would bring the expected spend above this.
    #[serde(default)]
    pub budget_usd: Option<f64>,
    /// Why no further batch is sent; live batches go on.
    #[serde(default)]
    pub paused: Option<Pause>,
    /// The user goes on although a model answered none of its trial requests.
    #[serde(default)]
    pub skips_canary: bool,
    /// Batches at the provider that carry this manifest's mark, are not in this store, and that the user was told about.
    #[serde(default)]
    pub strangers: Vec<String>,
    /// The user gave the extraction up; what was answered stays.
    #[serde(default)]
    pub cancelled: bool,
    /// When its last batch settled.
    #[serde(default)]
    pub finished_at: Option<Seconds>,
    /// Highest retry round so far; 0 is the first sending.
    #[serde(default)]
    pub round: u32,
    /// Standard prices (USD per million tokens: input, cached, output) per model at the time of planning.
    pub prices: Vec<Price>,
}

/// A stop of an extraction until the user decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub kind: PauseKind,
    /// For a person, to be read behind "paused: ".
    pub words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseKind {
    /// On the user's wish.
    User,
    /// The next batch would exceed the run's budget.
    Budget,
    /// The topic's terms changed after the plan was made.
    TermsChanged,
    /// A model answered none of its trial requests.
    Canary,
    /// The account runs a batch of this manifest that this store does not know: a copy of the store is at work.
    Elsewhere,
    /// The provider takes nothing more from this account until a person acts there: credit or limit.
    Account,
    /// The provider refuses the key for sending; another one that is stored lifts it.
    Key,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    pub model: ModelId,
    pub input_usd: f64,
    pub cached_usd: f64,
    pub output_usd: f64,
    /// Expected output tokens per request.
    pub output_tokens: f64,
}

/// What a manifest's batches add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestState {
    /// At least one batch has something to do without the user.
    Live,
    /// Nothing goes on until the user decides.
    NeedsUser,
    Completed,
    Cancelled,
}

impl Manifest {
    /// Derived from its batches, never stored.
    pub fn state(&self, batches: &[Batch]) -> ManifestState {
        let live = batches.iter().any(|batch| match batch.state {
            // A paused or cancelled extraction sends nothing more.
            BatchState::Planned | BatchState::Waiting => self.paused.is_none() && !self.cancelled,
            BatchState::Uploaded => self.paused.is_none() || self.cancelled,
            // Between two portions of synchronous calls nothing is under way.
            BatchState::InProgress if batch.at_once && batch.asking.is_empty() => {
                self.paused.is_none() || self.cancelled
            }
            state => state.is_live(),
        });
        if live {
            ManifestState::Live
        } else if self.cancelled {
            ManifestState::Cancelled
        } else if self.paused.is_some() || batches.iter().any(|batch| !batch.state.is_settled()) {
            ManifestState::NeedsUser
        } else {
            ManifestState::Completed
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Decided, nothing sent.
    Planned,
    /// The model's queue allowance is used up; goes on by itself.
    Waiting,
    /// The input file is being sent, or was: look for it before sending again.
    Uploading,
    /// The input file is at the provider.
    Uploaded,
    /// The batch is being created, or was: look for it before creating again.
    Creating,
    Validating,
    InProgress,
    Finalizing,
    /// The provider cancels it on the user's wish.
    Cancelling,
    /// The provider is done (however it ended); results wait to be fetched.
    Ready,
    /// Results are in the store.
    Ingested,
    /// The provider refused it, or it cannot be sent; the requests were not answered.
    Failed,
    /// The account does not know the batch any more: another key or project, or lost.
    Missing,
    /// Given up before anything was answered.
    Cancelled,
}

impl BatchState {
    /// Nothing of it was sent to run yet.
    pub fn is_unsent(self) -> bool {
        matches!(self, Self::Planned | Self::Waiting | Self::Uploading | Self::Uploaded)
    }

    /// The loop has something to do for it.
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Ingested | Self::Failed | Self::Missing | Self::Cancelled)
    }

    /// Known at the provider and not yet ended there.
    pub fn is_at_provider(self) -> bool {
        matches!(self, Self::Creating | Self::Validating | Self::InProgress | Self::Finalizing | Self::Cancelling)
    }

    /// Its requests count as in flight: planning must not ask them again.
    pub fn holds_requests(self) -> bool {
        self.is_live() || self == Self::Missing
    }

    /// Nothing is open: neither for the loop nor for the user.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Ingested | Self::Cancelled)
    }
}

/// How a batch ended at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Completed,
    /// Not done in 24 h; what was done is paid and kept.
    Expired,
    Cancelled,
}

/// The provider's or the loop's own words about why something did not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// A closed set of our own, for example `queue_full`; the UI words it.
    pub kind: TroubleKind,
    /// The provider's words, as given.
    #[serde(default)]
    pub words: String,
    pub at: Seconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    Offline,
    /// The provider refused the key.
    KeyRefused,
    /// No key is stored.
    NoKey,
    /// Credit or spending limit is used up at the provider.
    QuotaExhausted,
    RateLimited,
    ServerError,
    /// Something that is no API answered: a proxy, a login page.
    NotTheApi,
    /// The model's enqueued-token allowance is used up.
    QueueFull,
    /// The provider refused the input in validation.
    Refused,
    /// A file that was uploaded is not visible to the provider.
    FileNotVisible,
    /// The batch ended, and its result files are not at the provider any more.
    ResultsGone,
    /// A download ended early; it is taken up again.
    Interrupted,
    /// The account does not list the batch.
    BatchUnknown,
    /// The run's budget would be exceeded.
    Budget,
    /// The first few requests of a model all failed.
    CanaryFailed,
    Disk,
    /// Anything else the provider said.
    Other,
}

/// One provider job: one model, one input file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    pub id: BatchId,
    pub model: ModelId,
    pub state: BatchState,
    /// 0 is the first sending; each retry of failed requests is a round of its own.
    #[serde(default)]
    pub round: u32,
    /// A first, small batch of its model; the others wait for it.
    #[serde(default)]
    pub is_canary: bool,
    /// Its requests are synchronous calls at the full price, not a job of the provider's.
    #[serde(default)]
    pub at_once: bool,
    pub requests: u32,
    /// Of the input file.
    pub bytes: u64,
    /// Prompt tokens, estimated.
    pub tokens: u64,
    /// Identifies what it asks: a hash over model, schema and requests. In the provider's metadata, so that a batch is only
    /// ever adopted for the same questions.
    #[serde(default)]
    pub fingerprint: String,
    /// Creations tried. The number of the current one is in the provider's metadata.
    #[serde(default)]
    pub attempts: u32,
    /// Actions that failed one after the other; lengthens the pause before the next.
    #[serde(default)]
    pub failures_in_row: u32,
    /// When the current intent was written.
    #[serde(default)]
    pub intended_at: Option<Seconds>,
    #[serde(default)]
    pub input_file: Option<String>,
    #[serde(default)]
    pub provider_id: Option<String>,
    #[serde(default)]
    pub output_file: Option<String>,
    #[serde(default)]
    pub error_file: Option<String>,
    /// As the provider counts, for progress only; never for results.
    #[serde(default)]
    pub counted_completed: u32,
    #[serde(default)]
    pub counted_failed: u32,
    #[serde(default)]
    pub submitted_at: Option<Seconds>,
    #[serde(default)]
    pub started_at: Option<Seconds>,
    #[serde(default)]
    pub finalizing_at: Option<Seconds>,
    #[serde(default)]
    pub ended_at: Option<Seconds>,
    #[serde(default)]
    pub outcome: Option<Outcome>,
    #[serde(default)]
    pub ingested_at: Option<Seconds>,
    /// Votes stored from it.
    #[serde(default)]
    pub votes: u32,
    /// Requests without a vote after ingest.
    #[serde(default)]
    pub failed: u32,
    #[serde(default)]
    pub usage: Usage,
    /// By the manifest's prices and the usage that the provider reported.
    #[serde(default)]
    pub usd: f64,
    #[serde(default)]
    pub trouble: Option<Trouble>,
    /// Not before this.
    #[serde(default)]
    pub retry_at: Option<Seconds>,
    /// Consecutive listings that did not show it.
    #[serde(default)]
    pub unseen: u32,
    /// Its files at the provider are deleted.
    #[serde(default)]
    pub cleaned: bool,
    /// The user wants it cancelled.
    #[serde(default)]
    pub cancel_requested: bool,
    /// Times that the provider refused it for a reason that may pass.
    #[serde(default)]
    pub refusals: u32,
    /// Times in a row that the queue had no room for it.
    #[serde(default)]
    pub queue_refusals: u32,
    /// Input files that the provider could not see after they were uploaded.
    #[serde(default)]
    pub files_unseen: u32,
    /// Asked one by one: places of the requests that were sent and whose answers are not in the store. Written before they
    /// are sent; what is still here after a crash may have been billed and is never asked again by itself.
    #[serde(default)]
    pub asking: Vec<u32>,
}

impl Batch {
    /// A batch as planned.
    pub fn planned(id: BatchId, model: ModelId, requests: u32, bytes: u64, tokens: u64) -> Self {
        Self {
            id,
            model,
            state: BatchState::Planned,
            round: 0,
            is_canary: false,
            at_once: false,
            requests,
            bytes,
            tokens,
            fingerprint: String::new(),
            attempts: 0,
            failures_in_row: 0,
            intended_at: None,
            input_file: None,
            provider_id: None,
            output_file: None,
            error_file: None,
            counted_completed: 0,
            counted_failed: 0,
            submitted_at: None,
            started_at: None,
            finalizing_at: None,
            ended_at: None,
            outcome: None,
            ingested_at: None,
            votes: 0,
            failed: 0,
            usage: Usage::default(),
            usd: 0.0,
            trouble: None,
            retry_at: None,
            unseen: 0,
            cleaned: false,
            cancel_requested: false,
            refusals: 0,
            queue_refusals: 0,
            files_unseen: 0,
            asking: Vec::new(),
        }
    }
}

/// A request without a vote, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub cause: Cause,
    /// HTTP status of the line, 0 when there was none.
    #[serde(default)]
    pub status: u16,
    /// The provider's code, for example `context_length_exceeded`.
    #[serde(default)]
    pub code: String,
    /// The provider's words, or ours where it said none.
    pub words: String,
}

/// What kind of failure a request met; decides whether asking again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The batch ended before its turn came.
    Expired,
    Cancelled,
    /// No or a temporary answer: status 0, 408, 409, 429, 5xx.
    Temporary,
    /// In neither result file.
    Lost,
    /// The answer was cut off at the output limit (and paid).
    CutOff,
    /// The model refused.
    Refused,
    /// The provider's content filter.
    Filtered,
    /// The answer cannot be read as a vote.
    Unreadable,
    /// The provider rejected the request itself; it would again.
    Rejected,
    /// Asked at once, and no answer arrived: it may have been answered and billed all the same.
    Unclear,
}

impl Cause {
    /// Asking the same again can help and the round may take it up.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Expired | Self::Temporary | Self::Lost | Self::Unreadable | Self::CutOff => true,
            Self::Cancelled | Self::Refused | Self::Filtered | Self::Rejected | Self::Unclear => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            id: ManifestId(1),
            key: "k".to_owned(),
            realm: Realm::Sandbox,
            provider: "sandbox".to_owned(),
            dataset: "d".into(),
            topic: "G1_allergy".into(),
            term_hash: "h".into(),
            space: 1,
            k: 25,
            ensemble: Ensemble::standard(),
            mode: Mode::Batch,
            prompt_version: 1,
            created_at: 0,
            usd_estimated: 0.0,
            budget_usd: None,
            paused: None,
            skips_canary: false,
            strangers: Vec::new(),
            cancelled: false,
            finished_at: None,
            round: 0,
            prices: Vec::new(),
        }
    }

    fn state(states: &[BatchState], change: impl Fn(&mut Manifest)) -> ManifestState {
        let mut manifest = manifest();
        change(&mut manifest);
        let batches: Vec<Batch> = (1..)
            .zip(states)
            .map(|(number, state)| {
                let id = BatchId { manifest: ManifestId(1), number };
                Batch { state: *state, ..Batch::planned(id, "m".into(), 1, 1, 1) }
            })
            .collect();
        manifest.state(&batches)
    }

    #[test]
    fn a_manifest_is_what_its_batches_are() {
        use BatchState::{Failed, InProgress, Ingested, Missing, Planned, Uploaded};
        let same = |_: &mut Manifest| {};
        let paused = |manifest: &mut Manifest| {
            manifest.paused = Some(Pause { kind: PauseKind::User, words: "by you".to_owned() });
        };
        let cancelled = |manifest: &mut Manifest| manifest.cancelled = true;
        assert_eq!(state(&[Ingested, Planned], same), ManifestState::Live);
        assert_eq!(state(&[Ingested, Ingested], same), ManifestState::Completed);
        assert_eq!(state(&[Ingested, Failed], same), ManifestState::NeedsUser);
        assert_eq!(state(&[Missing], same), ManifestState::NeedsUser);
        assert_eq!(state(&[InProgress, Planned], paused), ManifestState::Live);
        assert_eq!(state(&[Ingested, Planned], paused), ManifestState::NeedsUser);
        assert_eq!(state(&[Ingested, Uploaded], paused), ManifestState::NeedsUser);
        assert_eq!(state(&[Ingested, Uploaded], cancelled), ManifestState::Live);
        assert_eq!(state(&[Ingested, Planned], cancelled), ManifestState::Cancelled);
        assert_eq!(state(&[], same), ManifestState::Completed);
    }
}
