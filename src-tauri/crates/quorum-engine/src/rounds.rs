//! Rounds: failed requests that may be answered the next time are asked again, a bounded number of times; the others wait for the
//! user. What was answered, or is on its way in another run, is never asked again.

use std::collections::{BTreeMap, HashSet};

use quorum_core::{
    ids::ModelId,
    manifest::{Batch, BatchId, BatchState, Failure, Manifest, ManifestId},
    models::total_usd,
    plan::{BatchLimits, Request, SizedRequest, split},
};
use quorum_store::{ActivityKind, NewBatch, Store, StoreError};

use crate::{Allowances, Engine, EngineError, Event, draft::InFlight, engine::Round, money, submit::new_batch};

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

/// A further round being put together: per model what is to be asked, and from which batches whole.
struct Next<'a> {
    manifest: &'a Manifest,
    elsewhere: InFlight,
    store: &'a Store,
    per_model: BTreeMap<ModelId, Vec<SizedRequest>>,
}

impl<'a> Next<'a> {
    fn new(store: &'a Store, manifest: &'a Manifest) -> Result<Self, StoreError> {
        Ok(Self { manifest, elsewhere: InFlight::elsewhere(store, manifest)?, store, per_model: BTreeMap::new() })
    }

    /// Adds a request with the mean size of those of its batch, unless another run asks it or it is answered.
    fn add(&mut self, batch: &Batch, request: Request) -> Result<(), StoreError> {
        let Some(model) = self.store.model_no(&batch.model) else { return Ok(()) };
        let is_answered =
            self.store.votes_of(self.manifest.space, request.review, |row| row.contains(model, request.run))?;
        if is_answered || self.elsewhere.holds(model, request) {
            return Ok(());
        }
        let count = u64::from(batch.requests.max(1));
        let sized = SizedRequest { request, bytes: batch.bytes.div_ceil(count), tokens: batch.tokens.div_ceil(count) };
        self.per_model.entry(batch.model.clone()).or_default().push(sized);
        Ok(())
    }

    /// The batches, each request once.
    fn batches(self, limits: impl Fn(&ModelId) -> BatchLimits, at_once: bool) -> Vec<NewBatch> {
        let (term_hash, round) = (self.manifest.term_hash.as_str(), self.manifest.round + 1);
        self.per_model
            .into_iter()
            .flat_map(|(model, mut requests)| {
                requests.sort_by_key(|sized| sized.request);
                requests.dedup_by_key(|sized| sized.request);
                split(&model, requests, limits(&model))
            })
            .map(|plan| {
                let mut new = new_batch(plan, term_hash, round);
                new.batch.at_once = at_once;
                new
            })
            .collect()
    }
}

fn count(batches: &[NewBatch]) -> u64 {
    batches.iter().map(|new| u64::from(new.batch.requests)).sum()
}

impl Engine {
    /// When every batch of a manifest is settled: starts the next round, or draws the line and says how it went.
    pub(crate) fn close_round(&self, id: ManifestId, round: &mut Round<'_>) -> Result<(), EngineError> {
        let manifest = self.store.manifest(id)?;
        let batches: Vec<Batch> = round.of(&manifest).cloned().collect();
        if manifest.finished_at.is_some() || batches.iter().any(|batch| batch.state.is_live()) {
            return Ok(());
        }
        let failures = open_failures(&self.store, &manifest, &batches)?;
        let may_ask_again = manifest.round < ROUNDS_MAX && !manifest.cancelled && manifest.paused.is_none();
        if may_ask_again && self.start_round(&manifest, &batches, &failures, round)? {
            return Ok(());
        }
        if batches.iter().any(|batch| !batch.state.is_settled()) {
            return Ok(());
        }
        let now = self.clock.now();
        let mut is_closed = false;
        let manifest = self.store.change_manifest(id, |stored| {
            // The user may have asked for another round at this moment.
            is_closed = stored.round == manifest.round && stored.finished_at.is_none();
            if is_closed {
                stored.finished_at = Some(now);
            }
        })?;
        if !is_closed {
            return Ok(());
        }
        let votes: u64 = batches.iter().map(|batch| u64::from(batch.votes)).sum();
        let usd = total_usd(batches.iter().map(|batch| batch.usd));
        let outcome = if manifest.cancelled { "is cancelled" } else { "is complete" };
        let body = format!("{votes} votes, {} failed · {}", failures.len(), money::said(manifest.realm, usd));
        self.log(&manifest, ActivityKind::RunCompleted, outcome, &body)?;
        round.changed += 1;
        (self.tell)(Event::RunChanged(id));
        Ok(())
    }

