//! A batch: its plan, its state here and at the provider, and what came of it.

use serde::{Deserialize, Serialize};

use super::{BatchId, Seconds};
use crate::{ids::ModelId, models::Usage};

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
    /// Consecutive looks that did not find what should be there: the batch, or the files of an ended one.
    #[serde(default)]
    pub unseen: u32,
    /// When the first of them was.
    #[serde(default)]
    pub unseen_since: Option<Seconds>,
    /// Downloads of its results that were short of requests, and that the provider did not confirm to be whole.
    #[serde(default)]
    pub unsure_downloads: u32,
    /// Its files at the provider are deleted, or the provider refuses to delete them (`trouble` has its words).
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
    /// The provider counts answers and names no file that has them.
    pub fn lacks_output(&self) -> bool {
        self.counted_completed > 0 && self.output_file.is_none()
    }

    /// Closed while the account did not know it: the provider may still run it, or have answers that are paid.
    pub fn is_adrift(&self) -> bool {
        let trouble = self.trouble.as_ref().map(|trouble| trouble.kind);
        self.state == BatchState::Cancelled
            && match trouble {
                Some(TroubleKind::BatchUnknown) => true,
                // Looked for often enough before.
                Some(TroubleKind::ResultsGone) => false,
                _ => self.provider_id.is_some(),
            }
    }

    /// Requests that are not sent: all of a batch's until it goes as a whole, and of synchronous calls those without an answer.
    pub fn requests_unsent(&self) -> u32 {
        if self.at_once && self.state.is_live() {
            self.requests.saturating_sub(self.votes.saturating_add(self.failed))
        } else if self.state.is_unsent() {
            self.requests
        } else {
            0
        }
    }

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
            unseen_since: None,
            unsure_downloads: 0,
            cleaned: false,
            cancel_requested: false,
            refusals: 0,
            queue_refusals: 0,
            files_unseen: 0,
            asking: Vec::new(),
        }
    }
}
