//! Rounds: failed requests that may be answered the next time are asked again, a bounded number of times; the others wait for the
//! user. What was answered is never asked again.

use std::collections::{BTreeMap, HashSet};

use quorum_core::{
    ids::ModelId,
    manifest::{Batch, BatchId, Cause, Failure, Manifest},
    plan::{BatchLimits, Request, SizedRequest, split},
};
use quorum_store::{NewBatch, Store, StoreError};

use crate::{allowance::mean_sizes, submit::new_batch};

/// Rounds after the first sending that the loop starts by itself.
pub const ROUNDS_MAX: u32 = 3;

/// A request that still has no vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFailure {
    pub batch: BatchId,
    pub model: ModelId,
    pub request: Request,
    pub failure: Failure,
}

/// The failures of a manifest that no later round has answered, each request once with its latest cause.
pub fn open_failures(store: &Store, manifest: &Manifest, batches: &[Batch]) -> Result<Vec<OpenFailure>, StoreError> {
    let models: BTreeMap<u32, &ModelId> = batches.iter().map(|batch| (batch.id.number, &batch.model)).collect();
    let mut seen: HashSet<(ModelId, Request)> = HashSet::new();
    let mut open = Vec::new();
    for failed in store.failures(manifest.id)?.into_iter().rev() {
        let Some(model) = models.get(&failed.batch.number) else { continue };
        if !seen.insert(((*model).clone(), failed.request)) {
            continue;
        }
        let number = store.model_no(model);
        let is_answered = store.votes_of(manifest.space, failed.request.review, |row| {
            number.is_some_and(|number| row.contains(number, failed.request.run))
        })?;
        if !is_answered {
            open.push(OpenFailure {
                batch: failed.batch,
                model: (*model).clone(),
                request: failed.request,
                failure: failed.failure,
            });
        }
    }
    open.reverse();
    Ok(open)
}

/// The batches of a further round for these failures; `wanted` picks the causes.
pub fn next_round(
    manifest: &Manifest,
    batches: &[Batch],
    failures: &[OpenFailure],
    wanted: impl Fn(Cause) -> bool,
    limits: impl Fn(&ModelId) -> BatchLimits,
) -> Vec<NewBatch> {
    let by_number: BTreeMap<u32, &Batch> = batches.iter().map(|batch| (batch.id.number, batch)).collect();
    let mut per_model: BTreeMap<&ModelId, Vec<SizedRequest>> = BTreeMap::new();
    for failure in failures.iter().filter(|failure| wanted(failure.failure.cause)) {
        let Some(batch) = by_number.get(&failure.batch.number) else { continue };
        per_model.entry(&failure.model).or_default().extend(mean_sizes(batch, &[failure.request]).into_iter().map(
            |sized| SizedRequest {
                bytes: batch.bytes.div_ceil(u64::from(batch.requests.max(1))),
                tokens: batch.tokens.div_ceil(u64::from(batch.requests.max(1))),
                ..sized
            },
        ));
    }
    per_model
        .into_iter()
        .flat_map(|(model, mut requests)| {
            requests.sort_by_key(|sized| sized.request);
            split(model, requests, limits(model))
        })
        .map(|plan| new_batch(plan, manifest.term_hash.as_str(), manifest.round + 1))
        .collect()
}