    /// The loop's own next round, of the failures that another try may answer. False when there are none.
    fn start_round(
        &self,
        manifest: &Manifest,
        batches: &[Batch],
        failures: &[OpenFailure],
        round: &mut Round<'_>,
    ) -> Result<bool, EngineError> {
        let by_number: BTreeMap<u32, &Batch> = batches.iter().map(|batch| (batch.id.number, batch)).collect();
        let mut retryable = failures.iter().filter(|failure| failure.failure.cause.is_retryable()).peekable();
        if retryable.peek().is_none() {
            return Ok(false);
        }
        let mut next = Next::new(&self.store, manifest)?;
        for failure in retryable {
            if let Some(batch) = by_number.get(&failure.batch.number) {
                next.add(batch, failure.request)?;
            }
        }
        let at_once = batches.iter().all(|batch| batch.at_once);
        let next = next.batches(|model| self.limits(&round.allowances, round.address, model), at_once);
        let requests = count(&next);
        if requests == 0 {
            return Ok(false);
        }
        let extended = self.store.extend_manifest(manifest.id, &[], next, |stored, _| {
            let is_same = stored.round == manifest.round && !stored.cancelled && stored.paused.is_none();
            stored.round += u32::from(is_same);
            is_same
        })?;
        if let Some(manifest) = extended {
            let body = format!("{requests} requests without an answer are asked again");
            self.log(&manifest, ActivityKind::Note, &format!("round {} started", manifest.round + 1), &body)?;
            round.changed += 1;
            (self.tell)(Event::RunChanged(manifest.id));
        }
        Ok(true)
    }

    /// Plans a further round on the user's wish: the failures that `wanted` picks, and every refused or missing batch that
    /// `resend` picks. Returns how many requests it holds. Round limits do not apply: the user has decided.
    pub fn ask_again(
        &self,
        id: ManifestId,
        wanted: impl Fn(&OpenFailure) -> bool,
        resend: impl Fn(&Batch) -> bool,
        at_once: bool,
    ) -> Result<u64, EngineError> {
        let manifest = self.store.manifest(id)?;
        let batches = self.store.batches(id)?;
        let by_number: BTreeMap<u32, &Batch> = batches.iter().map(|batch| (batch.id.number, batch)).collect();
        let mut next = Next::new(&self.store, &manifest)?;
        for failure in open_failures(&self.store, &manifest, &batches)?.iter().filter(|failure| wanted(failure)) {
            if let Some(batch) = by_number.get(&failure.batch.number) {
                next.add(batch, failure.request)?;
            }
        }
        let is_unanswered = |batch: &&Batch| matches!(batch.state, BatchState::Failed | BatchState::Missing);
        let unanswered: Vec<&Batch> = batches.iter().filter(is_unanswered).filter(|batch| resend(batch)).collect();
        for batch in &unanswered {
            for request in self.store.requests(batch.id)? {
                next.add(batch, request)?;
            }
        }
        let allowances = Allowances::load(&self.store)?;
        let next = next.batches(|model| self.limits(&allowances, &manifest.provider, model), at_once);
        let requests = count(&next);
        if requests == 0 {
            return Ok(0);
        }
        let close: Vec<BatchId> = unanswered.iter().map(|batch| batch.id).collect();
        let extended = self.store.extend_manifest(id, &close, next, |stored, closing| {
            // A second click, or a batch that turned up at this moment: nothing is asked twice.
            let is_same = stored.round == manifest.round && closing.iter().all(|batch| is_unanswered(&batch));
            if is_same {
                stored.round += 1;
                stored.finished_at = None;
                stored.paused = None;
                stored.cancelled = false;
            }
            is_same
        })?;
        let Some(manifest) = extended else { return Ok(0) };
        let body = format!("{requests} requests are asked again");
        self.log(&manifest, ActivityKind::Note, &format!("round {} started", manifest.round + 1), &body)?;
        (self.tell)(Event::RunChanged(manifest.id));
        Ok(requests)
    }
}
