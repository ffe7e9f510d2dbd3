//! The open program: one store, one catalog, one engine, and what the faces ask of them.
//!
//! [`Quorum`] is cheap to clone. Methods that only read and write the store are plain functions and may take a while on large
//! data: callers with a window run them off its thread. Methods that talk to the provider are async.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use quorum_catalog::Catalog;
use quorum_core::{
    date::Date,
    ids::TopicId,
    manifest::{ManifestId, Realm, Seconds},
    topic::Topic,
};
use quorum_engine::{Clock, Connect, ConnectError, Engine, Options, SystemClock, Topics};
use quorum_provider::{Provider, ProviderConfig};
use quorum_store::Store;
use tokio::sync::{broadcast, watch};

use crate::{
    dto::{
        error::{ApiError, ErrorCode},
        events::Event,
    },
    polling,
    provider::Address,
    sandbox::Sandbox,
    secrets::Secrets,
    settings::Stored,
};

/// How to open Quorum.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub data_dir: PathBuf,
    /// Instead of the settings' provider, for this session.
    pub provider: Option<Address>,
    /// Keys go to the system's keyring; else they are kept in memory.
    pub keyring: bool,
    /// How fast the built-in sandbox lives.
    pub sandbox_speed: quorum_sim::Speed,
    /// Whether the built-in sandbox keeps every call and request in its folder: for tests, as that grows without end.
    pub sandbox_evidence: bool,
}

impl OpenOptions {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            provider: None,
            keyring: true,
            sandbox_speed: quorum_sim::Speed::Instant,
            sandbox_evidence: false,
        }
    }
}

/// Where the data is unless somebody names another place: `quorum` in the platform's data directory.
pub fn default_data_dir() -> Result<PathBuf, ApiError> {
    dirs::data_dir().map(|folder| folder.join("quorum")).ok_or_else(|| {
        ApiError::new(ErrorCode::FileUnwritable, "This system names no folder for application data.")
            .action("Name one with --data DIR.")
    })
}

/// Events that may wait for a slow listener before it misses some.
const EVENTS_WAITING_MAX: usize = 1_024;

#[derive(Clone)]
pub struct Quorum {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Arc<Store>,
    pub data_dir: PathBuf,
    pub engine: Engine,
    pub topics: Arc<KnownTopics>,
    pub secrets: Arc<Secrets>,
    provider_override: Option<Address>,
    pub clock: Arc<dyn Clock>,
    events: broadcast::Sender<Event>,
    /// Held while a plan is made durable: two at once could ask the same.
    pub planning: Mutex<()>,
    /// Held while a dataset is read: it waits in one file until all of it is.
    pub importing: Mutex<()>,
    /// Wakes the polling loops before their time: counts how often.
    pub poke: watch::Sender<u32>,
    pub polling: Mutex<polling::State>,
    /// Runs that changed since they were last told about.
    pub dirty: Arc<Mutex<BTreeSet<ManifestId>>>,
    pub connections: Arc<Connections>,
    /// What the what-if page works on.
    pub bench: Mutex<Option<Arc<crate::what_if::Bench>>>,
}

/// The catalog and its topics, ready for the engine.
pub struct KnownTopics {
    current: RwLock<Indexed>,
}

type Indexed = (Arc<Catalog>, BTreeMap<TopicId, Arc<Topic>>);

impl KnownTopics {
    fn new(catalog: Arc<Catalog>) -> Self {
        Self { current: RwLock::new(Self::index(catalog)) }
    }

    fn index(catalog: Arc<Catalog>) -> Indexed {
        let topics = catalog.topics().iter().map(|topic| (topic.id.clone(), Arc::clone(topic))).collect();
        (catalog, topics)
    }

    pub fn replace(&self, catalog: Arc<Catalog>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Self::index(catalog);
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).0)
    }
}

impl Topics for KnownTopics {
    fn topic(&self, id: &TopicId) -> Option<Arc<Topic>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).1.get(id).cloned()
    }
}

