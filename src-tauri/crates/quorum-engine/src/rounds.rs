//! Rounds: failed requests that may be answered the next time are asked again, a bounded number of times; the others wait for the
//! user. What was answered, or is on its way in any batch of any run, this one's own included, is never asked again: it is left
//! out here, and the store refuses a round that holds such a request all the same.

use std::collections::{BTreeMap, HashSet};

use quorum_core::votes::ModelNo;
use quorum_core::{
    ids::ModelId,
    manifest::{Batch, BatchId, BatchState, Failure, Manifest, ManifestId},
    models::total_usd,
    plan::{BatchLimits, Request, SizedRequest},
    words,
};
use quorum_store::{ActivityKind, Claims, NewBatch, Place, Store, StoreError};

use crate::{Allowances, Engine, EngineError, Event, engine::Round, money, parts::split_by, submit::new_batch};

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

/// A further round being put together: per model what is to be asked.
struct Next<'a> {
    manifest: &'a Manifest,
    claims: Claims,
    store: &'a Store,
    per_model: BTreeMap<ModelId, Share>,
}

/// One model's part of a round.
struct Share {
    place: Place,
    /// The numbers of the models whose votes fill the place.
    answers: Vec<ModelNo>,
    requests: Vec<SizedRequest>,
}

impl<'a> Next<'a> {
    /// `closing` are batches whose place the round takes.
    fn new(store: &'a Store, manifest: &'a Manifest, closing: &[BatchId]) -> Result<Self, StoreError> {
        let claims = store.claims(manifest.space, closing)?;
        Ok(Self { manifest, claims, store, per_model: BTreeMap::new() })
    }

    /// Adds a request with the mean size of those of its batch, unless a batch asks it or it is answered.
    fn add(&mut self, batch: &Batch, request: Request) -> Result<(), StoreError> {
        let share = self.per_model.entry(batch.model.clone()).or_insert_with(|| {
            let place = self.claims.place(Some(self.manifest.id), &self.manifest.ensemble, &batch.model);
            let answers = place.models().filter_map(|model| self.store.model_no(model)).collect();
            Share { place, answers, requests: Vec::new() }
        });
        let is_answered = self.store.votes_of(self.manifest.space, request.review, |row| {
            share.answers.iter().any(|model| row.contains(*model, request.run))
        })?;
        if is_answered || self.claims.holds(&share.place, request) {
            return Ok(());
        }
        // Two models may have come to fill one place: it is asked once.
        self.claims.hold(&batch.model, [request]);
        let count = u64::from(batch.requests.max(1));
        let sized = SizedRequest { request, bytes: batch.bytes.div_ceil(count), tokens: batch.tokens.div_ceil(count) };
        share.requests.push(sized);
        Ok(())
    }

