//! What came of an action, taken into the batch. Pure.

use quorum_core::manifest::{Batch, BatchState, Pause, PauseKind, Seconds, Trouble, TroubleKind};
use quorum_provider::{EffectError, ProviderError, wire};

use super::{PAUSE_S_MAX, observe};

/// What came of an action.
#[derive(Debug)]
pub enum Recorded {
    /// The input file is at the provider under this id.
    Uploaded(String),
    Created(Box<wire::Batch>),
    /// The creation may or may not have happened.
    CreateUnclear(ProviderError),
    /// It certainly did not happen.
    NotCreated(ProviderError),
    CancelAsked(Box<wire::Batch>),
    Cleaned,
    NotCleaned(ProviderError),
    /// The account knows neither the batch nor its results.
    Unknown,
    /// Requests are missing from result files that may not be whole.
    Short(ProviderError),
    /// An action without lasting effect failed.
    Failed(ProviderError),
}

impl From<EffectError> for Recorded {
    fn from(error: EffectError) -> Self {
        match error {
            EffectError::NotSent(cause) | EffectError::Refused(cause) => Self::NotCreated(cause),
            EffectError::Ambiguous(cause) => Self::CreateUnclear(cause),
        }
    }
}

/// First pause after a failed action; doubles with each failure in a row up to [`RETRY_S_MAX`].
const RETRY_S: Seconds = 5;
/// Looks for a result file that the provider does not know, before it is taken as gone, and what the other one has as all.
pub(crate) const RESULTS_LOOKS_MAX: u32 = 3;
/// Failures in a row of deleting files with a key that may not, before they are left to expire at the provider.
const CLEANS_MAX: u32 = 8;
/// Longest pause after failed actions.
const RETRY_S_MAX: Seconds = 600;

/// The batch after an action's outcome.
pub fn record(batch: &Batch, outcome: Recorded, now: Seconds) -> Batch {
    let mut next = batch.clone();
    match outcome {
        Recorded::Uploaded(id) => {
            next.input_file = Some(id);
            next.state = BatchState::Uploaded;
            next.failures_in_row = 0;
            next.trouble = None;
        }
        Recorded::Created(seen) | Recorded::CancelAsked(seen) => {
            next.failures_in_row = 0;
            // Whether something is gone is for the next look to say.
            observe::take_up(&mut next, &seen, now, Seconds::MAX);
        }
        // Stays `Creating`: the next look decides.
        Recorded::CreateUnclear(error) => next.trouble = Some(trouble(&error, now)),
        Recorded::NotCreated(error) => not_created(&mut next, &error, now),
        Recorded::Cleaned => next.cleaned = true,
        Recorded::NotCleaned(error) => {
            next.trouble = Some(trouble(&error, now));
            // A key that may not is replaced by one that may, or not; anything else that no wait mends is final.
            let may_pass = error.retryable() || (error.stops_account() && next.failures_in_row < CLEANS_MAX);
            next.cleaned = !may_pass;
            pause(&mut next, &error, now);
        }
        Recorded::Unknown => super::miss(&mut next, now),
        Recorded::Short(error) => {
            next.unsure_downloads = next.unsure_downloads.saturating_add(1);
            next.trouble = Some(trouble(&error, now));
            pause(&mut next, &error, now);
        }
        Recorded::Failed(error) => {
            next.trouble = Some(trouble(&error, now));
            if next.state == BatchState::Ready && matches!(error, ProviderError::NotFound { .. }) {
                next.unseen = next.unseen.saturating_add(1);
                if next.unseen > RESULTS_LOOKS_MAX {
                    next.state = BatchState::Failed;
                    next.trouble = Some(Trouble { kind: TroubleKind::ResultsGone, ..trouble(&error, now) });
                    return next;
                }
            }
            let is_hopeless = !error.retryable() && !error.stops_account();
            if next.state == BatchState::Uploading && is_hopeless && !is_local(&error) {
                next.state = BatchState::Failed;
                next.ended_at = Some(now);
            }
            pause(&mut next, &error, now);
        }
    }
    next
}

