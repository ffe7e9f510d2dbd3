//! How long a plan may take, by the runs that this provider has answered before.
//!
//! A provider promises 24 hours and mostly takes less; what it takes here depends on the account's queue and on how much is
//! sent at once. So only runs of a like size and the same mode say anything. Without one the estimate says what it goes by
//! instead: the provider's window, or an assumption that is named as one.

use quorum_core::manifest::{BatchState, Mode, Realm, Seconds};
use quorum_engine::ASKED_MAX;

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        plan::{TimeBasis, TimeEstimate},
    },
    plans::u32_of,
};

/// A run of so many times more or fewer requests says nothing about a plan.
const SIZE_RATIO_MAX: u64 = 4;

/// The provider's window for a batch.
const WINDOW_S: Seconds = 86_400;

/// What a reasoning model usually takes for one answer of a synchronous call, quickest and slowest.
const ANSWER_S: (u64, u64) = (2, 20);

/// What the sandbox usually takes for a run, and for each thousand requests more.
const SANDBOX_S: (u64, u64) = (2, 30);
const SANDBOX_REQUESTS_PER_S: u64 = 1_000;

/// A run whose first sending is answered: requests, and seconds from its start to its last answer.
type Answered = (u64, Seconds);

impl Quorum {
    /// The time to expect; `requests` are those of the plan's largest topic, as topics go side by side.
    pub(crate) fn expected_time(&self, requests: u64, mode: Mode) -> Result<Option<TimeEstimate>, ApiError> {
        if requests == 0 {
            return Ok(None);
        }
        let address = self.address()?;
        let mut past: Vec<Answered> = Vec::new();
        for manifest in self.store().manifests()? {
            if manifest.provider != address.as_str() || manifest.cancelled || manifest.mode != mode {
                continue;
            }
            let batches = self.store().batches(manifest.id)?;
            let first: Vec<_> = batches.iter().filter(|batch| batch.round == 0).collect();
            if first.is_empty() || first.iter().any(|batch| batch.state != BatchState::Ingested) {
                continue;
            }
            if let Some(end) = first.iter().filter_map(|batch| batch.ended_at).max() {
                let asked = first.iter().map(|batch| u64::from(batch.requests)).sum();
                past.push((asked, end.saturating_sub(manifest.created_at)));
            }
        }
        Ok(Some(match range(&past, requests) {
            Some((seconds_min, seconds_max)) => TimeEstimate { seconds_min, seconds_max, basis: TimeBasis::LikeRuns },
            None => without_experience(requests, mode, address.realm()),
        }))
    }
}

fn range(past: &[Answered], requests: u64) -> Option<(Seconds, Seconds)> {
    let is_alike = |asked: u64| asked <= requests * SIZE_RATIO_MAX && requests <= asked * SIZE_RATIO_MAX;
    let alike = || past.iter().filter(|(asked, _)| requests > 0 && is_alike(*asked)).map(|(_, seconds)| *seconds);
    Some((alike().min()?, alike().max()?))
}

fn without_experience(requests: u64, mode: Mode, realm: Realm) -> TimeEstimate {
    let assumed = |min: u64, max: u64| TimeEstimate {
        seconds_min: u32_of(min),
        seconds_max: u32_of(max),
        basis: TimeBasis::Assumed,
    };
    match (realm, mode) {
        (Realm::Sandbox, _) => {
            let more = requests / SANDBOX_REQUESTS_PER_S;
            assumed(SANDBOX_S.0, SANDBOX_S.1.saturating_add(more))
        }
        (Realm::Live, Mode::Batch) => TimeEstimate { seconds_min: 0, seconds_max: WINDOW_S, basis: TimeBasis::Window },
        (Realm::Live, Mode::OnDemand) => {
            let portions = requests.div_ceil(ASKED_MAX as u64);
            assumed(portions.saturating_mul(ANSWER_S.0), portions.saturating_mul(ANSWER_S.1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_runs_of_a_like_size_are_gone_by() {
        let past = [(400, 3_600), (1_000, 7_200), (4_000, 20_000), (40, 30), (100_000, 80_000)];
        assert_eq!(range(&past, 1_000), Some((3_600, 20_000)));
        assert_eq!(range(&past, 40), Some((30, 30)));
        assert_eq!(range(&past, 9), None, "a trial of 40 says nothing about 9");
        assert_eq!(range(&past, 0), None);
        assert_eq!(range(&[], 1_000), None);
    }

    #[test]
    fn without_a_run_to_go_by_it_says_what_it_goes_by_instead() {
        let said = |requests, mode, realm| {
            let time = without_experience(requests, mode, realm);
            (time.seconds_min, time.seconds_max, time.basis)
        };
        assert_eq!(said(480, Mode::Batch, Realm::Live), (0, 86_400, TimeBasis::Window));
        assert_eq!(said(20, Mode::OnDemand, Realm::Live), (6, 60, TimeBasis::Assumed), "three portions of eight");
        assert_eq!(said(480, Mode::Batch, Realm::Sandbox), (2, 30, TimeBasis::Assumed));
        assert_eq!(said(u64::MAX, Mode::OnDemand, Realm::Live).1, u32::MAX);
    }
}
