//! Driving one batch: what [`step`] decides is committed, carried out and recorded, until the batch rests.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use quorum_core::{
    manifest::{Batch, BatchId, BatchState, Cause, Manifest, PauseKind, Realm, TroubleKind},
    topic::Topic,
    words,
};
use quorum_provider::{Provider, ProviderError};
use quorum_store::{ActivityKind, Ingested};

use crate::{
    Engine, EngineError, Event,
    at_once::ASKED_MAX,
    engine::Round,
    execute,
    fetch::{self, Fetched},
    listing::Listing,
    money,
    step::{Action, FileSighting, MaySend, Recorded, Room, Sighting, View, account_stop, record, step},
};

/// Most steps that one batch takes in one tick: the longest way is planned → uploaded → created.
const STEPS_MAX: u32 = 16;

/// What sums of money may differ by for the order that they are added in: a part of a budget that is its estimate is enough for it.
const ROUNDING: f64 = 1e-9;

/// Finished batches that are fetched side by side: one is read while another is written to disk. More would only hold more in
/// memory.
const FETCHES_AT_ONCE: usize = 2;

impl Engine {
    /// Drives one batch until it rests.
    pub(crate) async fn drive(
        &self,
        manifest: &Manifest,
        id: BatchId,
        round: &mut Round<'_>,
    ) -> Result<(), EngineError> {
        let mut sighting = Sighting::NotLooked;
        let mut file = FileSighting::NotLooked;
        for _ in 0..STEPS_MAX {
            // Read anew: the user may have paused or cancelled meanwhile.
            let manifest = self.store.manifest(manifest.id)?;
            let Some(batch) = round.batches.get(&id).cloned() else { return Ok(()) };
            if batch.at_once {
                return self.ask(&manifest, id, round).await;
            }
            let view = self.view(&manifest, &batch, round, &sighting, &file)?;
            let (next, action) = step(&batch, &view);
            if next != batch && !self.commit(&batch, next.clone(), round)? {
                return Ok(());
            }
            match action {
                Action::Rest => return Ok(()),
                Action::Again => {
                    sighting = Sighting::NotLooked;
                    file = FileSighting::NotLooked;
                }
                Action::LookForBatch => match self.look_for(&manifest, &next, round).await {
                    Ok(found) => sighting = found,
                    Err(error) => return self.record(&next, Recorded::Failed(error), round).map(drop),
                },
                Action::LookForFile => match self.look_for_file(&manifest, &next, round).await? {
                    Ok(found) => file = found,
                    Err(error) => return self.record(&next, Recorded::Failed(error), round).map(drop),
                },
                // A twin that is still running would be forgotten with the batch.
                Action::Fetch if !self.cancel_surplus(&manifest, &next, round).await => return Ok(()),
                // A trial's answers decide on what waits for it in this very tick.
                Action::Fetch if next.is_canary => return self.fetch(&[(manifest, next)], round).await,
                Action::Fetch => {
                    round.ready.push((manifest, next));
                    return Ok(());
                }
                Action::Upload => {
                    // The terms were changed this very moment: nothing is sent, and the next tick pauses the run.
                    let Some(topic) = self.topic_as_planned(&manifest) else { return Ok(()) };
                    round.uploads += 1;
                    let outcome = execute::upload(round.provider, &self.store, &topic, &manifest, &next).await?;
                    let goes_on = matches!(outcome, Recorded::Uploaded(_));
                    if !self.record(&next, outcome, round)? || !goes_on {
                        return Ok(());
                    }
                }
                Action::Create => {
                    round.creations += 1;
                    let outcome = execute::create(round.provider, &manifest, &next).await;
                    return self.record(&next, outcome, round).map(drop);
                }
                Action::Cancel(provider_id) => {
                    let outcome = execute::cancel(round.provider, &provider_id).await;
                    return self.record(&next, outcome, round).map(drop);
                }
                Action::Clean => {
                    let outcome = execute::clean(round.provider, &next).await;
                    return self.record(&next, outcome, round).map(drop);
                }
            }
        }
        tracing::error!(batch = %id, "a batch took more steps in one tick than its states allow");
        Ok(())
    }