fn not_created(batch: &mut Batch, error: &ProviderError, now: Seconds) {
    batch.trouble = Some(trouble(error, now));
    match error {
        ProviderError::QueueFull { .. } => {
            batch.queue_refusals = batch.queue_refusals.saturating_add(1);
            batch.state = BatchState::Waiting;
            batch.retry_at = Some(now.saturating_add(super::QUEUE_RETRY_S));
        }
        // The file went away or never became visible: once more from the start.
        ProviderError::InvalidRequest { param: Some(param), .. } if param == "file_id" || param == "input_file_id" => {
            if !observe::upload_again(batch, now) {
                batch.state = BatchState::Failed;
                batch.ended_at = Some(now);
                batch.trouble = Some(Trouble { kind: TroubleKind::FileNotVisible, ..trouble(error, now) });
            }
        }
        error if error.retryable() || error.stops_account() => {
            batch.state = BatchState::Uploaded;
            pause(batch, error, now);
        }
        _ => {
            batch.state = BatchState::Failed;
            batch.ended_at = Some(now);
        }
    }
}

/// The trouble is on this computer and may be over next time: a full disk, for example.
fn is_local(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Io { .. } | ProviderError::UploadInput(_))
}

pub(crate) fn pause(batch: &mut Batch, error: &ProviderError, now: Seconds) {
    // No wait helps; the run stands still and the user says when to go on, see `account_stop`.
    if error.stops_account() && (batch.state.is_unsent() || batch.at_once) {
        batch.retry_at = None;
        return;
    }
    let doubled = RETRY_S.saturating_mul(1 << batch.failures_in_row.min(10)).min(RETRY_S_MAX);
    batch.failures_in_row = batch.failures_in_row.saturating_add(1);
    let asked = error.retry_after().and_then(|wait| Seconds::try_from(wait.as_secs()).ok()).unwrap_or(0);
    batch.retry_at = Some(now.saturating_add(doubled.max(asked).min(PAUSE_S_MAX)));
}

/// Why nothing more of the run can be sent before a person has acted at the provider: in words that say what is safe and what to do.
pub(crate) fn account_stop(batch: &Batch) -> Option<Pause> {
    let trouble =
        batch.trouble.as_ref().filter(|_| batch.state.is_unsent() || (batch.at_once && batch.state.is_live()))?;
    let (kind, what, remedy) = match trouble.kind {
        TroubleKind::QuotaExhausted => {
            (PauseKind::Account, "the account's credit or limit is used up", "Top it up at the provider, then resume")
        }
        TroubleKind::KeyRefused => (
            PauseKind::Key,
            "the provider refuses the key",
            "Store one of the same project that may send, and it goes on; or resume with this one",
        ),
        _ => return None,
    };
    let said = trouble.words.trim();
    let said = if said.is_empty() { String::new() } else { format!(" The provider says: {said}") };
    let words = format!("{what}. Votes and what is already sent are safe. {remedy}.{said}");
    Some(Pause { kind, words })
}

/// The provider's words about a failure, sorted by what a person can do.
pub fn trouble(error: &ProviderError, now: Seconds) -> Trouble {
    let kind = match error {
        ProviderError::Offline { .. } | ProviderError::Timeout { .. } => TroubleKind::Offline,
        ProviderError::Interrupted { .. } | ProviderError::LastLineCut { .. } => TroubleKind::Interrupted,
        ProviderError::Unauthorized { .. } | ProviderError::Forbidden { .. } => TroubleKind::KeyRefused,
        ProviderError::QuotaExhausted { .. } => TroubleKind::QuotaExhausted,
        ProviderError::QueueFull { .. } => TroubleKind::QueueFull,
        ProviderError::RateLimited { .. } => TroubleKind::RateLimited,
        ProviderError::Server { .. } => TroubleKind::ServerError,
        ProviderError::NotJson { .. } | ProviderError::TooLarge { .. } => TroubleKind::NotTheApi,
        ProviderError::InvalidRequest { .. } => TroubleKind::Refused,
        ProviderError::Io { .. } | ProviderError::UploadInput(_) => TroubleKind::Disk,
        ProviderError::NotFound { .. }
        | ProviderError::UploadLength { .. }
        | ProviderError::BadId { .. }
        | ProviderError::Unsendable(_) => TroubleKind::Other,
    };
    let words = error.provider_words().map_or_else(|| error.to_string(), str::to_owned);
    Trouble { kind, words, at: now }
}
