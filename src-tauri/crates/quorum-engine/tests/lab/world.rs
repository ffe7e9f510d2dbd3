//! A store with a small dataset, a simulated provider, and the engine between them. Time passes only by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use quorum_catalog::builtin;
use quorum_core::{
    ensemble::Ensemble,
    ids::{BusinessId, DatasetName, ModelId, ReviewId, TopicId},
    manifest::{Batch, BatchState, Manifest, ManifestId, ManifestState, Mode, Realm, Seconds},
    models::ModelTable,
    prompt::sent_bytes,
    tokens,
    topic::Topic,
};
use quorum_engine::{
    Allowances, Clock, Connect, DraftRequest, Engine, EngineError, Event, OpenFailure, Options, SubmitRequest, Tick,
    Topics, draft, open_failures, submit,
};
use quorum_provider::{Pace, Provider, ProviderConfig};
use quorum_sim::{SimConfig, Simulator, Speed};
use quorum_store::{PreparedBusiness, PreparedReview, ReviewRow, Store, StoreError, testing::FrozenBackend};
use tempfile::TempDir;

pub const START: Seconds = 1_795_000_000;
pub const DATASET: &str = "town";
pub const TOPIC: &str = "G1_allergy";
pub const K: u32 = 25;

const TEXTS: [&str; 6] = [
    "Lovely pasta and a warm welcome.",
    "My peanut allergy gave me hives, although I had told them.",
    "They took my friend's allergy very seriously.",
    "It ended in the hospital with an EpiPen.",
    "Cold soup, slow service, no word about allergens.",
    "The chef changed the whole dish for my son's nut allergy.",
];

pub struct KnownTopics;

impl Topics for KnownTopics {
    fn topic(&self, id: &TopicId) -> Option<Arc<Topic>> {
        builtin().topic(id).cloned().map(Arc::new)
    }
}

/// Unix seconds that only a test moves.
#[derive(Clone, Default)]
pub struct HandClock(Arc<AtomicU32>);

impl HandClock {
    pub fn at(start: Seconds) -> Self {
        Self(Arc::new(AtomicU32::new(start)))
    }

