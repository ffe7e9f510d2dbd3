//! The background loop: ticks while anything is live, sleeps while nothing is, and tells what changed.

use std::{
    collections::{BTreeSet, hash_map::RandomState},
    hash::{BuildHasher, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use quorum_core::manifest::{ManifestId, Realm, Trouble, TroubleKind};
use quorum_engine::{Pacer, Tick};
use tokio::sync::broadcast;

use crate::{
    Quorum, activity,
    dto::{
        app::{Connection, ConnectionState},
        error::ApiError,
        events::Event,
    },
    session::lock,
};

/// What the loop knows of its own rhythm.
pub(crate) struct State {
    pub connection: Connection,
    pacer: Pacer,
}

impl Default for State {
    fn default() -> Self {
        Self {
            connection: Connection {
                state: ConnectionState::Idle,
                since_at: None,
                last_checked_at: None,
                next_check_at: None,
                checking: false,
                detail: None,
            },
            pacer: Pacer::new(1.0),
        }
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
        quorum_engine::Event::ConnectionChanged(_) => {}
    }
}

impl Quorum {
    /// Looks once, now.
    pub async fn tick(&self) -> Result<Tick, ApiError> {
        self.set_connection(|connection| connection.checking = true);
        let ticked = self.inner.engine.tick().await;
        let now = self.now();
        let tick = match ticked {
            Ok(tick) => tick,
            Err(error) => {
                let error = ApiError::from(error);
                tracing::error!(%error, "a tick failed");
                self.set_connection(|connection| {
                    connection.checking = false;
                    connection.last_checked_at = Some(now);
                    connection.detail = Some(error.to_string());
                });
                return Err(error);
            }
        };
        let runs = std::mem::take(&mut *lock(&self.inner.dirty));
        for run in runs {
            self.run_changed(run)?;
        }
        let trouble = tick.connections.iter().find_map(|connection| connection.trouble.clone());
        let asked = !tick.connections.is_empty();
        self.set_connection(|connection| {
            let state = match &trouble {
                _ if !asked => ConnectionState::Idle,
                None => ConnectionState::Online,
                Some(trouble) => state_of(trouble.kind),
            };
            if connection.state != state {
                connection.state = state;
                connection.since_at = Some(now);
            }
            connection.checking = false;
            connection.last_checked_at = if asked { Some(now) } else { connection.last_checked_at };
            connection.detail = trouble.as_ref().map(words_of);
        });
        Ok(tick)
    }

    /// Looks now and says how it went.
    pub async fn poll_now(&self) -> Result<Connection, ApiError> {
        self.tick().await?;
        Ok(self.connection())
    }

    /// Ticks for as long as the program is open. Never ends by itself.
    pub async fn run_polling(&self) {
        loop {
            let pause = match self.inner.engine.has_work() {
                Ok(true) => self.tick_and_pause().await,
                Ok(false) => {
                    self.rest();
                    None
                }
                Err(error) => {
                    tracing::error!(%error, "the store could not be read");
                    Some(Duration::from_secs(60))
                }
            };
            match pause {
                // A tick that is asked for comes before its time.
                Some(pause) => {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = self.inner.poke.notified() => {}
                    }
                }
                None => self.inner.poke.notified().await,
            }
        }
    }

    fn rest(&self) {
        self.set_connection(|connection| {
            connection.state = ConnectionState::Idle;
            connection.next_check_at = None;
        });
    }

    async fn tick_and_pause(&self) -> Option<Duration> {
        let pause = match self.tick().await {
            Ok(tick) => self.pause_after(&tick),
            Err(_logged) => self.pause(false, true),
        };
        let next = self.now().saturating_add(u32::try_from(pause.as_secs()).unwrap_or(u32::MAX));
        self.set_connection(|connection| connection.next_check_at = Some(next));
        Some(pause)
    }

    /// The pause after a tick; none while synchronous calls only wait for the next.
    pub fn pause_after(&self, tick: &Tick) -> Duration {
        if tick.is_eager { Duration::ZERO } else { self.pause(tick.changed > 0, tick.is_offline()) }
    }

    /// The user's pause, or the adaptive one.
    fn pause(&self, changed: bool, is_offline: bool) -> Duration {
        let chosen = self.stored_settings().ok().and_then(|stored| stored.settings.poll_seconds);
        let is_sandbox = self.is_all_sandbox();
        let mut state = lock(&self.inner.polling);
        let adaptive = state.pacer.next(changed, is_offline, random());
        match chosen {
            Some(seconds) if !is_offline && !is_sandbox => Duration::from_secs(u64::from(seconds)),
            _ if is_sandbox => adaptive.mul_f64(SANDBOX_SCALE),
            _ => adaptive,
        }
    }

    /// Whether everything that is live is on this computer.
    fn is_all_sandbox(&self) -> bool {
        let manifests = self.store().manifests().unwrap_or_default();
        manifests
            .iter()
            .filter(|manifest| manifest.finished_at.is_none())
            .all(|manifest| manifest.realm == Realm::Sandbox)
    }

    fn set_connection(&self, change: impl FnOnce(&mut Connection)) {
        let changed = {
            let mut state = lock(&self.inner.polling);
            let before = state.connection.clone();
            change(&mut state.connection);
            (state.connection != before).then(|| state.connection.clone())
        };
        if let Some(connection) = changed {
            self.tell(Event::ConnectionChanged(connection));
        }
    }
}

/// A number in [0, 1), for jitter only.
fn random() -> f64 {
    // Every `RandomState` is keyed anew from the system's randomness.
    let bits = RandomState::new().build_hasher().finish() >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let unit = bits as f64 / (1_u64 << 53) as f64;
    unit
}

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