    fn record(&self, before: &Batch, outcome: Recorded, round: &mut Round<'_>) -> Result<bool, EngineError> {
        self.commit(before, record(before, outcome, self.clock.now()), round)
    }

    /// The run's topic, as long as it asks what the run was planned to ask.
    pub(crate) fn topic_as_planned(&self, manifest: &Manifest) -> Option<Arc<Topic>> {
        self.topics.topic(&manifest.topic).filter(|topic| topic.schema.term_hash() == manifest.term_hash)
    }

    async fn look_for_file(
        &self,
        manifest: &Manifest,
        batch: &Batch,
        round: &Round<'_>,
    ) -> Result<Result<FileSighting, ProviderError>, EngineError> {
        if let Some(id) = &batch.input_file {
            return Ok(execute::look_for_known_file(round.provider, id).await);
        }
        match self.topic_as_planned(manifest) {
            Some(topic) => execute::look_for_file(round.provider, &self.store, &topic, manifest, batch).await,
            // Whatever is there is not to be sent: planned again, the run pauses.
            None => Ok(Ok(FileSighting::Absent)),
        }
    }

    /// Finds the batch in this tick's listing; one that is not listed any more is asked for by its id.
    async fn look_for(
        &self,
        manifest: &Manifest,
        batch: &Batch,
        round: &mut Round<'_>,
    ) -> Result<Sighting, ProviderError> {
        if round.listing.is_none() {
            round.listing = Some(Listing::look(round.provider, &round.sought).await?);
        }
        let listing = round.listing.as_ref().expect("just looked");
        match (listing.sight(manifest, batch), &batch.provider_id) {
            (Sighting::Absent, Some(id)) => match round.provider.get_batch(id).await {
                Ok(seen) => Ok(Sighting::Found(Box::new(seen))),
                Err(ProviderError::NotFound { .. }) => Ok(listing.other_attempt(manifest, batch)),
                Err(error) => Err(error),
            },
            (sighting, _) => Ok(sighting),
        }
    }

    fn view(
        &self,
        manifest: &Manifest,
        batch: &Batch,
        round: &Round<'_>,
        sighting: &Sighting,
        file: &FileSighting,
    ) -> Result<View, EngineError> {
        let options = self.options();
        let has_room = !round.allowances.is_to_be_cut(round.address, batch)
            && round.allowances.has_room(round.address, batch, round.batches.values());
        Ok(View {
            now: self.clock.now(),
            may_send: self.may_send(manifest, batch, round)?,
            room: if !round.may_create() {
                Room::TooFast
            } else if !has_room {
                Room::QueueFull
            } else if batch.input_file.is_none() && !round.may_upload() {
                Room::TooManyFiles
            } else {
                Room::Free
            },
            sighting: sighting.clone(),
            file: file.clone(),
            delete_files: options.delete_files,
            patience_s: match manifest.realm {
                Realm::Live => options.resend_after_s,
                Realm::Sandbox => options.resend_after_sandbox_s,
            },
        })
    }