/// Providers that were connected to, with the key of that moment.
pub(crate) struct Connections {
    known: Mutex<Known>,
    secrets: Arc<Secrets>,
    sandbox: Sandbox,
}

#[derive(Default)]
struct Known {
    by_address: BTreeMap<String, Provider>,
    /// How often the keys have changed.
    changes: u64,
}

impl Connections {
    fn new(secrets: Arc<Secrets>, sandbox: Sandbox) -> Self {
        Self { known: Mutex::default(), secrets, sandbox }
    }

    pub async fn connect(&self, address: String) -> Result<Provider, ConnectError> {
        let changes = {
            let known = lock(&self.known);
            if let Some(known) = known.by_address.get(&address) {
                return Ok(known.clone());
            }
            known.changes
        };
        let read = Address::read(&address).map_err(|error| ConnectError::Sandbox(Box::new(error)))?;
        let config = if read.is_sandbox() {
            let base_url = self.sandbox.base_url().await.map_err(|error| ConnectError::Sandbox(Box::new(error)))?;
            ProviderConfig::new(base_url, None)
        } else {
            let secrets = Arc::clone(&self.secrets);
            let host = read.key_host();
            let key = tokio::task::spawn_blocking(move || secrets.get(&host))
                .await
                .map_err(|error| ConnectError::Keyring(Box::new(error)))?;
            let key = match (key, read.realm()) {
                (Ok(Some((key, _))), _) => Some(key),
                // A server on this computer may want no key.
                (Ok(None) | Err(_), Realm::Sandbox) => None,
                (Ok(None), Realm::Live) => return Err(ConnectError::NoKey),
                (Err(error), Realm::Live) => return Err(ConnectError::Keyring(Box::new(error))),
            };
            ProviderConfig::new(read.as_str(), key)
        };
        let provider = Provider::new(config).map_err(ConnectError::Address)?;
        let mut known = lock(&self.known);
        // Another key may have been stored while this one was read: it is good for this call and no other.
        if known.changes == changes {
            known.by_address.insert(address, provider.clone());
        }
        Ok(provider)
    }

    /// Forgets connections, because the key changed.
    pub fn forget(&self) {
        let mut known = lock(&self.known);
        known.by_address.clear();
        known.changes += 1;
    }
}

