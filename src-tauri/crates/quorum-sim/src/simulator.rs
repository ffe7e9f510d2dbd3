//! The handle on a running simulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::account::batch::BatchStatus;
use crate::account::logs::{CallRow, DuplicateRequest, Evidence};
use crate::account::{Account, Opening};
use crate::clock::{Clock, real_now_ms};
use crate::config::SimConfig;
use crate::error::SimError;
use crate::execute::ExecutedRow;
use crate::model::completion::Models;
use crate::scenario::Fault;
use crate::server::listen::{self, Want};
use crate::shared::Shared;

/// A Batch API server on loopback. Dropping it ends it at once, as a crash would; [`Simulator::shutdown`] ends it in order.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    is: watch::Receiver<Want>,
    listening: JoinHandle<()>,
}

/// A batch as the account knows it, for tests.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchSummary {
    pub id: String,
    pub status: BatchStatus,
    pub model: Option<String>,
    pub input_file_id: String,
    pub total: u64,
}

impl Simulator {
    /// Starts on the current tokio runtime, with what the folder remembers.
    pub async fn start(config: SimConfig) -> Result<Self, SimError> {
        let mut folder = None;
        let path = match config.state_dir {
            Some(path) => path,
            None => {
                let made =
                    tempfile::tempdir().map_err(|source| SimError::OpenState { path: std::env::temp_dir(), source })?;
                folder.insert(made).path().to_owned()
            }
        };
        let scenario = config.scenario.unwrap_or_default();
        let seed = scenario.seed.unwrap_or(config.seed);
        let (account, latest_ms) = Account::open(Opening {
            folder: &path,
            seed,
            limits: scenario.account.clone().unwrap_or(config.limits),
            durations: scenario.durations.unwrap_or(config.durations),
            scenario: &scenario,
            evidence: config.evidence,
        })?;
        let clock = Clock::new(config.speed, real_now_ms().max(latest_ms));
        let models = Models::new(seed, config.error_rates, config.retire_models);
        let listen_error = |source| SimError::Listen { port: config.port, source };
        let listener = listen::bind(config.port).await.map_err(listen_error)?;
        let port = listener.local_addr().map_err(listen_error)?.port();
        let (want, wanted) = watch::channel(Want::Online);
        let (is_sender, is) = watch::channel(Want::Online);
        let shared = Arc::new(Shared::new(seed, config.ranges, clock, models, account, want, folder));
        let listening = tokio::spawn(listen::serve(Arc::clone(&shared), listener, port, wanted, is_sender));
        Ok(Self { shared, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), is, listening })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client takes as the provider's address: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Virtual Unix seconds.
    pub fn now(&self) -> i64 {
        self.shared.clock.now_ms().div_euclid(1_000)
    }

    /// Moves the virtual clock on.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance_ms(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// Sets the virtual clock, to Unix seconds; also back.
    pub fn set_clock(&self, to_s: i64) {
        self.shared.clock.set_ms(to_s.saturating_mul(1_000));
    }

    /// Arms a fault from now on. Unlike a scenario's it does not survive a restart.
    pub fn fault(&self, fault: Fault) {
        self.shared.account().faults.add(fault);
    }

    /// Disarms all faults, the scenario's too. Those that batches have drawn already stay with them.
    pub fn clear_faults(&self) {
        self.shared.account().faults.clear();
    }

    /// Accepts revoked keys again.
    pub fn restore_keys(&self) {
        self.shared.account().revoked_keys.clear();
    }

    /// Calls that a [`crate::Kind::Hang`] has left without an answer so far; changes when the next one does.
    pub fn hanging(&self) -> watch::Receiver<u64> {
        self.shared.hanging.subscribe()
    }

    /// Cuts all connections and refuses new ones, until [`Simulator::go_online`].
    pub async fn go_offline(&mut self) -> Result<(), SimError> {
        self.reach(Want::Offline).await
    }

    /// Listens again, on the same port.
    pub async fn go_online(&mut self) -> Result<(), SimError> {
        self.reach(Want::Online).await
    }

    async fn reach(&mut self, want: Want) -> Result<(), SimError> {
        self.shared.want.send_replace(want);
        self.is.wait_for(|is| *is == want).await.map(|_| ()).map_err(|_| SimError::Stopped)
    }

    /// Every executed request since the folder was made, in order. This and the next two are empty without
    /// [`SimConfig::evidence`].
    pub fn executed(&self) -> Vec<ExecutedRow> {
        self.shared.account().logs.evidence().map_or_else(Vec::new, |evidence| evidence.executed.clone())
    }

    /// Requests that were billed more than once: same model, custom_id and body, status 200. Two reviews with the same text
    /// have the same body but not the same custom_id.
    pub fn duplicates(&self) -> Vec<DuplicateRequest> {
        self.shared.account().logs.evidence().map_or_else(Vec::new, Evidence::duplicates)
    }

    /// Every API call, in order.
    pub fn calls(&self) -> Vec<CallRow> {
        self.shared.account().logs.evidence().map_or_else(Vec::new, |evidence| evidence.called.clone())
    }

    /// All batches, oldest first, as they were last looked at.
    pub fn batches(&self) -> Vec<BatchSummary> {
        let account = self.shared.account();
        account
            .batches()
            .map(|batch| BatchSummary {
                id: batch.id.clone(),
                status: batch.status,
                model: batch.model.clone(),
                input_file_id: batch.input_file_id.clone(),
                total: batch.total,
            })
            .collect()
    }

    /// Ends it: no connection and no background work is left, and the folder is free.
    pub async fn shutdown(mut self) -> Result<(), SimError> {
        self.reach(Want::Stopped).await?;
        self.shared.jobs_finished().await;
        Ok(())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
