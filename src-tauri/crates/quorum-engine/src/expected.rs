//! When batches are expected to start and end: by what this account's batches took so far, and by the tokens ahead in the queue.
//! Pure. Where no batch has ended there is nothing to go by, and nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use quorum_core::{
    ids::ModelId,
    manifest::{Batch, BatchId, Outcome, Seconds},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub start_at: Seconds,
    pub end_at: Seconds,
}

/// Ended batches that say what the next one takes: the account's latest.
const HISTORY_MAX: usize = 20;

/// The expectations of a provider's batches. `batches` are those of all its runs, without those that nobody will send;
/// `usable` gives a model's queue allowance where one is known.
pub fn expected(
    batches: &[Batch],
    usable: impl Fn(&ModelId) -> Option<u64>,
    now: Seconds,
) -> BTreeMap<BatchId, Expected> {
    let models: BTreeSet<&ModelId> =
        batches.iter().filter(|batch| batch.state.is_live() && !batch.at_once).map(|batch| &batch.model).collect();
    let mut all = BTreeMap::new();
    for model in models {
        let Some(usual_s) = usual_s(batches, model) else { continue };
        let of_model = || batches.iter().filter(|batch| batch.model == *model && !batch.at_once);
        // Tokens at the provider, with the time at which they leave the queue.
        let mut queue: Vec<(Seconds, u64)> = Vec::new();
        for batch in of_model().filter(|batch| batch.state.is_at_provider()) {
            let start_at = batch.submitted_at.unwrap_or(now);
            let end_at = now.max(start_at.saturating_add(pace_s(batch, now).unwrap_or(usual_s)));
            queue.push((end_at, batch.tokens));
            all.insert(batch.id, Expected { start_at, end_at });
        }
        let mut waiting: Vec<&Batch> = of_model().filter(|batch| batch.state.is_unsent()).collect();
        waiting.sort_by_key(|batch| (!batch.is_canary, batch.id));
        let room = usable(model);
        let mut start_at = now;
        for batch in waiting {
            start_at = start_at.max(batch.retry_at.unwrap_or(0));
            queue.retain(|(end_at, _)| *end_at > start_at);
            // One that fits nowhere goes alone.
            while room.is_some_and(|room| !queue.is_empty() && enqueued(&queue) + batch.tokens > room) {
                let next = queue.iter().map(|(end_at, _)| *end_at).min().expect("not empty");
                start_at = start_at.max(next);
                queue.retain(|(end_at, _)| *end_at > start_at);
            }
            let end_at = start_at.saturating_add(usual_s);
            queue.push((end_at, batch.tokens));
            all.insert(batch.id, Expected { start_at, end_at });
        }
    }
    all
}

fn enqueued(queue: &[(Seconds, u64)]) -> u64 {
    queue.iter().map(|(_, tokens)| tokens).sum()
}

/// What a batch of the model usually takes here: the median of its latest, else of the account's latest of any model.
fn usual_s(batches: &[Batch], model: &ModelId) -> Option<Seconds> {
    let took = |wanted: &dyn Fn(&Batch) -> bool| {
        let ended = batches.iter().filter(|batch| !batch.at_once && batch.outcome == Some(Outcome::Completed));
        let mut ended: Vec<(Seconds, Seconds)> = ended
            .filter(|batch| wanted(batch))
            .filter_map(|batch| Some((batch.ended_at?, batch.ended_at?.saturating_sub(batch.submitted_at?))))
            .collect();
        ended.sort_unstable();
        let mut latest: Vec<Seconds> = ended.iter().rev().take(HISTORY_MAX).map(|(_, took)| *took).collect();
        latest.sort_unstable();
        latest.get(latest.len() / 2).copied()
    };
    took(&|batch| batch.model == *model).or_else(|| took(&|_| true))
}

