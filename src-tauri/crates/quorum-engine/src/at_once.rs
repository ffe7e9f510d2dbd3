//! Requests asked one by one, as synchronous calls at the full price: for stragglers, and for a model's first few.
//!
//! A call has no mark that could be looked for afterwards, so its exactly-once is kept here: which requests are asked is written
//! before they are sent, a few at a time, and ended together with their answers. What a crash or a lost answer leaves marked
//! may have been billed; it becomes a failure of its own cause that only the user asks again.

use std::collections::HashSet;

use futures_util::future::join_all;
use quorum_core::{
    answer::read_answer,
    manifest::{Batch, BatchId, BatchState, Cause, Failure, Manifest, Outcome, PauseKind, Seconds},
    models::Usage,
    plan::Request,
    prompt::{EscapedMessage, RequestWriter, custom_id},
    schema::Schema,
    topic::Topic,
    votes::{ModelNo, ReviewNo, Vote, encode},
};
use quorum_provider::{EffectError, ProviderError, RateLimits, lines, wire};
use quorum_store::{ActivityKind, Answers, NewVote, ReviewRow, StoreError};

use crate::{
    Engine, EngineError, Event,
    engine::Round,
    money,
    results::{billed, excerpt, failure_of},
    step::{MaySend, pause, trouble},
};

/// Calls that wait for their answers at a time, and so the most that a crash leaves unclear.
pub const ASKED_MAX: usize = 8;

/// Portions asked in one tick; the rest follows in the next, so that other batches get their turn.
const PORTIONS_MAX: usize = 32;

/// Faults of the provider in a row before the requests that met them count as failed.
const FAULTS_MAX: u32 = 5;

/// A request and its place in the batch.
type Asked = (u32, Request);

/// What came of one call.
enum Came {
    Vote(NewVote),
    Failed(Failure),
    /// Nothing was answered and nothing is billed: to be asked again.
    NotAsked(ProviderError),
}

/// What came of one portion.
#[derive(Default)]
struct Portion {
    votes: Vec<NewVote>,
    failures: Vec<(Request, Failure)>,
    usage: Usage,
    not_asked: Option<ProviderError>,
    limits: RateLimits,
    calls: usize,
    /// Calls that somebody on the way answered in the provider's place, or nobody in time.
    astray: Vec<String>,
}

impl Engine {
    /// Asks what a batch of synchronous calls still lacks.
    pub(crate) async fn ask(&self, manifest: &Manifest, id: BatchId, round: &mut Round<'_>) -> Result<(), EngineError> {
        let Some(batch) = round.batches.get(&id).cloned() else { return Ok(()) };
        if !batch.state.is_live() {
            return Ok(());
        }
        let batch = self.settle_unclear(manifest, batch, round)?;
        // As its votes are written, whatever the catalog says by now.
        let schema = self.store.space_of(manifest)?.schema();
        let mut pending = self.pending(manifest, &batch)?;
        pending.reverse();
        for _ in 0..PORTIONS_MAX {
            // Read anew: the user may have paused or cancelled meanwhile.
            let manifest = self.store.manifest(manifest.id)?;
            let Some(batch) = round.batches.get(&id).cloned() else { return Ok(()) };
            if !batch.state.is_live() {
                return Ok(());
            }
            match self.may_send(&manifest, &batch, round)? {
                MaySend::Never => return self.give_up_asking(&manifest, &batch, &pending, round),
                MaySend::No => return Ok(()),
                MaySend::Yes => {}
            }
            // Changed in this very moment: the next look pauses the run.
            let Some(topic) = self.topic_as_planned(&manifest) else { return Ok(()) };
            let now = self.clock.now();
            if batch.retry_at.is_some_and(|at| at > now && at - now <= crate::step::PAUSE_S_MAX) {
                return Ok(());
            }
            let portion: Vec<Asked> = pending.split_off(pending.len().saturating_sub(ASKED_MAX));
            let asking: Vec<u32> = portion.iter().map(|(at, _)| *at).collect();
            let mut next = batch.clone();
            next.state = BatchState::InProgress;
            next.submitted_at = batch.submitted_at.or(Some(now));
            next.started_at = batch.started_at.or(Some(now));
            (next.asking, next.retry_at, next.trouble) = (asking, None, None);
            if !self.commit(&batch, next.clone(), round)? {
                return Ok(());
            }
            let came = self.ask_portion(&manifest, &next, portion, (&topic, &schema), round).await?;
            let wait = came.wait();
            let astray = came.astray();
            let is_last = pending.is_empty() && came.not_asked.is_none();
            let not_asked = came.not_asked;
            let part = Part { votes: came.votes, failures: came.failures, usage: came.usage, is_last };
            let Some(stored) = self.store_answers(&manifest, &next, part, round)? else { return Ok(()) };
            if is_last {
                return Ok(());
            }
            if let Some(words) = astray {
                self.pause(&manifest, PauseKind::Unclear, &words, round)?;
                return Ok(());
            }
            if not_asked.is_some() || wait > 0 {
                let mut rests = stored.clone();
                let now = self.clock.now();
                match &not_asked {
                    Some(error) => {
                        rests.trouble = Some(trouble(error, now));
                        pause(&mut rests, error, now);
                    }
                    None => rests.retry_at = Some(now.saturating_add(wait)),
                }
                self.commit(&stored, rests, round)?;
                return Ok(());
            }
            if stored.failures_in_row > 0 {
                self.commit(&stored, Batch { failures_in_row: 0, ..stored.clone() }, round)?;
            }
        }
        round.is_eager = true;
        Ok(())
    }