    /// Whether the manifest lets this batch be sent now. Pauses the manifest where only the user can say.
    pub(crate) fn may_send(
        &self,
        manifest: &Manifest,
        batch: &Batch,
        round: &Round<'_>,
    ) -> Result<MaySend, EngineError> {
        if manifest.cancelled {
            return Ok(MaySend::Never);
        }
        if manifest.paused.is_some() {
            return Ok(MaySend::No);
        }
        // A batch is sent as a whole; of synchronous calls every few are a sending of their own.
        if !batch.at_once && !matches!(batch.state, BatchState::Planned | BatchState::Waiting | BatchState::Uploaded) {
            return Ok(MaySend::Yes);
        }
        if self.topic_as_planned(manifest).is_none() {
            let words = "its terms were changed after it was planned; cancel it and start a new one";
            self.pause(manifest, PauseKind::TermsChanged, words, round)?;
            return Ok(MaySend::No);
        }
        if !self.canary_allows(manifest, batch, round)? {
            return Ok(MaySend::No);
        }
        if let Some(budget) = manifest.budget_usd {
            let spent: f64 = round.of(manifest).map(|other| other.usd).sum();
            let sent: f64 = round
                .of(manifest)
                .filter(|other| !other.state.is_unsent() && other.id != batch.id)
                .map(|other| money::outstanding(manifest, other))
                .sum();
            let (what, next) = if batch.state.is_unsent() {
                ("batch", money::expected(manifest, batch))
            } else {
                ("requests", money::expected_of_next(manifest, batch, ASKED_MAX))
            };
            if spent + sent + next > budget * (1.0 + ROUNDING) {
                let words = format!("the next {what} would exceed its budget of {}", words::usd(budget));
                self.pause(manifest, PauseKind::Budget, &words, round)?;
                return Ok(MaySend::No);
            }
        }
        Ok(MaySend::Yes)
    }

    /// A model's batches wait for its trial requests; when none of those was answered, the user decides. A fault that passes, or
    /// an answer that was lost, says nothing about the model.
    fn canary_allows(&self, manifest: &Manifest, batch: &Batch, round: &Round<'_>) -> Result<bool, EngineError> {
        if batch.is_canary || manifest.skips_canary {
            return Ok(true);
        }
        let Some(canary) = round.of(manifest).find(|other| other.is_canary && other.model == batch.model) else {
            return Ok(true);
        };
        if !canary.state.is_settled() {
            return Ok(false);
        }
        if canary.votes > 0 || canary.failed == 0 {
            return Ok(true);
        }
        let mut failed = self.store.failures(manifest.id)?;
        failed.retain(|failed| failed.batch == canary.id);
        let is_passing = |cause: Cause| matches!(cause, Cause::Temporary | Cause::Unclear);
        if failed.iter().all(|failed| is_passing(failed.failure.cause)) {
            return Ok(true);
        }
        let words =
            failed.iter().find(|failed| !is_passing(failed.failure.cause)).map_or("", |failed| &failed.failure.words);
        let words = format!("{} answered none of its {} trial requests. {words}", canary.model, canary.requests);
        self.pause(manifest, PauseKind::Canary, words.trim_end(), round)?;
        Ok(false)
    }

    /// Writes the new state and tells about it. Nothing outside happens before this returns. False when somebody else changed the
    /// batch in between: what was decided from the old state is dropped.
    pub(crate) fn commit(&self, before: &Batch, after: Batch, round: &mut Round<'_>) -> Result<bool, EngineError> {
        let Some(stored) = self.store.replace_batch(before, after)? else {
            round.batches.insert(before.id, self.store.batch(before.id)?);
            return Ok(false);
        };
        let id = stored.id;
        round.batches.insert(id, stored.clone());
        if before.state != stored.state {
            round.changed += 1;
            // May change the batch once more.
            self.note_change(before, &stored, round)?;
        }
        self.note_account(before, &stored, round)?;
        let moved = before.state != stored.state
            || before.counted_completed != stored.counted_completed
            || before.counted_failed != stored.counted_failed
            || before.trouble != stored.trouble;
        if moved {
            (self.tell)(Event::BatchChanged(id));
        }
        Ok(true)
    }

    /// Pauses the run once nothing more of it can be sent before a person acts: to go on trying would only repeat the refusal.
    fn note_account(&self, before: &Batch, after: &Batch, round: &Round<'_>) -> Result<(), EngineError> {
        if before.trouble == after.trouble {
            return Ok(());
        }
        let Some(stop) = account_stop(after) else { return Ok(()) };
        let manifest = self.store.manifest(after.id.manifest)?;
        if manifest.paused.is_none() && !manifest.cancelled {
            self.pause(&manifest, stop.kind, &stop.words, round)?;
        }
        Ok(())
    }

