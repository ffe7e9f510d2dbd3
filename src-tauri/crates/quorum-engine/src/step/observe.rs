//! What the provider says about a batch, taken into it.

use quorum_core::manifest::{Batch, BatchState, Outcome, Seconds, Trouble, TroubleKind};
use quorum_provider::wire::{self, BatchStatus};

use super::{QUEUE_RETRY_S, is_gone};

/// Words kept of validation errors, characters.
const WORDS_MAX: usize = 2_000;

/// Further uploads of an input file that the provider cannot see; after that it is the provider's side.
const UPLOADS_AGAIN_MAX: u32 = 3;

/// Takes what was seen into the batch: adopts its id, follows its state, keeps its times and counts.
pub(super) fn take_up(batch: &mut Batch, seen: &wire::Batch, now: Seconds, patience_s: Seconds) {
    let seconds = |time: Option<u64>| time.and_then(|time| Seconds::try_from(time).ok());
    let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    if batch.provider_id.as_deref() != Some(seen.id.as_str()) {
        batch.provider_id = Some(seen.id.clone());
        batch.attempts = batch.attempts.max(attempt(seen).unwrap_or(0));
        batch.submitted_at = seconds(seen.created_at).or(Some(now));
        batch.trouble = None;
    }
    if batch.input_file.is_none() && !seen.input_file_id.is_empty() {
        batch.input_file = Some(seen.input_file_id.clone());
    }
    if !is_without_files(seen) {
        (batch.unseen, batch.unseen_since) = (0, None);
    }
    batch.retry_at = None;
    batch.counted_completed = count(seen.request_counts.completed);
    batch.counted_failed = count(seen.request_counts.failed);
    batch.started_at = seconds(seen.in_progress_at).or(batch.started_at);
    batch.finalizing_at = seconds(seen.finalizing_at).or(batch.finalizing_at);
    match &seen.status {
        BatchStatus::Validating => batch.state = BatchState::Validating,
        BatchStatus::InProgress => batch.state = BatchState::InProgress,
        BatchStatus::Finalizing => batch.state = BatchState::Finalizing,
        BatchStatus::Cancelling => batch.state = BatchState::Cancelling,
        // A state of a newer API: still running as far as we are concerned.
        BatchStatus::Unknown(_) => {
            if !matches!(batch.state, BatchState::InProgress | BatchState::Finalizing) {
                batch.state = BatchState::Validating;
            }
        }
        BatchStatus::Failed if is_refusal(seen) => refused(batch, seen, now),
        BatchStatus::Completed | BatchStatus::Expired | BatchStatus::Cancelled | BatchStatus::Failed
            if is_without_files(seen) && !is_gone(batch, now, patience_s) =>
        {
            // They are named a moment later, or the provider has lost them: more looks will tell.
            batch.state = BatchState::Finalizing;
        }
        BatchStatus::Completed => ended(batch, seen, Outcome::Completed, seconds(seen.completed_at).unwrap_or(now)),
        BatchStatus::Expired => ended(batch, seen, Outcome::Expired, seconds(seen.expired_at).unwrap_or(now)),
        BatchStatus::Cancelled => ended(batch, seen, Outcome::Cancelled, seconds(seen.cancelled_at).unwrap_or(now)),
        // It broke off while it ran.
        BatchStatus::Failed => ended(batch, seen, Outcome::Completed, seconds(seen.failed_at).unwrap_or(now)),
    }
    if let BatchStatus::Unknown(status) = &seen.status {
        let words = format!("the provider calls its state {status:?}, which Quorum does not know");
        batch.trouble = Some(Trouble { kind: TroubleKind::Other, words, at: now });
    } else if batch.state != BatchState::Waiting && batch.state != BatchState::Failed {
        batch.trouble = None;
    }
}

fn ended(batch: &mut Batch, seen: &wire::Batch, outcome: Outcome, at: Seconds) {
    batch.ended_at = Some(at);
    if names_no_file(seen) && seen.request_counts.completed > 0 {
        // Answers were paid; whether they are paid for once more is the user's to say. So it is where only the failures are named:
        // then those are taken ([`Batch::lacks_output`]).
        let words = format!("the provider counts {} answers and names no file", seen.request_counts.completed);
        batch.state = BatchState::Failed;
        batch.trouble = Some(Trouble { kind: TroubleKind::ResultsGone, words, at });
        return;
    }
    batch.state = BatchState::Ready;
    (batch.unseen, batch.unseen_since) = (0, None);
    batch.outcome = Some(outcome);
    batch.output_file = seen.output_file_id.clone();
    batch.error_file = seen.error_file_id.clone();
}

fn names_no_file(seen: &wire::Batch) -> bool {
    seen.output_file_id.is_none() && seen.error_file_id.is_none()
}

