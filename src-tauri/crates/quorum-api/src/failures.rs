//! What failed in a run, grouped as its page shows it and as it can be asked again: one group a model and cause.
//!
//! A group is exactly what asking its cause again would send, no more: [`Quorum::run_retry`] picks by the same two words.

use std::collections::{BTreeMap, BTreeSet};

use quorum_core::{
    manifest::{Batch, BatchState, Cause, Manifest, ManifestState, PauseKind, TroubleKind},
    models::BATCH_PRICE_SHARE,
};
use quorum_engine::{OpenFailure, expected_usd, open_failures};

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
                usd_retry: usd_per_request(manifest, batches, &model, false) * f64::from(group.count),
                model,
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        Ok(groups)
    }

    /// What asking failed requests again sends and should cost, by the words that [`Quorum::run_retry`] takes.
    pub fn retry_offer(
        &self,
        run: &str,
        cause: Option<FailureCause>,
        model: Option<&str>,
        at_once: bool,
    ) -> Result<RetryOffer, ApiError> {
        let manifest = self.store().manifest(self.run_id(run)?)?;
        let batches = self.store().batches(manifest.id)?;
        let mut offer = RetryOffer::default();
        for group in self.failure_groups(&manifest, &batches)? {
            let is_picked = cause.map_or_else(|| is_in_all(&group), |cause| group.cause == cause);
            if is_picked && model.is_none_or(|model| group.model == model) {
                offer.requests = offer.requests.saturating_add(group.count);
                offer.usd += usd_per_request(&manifest, &batches, &group.model, at_once) * f64::from(group.count);
                offer.models.insert(group.model);
            } else if cause.is_none() && group.cause == FailureCause::BatchMissing {
                offer.left_out = offer.left_out.saturating_add(group.count);
            }
        }
        Ok(offer)
    }
}

/// What asking again sends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetryOffer {
    pub requests: u32,
    pub usd: f64,
    /// Requests of batches that may be paid for already. Asked for by that cause alone.
    pub left_out: u32,
    pub models: BTreeSet<String>,
}

/// Whether asking all again takes a group in. What may be answered and paid already is asked only by name.
fn is_in_all(group: &FailureGroup) -> bool {
    group.retryable && group.cause != FailureCause::BatchMissing
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

/// What asking one request of a model again should cost in that way: by what this run's answers of the model did, else by its
/// estimate. A trial is charged twice what a batch is.
pub(crate) fn usd_per_request(manifest: &Manifest, batches: &[Batch], model: &str, at_once: bool) -> f64 {
    let price_share = |at_once: bool| if at_once { 1.0 } else { BATCH_PRICE_SHARE };
    let of_model = || batches.iter().filter(|batch| batch.model.as_str() == model);
    let votes: u32 = of_model().map(|batch| batch.votes).sum();
    let full = if votes > 0 {
        of_model().map(|batch| batch.usd / price_share(batch.at_once)).sum::<f64>() / f64::from(votes)
    } else {
        let requests: u32 = of_model().map(|batch| batch.requests).sum();
        let expected: f64 = of_model().map(|batch| expected_usd(manifest, batch) / price_share(batch.at_once)).sum();
        expected / f64::from(requests.max(1))
    };
    full * price_share(at_once)
}
