//! What failed in a run, grouped as its page shows it and as it can be asked again: one group a model and cause.
//!
//! A group is exactly what asking its cause again would send, no more: [`Quorum::run_retry`] picks by the same two words.

use std::collections::{BTreeMap, BTreeSet};

use quorum_core::manifest::{Batch, BatchState, Cause, Manifest, ManifestState, PauseKind, TroubleKind};
use quorum_engine::{OpenFailure, open_failures};

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        run::{FailureCause, FailureGroup, RetryWhen},
    },
};

/// The distinct codes of a group that are named; a provider has few for one cause.
const CODES_MAX: usize = 3;

#[derive(Default)]
struct Group {
    codes: BTreeSet<String>,
    example: Option<String>,
    count: u32,
    retryable: bool,
}

impl Group {
    fn add(&mut self, count: u32, code: &str, words: &str, retryable: bool) {
        self.count = self.count.saturating_add(count);
        self.retryable |= retryable;
        if !code.is_empty() {
            self.codes.insert(code.to_owned());
        }
        if self.example.is_none() && !words.is_empty() {
            self.example = Some(words.to_owned());
        }
    }
}

impl Quorum {
    pub(crate) fn failure_groups(&self, manifest: &Manifest, batches: &[Batch]) -> Result<Vec<FailureGroup>, ApiError> {
        let mut groups: BTreeMap<(String, FailureCause), Group> = BTreeMap::new();
        for OpenFailure { model, failure, .. } in open_failures(self.store(), manifest, batches)? {
            let cause = failure_cause(failure.cause, &failure.code, failure.status);
            let group = groups.entry((model.to_string(), cause)).or_default();
            group.add(1, &failure.code, &failure.words, may_succeed(failure.cause));
        }
        for batch in batches {
            let Some(cause) = batch_cause(batch) else { continue };
            let (code, words) = split_words(batch);
            let group = groups.entry((batch.model.to_string(), cause)).or_default();
            group.add(batch.requests, &code.unwrap_or_default(), &words.unwrap_or_default(), true);
        }
        let mut groups: Vec<FailureGroup> = groups
            .into_iter()
            .map(|((model, cause), group)| FailureGroup {
                cause,
                provider_code: named(&group.codes),
                example: group.example,
                count: group.count,
                retryable: group.retryable,
                usd_retry: usd_per_request(manifest, batches, &model) * f64::from(group.count),
                model,
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        Ok(groups)
    }
}

fn named(codes: &BTreeSet<String>) -> Option<String> {
    let shown = codes.iter().take(CODES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match codes.len() {
        0 => None,
        more if more > CODES_MAX => Some(format!("{shown} and {} more", more - CODES_MAX)),
        _ => Some(shown),
    }
}

/// Asking again can help, or only the user can say whether to: what was cancelled, and what may have been billed.
pub(crate) fn may_succeed(cause: Cause) -> bool {
    cause.is_retryable() || matches!(cause, Cause::Cancelled | Cause::Unclear)
}

/// When failed requests can be asked again. A pause of the user's, or one for the budget, holds money back that asking again
/// would let go of together with the few requests that were meant.
pub(crate) fn retry_when(manifest: &Manifest, batches: &[Batch]) -> RetryWhen {
    let holds = manifest.paused.as_ref().is_some_and(|pause| matches!(pause.kind, PauseKind::User | PauseKind::Budget));
    if manifest.state(batches) == ManifestState::Live && manifest.finished_at.is_none() {
        RetryWhen::BatchesAreIn
    } else if holds && batches.iter().any(|batch| batch.state.is_unsent()) {
        RetryWhen::Resumed
    } else {
        RetryWhen::Now
    }
}

pub(crate) fn failure_cause(cause: Cause, code: &str, status: u16) -> FailureCause {
    match cause {
        Cause::Expired => FailureCause::Expired,
        Cause::Cancelled => FailureCause::Cancelled,
        Cause::Lost => FailureCause::Missing,
        Cause::CutOff => FailureCause::CutOff,
        Cause::Refused | Cause::Filtered => FailureCause::Refused,
        Cause::Unreadable => FailureCause::Unreadable,
        Cause::Rejected => FailureCause::RequestRejected,
        Cause::Unclear => FailureCause::Unclear,
        Cause::Temporary if code == "request_timeout" || status == 408 => FailureCause::Timeout,
        Cause::Temporary => match status {
            0 => FailureCause::EmptyAnswer,
            429 => FailureCause::RateLimited,
            500.. => FailureCause::ProviderFailed,
            _ => FailureCause::Other,
        },
    }
}

/// Why a whole batch has no answers; it has no lines that could say so one by one.
pub(crate) fn batch_cause(batch: &Batch) -> Option<FailureCause> {
    match batch.state {
        BatchState::Missing => Some(FailureCause::BatchMissing),
        BatchState::Failed if has_lost_results(batch) => Some(FailureCause::BatchMissing),
        BatchState::Failed => Some(FailureCause::BatchRefused),
        _ => None,
    }
}

/// It was answered, and the answers are gone.
fn has_lost_results(batch: &Batch) -> bool {
    batch.trouble.as_ref().is_some_and(|trouble| trouble.kind == TroubleKind::ResultsGone)
}

/// The first of the provider's words, as code and message where they have that form.
pub(crate) fn split_words(batch: &Batch) -> (Option<String>, Option<String>) {
    let Some(trouble) = batch.trouble.as_ref().filter(|trouble| !trouble.words.is_empty()) else { return (None, None) };
    match trouble.words.split_once(": ") {
        Some((code, message)) if !code.contains(' ') => (Some(code.to_owned()), Some(message.to_owned())),
        _ => (None, Some(trouble.words.clone())),
    }
}

/// What one request costs by this run's own figures, else by its estimate.
pub(crate) fn usd_per_request(manifest: &Manifest, batches: &[Batch], model: &str) -> f64 {
    let of_model = || batches.iter().filter(|batch| batch.model.as_str() == model);
    let votes: u32 = of_model().map(|batch| batch.votes).sum();
    if votes > 0 {
        return of_model().map(|batch| batch.usd).sum::<f64>() / f64::from(votes);
    }
    let requests: u32 = batches.iter().filter(|batch| batch.round == 0).map(|batch| batch.requests).sum();
    manifest.usd_estimated / f64::from(requests.max(1))
}