/// The provider that the environment's key is for: the one named or chosen, else the only one that runs were ever started at.
fn meant(options: &OpenOptions, store: &Store) -> Result<Address, ApiError> {
    let chosen = match &options.provider {
        Some(named) => Some(named.clone()),
        None => crate::settings::stored(store)?.provider,
    };
    if let Some(chosen) = chosen {
        return Ok(chosen);
    }
    let runs = store.manifests()?;
    let mut used = runs.iter().filter_map(|run| Address::read(&run.provider).ok()).filter(|used| !used.is_sandbox());
    let first = used.next();
    let host = first.as_ref().map(Address::key_host);
    Ok(first.filter(|_| used.all(|other| Some(other.key_host()) == host)).unwrap_or_else(Address::sandbox))
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Quorum {
    /// Opens the data directory, making it if it is not there. Sends nothing.
    pub fn open(options: OpenOptions) -> Result<Self, ApiError> {
        let store = Arc::new(Store::open(&options.data_dir.join("quorum.redb"))?);
        let topics = Arc::new(KnownTopics::new(crate::catalog::current(&store)?));
        let secrets = Arc::new(Secrets::new(&meant(&options, &store)?.key_host(), options.keyring));
        let sandbox = Sandbox::new(options.data_dir.join("sandbox"), options.sandbox_speed, options.sandbox_evidence);
        let connections = Arc::new(Connections::new(Arc::clone(&secrets), sandbox));
        let connect: Connect = {
            let connections = Arc::clone(&connections);
            Arc::new(move |address| {
                let connections = Arc::clone(&connections);
                Box::pin(async move { connections.connect(address).await })
            })
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (events, _) = broadcast::channel(EVENTS_WAITING_MAX);
        let dirty: Arc<Mutex<BTreeSet<ManifestId>>> = Arc::default();
        let tell = {
            let (events, dirty) = (events.clone(), Arc::clone(&dirty));
            move |event| polling::pass_on(event, &events, &dirty)
        };
        let downloads = options.data_dir.join("downloads");
        let engine =
            Engine::new(Arc::clone(&store), Arc::clone(&topics) as _, connect, Arc::clone(&clock), downloads, tell);
        let quorum = Self {
            inner: Arc::new(Inner {
                store,
                data_dir: options.data_dir,
                engine,
                topics,
                secrets,
                provider_override: options.provider,
                clock,
                events,
                planning: Mutex::default(),
                importing: Mutex::default(),
                poke: watch::Sender::new(0),
                polling: Mutex::default(),
                dirty,
                connections,
                bench: Mutex::default(),
            }),
        };
        quorum.apply_settings()?;
        quorum.purge_removed()?;
        Ok(quorum)
    }

    /// Leaves the store so that the next opening is quick, for an end that closes nothing ([`Store::rest`]).
    pub fn rest(&self) -> Result<(), ApiError> {
        Ok(self.store().rest()?)
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        self.inner.topics.catalog()
    }

    /// A topic of the catalog.
    pub fn topic(&self, id: &str) -> Result<Arc<Topic>, ApiError> {
        self.inner.topics.topic(&TopicId::from(id)).ok_or_else(|| {
            let known = self.catalog();
            let ids: Vec<&str> = known.topics().iter().map(|topic| topic.id.as_str()).collect();
            ApiError::not_found(format!("There is no topic \"{id}\".")).action(format!("Topics: {}.", ids.join(", ")))
        })
    }

    /// Where requests go now.
    pub fn address(&self) -> Result<Address, ApiError> {
        if let Some(address) = &self.inner.provider_override {
            return Ok(address.clone());
        }
        Ok(self.stored_settings()?.provider.unwrap_or_else(Address::sandbox))
    }

    /// Whose votes are looked at now.
    pub fn realm(&self) -> Result<Realm, ApiError> {
        Ok(self.address()?.realm())
    }

    pub fn now(&self) -> Seconds {
        self.inner.clock.now()
    }

    /// Today's date (UTC).
    pub fn today(&self) -> Date {
        Date::from_epoch_days(i32::try_from(self.now() / 86_400).unwrap_or(i32::MAX))
    }

    /// What happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    pub(crate) fn tell(&self, event: Event) {
        // Nobody listening is fine: events are news, never the record.
        let _nobody_listens = self.inner.events.send(event);
    }

    /// Brings the engine in line with the settings.
    pub(crate) fn apply_settings(&self) -> Result<(), ApiError> {
        let Stored { settings, .. } = self.stored_settings()?;
        self.inner.engine.set_options(Options {
            delete_files: settings.delete_remote_files,
            requests_max: settings.batch_requests_max,
            ..Options::default()
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future as _,
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    #[tokio::test]
    async fn a_connection_that_was_made_with_the_former_key_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = Sandbox::new(folder.path().join("sandbox"), quorum_sim::Speed::Instant, false);
        let connections = Connections::new(Arc::new(Secrets::new("127.0.0.1", false)), sandbox);
        let mut connecting = pin!(connections.connect("http://127.0.0.1:9/v1".to_owned()));
        // The former key is read, on another thread.
        let is_ready = connecting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        connections.forget();
        if !is_ready {
            connecting.await.expect("an address on this computer wants no key");
        }
        assert!(lock(&connections.known).by_address.is_empty());
        connections.connect("http://127.0.0.1:9/v1".to_owned()).await.expect("an address");
        assert_eq!(lock(&connections.known).by_address.len(), 1, "with the new one it is");
    }
}