/// What a running batch takes by its own pace; `None` before a few percent of it are answered.
fn pace_s(batch: &Batch, now: Seconds) -> Option<Seconds> {
    let answered = batch.counted_completed.saturating_add(batch.counted_failed);
    let passed = now.saturating_sub(batch.submitted_at?);
    if answered == 0 || answered < batch.requests / 50 {
        return None;
    }
    let whole = u64::from(passed) * u64::from(batch.requests) / u64::from(answered);
    Some(Seconds::try_from(whole).unwrap_or(Seconds::MAX))
}

#[cfg(test)]
mod tests {
    use quorum_core::manifest::{BatchState, ManifestId};

    use super::*;

    const NOW: Seconds = 100_000;

    fn batch(number: u32, model: &str, state: BatchState, tokens: u64) -> Batch {
        let id = BatchId { manifest: ManifestId(1), number };
        Batch { state, ..Batch::planned(id, model.into(), 100, 1_000, tokens) }
    }

    fn ended(number: u32, model: &str, took: Seconds) -> Batch {
        let (submitted_at, ended_at) = (Some(1_000 * number), Some(1_000 * number + took));
        let outcome = Some(Outcome::Completed);
        Batch { submitted_at, ended_at, outcome, ..batch(number, model, BatchState::Ingested, 10) }
    }

    fn running(number: u32, model: &str, since: Seconds, tokens: u64) -> Batch {
        Batch { submitted_at: Some(since), ..batch(number, model, BatchState::InProgress, tokens) }
    }

    #[track_caller]
    fn check(batches: &[Batch], room: Option<u64>, wanted: &[(u32, Seconds, Seconds)]) {
        let found = expected(batches, |_| room, NOW);
        let found: Vec<_> = found.iter().map(|(id, it)| (id.number, it.start_at, it.end_at)).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn without_a_batch_that_ended_nothing_is_said() {
        check(&[running(1, "m", NOW - 10, 5), batch(2, "m", BatchState::Waiting, 5)], Some(5), &[]);
    }

    #[test]
    fn what_waits_starts_when_those_ahead_leave_the_queue() {
        let batches = [
            ended(1, "m", 500),
            ended(2, "m", 600),
            ended(3, "m", 9_000),
            running(4, "m", NOW - 200, 60),
            running(5, "m", NOW - 100, 40),
            batch(6, "m", BatchState::Waiting, 50),
            batch(7, "m", BatchState::Planned, 50),
            batch(8, "m", BatchState::Planned, 100),
        ];
        let wanted = [
            (4, NOW - 200, NOW + 400),
            (5, NOW - 100, NOW + 500),
            (6, NOW + 400, NOW + 1_000),
            (7, NOW + 500, NOW + 1_100),
            (8, NOW + 1_100, NOW + 1_700),
        ];
        check(&batches, Some(100), &wanted);
        let at_once = [
            (4, NOW - 200, NOW + 400),
            (5, NOW - 100, NOW + 500),
            (6, NOW, NOW + 600),
            (7, NOW, NOW + 600),
            (8, NOW, NOW + 600),
        ];
        check(&batches, None, &at_once);
    }

    #[test]
    fn a_model_without_history_goes_by_the_accounts_and_an_overdue_batch_is_due_now() {
        check(
            &[ended(1, "other", 300), running(2, "m", NOW - 1_000, 5), batch(3, "m", BatchState::Waiting, 9)],
            Some(10),
            &[(2, NOW - 1_000, NOW), (3, NOW, NOW + 300)],
        );
        // A batch's own pace goes before the usual: half is done after 1,000 seconds.
        let half = Batch { counted_completed: 50, ..running(2, "m", NOW - 1_000, 5) };
        check(&[ended(1, "other", 300), half], None, &[(2, NOW - 1_000, NOW + 1_000)]);
    }

    #[test]
    fn a_batch_larger_than_the_queue_goes_alone_and_not_before_its_time() {
        let late = Batch { retry_at: Some(NOW + 50), ..batch(2, "m", BatchState::Waiting, 500) };
        let batches = [ended(1, "m", 300), late, batch(3, "m", BatchState::Planned, 1)];
        check(&batches, Some(10), &[(2, NOW + 50, NOW + 350), (3, NOW + 350, NOW + 650)]);
    }
}