    /// The log entries and lessons that a change of state brings.
    fn note_change(&self, before: &Batch, after: &Batch, round: &mut Round<'_>) -> Result<(), EngineError> {
        let manifest = self.store.manifest(after.id.manifest)?;
        let number = after.id.number;
        let requests = format!("{} to {}", words::counted(after.requests.into(), "request", "requests"), after.model);
        let were = if after.requests == 1 { "was" } else { "were" };
        match after.state {
            BatchState::Validating | BatchState::InProgress
                if !after.at_once && (!before.state.is_at_provider() || before.state == BatchState::Creating) =>
            {
                self.log(&manifest, ActivityKind::BatchSubmitted, &format!("batch {number} sent"), &requests)?;
            }
            BatchState::Failed => {
                let (kind, words) =
                    after.trouble.as_ref().map_or((TroubleKind::Other, ""), |trouble| (trouble.kind, &trouble.words));
                let body = if kind == TroubleKind::ResultsGone {
                    format!(
                        "{requests} {were} answered, but the result files are not at the provider any more. {words}"
                    )
                } else {
                    format!("{requests} {were} refused, nothing is paid. {words}")
                };
                self.log(&manifest, ActivityKind::BatchFailed, &format!("batch {number} failed"), body.trim_end())?;
            }
            BatchState::Missing => {
                let body = format!(
                    "{requests}. Was it made with another project's key? Try that key, or send them again and pay for them \
                     once more."
                );
                self.log(&manifest, ActivityKind::NeedsUser, &format!("batch {number} is unknown here"), &body)?;
            }
            BatchState::Waiting => self.learn_allowance(after, round)?,
            _ => {}
        }
        Ok(())
    }

    /// Fetches finished batches, [`FETCHES_AT_ONCE`] at a time. When one cannot be stored, those under way are still brought in,
    /// and no others are begun.
    pub(crate) async fn fetch(&self, ready: &[(Manifest, Batch)], round: &mut Round<'_>) -> Result<(), EngineError> {
        let mut waiting = ready.iter();
        let mut under_way = FuturesUnordered::new();
        let mut first_error = None;
        loop {
            while first_error.is_none()
                && under_way.len() < FETCHES_AT_ONCE
                && let Some((manifest, batch)) = waiting.next()
            {
                under_way.push(self.fetch_one(round.provider, manifest, batch));
            }
            let Some((manifest, batch, fetched)) = under_way.next().await else { break };
            if let Err(error) = fetched.and_then(|fetched| self.note_fetched(manifest, batch, fetched, round)) {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    async fn fetch_one<'a>(
        &self,
        provider: &Provider,
        manifest: &'a Manifest,
        batch: &'a Batch,
    ) -> (&'a Manifest, &'a Batch, Result<Fetched, EngineError>) {
        let now = self.clock.now();
        (manifest, batch, fetch::fetch(provider, &self.store, &self.folder, manifest, batch, now).await)
    }

    fn note_fetched(
        &self,
        manifest: &Manifest,
        batch: &Batch,
        fetched: Fetched,
        round: &mut Round<'_>,
    ) -> Result<(), EngineError> {
        match fetched {
            Fetched::Later(error) => self.record(batch, Recorded::Failed(error), round).map(drop),
            Fetched::Unknown => self.record(batch, Recorded::Unknown, round).map(drop),
            Fetched::Short(error) => self.record(batch, Recorded::Short(error), round).map(drop),
            Fetched::Ingested(ingested) => {
                let stored = self.store.batch(batch.id)?;
                round.changed += 1;
                if let Ingested::Now { votes, failed, .. } = ingested {
                    let body = money::outcome(manifest.realm, votes.into(), failed.into(), stored.usd);
                    let title = format!("batch {} ingested", batch.id.number);
                    self.log(manifest, ActivityKind::BatchIngested, &title, &body)?;
                }
                round.batches.insert(stored.id, stored);
                (self.tell)(Event::BatchChanged(batch.id));
                Ok(())
            }
        }
    }
}