    pub fn advance(&self, seconds: i64) {
        let now = i64::from(self.now()) + seconds;
        self.0.store(u32::try_from(now).expect("within the calendar"), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Seconds {
        self.0.load(Ordering::SeqCst)
    }
}

/// Repeats at once and never gambles.
pub struct NoWait;

impl Pace for NoWait {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn chance(&self) -> f64 {
        0.0
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// (review, model, run) → relevant and codes.
pub type Votes = BTreeMap<(u32, String, u8), (bool, Vec<u8>)>;

pub fn topic() -> Arc<Topic> {
    KnownTopics.topic(&TopicId::from(TOPIC)).expect("a built-in topic")
}

/// Puts so many businesses with so many reviews each into a store.
pub fn import(store: &Store, businesses: u32, reviews: u32) {
    let prepared = |business: u32, review: u32| {
        let text = format!("Visit {business}.{review}. {}", TEXTS[(business + review) as usize % TEXTS.len()]);
        PreparedReview {
            tokens: u32::try_from(text.len() / 4).expect("small"),
            bytes: sent_bytes(&text),
            row: ReviewRow {
                id: ReviewId::new(format!("b{business}r{review}")),
                text,
                stars: None,
                date: None,
                useful: None,
            },
        }
    };
    let lines = (0..businesses).map(|business| {
        Ok::<_, StoreError>(PreparedBusiness {
            line: u64::from(business) + 1,
            id: BusinessId::new(format!("b{business}")),
            name: format!("Business {business}"),
            categories: "Thai".to_owned(),
            reviews: (0..reviews).map(|review| prepared(business, review)).collect(),
        })
    });
    store.import_dataset(&DatasetName::from(DATASET), "test", START, lines).expect("imported");
}

pub struct World {
    pub store: Arc<Store>,
    pub engine: Engine,
    pub clock: HandClock,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

pub fn options() -> Options {
    Options { resend_after_s: 90, resend_after_sandbox_s: 90, ..Options::default() }
}

impl World {
    /// An engine on this store, with this provider.
    pub fn on(store: Arc<Store>, clock: HandClock, provider: Provider, folder: &Path) -> Self {
        Self::telling(store, clock, provider, folder, |_| {})
    }

    /// The same, and somebody is told what happens while a tick runs.
    pub fn telling(
        store: Arc<Store>,
        clock: HandClock,
        provider: Provider,
        folder: &Path,
        tell: impl Fn(Event) + Send + Sync + 'static,
    ) -> Self {
        Self::with_topics(store, clock, provider, folder, Arc::new(KnownTopics), tell)
    }

    fn with_topics(
        store: Arc<Store>,
        clock: HandClock,
        provider: Provider,
        folder: &Path,
        topics: Arc<dyn Topics>,
        tell: impl Fn(Event) + Send + Sync + 'static,
    ) -> Self {
        let connect: Connect = Arc::new(move |_| {
            let provider = provider.clone();
            Box::pin(async move { Ok(provider) })
        });
        let engine = Engine::new(Arc::clone(&store), topics, connect, Arc::new(clock.clone()), folder.to_owned(), tell);
        engine.set_options(options());
        Self { store, engine, clock, folder: folder.to_owned(), _temporary: None }
    }

    /// A world of its own: in memory, `reviews` reviews, nothing planned.
    pub fn new(sim: &Simulator, reviews: u32) -> Self {
        let store = Arc::new(Store::open_with_backend(FrozenBackend::new()).expect("a store"));
        import(&store, 1, reviews);
        let folder = TempDir::new().expect("a folder");
        let clock = HandClock::at(START);
        let mut world = Self::on(store, clock, provider(sim, None), folder.path());
        world._temporary = Some(folder);
        world
    }

    /// A world of its own on a store as it was read from a disk.
    pub fn of_image(sim: &Simulator, image: Vec<u8>) -> Self {
        let store = Arc::new(Store::open_with_backend(FrozenBackend::from_image(image)).expect("a store"));
        let folder = TempDir::new().expect("a folder");
        let mut world = Self::on(store, HandClock::at(START), provider(sim, None), folder.path());
        world._temporary = Some(folder);
        world
    }

    /// The same store after a restart of the program, with another key if one is given.
    pub fn restarted(self, sim: &Simulator, key: Option<&str>) -> Self {
        let mut next = Self::on(Arc::clone(&self.store), self.clock.clone(), provider(sim, key), &self.folder);
        next._temporary = self._temporary;
        next
    }

    /// The same store after somebody changed the catalog.
    pub fn with_catalog(self, sim: &Simulator, topics: Arc<dyn Topics>) -> Self {
        let (store, clock) = (Arc::clone(&self.store), self.clock.clone());
        let mut next = Self::with_topics(store, clock, provider(sim, None), &self.folder, topics, |_| {});
        next._temporary = self._temporary;
        next
    }

    pub async fn tick(&self) -> Result<Tick, EngineError> {
        self.engine.tick().await
    }

    /// Ticks every `seconds` of both clocks until nothing goes on by itself; how many ticks it took.
    pub async fn run(&self, sim: &Simulator, seconds: u32) -> u32 {
        for ticks in 1..=2_000 {
            let tick = self.tick().await.expect("the loop goes on");
            if tick.live == 0 {
                return ticks;
            }
            self.pass(sim, seconds);
        }
        panic!("still live after 2,000 ticks: {:?}", self.batches());
    }

    pub fn pass(&self, sim: &Simulator, seconds: u32) {
        self.clock.advance(i64::from(seconds));
        sim.set_clock(i64::from(self.clock.now()));
    }

    pub fn manifest(&self) -> Manifest {
        self.store.manifest(ManifestId(1)).expect("the run")
    }

    pub fn batches(&self) -> Vec<Batch> {
        self.store.batches(ManifestId(1)).expect("its batches")
    }

    pub fn states(&self) -> Vec<BatchState> {
        self.batches().iter().map(|batch| batch.state).collect()
    }

    pub fn state(&self) -> ManifestState {
        self.manifest().state(&self.batches())
    }

    pub fn open_failures(&self) -> Vec<OpenFailure> {
        open_failures(&self.store, &self.manifest(), &self.batches()).expect("failures")
    }

    pub fn logged(&self, words: &str) -> bool {
        let log = self.store.activity(10_000).expect("the log");
        log.iter().any(|entry| entry.title.contains(words) || entry.body.contains(words))
    }
}

pub fn provider(sim: &Simulator, key: Option<&str>) -> Provider {
    let mut config = ProviderConfig::new(sim.base_url(), key.map(|key| key.to_owned().into()));
    config.pace = Arc::new(NoWait);
    Provider::new(config).expect("a loopback address")
}

/// A simulator whose clock stands still at [`START`].
pub async fn simulator(config: SimConfig) -> Simulator {
    let sim = Simulator::start(SimConfig { speed: Speed::Manual, ..config }).await.expect("a port");
    sim.set_clock(i64::from(START));
    sim
}

/// What to start a run with.
pub struct Plan {
    pub ensemble: Ensemble,
    pub mode: Mode,
    pub realm: Realm,
    pub budget_usd: Option<f64>,
    pub canary: bool,
    pub requests_max: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            ensemble: Ensemble::standard(),
            mode: Mode::Batch,
            realm: Realm::Sandbox,
            budget_usd: None,
            canary: false,
            requests_max: 40_000,
        }
    }
}

/// Plans and stores a run of everything that is missing.
pub fn start(store: &Store, plan: Plan) -> Option<Manifest> {
    try_start(store, plan).expect("stored")
}

/// The same on a disk that may stop.
pub fn try_start(store: &Store, plan: Plan) -> Result<Option<Manifest>, StoreError> {
    let topic = topic();
    let dataset = store.dataset(&DatasetName::from(DATASET))?;
    let models = ModelTable::default();
    let allowances = Allowances::load(store)?;
    let limits = |model: &ModelId| quorum_core::plan::BatchLimits {
        requests_max: plan.requests_max,
        tokens_max: allowances.usable("sandbox", model),
        ..quorum_core::plan::BatchLimits::default()
    };
    let wish = DraftRequest {
        realm: plan.realm,
        topic: &topic,
        k: 1_000_000,
        ensemble: &plan.ensemble,
        models: &models,
        limits: &limits,
    };
    let draft = draft(store, &dataset, wish)?;
    let request = SubmitRequest {
        draft,
        topic: &topic,
        realm: plan.realm,
        provider: "sandbox".to_owned(),
        k: K,
        ensemble: plan.ensemble,
        mode: plan.mode,
        models: &models,
        budget_usd: plan.budget_usd,
        canary: plan.canary,
        key: format!("key{}", store.manifests()?.len()),
        now: START,
    };
    submit(store, request)
}

/// Every vote of the sandbox on the topic.
pub fn votes(store: &Store) -> Votes {
    let topic = topic();
    let mut votes = Votes::new();
    let space = store.space(Realm::Sandbox, &topic.id, &topic.schema.term_hash()).expect("spaces");
    let Some(space) = space else { return votes };
    let names: BTreeMap<_, _> = ["gpt-5-mini", "gpt-5-nano"]
        .iter()
        .filter_map(|name| Some((store.model_no(&(*name).into())?, *name)))
        .collect();
    store
        .each_votes(space.number, |review, row| {
            for vote in row.iter() {
                let name = names.get(&vote.model).copied().unwrap_or("another model");
                votes.insert((review.0, name.to_owned(), vote.run), (vote.relevant, vote.codes.to_vec()));
            }
        })
        .expect("votes");
    votes
}

/// Requests that were billed more than once, however they were asked: (model, review and run).
pub fn paid_twice(sim: &Simulator) -> Vec<(String, String)> {
    paid_twice_at(&[sim])
}

/// The same over several accounts.
pub fn paid_twice_at(sims: &[&Simulator]) -> Vec<(String, String)> {
    let mut once = BTreeSet::new();
    let mut twice = Vec::new();
    for row in sims.iter().flat_map(|sim| sim.executed()).filter(|row| row.status == 200) {
        let id = row.custom_id.rfind('r').map_or(row.custom_id.as_str(), |at| &row.custom_id[at..]);
        let request = (row.model.to_string(), id.to_owned());
        if !once.insert(request.clone()) {
            twice.push(request);
        }
    }
    twice
}

/// Tokens that a request of the topic takes up, roughly; for allowances in tests.
pub fn request_tokens() -> u64 {
    u64::from(tokens::fixed(&topic())) + 20
}