/// Ended, and there must be results, but the file of the answers is not named, or neither is. What has run has results, whatever
/// the counts say, unless it was stopped before its first answer. The failures alone may be missing: some servers write them
/// beside the answers.
fn is_without_files(seen: &wire::Batch) -> bool {
    let counts = &seen.request_counts;
    match seen.status {
        BatchStatus::Completed | BatchStatus::Expired | BatchStatus::Cancelled | BatchStatus::Failed => {
            let has_run = seen.in_progress_at.is_some() || counts.completed.saturating_add(counts.failed) > 0;
            let must_have = seen.status == BatchStatus::Completed || has_run;
            (must_have && names_no_file(seen)) || (counts.completed > 0 && seen.output_file_id.is_none())
        }
        _ => false,
    }
}

/// The input was refused as a whole, and nothing ran. A batch that broke off while it ran is called failed as well: it has
/// answered what it names or counts.
pub fn is_refusal(seen: &wire::Batch) -> bool {
    let has_answers = seen.output_file_id.is_some() || seen.request_counts.completed > 0;
    let has_failures = seen.error_file_id.is_some() || seen.request_counts.failed > 0;
    // Some servers name a file or count the lines that failed validation, beside the errors.
    seen.status == BatchStatus::Failed && !has_answers && !(has_failures && seen.errors.is_empty())
}

/// Codes of a whole refusal that may be another one next time: the fault is the provider's, or the moment's.
const PASSING_CODES: [&str; 6] = [
    "server_error",
    "internal_error",
    "internal_server_error",
    "server_is_overloaded",
    "rate_limit_exceeded",
    "too_many_tasks",
];

/// Refusals of that kind in a row before the user is asked.
const REFUSALS_MAX: u32 = 3;

/// Codes that say that the account's money or credit is used up.
const MONEY_CODES: [&str; 7] = [
    "billing_hard_limit_reached",
    "insufficient_quota",
    "billing_not_active",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_spend_limit_exceeded",
];

/// The input failed validation, or there was no room in the queue: nothing ran and nothing is paid ([`is_refusal`]).
fn refused(batch: &mut Batch, seen: &wire::Batch, now: Seconds) {
    let words = words_of(seen);
    batch.provider_id = None;
    batch.ended_at = None;
    batch.submitted_at = None;
    if seen.is_over_queue_limit() {
        batch.queue_refusals = batch.queue_refusals.saturating_add(1);
        batch.state = BatchState::Waiting;
        batch.retry_at = Some(now.saturating_add(QUEUE_RETRY_S));
        batch.trouble = Some(Trouble { kind: TroubleKind::QueueFull, words, at: now });
        return;
    }
    let is_invisible = seen.errors.iter().any(|error| error.param.as_deref() == Some("file_id"));
    if is_invisible && upload_again(batch, now) {
        return;
    }
    // A refusal without a word says nothing against the input either.
    let may_pass = seen.errors.iter().all(|error| PASSING_CODES.contains(&error.code.as_str()));
    if may_pass && batch.refusals < REFUSALS_MAX {
        batch.retry_at = Some(now.saturating_add(QUEUE_RETRY_S << batch.refusals));
        batch.refusals += 1;
        batch.state = BatchState::Waiting;
        batch.trouble = Some(Trouble { kind: TroubleKind::ServerError, words, at: now });
        return;
    }
    // The input is sound: it waits until the account can pay.
    if seen.errors.iter().any(|error| MONEY_CODES.contains(&error.code.as_str())) {
        batch.retry_at = None;
        batch.state = BatchState::Waiting;
        batch.trouble = Some(Trouble { kind: TroubleKind::QuotaExhausted, words, at: now });
        return;
    }
    let kind = if is_invisible { TroubleKind::FileNotVisible } else { TroubleKind::Refused };
    batch.state = BatchState::Failed;
    batch.ended_at = Some(now);
    batch.trouble = Some(Trouble { kind, words, at: now });
}

/// Sends a batch back to have its file uploaded anew: at once the first time, later the next. False when that was tried enough.
pub(super) fn upload_again(batch: &mut Batch, now: Seconds) -> bool {
    if batch.files_unseen >= UPLOADS_AGAIN_MAX {
        return false;
    }
    batch.retry_at = (batch.files_unseen > 0).then(|| now.saturating_add(QUEUE_RETRY_S));
    batch.files_unseen += 1;
    batch.state = BatchState::Planned;
    batch.input_file = None;
    true
}

/// The provider's words about a refused input, with the lines they are about.
fn words_of(seen: &wire::Batch) -> String {
    let mut words = String::new();
    for error in &seen.errors {
        if words.len() > WORDS_MAX {
            words.push_str(" …");
            break;
        }
        if !words.is_empty() {
            words.push('\n');
        }
        if !error.code.is_empty() {
            words.push_str(&error.code);
            words.push_str(": ");
        }
        words.push_str(&error.message);
        if let Some(line) = error.line {
            words.push_str(&format!(" (line {line})"));
        }
    }
    words
}

/// The attempt number in a batch's metadata.
pub fn attempt(seen: &wire::Batch) -> Option<u32> {
    seen.metadata.get(crate::mark::ATTEMPT).and_then(|attempt| attempt.parse().ok())
}
