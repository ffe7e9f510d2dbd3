//! The background loops, one a provider: they tick while anything is live there, end when nothing is, and tell what changed. A
//! provider that is dead or hangs slows its own loop and no other.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use quorum_core::manifest::{ManifestId, Realm, Trouble, TroubleKind};
use quorum_engine::{EngineError, Pacer, Tick, announced};
use quorum_provider::{Pace as _, SystemPace};
use quorum_store::StoreError;
use tokio::{
    sync::broadcast,
    task::{self, JoinSet},
};

use crate::{
    Address, Quorum, activity,
    dto::{
        app::{Connection, ConnectionState},
        error::{ApiError, ErrorCode},
        events::Event,
    },
    session::lock,
};

/// What the loops know of their providers and of their own rhythm.
#[derive(Default)]
pub(crate) struct State {
    links: BTreeMap<String, Connection>,
    pacers: BTreeMap<String, Pacer>,
    last_checked_at: Option<u32>,
    /// When each provider was last asked for its models, answered or not.
    models_asked: BTreeMap<String, u32>,
}

/// Between two questions for a provider's models.
const DAY_S: u32 = 86_400;

impl State {
    /// All links as one: the chosen provider's, unless it is well and another's is not.
    fn shown(&self, chosen: &str) -> Connection {
        let is_troubled = |link: &&Connection| link.detail.is_some();
        let mine = self.links.get(chosen);
        let link = mine.filter(is_troubled).or_else(|| self.links.values().find(is_troubled));
        let link = link.or(mine).or_else(|| self.links.values().next()).cloned().unwrap_or_else(idle);
        Connection {
            last_checked_at: self.last_checked_at,
            next_check_at: self.links.values().filter_map(|link| link.next_check_at).min(),
            checking: self.links.values().any(|link| link.checking),
            ..link
        }
    }
}

fn idle() -> Connection {
    Connection {
        state: ConnectionState::Idle,
        since_at: None,
        last_checked_at: None,
        next_check_at: None,
        checking: false,
        detail: None,
    }
}

/// The sandbox lives this much faster than the world.
const SANDBOX_SCALE: f64 = 1.0 / 40.0;

/// The engine's event on its way to the faces. Runs are told about after the tick, once each.
pub(crate) fn pass_on(
    event: quorum_engine::Event,
    events: &broadcast::Sender<Event>,
    dirty: &Mutex<BTreeSet<ManifestId>>,
) {
    let mut dirty = dirty.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        quorum_engine::Event::BatchChanged(batch) => {
            dirty.insert(batch.manifest);
        }
        quorum_engine::Event::RunChanged(run) => {
            dirty.insert(run);
        }
        quorum_engine::Event::ActivityAdded(entry) => {
            // Nobody listening is fine: the entry is in the store.
            let _nobody_listens = events.send(Event::ActivityAdded(activity::shown(&entry, 0)));
        }
    }
}

impl Quorum {
    /// Looks once at every provider that something is left for, now.
    pub async fn tick(&self) -> Result<Tick, ApiError> {
        let providers = self.inner.engine.providers_with_work()?;
        self.each_link(&providers, |link| link.checking = true);
        let ticked = self.inner.engine.tick().await;
        self.after_tick(&providers, ticked)
    }

    /// Looks once at one provider, now. One that does not answer holds up no other.
    pub async fn tick_at(&self, provider: &str) -> Result<Tick, ApiError> {
        let providers = [provider.to_owned()];
        self.each_link(&providers, |link| link.checking = true);
        let ticked = self.inner.engine.tick_at(provider).await;
        self.after_tick(&providers, ticked)
    }

    /// Notes how each provider answered, and tells which runs changed.
    fn after_tick(&self, providers: &[String], ticked: Result<Tick, EngineError>) -> Result<Tick, ApiError> {
        let now = self.now();
        let tick = match ticked {
            Ok(tick) => tick,
            Err(error) => {
                let error = ApiError::from(error);
                self.each_link(providers, |link| {
                    link.checking = false;
                    link.last_checked_at = Some(now);
                    link.detail = Some(error.to_string());
                });
                return Err(error);
            }
        };
        self.change_links(|state| {
            for provider in providers {
                let asked = tick.connections.iter().find(|connection| connection.provider == *provider);
                let Some(asked) = asked else {
                    state.links.remove(provider);
                    continue;
                };
                let link = state.links.entry(provider.clone()).or_insert_with(idle);
                let is = asked.trouble.as_ref().map_or(ConnectionState::Online, |trouble| state_of(trouble.kind));
                if link.state != is {
                    link.state = is;
                    link.since_at = Some(now);
                }
                link.checking = false;
                link.detail = asked.trouble.as_ref().map(words_of);
                state.last_checked_at = Some(now);
            }
        });
        self.tell_changed_runs()?;
        Ok(tick)
    }

