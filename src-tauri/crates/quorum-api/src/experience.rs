//! How long a plan may take, by the runs that this provider has answered before.
//!
//! A provider promises 24 hours and mostly takes less; what it takes here depends on the account's queue and on how much is
//! sent at once. So only runs of a like size say anything, and without one nothing is said.

use quorum_core::manifest::{BatchState, Seconds};

use crate::{Quorum, dto::error::ApiError};

/// A run of so many times more or fewer requests says nothing about a plan.
const SIZE_RATIO_MAX: u64 = 4;

/// A run whose first sending is answered: requests, and seconds from its start to its last answer.
type Answered = (u64, Seconds);

impl Quorum {
    /// The shortest and longest time of like runs; `requests` are those of the plan's largest topic, as topics go side by side.
    pub(crate) fn expected_seconds(&self, requests: u64) -> Result<Option<(u32, u32)>, ApiError> {
        let address = self.address()?;
        let mut past: Vec<Answered> = Vec::new();
        for manifest in self.store().manifests()? {
            if manifest.provider != address.as_str() || manifest.cancelled {
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
        Ok(range(&past, requests))
    }
}

fn range(past: &[Answered], requests: u64) -> Option<(u32, u32)> {
    let is_alike = |asked: u64| asked <= requests * SIZE_RATIO_MAX && requests <= asked * SIZE_RATIO_MAX;
    let alike = || past.iter().filter(|(asked, _)| requests > 0 && is_alike(*asked)).map(|(_, seconds)| *seconds);
    Some((alike().min()?, alike().max()?))
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
}