    /// What was sent when the program stopped: nobody knows whether it was answered.
    fn settle_unclear(&self, manifest: &Manifest, batch: Batch, round: &mut Round<'_>) -> Result<Batch, EngineError> {
        if batch.asking.is_empty() {
            return Ok(batch);
        }
        let requests = self.store.requests(batch.id)?;
        let failures = batch
            .asking
            .iter()
            .filter_map(|at| requests.get(*at as usize))
            .map(|request| (*request, unclear("Quorum was stopped while it waited for the answer")))
            .collect();
        let part = Part { votes: Vec::new(), failures, usage: Usage::default(), is_last: false };
        Ok(self.store_answers(manifest, &batch, part, round)?.unwrap_or(batch))
    }

    /// Requests that have neither an answer nor a failure, in order.
    fn pending(&self, manifest: &Manifest, batch: &Batch) -> Result<Vec<Asked>, StoreError> {
        let failures = self.store.failures(manifest.id)?;
        let failed: HashSet<Request> =
            failures.into_iter().filter(|failed| failed.batch == batch.id).map(|failed| failed.request).collect();
        let model = self.store.model_no(&batch.model);
        let mut pending = Vec::new();
        for (at, request) in (0_u32..).zip(self.store.requests(batch.id)?) {
            let is_answered = self.store.votes_of(manifest.space, request.review, |row| {
                model.is_some_and(|model| row.contains(model, request.run))
            })?;
            if !is_answered && !failed.contains(&request) {
                pending.push((at, request));
            }
        }
        Ok(pending)
    }

    /// Ends a batch on the user's wish; what was answered stays.
    fn give_up_asking(
        &self,
        manifest: &Manifest,
        batch: &Batch,
        pending: &[Asked],
        round: &mut Round<'_>,
    ) -> Result<(), EngineError> {
        if batch.votes == 0 && batch.failed == 0 {
            let now = self.clock.now();
            let outcome = Some(Outcome::Cancelled);
            let given_up = Batch { state: BatchState::Cancelled, outcome, ended_at: Some(now), ..batch.clone() };
            return self.commit(batch, given_up, round).map(drop);
        }
        let cancelled = || Failure {
            cause: Cause::Cancelled,
            status: 0,
            code: String::new(),
            words: "not asked before the run was cancelled".to_owned(),
        };
        let failures = pending.iter().map(|(_, request)| (*request, cancelled())).collect();
        let part = Part { votes: Vec::new(), failures, usage: Usage::default(), is_last: true };
        self.store_answers(manifest, batch, part, round).map(drop)
    }