    /// Tells of every run that changed. One that cannot be read holds up no other, and is told of after the next tick. The first
    /// error comes back; those after it are only logged.
    fn tell_changed_runs(&self) -> Result<(), ApiError> {
        let runs = std::mem::take(&mut *lock(&self.inner.dirty));
        let mut first_error = None;
        for run in runs {
            if let Err(error) = self.run_changed(run) {
                if error.code != ErrorCode::NotFound {
                    lock(&self.inner.dirty).insert(run);
                }
                if first_error.is_none() {
                    first_error = Some(error);
                } else {
                    tracing::error!(%run, %error, "a run that changed could not be read");
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Looks now and says how it went.
    pub async fn poll_now(&self) -> Result<Connection, ApiError> {
        self.inner.secrets.ask_again();
        self.tick().await?;
        Ok(self.connection())
    }

    /// Polls for as long as the program is open, each provider in a loop of its own. Never ends by itself.
    pub async fn run_polling(&self) {
        let mut poked = self.inner.poke.subscribe();
        let mut loops = JoinSet::new();
        let mut polled: HashMap<task::Id, String> = HashMap::new();
        loop {
            poked.mark_unchanged();
            let is_readable = match self.inner.engine.providers_with_work() {
                Ok(providers) => {
                    for provider in providers {
                        if !polled.values().any(|known| *known == provider) {
                            let (quorum, at) = (self.clone(), provider.clone());
                            let id = loops.spawn(async move { quorum.poll_provider(&at).await }).id();
                            polled.insert(id, provider);
                        }
                    }
                    true
                }
                Err(error) => {
                    tracing::error!(%error, "the store could not be read");
                    false
                }
            };
            tokio::select! {
                Some(ended) = loops.join_next_with_id() => {
                    let id = match ended {
                        Ok((id, ())) => id,
                        Err(error) => {
                            tracing::error!(%error, "a polling loop ended early");
                            tokio::time::sleep(STORE_PAUSE).await;
                            error.id()
                        }
                    };
                    polled.remove(&id);
                }
                changed = poked.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(STORE_PAUSE), if !is_readable => {}
            }
        }
    }

    /// Polls one provider until nothing is left for it.
    async fn poll_provider(&self, provider: &str) {
        let mut poked = self.inner.poke.subscribe();
        loop {
            // What is asked for from here on comes before its time.
            poked.mark_unchanged();
            let pause = match self.inner.engine.providers_with_work() {
                Ok(providers) if !providers.iter().any(|known| known == provider) => {
                    return self.change_links(|state| drop(state.links.remove(provider)));
                }
                Ok(_) => {
                    let pause = match self.tick_at(provider).await {
                        Ok(tick) => self.pause_after(Some(provider), &tick),
                        Err(error) => {
                            tracing::error!(%provider, %error, "a tick failed");
                            self.pause(Some(provider), false, true)
                        }
                    };
                    self.ask_models_daily(provider).await;
                    pause
                }
                Err(error) => {
                    tracing::error!(%error, "the store could not be read");
                    STORE_PAUSE
                }
            };
            let next = self.now().saturating_add(u32::try_from(pause.as_secs()).unwrap_or(u32::MAX));
            self.each_link(&[provider.to_owned()], |link| link.next_check_at = Some(next));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                changed = poked.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Asks a provider that costs money once a day which models it has and when they end, so that a warning comes in time. Nothing
    /// hangs on it: a server may have no such list.
    async fn ask_models_daily(&self, provider: &str) {
        let is_live = Address::read(provider).is_ok_and(|address| address.realm() == Realm::Live);
        let now = self.now();
        let is_due = |asked: Option<u32>| asked.is_none_or(|asked| now.abs_diff(asked) >= DAY_S);
        let known = match announced(self.store(), provider) {
            Ok(said) => said.map(|said| said.at),
            Err(error) => {
                tracing::error!(%error, "what the provider said of its models could not be read: it is not asked");
                return;
            }
        };
        if !is_live || !is_due(known) || !is_due(lock(&self.inner.polling).models_asked.get(provider).copied()) {
            return;
        }
        lock(&self.inner.polling).models_asked.insert(provider.to_owned(), now);
        if let Err(error) = self.models_ask_of(provider).await {
            tracing::debug!(%error, "the provider's models could not be asked");
        }
    }

    /// Asks every loop to look now. A person did something, so a keyring that could not be used may be asked once more.
    pub(crate) fn poke(&self) {
        self.inner.secrets.ask_again();
        self.inner.poke.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// The pause after a tick of one provider or of all; none while synchronous calls only wait for the next.
    pub fn pause_after(&self, provider: Option<&str>, tick: &Tick) -> Duration {
        if tick.is_eager { Duration::ZERO } else { self.pause(provider, tick.changed > 0, tick.is_offline()) }
    }

    /// The user's pause, or the adaptive one.
    fn pause(&self, provider: Option<&str>, changed: bool, is_offline: bool) -> Duration {
        let chosen = self.stored_settings().map(|stored| stored.settings.poll_seconds).unwrap_or_else(|error| {
            tracing::error!(%error, "the chosen pause could not be read: the adaptive one is taken");
            None
        });
        let is_sandbox = match provider {
            Some(provider) => Address::read(provider).is_ok_and(|address| address.realm() == Realm::Sandbox),
            None => self.is_all_sandbox().unwrap_or_else(|error| {
                tracing::error!(%error, "the runs could not be read: the pause is that of a live provider");
                false
            }),
        };
        let mut state = lock(&self.inner.polling);
        let pacer = state.pacers.entry(provider.unwrap_or_default().to_owned()).or_insert_with(|| Pacer::new(1.0));
        let adaptive = pacer.next(changed, is_offline, SystemPace.chance());
        match chosen {
            Some(seconds) if !is_offline && !is_sandbox => Duration::from_secs(u64::from(seconds)),
            _ if is_sandbox => adaptive.mul_f64(SANDBOX_SCALE),
            _ => adaptive,
        }
    }

    /// Whether everything that is live is on this computer.
    fn is_all_sandbox(&self) -> Result<bool, StoreError> {
        let manifests = self.store().manifests()?;
        let mut unfinished = manifests.iter().filter(|manifest| manifest.finished_at.is_none());
        Ok(unfinished.all(|manifest| manifest.realm == Realm::Sandbox))
    }

    /// The links to the providers as they were last seen, as one.
    pub fn connection(&self) -> Connection {
        let chosen = self.address().map(|address| address.as_str().to_owned()).unwrap_or_default();
        lock(&self.inner.polling).shown(&chosen)
    }

    fn each_link(&self, providers: &[String], change: impl Fn(&mut Connection)) {
        self.change_links(|state| {
            for provider in providers {
                change(state.links.entry(provider.clone()).or_insert_with(idle));
            }
        });
    }

    fn change_links(&self, change: impl FnOnce(&mut State)) {
        let chosen = self.address().map(|address| address.as_str().to_owned()).unwrap_or_default();
        let changed = {
            let mut state = lock(&self.inner.polling);
            let before = state.shown(&chosen);
            change(&mut state);
            let after = state.shown(&chosen);
            (after != before).then_some(after)
        };
        if let Some(connection) = changed {
            self.tell(Event::ConnectionChanged(connection));
        }
    }
}

/// Until the store is tried again that could not be read.
const STORE_PAUSE: Duration = Duration::from_secs(60);

fn state_of(kind: TroubleKind) -> ConnectionState {
    match kind {
        TroubleKind::NoKey => ConnectionState::KeyMissing,
        TroubleKind::KeyRefused => ConnectionState::KeyRefused,
        TroubleKind::RateLimited | TroubleKind::QueueFull => ConnectionState::RateLimited,
        TroubleKind::ServerError | TroubleKind::NotTheApi | TroubleKind::QuotaExhausted | TroubleKind::Refused => {
            ConnectionState::ProviderFailing
        }
        _ => ConnectionState::Offline,
    }
}

fn words_of(trouble: &Trouble) -> String {
    trouble.words.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OpenOptions, SAMPLE_NAME, Wish};

    #[tokio::test]
    async fn a_run_that_cannot_be_read_holds_up_no_other_and_leaves_no_link_checking() {
        let folder = tempfile::tempdir().expect("a folder");
        let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("the data");
        quorum.dataset_import_sample().expect("the sample");
        let wish = Wish {
            dataset: SAMPLE_NAME.into(),
            topic: "G1_allergy".to_owned(),
            k: 1,
            ensemble: quorum_core::ensemble::Ensemble::read("gpt-5-mini:1").expect("an ensemble"),
            mode: quorum_core::manifest::Mode::Batch,
            canary: Some(false),
        };
        let (draft, topic) = quorum.draft(&wish).expect("a draft");
        let run = quorum.start(&wish, draft, &topic, None).expect("room").expect("something is missing");
        let mut events = quorum.subscribe();
        // Before the other in order.
        lock(&quorum.inner.dirty).insert(ManifestId(0));
        assert_eq!(quorum.tick().await.expect_err("it is told").code, ErrorCode::NotFound);
        assert!(!quorum.connection().checking);
        let told = std::iter::from_fn(|| events.try_recv().ok());
        let is_ours = |event: &Event| matches!(event, Event::RunChanged(told) if told.run == run.id.to_string());
        assert!(told.into_iter().any(|event| is_ours(&event)));
        quorum.tick().await.expect("there is no such run, and it is not asked for again");
    }
}