    /// The batches, each request once.
    fn batches(self, limits: impl Fn(&ModelId) -> BatchLimits, at_once: bool) -> Vec<NewBatch> {
        let (term_hash, round) = (self.manifest.term_hash.as_str(), self.manifest.round + 1);
        self.per_model
            .into_iter()
            .flat_map(|(model, Share { mut requests, .. })| {
                requests.sort_by_key(|sized| sized.request);
                split_by(&model, requests, limits(&model), self.manifest.takes_crumbs)
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

/// Would be sent at once if its run were not paused.
fn is_held_back(batch: &Batch) -> bool {
    batch.state.is_unsent() || (batch.at_once && batch.state.is_live())
}

impl Engine {
    /// When every batch of a manifest is settled: starts the next round, or draws the line and says how it went. Goes by what is
    /// stored, not by what this tick knows: the user may have asked for a round of their own meanwhile.
    pub(crate) fn close_round(&self, id: ManifestId, round: &mut Round<'_>) -> Result<(), EngineError> {
        let manifest = self.store.manifest(id)?;
        let batches = self.store.batches(id)?;
        if manifest.finished_at.is_some() || batches.iter().any(|batch| batch.state.is_live()) {
            return Ok(());
        }
        let failures = open_failures(&self.store, &manifest, &batches)?;
        let may_ask_again = manifest.round < ROUNDS_MAX && !manifest.cancelled && manifest.paused.is_none();
        if may_ask_again && self.start_round(&manifest, &batches, &failures, round)? {
            return Ok(());
        }
        // What the loop would ask again by itself waits with the pause.
        let is_retryable = |failure: &OpenFailure| failure.failure.cause.is_retryable();
        if manifest.paused.is_some()
            && manifest.round < ROUNDS_MAX
            && !manifest.cancelled
            && failures.iter().any(is_retryable)
        {
            return Ok(());
        }
        let now = self.clock.now();
        let closed = self.store.change_manifest_if(id, |stored, batches| {
            let is_over = stored.round == manifest.round
                && stored.finished_at.is_none()
                && batches.iter().all(|batch| batch.state.is_settled());
            if is_over {
                stored.finished_at = Some(now);
                // Nothing is left that a pause could hold back.
                stored.paused = None;
            }
            is_over
        })?;
        let Some(manifest) = closed else { return Ok(()) };
        let votes: u64 = batches.iter().map(|batch| u64::from(batch.votes)).sum();
        let usd = total_usd(batches.iter().map(|batch| batch.usd));
        let outcome = if manifest.cancelled { "is cancelled" } else { "is complete" };
        let body = money::outcome(manifest.realm, votes, failures.len() as u64, usd);
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
        let mut next = Next::new(&self.store, manifest, &[])?;
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
        let Some(manifest) = extended else { return Ok(false) };
        let are = if requests == 1 { "is" } else { "are" };
        let body = format!("{} without an answer {are} asked again", words::counted(requests, "request", "requests"));
        self.log(&manifest, ActivityKind::Note, &format!("round {} started", manifest.round + 1), &body)?;
        round.changed += 1;
        (self.tell)(Event::RunChanged(manifest.id));
        Ok(true)
    }

    /// Plans a further round on the user's wish: the failures that `wanted` picks, and every refused or missing batch that
    /// `resend` picks. Returns how many requests it holds. Round limits do not apply: the user has decided. A pause is lifted
    /// with it only where it holds nothing else back; a run that is being cancelled has to be through with that first.
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
        let is_unanswered = |batch: &Batch| matches!(batch.state, BatchState::Failed | BatchState::Missing);
        let unanswered = batches.iter().filter(|batch| is_unanswered(batch) && resend(batch));
        let close: Vec<BatchId> = unanswered.map(|batch| batch.id).collect();
        let mut next = Next::new(&self.store, &manifest, &close)?;
        for failure in open_failures(&self.store, &manifest, &batches)?.iter().filter(|failure| wanted(failure)) {
            if let Some(batch) = by_number.get(&failure.batch.number) {
                next.add(batch, failure.request)?;
            }
        }
        for batch in batches.iter().filter(|batch| close.contains(&batch.id)) {
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
        let extended = self.store.extend_manifest(id, &close, next, |stored, batches| {
            // A second click, or a batch that turned up at this moment: nothing is asked twice. What a run that is being
            // cancelled still holds would be sent after all.
            let is_same = stored.round == manifest.round
                && !(stored.cancelled && stored.finished_at.is_none())
                && batches.iter().filter(|batch| close.contains(&batch.id)).all(is_unanswered);
            if is_same {
                stored.round += 1;
                stored.finished_at = None;
                stored.cancelled = false;
                // What a pause holds back is not let go with it.
                if !batches.iter().any(is_held_back) {
                    stored.paused = None;
                }
            }
            is_same
        })?;
        let Some(manifest) = extended else { return Ok(0) };
        let are = if requests == 1 { "is" } else { "are" };
        let body = format!("{} {are} asked again", words::counted(requests, "request", "requests"));
        self.log(&manifest, ActivityKind::Note, &format!("round {} started", manifest.round + 1), &body)?;
        (self.tell)(Event::RunChanged(manifest.id));
        Ok(requests)
    }
}