    /// Asks a few requests side by side.
    async fn ask_portion(
        &self,
        manifest: &Manifest,
        batch: &Batch,
        asked: Vec<Asked>,
        (topic, schema): (&Topic, &Schema),
        round: &Round<'_>,
    ) -> Result<Portion, EngineError> {
        let writer = RequestWriter::new(topic, batch.model.as_str());
        let model = self.store.intern_model(&batch.model)?;
        let mut calls = Vec::with_capacity(asked.len());
        let mut portion = Portion::default();
        for (_, request) in asked {
            let mut body = None;
            self.store.each_review([request.review], |_: ReviewNo, row: ReviewRow| {
                let mut text = String::new();
                writer.body(&mut text, &EscapedMessage::new(&row.text));
                body = Some(text);
                Ok::<(), StoreError>(())
            })?;
            let Some(body) = body else {
                let words = "the review is not in the store any more".to_owned();
                let failure = Failure { cause: Cause::Rejected, status: 0, code: String::new(), words };
                portion.failures.push((request, failure));
                continue;
            };
            let id = format!("{}-{}", manifest.key, custom_id(request.review, request.run));
            let provider = round.provider.clone();
            calls.push(async move { (request, provider.chat_completion(body, &id).await) });
        }
        let now = self.clock.now();
        portion.calls = calls.len();
        for (request, answer) in join_all(calls).await {
            let may_be_a_fault = batch.failures_in_row < FAULTS_MAX;
            let came = match answer {
                Ok(answer) => {
                    portion.limits = tightest(&portion.limits, &answer.rate_limits);
                    let outcome = answer.outcome();
                    portion.bill(outcome.usage());
                    read(&outcome, schema, model, request, now)
                }
                Err(EffectError::NotSent(error)) => Came::NotAsked(error),
                // The provider itself said that it failed: no answer was made and none is billed.
                Err(EffectError::Refused(error @ ProviderError::Server { .. })) if !may_be_a_fault => {
                    Came::Failed(rejected(Cause::Temporary, &error))
                }
                Err(EffectError::Refused(error)) if error.retryable() || error.stops_account() => Came::NotAsked(error),
                Err(EffectError::Refused(error)) => Came::Failed(rejected(Cause::Rejected, &error)),
                Err(EffectError::Ambiguous(error)) => {
                    portion.note_astray(&error);
                    Came::Failed(unclear(&error.to_string()))
                }
            };
            match came {
                Came::Vote(vote) => portion.votes.push(vote),
                Came::Failed(failure) => portion.failures.push((request, failure)),
                Came::NotAsked(error) => portion.not_asked = Some(error),
            }
        }
        Ok(portion)
    }

    /// Stores a portion and tells about it. `None`: it was stored before.
    fn store_answers(
        &self,
        manifest: &Manifest,
        batch: &Batch,
        part: Part,
        round: &mut Round<'_>,
    ) -> Result<Option<Batch>, EngineError> {
        let usd = money::charged(manifest, &batch.model, part.usage, true);
        let stored = self.store.add_answers(Answers {
            batch: batch.id,
            space: manifest.space,
            fields: self.store.space_of(manifest)?.fields.len(),
            asking: batch.asking.clone(),
            votes: part.votes,
            failures: part.failures,
            usage: part.usage,
            usd,
            at: self.clock.now(),
            is_last: part.is_last,
        })?;
        let known = match &stored {
            Some(stored) => stored.clone(),
            None => self.store.batch(batch.id)?,
        };
        round.changed += 1;
        round.batches.insert(batch.id, known.clone());
        if known.state == BatchState::Ingested && batch.state != BatchState::Ingested {
            let body = money::outcome(manifest.realm, known.votes.into(), known.failed.into(), known.usd);
            let title = format!("batch {} answered", batch.id.number);
            self.log(manifest, ActivityKind::BatchIngested, &title, &body)?;
        }
        (self.tell)(Event::BatchChanged(batch.id));
        Ok(stored)
    }
}

