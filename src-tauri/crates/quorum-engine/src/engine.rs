//! The loop: one tick looks at each provider once and drives every live batch as far as it goes.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use futures_util::future::BoxFuture;
use quorum_core::{
    ids::{ModelId, TopicId},
    manifest::{Batch, BatchId, BatchState, Manifest, ManifestId, ManifestState, Realm, Seconds, Trouble, TroubleKind},
    models::total_usd,
    plan::BatchLimits,
    topic::Topic,
};
use quorum_provider::{Provider, ProviderError, QueueAllowance, queue_limit};
use quorum_store::{Activity, ActivityKind, Ingested, Store, StoreError};

use crate::{
    Allowances, Clock, ConnectError, Connection, EngineError, Event,
    allowance::mean_sizes,
    draft::expected_usd,
    execute,
    fetch::{self, Fetched},
    listing::{Listing, Sought},
    rounds::{self, OpenFailure},
    step::{Action, FileSighting, MaySend, Recorded, Sighting, View, record, step, trouble},
    submit::new_batch,
};

/// The topics that requests are rendered from.
pub trait Topics: Send + Sync {
    fn topic(&self, id: &TopicId) -> Option<Arc<Topic>>;
}

/// Gives the provider for an address (`sandbox` or a base address), with the key of this moment.
pub type Connect = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Provider, ConnectError>> + Send + Sync>;

/// What the user may set.
#[derive(Clone, Debug)]
pub struct Options {
    /// Delete files at the provider once their content is in the store.
    pub delete_files: bool,
    pub requests_max: u32,
    pub bytes_max: u64,
    /// How long an unclear creation is waited for before it is repeated, with a live provider.
    pub resend_after_s: Seconds,
    /// The same with a provider on this computer.
    pub resend_after_sandbox_s: Seconds,
}

impl Default for Options {
    fn default() -> Self {
        let limits = BatchLimits::default();
        Self {
            delete_files: true,
            requests_max: limits.requests_max,
            bytes_max: limits.bytes_max,
            resend_after_s: 90,
            resend_after_sandbox_s: 1,
        }
    }
}

/// What a tick did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tick {
    /// Batches whose state moved.
    pub changed: u32,
    /// Manifests that go on by themselves.
    pub live: u32,
    /// How each provider answered.
    pub connections: Vec<Connection>,
}

impl Tick {
    pub fn is_offline(&self) -> bool {
        self.connections.iter().any(|connection| connection.trouble.is_some())
    }
}

/// Most steps that one batch takes in one tick: the longest way is planned → uploaded → created.
const STEPS_MAX: u32 = 16;

pub struct Engine {
    pub(crate) store: Arc<Store>,
    topics: Arc<dyn Topics>,
    connect: Connect,
    clock: Arc<dyn Clock>,
    /// Where result files are downloaded to.
    folder: PathBuf,
    options: RwLock<Options>,
    tell: Box<dyn Fn(Event) + Send + Sync>,
    /// One tick at a time.
    ticking: tokio::sync::Mutex<()>,
}

/// Manifests with something to do and their batches, by provider address.
type Work = BTreeMap<String, Vec<(Manifest, Vec<Batch>)>>;

/// The batches of a provider as this tick knows them.
struct Round<'a> {
    provider: &'a Provider,
    address: &'a str,
    listing: Option<Listing>,
    sought: Sought,
    batches: BTreeMap<BatchId, Batch>,
    allowances: Allowances,
    changed: u32,
}

impl Engine {
    pub fn new(
        store: Arc<Store>,
        topics: Arc<dyn Topics>,
        connect: Connect,
        clock: Arc<dyn Clock>,
        folder: PathBuf,
        tell: impl Fn(Event) + Send + Sync + 'static,
    ) -> Self {
        Self {
            store,
            topics,
            connect,
            clock,
            folder,
            options: RwLock::default(),
            tell: Box::new(tell),
            ticking: tokio::sync::Mutex::default(),
        }
    }

    pub fn set_options(&self, options: Options) {
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = options;
    }

