//! The loop: one tick looks at each provider once and drives every live batch as far as it goes.

use std::{
    collections::BTreeMap,
    mem,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use futures_util::future::{BoxFuture, join_all};
use quorum_core::{
    ids::{ModelId, TopicId},
    manifest::{Batch, BatchId, BatchState, Manifest, ManifestState, Pause, PauseKind, Seconds, Trouble, TroubleKind},
    plan::BatchLimits,
    topic::Topic,
    words::counted,
};
use quorum_provider::{
    Provider,
    limits::{BATCH_CREATIONS_PER_HOUR_MAX, UPLOADS_PER_MINUTE_MAX},
};
use quorum_store::{Activity, ActivityKind, Store, StoreError};

use crate::{
    Allowances, Clock, ConnectError, Connection, EngineError, Event,
    listing::{Listing, Sought},
    step::trouble,
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
    /// How long an unclear creation is waited for before it is repeated, with a live provider; and as long a batch that the
    /// account does not show, or the files of an ended one. A batch takes hours, so minutes cost nothing against a second batch
    /// that is paid.
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
            resend_after_s: 600,
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
    /// Synchronous calls wait for nothing but the next tick.
    pub is_eager: bool,
    /// How each provider answered.
    pub connections: Vec<Connection>,
}

impl Tick {
    /// No provider that was asked has answered.
    pub fn is_offline(&self) -> bool {
        !self.connections.is_empty() && self.connections.iter().all(|connection| connection.trouble.is_some())
    }

    fn add(&mut self, other: Self) {
        self.changed += other.changed;
        self.is_eager |= other.is_eager;
        self.connections.extend(other.connections);
    }
}

pub struct Engine {
    pub(crate) store: Arc<Store>,
    pub(crate) topics: Arc<dyn Topics>,
    connect: Connect,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where result files are downloaded to.
    pub(crate) folder: PathBuf,
    options: RwLock<Options>,
    pub(crate) tell: Box<dyn Fn(Event) + Send + Sync>,
    /// One tick at a time and provider: one that does not answer holds up no other.
    ticking: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// What there is to do at one provider.
#[derive(Default)]
struct Work {
    manifests: Vec<(Manifest, Vec<Batch>)>,
    /// One of them has something to do. The others are only looked at in passing.
    is_open: bool,
    /// Batches created within the last hour, by any run.
    creations: u32,
    /// Files sent within the last minute.
    uploads: u32,
}

/// The batches of a provider as this tick knows them.
pub(crate) struct Round<'a> {
    pub provider: &'a Provider,
    pub address: &'a str,
    pub listing: Option<Listing>,
    pub sought: Sought,
    pub batches: BTreeMap<BatchId, Batch>,
    /// Finished batches of the run at hand, to be fetched once all its batches were looked at.
    pub ready: Vec<(Manifest, Batch)>,
    pub allowances: Allowances,
    pub creations: u32,
    pub uploads: u32,
    pub changed: u32,
    pub is_eager: bool,
}

/// The provider's own limits, less a margin for other clients of the account.
const CREATIONS_PER_HOUR_MAX: u32 = BATCH_CREATIONS_PER_HOUR_MAX / 20 * 19;
const FILES_PER_MINUTE_MAX: u32 = UPLOADS_PER_MINUTE_MAX / 20 * 19;
const HOUR_S: Seconds = 3_600;
/// A batch runs for a day, and its results are kept for thirty (OpenAI batch guide).
const RESULTS_KEPT_S: Seconds = 31 * 24 * HOUR_S;
const MINUTE_S: Seconds = 60;

impl Round<'_> {
    pub fn of(&self, manifest: &Manifest) -> impl Iterator<Item = &Batch> {
        let id = manifest.id;
        self.batches.values().filter(move |batch| batch.id.manifest == id)
    }

    pub fn may_create(&self) -> bool {
        self.creations < CREATIONS_PER_HOUR_MAX
    }

    pub fn may_upload(&self) -> bool {
        self.uploads < FILES_PER_MINUTE_MAX
    }
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
            ticking: Mutex::default(),
        }
    }

    pub fn set_options(&self, options: Options) {
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = options;
    }

    pub(crate) fn options(&self) -> Options {
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

    /// Manifests with something to do, by provider address.
    fn work(&self) -> Result<BTreeMap<String, Work>, EngineError> {
        let delete_files = self.options().delete_files;
        let now = self.clock.now();
        let (hour_ago, minute_ago) = (now.saturating_sub(HOUR_S), now.saturating_sub(MINUTE_S));
        let mut all: BTreeMap<String, Work> = BTreeMap::new();
        for manifest in self.store.manifests()? {
            let batches = self.store.batches(manifest.id)?;
            let is_recent = |batch: &&Batch| batch.attempts > 0 && batch.intended_at.is_some_and(|at| at > hour_ago);
            let creations = u32::try_from(batches.iter().filter(is_recent).count()).unwrap_or(u32::MAX);
            // A batch's file is sent moments before the batch is created.
            let was_sent = |batch: &&Batch| !batch.at_once && batch.intended_at.is_some_and(|at| at > minute_ago);
            let uploads = u32::try_from(batches.iter().filter(was_sent).count()).unwrap_or(u32::MAX);
            let is_open = manifest.finished_at.is_none()
                || batches.iter().any(|batch| batch.state.is_live() || (delete_files && needs_cleaning(batch)));
            let work = all.entry(manifest.provider.clone()).or_default();
            work.creations = work.creations.saturating_add(creations);
            work.uploads = work.uploads.saturating_add(uploads);
            work.is_open |= is_open;
            // What was given up while the account did not know it is no reason to ask the provider, but is looked for where it is
            // asked anyway.
            let may_turn_up = |batch: &Batch| {
                let sent_at = batch.submitted_at.or(batch.intended_at);
                batch.is_adrift() && sent_at.is_some_and(|at| now.saturating_sub(at) < RESULTS_KEPT_S)
            };
            if is_open || batches.iter().any(may_turn_up) {
                work.manifests.push((manifest, batches));
            }
        }
        all.retain(|_, work| work.is_open);
        Ok(all)
    }

    /// The addresses of the providers that something is left for.
    pub fn providers_with_work(&self) -> Result<Vec<String>, EngineError> {
        Ok(self.work()?.into_keys().collect())
    }

    /// Looks once at every provider, side by side, and does what can be done.
    pub async fn tick(&self) -> Result<Tick, EngineError> {
        let providers = self.providers_with_work()?;
        let ticks = join_all(providers.iter().map(|provider| self.look_at(provider))).await;
        let mut tick = Tick::default();
        let mut first_error = None;
        for ticked in ticks {
            match ticked {
                Ok(ticked) => tick.add(ticked),
                Err(error) if first_error.is_none() => first_error = Some(error),
                Err(error) => tracing::error!(%error, "another provider's tick failed too"),
            }
        }
        if let Some(error) = first_error {
            return Err(error);
        }
        tick.live = self.live(None)?;
        Ok(tick)
    }

    /// Looks once at one provider.
    pub async fn tick_at(&self, provider: &str) -> Result<Tick, EngineError> {
        let mut tick = self.look_at(provider).await?;
        tick.live = self.live(Some(provider))?;
        Ok(tick)
    }

    /// One tick of one provider, apart from [`Tick::live`].
    async fn look_at(&self, provider: &str) -> Result<Tick, EngineError> {
        let turn = {
            let mut ticking = self.ticking.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(ticking.entry(provider.to_owned()).or_default())
        };
        let _one_at_a_time = turn.lock().await;
        let mut tick = Tick::default();
        // Read in its turn: what was read before may have been done by the tick that was waited for.
        if let Some(work) = self.work()?.remove(provider) {
            let connection = self.tick_provider(provider, work, &mut tick).await?;
            tick.connections.push(connection);
        }
        Ok(tick)
    }

    /// Manifests that go on without the user, of one provider or of all.
    fn live(&self, provider: Option<&str>) -> Result<u32, EngineError> {
        let mut live = 0;
        let manifests = self.store.manifests()?.into_iter();
        for manifest in manifests.filter(|manifest| provider.is_none_or(|provider| manifest.provider == provider)) {
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

    /// What goes wrong with one run holds up no other; the first error comes back once all were looked at, and those after it are
    /// only logged.
    async fn tick_provider(&self, address: &str, work: Work, tick: &mut Tick) -> Result<Connection, EngineError> {
        let now = self.clock.now();
        let connection = |trouble| Connection { provider: address.to_owned(), trouble };
        let provider = match (self.connect)(address.to_owned()).await {
            Ok(provider) => provider,
            Err(error) => return Ok(connection(Some(connect_trouble(&error, now)))),
        };
        let manifests = work.manifests;
        let mut sought = Sought::default();
        let mut needs_look = false;
        for (manifest, batches) in &manifests {
            let is_sought = |batch: &&Batch| batch.state.is_live() || batch.state == BatchState::Missing;
            for batch in batches.iter().filter(is_sought).filter(|batch| !batch.at_once) {
                needs_look = true;
                sought.add(manifest, batch);
            }
        }
        let mut round = Round {
            provider: &provider,
            address,
            listing: None,
            sought,
            batches: manifests.iter().flat_map(|(_, batches)| batches).map(|batch| (batch.id, batch.clone())).collect(),
            ready: Vec::new(),
            allowances: Allowances::load(&self.store)?,
            creations: work.creations,
            uploads: work.uploads,
            changed: 0,
            is_eager: false,
        };
        if needs_look {
            match Listing::look(&provider, &round.sought).await {
                Ok(listing) => round.listing = Some(listing),
                Err(error) => return Ok(connection(Some(trouble(&error, now)))),
            }
        }
        let mut first_error = None;
        for (manifest, _) in &manifests {
            let Err(error) = self.tick_run(manifest, &mut round).await else { continue };
            if first_error.is_none() {
                first_error = Some(EngineError::Run { run: manifest.id, source: Box::new(error) });
            } else {
                tracing::error!(run = %manifest.id, %error, "a run was left as it is in this tick");
            }
        }
        tick.changed += round.changed;
        tick.is_eager |= round.is_eager;
        first_error.map_or(Ok(connection(None)), Err)
    }

    async fn tick_run(&self, manifest: &Manifest, round: &mut Round<'_>) -> Result<(), EngineError> {
        // An error left these over from another run.
        round.ready.clear();
        self.note_strangers(manifest, round)?;
        self.fit_to_allowance(manifest, round).await?;
        let mut ids: Vec<BatchId> = round.of(manifest).map(|batch| batch.id).collect();
        // A model's trial goes before everything that waits for it.
        ids.sort_by_key(|id| (!round.batches[id].is_canary, *id));
        for id in ids {
            self.drive(manifest, id, round).await?;
            // One that is ready is fetched, or its surplus cancelled, by then.
            let driven = round.batches.get(&id).filter(|batch| batch.state != BatchState::Ready);
            if let Some(batch) = driven.cloned() {
                self.cancel_surplus(manifest, &batch, round).await;
            }
        }
        let ready = mem::take(&mut round.ready);
        self.fetch(&ready, round).await?;
        self.close_round(manifest.id, round)
    }

    /// Stops a run until the user decides, and says so once.
    pub(crate) fn pause(
        &self,
        manifest: &Manifest,
        kind: PauseKind,
        words: &str,
        round: &Round<'_>,
    ) -> Result<(), StoreError> {
        let pause = Pause { kind, words: words.to_owned() };
        let manifest = self.store.change_manifest(manifest.id, |manifest| manifest.paused = Some(pause))?;
        let requests: u64 = round.of(&manifest).map(|batch| u64::from(batch.requests_unsent())).sum();
        let wait = if requests == 1 { "waits" } else { "wait" };
        let body = format!("{} {wait}: {words}", counted(requests, "request", "requests"));
        self.log(&manifest, ActivityKind::NeedsUser, "is paused", &body)?;
        (self.tell)(Event::RunChanged(manifest.id));
        Ok(())
    }

    pub(crate) fn log(
        &self,
        manifest: &Manifest,
        kind: ActivityKind,
        what: &str,
        body: &str,
    ) -> Result<(), StoreError> {
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
        && !batch.is_adrift()
        && (batch.input_file.is_some() || batch.output_file.is_some() || batch.error_file.is_some())
}

fn connect_trouble(error: &ConnectError, now: Seconds) -> Trouble {
    let kind = match error {
        ConnectError::NoKey | ConnectError::Keyring(_) => TroubleKind::NoKey,
        ConnectError::Address(_) | ConnectError::Sandbox(_) => TroubleKind::Other,
    };
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    Trouble { kind, words: format!("{error}{source}"), at: now }
}