/// Answers on their way into the store.
struct Part {
    votes: Vec<NewVote>,
    failures: Vec<(Request, Failure)>,
    usage: Usage,
    is_last: bool,
}

impl Portion {
    /// A connection that breaks is over in a moment; what stands between here and the provider stays there.
    fn note_astray(&mut self, error: &ProviderError) {
        if matches!(error, ProviderError::Server { .. } | ProviderError::NotJson { .. } | ProviderError::Timeout { .. })
        {
            self.astray.push(error.to_string());
        }
    }

    /// Why to stop: every call went astray, and the next ones would too, each at the full price.
    fn astray(&self) -> Option<String> {
        let last = self.astray.last().filter(|_| self.astray.len() == self.calls)?;
        Some(format!(
            "none of {} calls brought an answer of the provider ({last}), and each may have been billed; is something on the way \
             cutting them off? Resuming asks the rest all the same",
            self.calls
        ))
    }

    fn bill(&mut self, usage: Option<&wire::Usage>) {
        self.usage += billed(usage);
    }

    /// Seconds until the provider takes another portion, by its rate-limit headers.
    fn wait(&self) -> Seconds {
        let enough = |left: Option<u64>, needed: u64| left.is_none_or(|left| left >= needed);
        let asked = (self.votes.len() + self.failures.len()).max(1) as u64;
        let tokens = (self.usage.input.saturating_add(self.usage.output) / asked).saturating_mul(ASKED_MAX as u64);
        let reset = |is_enough: bool, reset: Option<std::time::Duration>| {
            let seconds = reset.map_or(1, |reset| reset.as_secs() + u64::from(reset.subsec_nanos() > 0));
            if is_enough { 0 } else { Seconds::try_from(seconds).unwrap_or(Seconds::MAX) }
        };
        reset(enough(self.limits.requests_remaining, ASKED_MAX as u64), self.limits.requests_reset)
            .max(reset(enough(self.limits.tokens_remaining, tokens), self.limits.tokens_reset))
    }
}

/// The later of two answers may have been counted first: the lower figures hold.
fn tightest(one: &RateLimits, other: &RateLimits) -> RateLimits {
    let least = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    RateLimits {
        requests_remaining: least(one.requests_remaining, other.requests_remaining),
        requests_reset: one.requests_reset.max(other.requests_reset),
        tokens_remaining: least(one.tokens_remaining, other.tokens_remaining),
        tokens_reset: one.tokens_reset.max(other.tokens_reset),
        ..*other
    }
}

fn read(outcome: &lines::Outcome<'_>, schema: &Schema, model: ModelNo, request: Request, at: Seconds) -> Came {
    let completion = match outcome {
        lines::Outcome::Ok(completion) => completion,
        lines::Outcome::Failed(failure) => return Came::Failed(failure_of(failure)),
    };
    match read_answer(schema, &completion.content) {
        Ok(answer) => {
            let codes = encode(schema, &answer.values);
            let vote = Vote { model, run: request.run, relevant: answer.relevant, imported: false, at, codes };
            Came::Vote(NewVote { review: request.review, vote })
        }
        Err(unreadable) => {
            let words = format!("{unreadable}: {}", excerpt(&completion.content));
            Came::Failed(Failure { cause: Cause::Unreadable, status: 200, code: String::new(), words })
        }
    }
}

fn rejected(cause: Cause, error: &ProviderError) -> Failure {
    let (status, code) = match error {
        ProviderError::InvalidRequest { status, code, .. } => (*status, code.clone().unwrap_or_default()),
        ProviderError::Server { status, .. } => (*status, String::new()),
        _ => (0, String::new()),
    };
    let words = error.provider_words().map_or_else(|| error.to_string(), str::to_owned);
    Failure { cause, status, code, words: excerpt(&words) }
}

fn unclear(words: &str) -> Failure {
    let words = format!("{words}; it may have been answered and billed all the same");
    Failure { cause: Cause::Unclear, status: 0, code: String::new(), words }
}