    fn options(&self) -> Options {
        self.options.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Batch limits for a model at a provider: the settings' and the allowance where one is known.
    pub fn limits(&self, allowances: &Allowances, provider: &str, model: &ModelId) -> BatchLimits {
        let options = self.options();
        BatchLimits {
            requests_max: options.requests_max,
            bytes_max: options.bytes_max,
            tokens_max: allowances.usable(provider, model),
        }
    }

    /// Whether anything is left for the loop: unfinished manifests, or files to delete.
    pub fn has_work(&self) -> Result<bool, EngineError> {
        Ok(!self.work()?.is_empty())
    }

    /// Manifests with something to do, by provider.
    fn work(&self) -> Result<Work, EngineError> {
        let delete_files = self.options().delete_files;
        let mut work = Work::new();
        for manifest in self.store.manifests()? {
            let batches = self.store.batches(manifest.id)?;
            let is_open = manifest.finished_at.is_none()
                || batches.iter().any(|batch| batch.state.is_live() || (delete_files && needs_cleaning(batch)));
            if is_open {
                work.entry(manifest.provider.clone()).or_default().push((manifest, batches));
            }
        }
        Ok(work)
    }

    /// Looks once and does what can be done.
    pub async fn tick(&self) -> Result<Tick, EngineError> {
        let _one_at_a_time = self.ticking.lock().await;
        let mut tick = Tick::default();
        for (address, manifests) in self.work()? {
            let outcome = self.tick_provider(&address, manifests).await?;
            tick.changed += outcome.0;
            (self.tell)(Event::ConnectionChanged(outcome.1.clone()));
            tick.connections.push(outcome.1);
        }
        tick.live = self.live()?;
        Ok(tick)
    }

    /// Manifests that go on without the user.
    pub fn live(&self) -> Result<u32, EngineError> {
        let mut live = 0;
        for manifest in self.store.manifests()? {
            let batches = self.store.batches(manifest.id)?;
            live +=
                u32::from(manifest.state(&batches) == ManifestState::Live || self.is_unfinished(&manifest, &batches));
        }
        Ok(live)
    }

    /// Everything is in, but the loop has not drawn the line yet: a round may follow.
    fn is_unfinished(&self, manifest: &Manifest, batches: &[Batch]) -> bool {
        manifest.finished_at.is_none()
            && manifest.paused.is_none()
            && !manifest.cancelled
            && batches.iter().all(|batch| batch.state.is_settled())
    }

    async fn tick_provider(
        &self,
        address: &str,
        manifests: Vec<(Manifest, Vec<Batch>)>,
    ) -> Result<(u32, Connection), EngineError> {
        let now = self.clock.now();
        let connection = |trouble| Connection { provider: address.to_owned(), checked_at: now, trouble };
        let provider = match (self.connect)(address.to_owned()).await {
            Ok(provider) => provider,
            Err(error) => return Ok((0, connection(Some(connect_trouble(&error, now))))),
        };
        let mut sought = Sought::default();
        let mut needs_look = false;
        for (manifest, batches) in &manifests {
            for batch in batches.iter().filter(|batch| batch.state.is_live() || batch.state == BatchState::Missing) {
                let may_be_there = batch.state != BatchState::Ready;
                needs_look |= may_be_there;
                sought.add(manifest, batch);
            }
        }
        let mut round = Round {
            provider: &provider,
            address,
            listing: None,
            sought,
            batches: manifests.iter().flat_map(|(_, batches)| batches).map(|batch| (batch.id, batch.clone())).collect(),
            allowances: Allowances::load(&self.store)?,
            changed: 0,
        };
        if needs_look {
            match Listing::look(&provider, &round.sought).await {
                Ok(listing) => round.listing = Some(listing),
                Err(error) => return Ok((0, connection(Some(trouble(&error, now))))),
            }
        }
        for (manifest, batches) in manifests {
            self.fit_to_allowance(&manifest, &mut round)?;
            for batch in batches {
                self.drive(&manifest, batch.id, &mut round).await?;
            }
            self.close_round(manifest.id, &mut round)?;
        }
        Ok((round.changed, connection(None)))
    }

    /// Drives one batch until it rests.
    async fn drive(&self, manifest: &Manifest, id: BatchId, round: &mut Round<'_>) -> Result<(), EngineError> {
        let mut sighting = Sighting::NotLooked;
        let mut file = FileSighting::NotLooked;
        for _ in 0..STEPS_MAX {
            // Read anew: the user may have paused or cancelled meanwhile.
            let manifest = self.store.manifest(manifest.id)?;
            let Some(batch) = round.batches.get(&id).cloned() else { return Ok(()) };
            let view = self.view(&manifest, &batch, round, &sighting, &file)?;
            let (next, action) = step(&batch, &view);
            if next != batch {
                self.commit(&batch, next.clone(), round)?;
            }
            match action {
                Action::Rest => return Ok(()),
                Action::Again => {
                    sighting = Sighting::NotLooked;
                    file = FileSighting::NotLooked;
                }
                Action::LookForBatch => match self.look_for(&manifest, &next, round).await {
                    Ok(found) => sighting = found,
                    Err(error) => {
                        let now = self.clock.now();
                        return self.commit(&next, record(&next, Recorded::Failed(error), now), round);
                    }
                },
                Action::LookForFile => match execute::look_for_file(round.provider, &manifest, &next).await {
                    Ok(found) => file = found,
                    Err(error) => {
                        let now = self.clock.now();
                        return self.commit(&next, record(&next, Recorded::Failed(error), now), round);
                    }
                },
                Action::Fetch => return self.fetch(&manifest, &next, round).await,
                Action::Upload | Action::Create | Action::Cancel | Action::Clean => {
                    let outcome = self.effect(&action, &manifest, &next, round).await?;
                    let goes_on = matches!(outcome, Recorded::Uploaded(_));
                    let recorded = record(&next, outcome, self.clock.now());
                    self.commit(&next, recorded, round)?;
                    if !goes_on {
                        return Ok(());
                    }
                }
            }
        }
        tracing::error!(batch = %id, "a batch took more steps in one tick than its states allow");
        Ok(())
    }

    async fn effect(
        &self,
        action: &Action,
        manifest: &Manifest,
        batch: &Batch,
        round: &Round<'_>,
    ) -> Result<Recorded, EngineError> {
        let provider = round.provider;
        Ok(match action {
            Action::Upload => {
                let topic =
                    self.topics.topic(&manifest.topic).ok_or_else(|| EngineError::NoTopic(manifest.topic.clone()))?;
                execute::upload(provider, &self.store, &topic, manifest, batch).await?
            }
            Action::Create => execute::create(provider, manifest, batch).await,
            Action::Cancel => execute::cancel(provider, batch.provider_id.as_deref().unwrap_or_default()).await,
            _ => execute::clean(provider, batch).await,
        })
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
        for twin in listing.twins(manifest, batch) {
            tracing::warn!(batch = %batch.id, twin, "a second batch asks the same; it is cancelled");
            round.provider.cancel_batch(&twin).await?;
        }
        match (listing.sight(manifest, batch), &batch.provider_id) {
            (Sighting::Absent, Some(id)) => match round.provider.get_batch(id).await {
                Ok(seen) => Ok(Sighting::Found(Box::new(seen))),
                Err(ProviderError::NotFound { .. }) => Ok(Sighting::Absent),
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
        Ok(View {
            now: self.clock.now(),
            may_send: self.may_send(manifest, batch, round)?,
            has_room: round.allowances.has_room(round.address, batch, round.batches.values()),
            sighting: sighting.clone(),
            file: file.clone(),
            delete_files: options.delete_files,
            resend_after_s: match manifest.realm {
                Realm::Live => options.resend_after_s,
                Realm::Sandbox => options.resend_after_sandbox_s,
            },
        })
    }

    fn may_send(&self, manifest: &Manifest, batch: &Batch, round: &Round<'_>) -> Result<MaySend, EngineError> {
        if manifest.cancelled {
            return Ok(MaySend::Never);
        }
        let is_to_send = matches!(batch.state, BatchState::Planned | BatchState::Waiting | BatchState::Uploaded);
        if manifest.paused.is_some() || !is_to_send {
            return Ok(if manifest.paused.is_some() { MaySend::No } else { MaySend::Yes });
        }
        let topic = self.topics.topic(&manifest.topic);
        if topic.is_none_or(|topic| topic.schema.term_hash() != manifest.term_hash) {
            self.pause(manifest, "its terms were changed after it was planned; cancel it and start a new one", round)?;
            return Ok(MaySend::No);
        }
        if let Some(budget) = manifest.budget_usd {
            let of_run = || round.batches.values().filter(|other| other.id.manifest == manifest.id);
            let spent: f64 = of_run().map(|other| other.usd).sum();
            let sent: f64 = of_run()
                .filter(|other| other.state.is_at_provider() || other.state == BatchState::Ready)
                .map(|other| expected(manifest, other))
                .sum();
            if spent + sent + expected(manifest, batch) > budget {
                self.pause(manifest, &format!("the next batch would exceed its budget of ${budget:.2}"), round)?;
                return Ok(MaySend::No);
            }
        }
        Ok(MaySend::Yes)
    }

    /// Stops a run until the user decides, and says so once.
    fn pause(&self, manifest: &Manifest, reason: &str, round: &Round<'_>) -> Result<(), EngineError> {
        let manifest = self.store.change_manifest(manifest.id, |manifest| manifest.paused = Some(reason.to_owned()))?;
        let open = round.batches.values().filter(|batch| {
            batch.id.manifest == manifest.id
                && matches!(batch.state, BatchState::Planned | BatchState::Waiting | BatchState::Uploaded)
        });
        let requests: u64 = open.map(|batch| u64::from(batch.requests)).sum();
        self.log(&manifest, ActivityKind::NeedsUser, "is paused", &format!("{requests} requests wait: {reason}"))?;
        (self.tell)(Event::RunChanged(manifest.id));
        Ok(())
    }

    /// Writes the new state and tells about it. Nothing outside happens before this returns.
    fn commit(&self, before: &Batch, after: Batch, round: &mut Round<'_>) -> Result<(), EngineError> {
        let stored = self.store.change_batch(after.id, |batch| {
            // The wish to cancel comes from the user's side, between the loop's steps.
            let cancel_requested = batch.cancel_requested;
            *batch = after.clone();
            batch.cancel_requested |= cancel_requested;
        })?;
        if before.state != stored.state {
            round.changed += 1;
            self.note_change(before, &stored, round)?;
        }
        let moved = before.state != stored.state
            || before.counted_completed != stored.counted_completed
            || before.counted_failed != stored.counted_failed
            || before.trouble != stored.trouble;
        round.batches.insert(stored.id, stored.clone());
        if moved {
            (self.tell)(Event::BatchChanged(stored.id));
        }
        Ok(())
    }

    /// The log entries and lessons that a change of state brings.
    fn note_change(&self, before: &Batch, after: &Batch, round: &mut Round<'_>) -> Result<(), EngineError> {
        let manifest = self.store.manifest(after.id.manifest)?;
        match after.state {
            BatchState::Validating | BatchState::InProgress
                if !before.state.is_at_provider() || before.state == BatchState::Creating =>
            {
                let body = format!("{} requests to {}", after.requests, after.model);
                self.log(&manifest, ActivityKind::BatchSubmitted, &format!("batch {} sent", after.id.number), &body)?;
            }
            BatchState::Failed => {
                let words = after.trouble.as_ref().map_or("", |trouble| trouble.words.as_str());
                let body =
                    format!("{} requests to {} were refused, nothing is paid. {words}", after.requests, after.model);
                self.log(&manifest, ActivityKind::BatchFailed, &format!("batch {} failed", after.id.number), &body)?;
            }
            BatchState::Missing => {
                let body = format!(
                    "{} requests to {}. Was it made with another project's key? Try that key, or send them again.",
                    after.requests, after.model
                );
                let title = format!("batch {} is unknown here", after.id.number);
                self.log(&manifest, ActivityKind::NeedsUser, &title, &body)?;
            }
            BatchState::Waiting => self.learn_allowance(after, round)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes a queue allowance out of a refusal's words.
    fn learn_allowance(&self, batch: &Batch, round: &mut Round<'_>) -> Result<(), EngineError> {
        let words = batch.trouble.as_ref().map_or("", |trouble| trouble.words.as_str());
        let Some(QueueAllowance::Tokens(tokens)) = queue_limit(words).map(|limit| limit.allowance) else {
            return Ok(());
        };
        if round.allowances.set(round.address, &batch.model, Some(tokens)) {
            round.allowances.save(&self.store)?;
            // The refusal is explained: what fits goes at once, and the rest when there is room.
            let stored = self.store.change_batch(batch.id, |batch| batch.retry_at = None)?;
            round.batches.insert(stored.id, stored);
        }
        Ok(())
    }

    /// Cuts unsent batches that can never fit into what is known of the queue now.
    fn fit_to_allowance(&self, manifest: &Manifest, round: &mut Round<'_>) -> Result<(), EngineError> {
        let too_large: Vec<Batch> = round
            .batches
            .values()
            .filter(|batch| batch.id.manifest == manifest.id && batch.requests > 1)
            .filter(|batch| matches!(batch.state, BatchState::Planned | BatchState::Waiting))
            .filter(|batch| round.allowances.usable(round.address, &batch.model).is_some_and(|max| batch.tokens > max))
            .cloned()
            .collect();
        for batch in too_large {
            let requests = self.store.requests(batch.id)?;
            let limits = self.limits(&round.allowances, round.address, &batch.model);
            let plans = quorum_core::plan::split(&batch.model, mean_sizes(&batch, &requests), limits);
            let parts =
                plans.into_iter().map(|plan| new_batch(plan, manifest.term_hash.as_str(), batch.round)).collect();
            self.store.split_batch(batch.id, parts)?;
            for part in self.store.batches(manifest.id)? {
                round.batches.insert(part.id, part);
            }
            (self.tell)(Event::RunChanged(manifest.id));
        }
        Ok(())
    }

    async fn fetch(&self, manifest: &Manifest, batch: &Batch, round: &mut Round<'_>) -> Result<(), EngineError> {
        let now = self.clock.now();
        match fetch::fetch(round.provider, &self.store, &self.folder, manifest, batch, now).await? {
            Fetched::Later(error) => self.commit(batch, record(batch, Recorded::Failed(error), now), round),
            Fetched::Ingested(ingested) => {
                let stored = self.store.batch(batch.id)?;
                round.changed += 1;
                if let Ingested::Now { votes, failed, .. } = ingested {
                    let body = format!("{votes} votes, {failed} failed · ${:.2}", stored.usd);
                    let title = format!("batch {} ingested", batch.id.number);
                    self.log(manifest, ActivityKind::BatchIngested, &title, &body)?;
                }
                round.batches.insert(stored.id, stored);
                (self.tell)(Event::BatchChanged(batch.id));
                Ok(())
            }
        }
    }

    /// When every batch of a manifest is settled: starts the next round, or draws the line and says how it went.
    fn close_round(&self, id: ManifestId, round: &mut Round<'_>) -> Result<(), EngineError> {
        let manifest = self.store.manifest(id)?;
        let batches: Vec<Batch> = round.batches.values().filter(|batch| batch.id.manifest == id).cloned().collect();
        if manifest.finished_at.is_some() || batches.iter().any(|batch| batch.state.is_live()) {
            return Ok(());
        }
        let failures = rounds::open_failures(&self.store, &manifest, &batches)?;
        let may_ask_again = manifest.round < rounds::ROUNDS_MAX && !manifest.cancelled && manifest.paused.is_none();
        if may_ask_again && failures.iter().any(|failure| failure.failure.cause.is_retryable()) {
            let limits = |model: &ModelId| self.limits(&round.allowances, round.address, model);
            let next =
                rounds::next_round(&manifest, &batches, &failures, quorum_core::manifest::Cause::is_retryable, limits);
            let requests: u64 = next.iter().map(|new| u64::from(new.batch.requests)).sum();
            let manifest = quorum_core::manifest::Manifest { round: manifest.round + 1, ..manifest };
            self.store.extend_manifest(&manifest, next)?;
            let body = format!("{requests} requests without an answer are asked again");
            self.log(&manifest, ActivityKind::Note, &format!("round {} started", manifest.round + 1), &body)?;
            round.changed += 1;
            (self.tell)(Event::RunChanged(id));
            return Ok(());
        }
        if batches.iter().any(|batch| !batch.state.is_settled()) {
            return Ok(());
        }
        let manifest = self.store.change_manifest(id, |manifest| manifest.finished_at = Some(self.clock.now()))?;
        let votes: u64 = batches.iter().map(|batch| u64::from(batch.votes)).sum();
        let usd = total_usd(batches.iter().map(|batch| batch.usd));
        let outcome = if manifest.cancelled { "is cancelled" } else { "is complete" };
        let body = format!("{votes} votes, {} failed · ${usd:.2}", failures.len());
        self.log(&manifest, ActivityKind::RunCompleted, outcome, &body)?;
        round.changed += 1;
        (self.tell)(Event::RunChanged(id));
        Ok(())
    }

    /// Plans a further round on the user's wish: these failures, and every refused or missing batch that `resend` picks. Returns
    /// how many requests it holds. Round limits do not apply: the user has decided.
    pub fn ask_again(
        &self,
        manifest: &Manifest,
        batches: &[Batch],
        failures: &[OpenFailure],
        resend: impl Fn(&Batch) -> bool,
    ) -> Result<u64, EngineError> {
        let allowances = Allowances::load(&self.store)?;
        let limits = |model: &ModelId| self.limits(&allowances, &manifest.provider, model);
        let mut next = rounds::next_round(manifest, batches, failures, |_| true, limits);
        let unanswered = batches.iter().filter(|batch| matches!(batch.state, BatchState::Failed | BatchState::Missing));
        for batch in unanswered.filter(|batch| resend(batch)) {
            let requests = self.store.requests(batch.id)?;
            let plans = quorum_core::plan::split(&batch.model, mean_sizes(batch, &requests), limits(&batch.model));
            next.extend(plans.into_iter().map(|plan| new_batch(plan, manifest.term_hash.as_str(), manifest.round + 1)));
            // Closed first: a crash in between leaves its requests missing, never asked twice.
            self.store.change_batch(batch.id, |batch| batch.state = BatchState::Cancelled)?;
        }
        let requests = next.iter().map(|new| u64::from(new.batch.requests)).sum();
        if requests > 0 {
            let manifest = Manifest { round: manifest.round + 1, finished_at: None, paused: None, ..manifest.clone() };
            self.store.extend_manifest(&manifest, next)?;
            let body = format!("{requests} requests are asked again");
            self.log(&manifest, ActivityKind::Note, &format!("round {} started", manifest.round + 1), &body)?;
            (self.tell)(Event::RunChanged(manifest.id));
        }
        Ok(requests)
    }

    fn log(&self, manifest: &Manifest, kind: ActivityKind, what: &str, body: &str) -> Result<(), StoreError> {
        let name =
            self.topics.topic(&manifest.topic).map_or_else(|| manifest.topic.to_string(), |topic| topic.name.clone());
        let activity = self.store.log(Activity {
            number: 0,
            at: self.clock.now(),
            kind,
            manifest: Some(manifest.id),
            title: format!("{name} K={} {what}", manifest.k),
            body: body.to_owned(),
        })?;
        (self.tell)(Event::ActivityAdded(activity));
        Ok(())
    }
}

fn needs_cleaning(batch: &Batch) -> bool {
    matches!(batch.state, BatchState::Ingested | BatchState::Cancelled)
        && !batch.cleaned
        && (batch.input_file.is_some() || batch.output_file.is_some() || batch.error_file.is_some())
}

/// What a batch is expected to cost, by the manifest's prices.
fn expected(manifest: &Manifest, batch: &Batch) -> f64 {
    let price = manifest.prices.iter().find(|price| price.model == batch.model);
    price.map_or(0.0, |price| expected_usd(price, batch.requests, batch.tokens))
}

fn connect_trouble(error: &ConnectError, now: Seconds) -> Trouble {
    let kind = match error {
        ConnectError::NoKey | ConnectError::Keyring(_) => TroubleKind::NoKey,
        ConnectError::Address(_) | ConnectError::Sandbox(_) => TroubleKind::Other,
    };
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    Trouble { kind, words: format!("{error}{source}"), at: now }
}
