//! The sandbox: the simulated provider inside this process, started when it is first needed.
//!
//! Its files and batches live under the data directory, so that a later start, or one after a crash, finds them again.

use std::path::PathBuf;

use quorum_sim::{SimConfig, SimError, Simulator, Speed};
use tokio::sync::OnceCell;

pub struct Sandbox {
    folder: PathBuf,
    speed: Speed,
    evidence: bool,
    running: OnceCell<Simulator>,
}

impl Sandbox {
    /// With `evidence` it keeps every call and request in its folder: for tests, as that grows without end.
    pub fn new(folder: PathBuf, speed: Speed, evidence: bool) -> Self {
        Self { folder, speed, evidence, running: OnceCell::new() }
    }

    /// Its base address; starts it the first time.
    pub async fn base_url(&self) -> Result<String, SimError> {
        let simulator = self
            .running
            .get_or_try_init(|| {
                Simulator::start(SimConfig {
                    state_dir: Some(self.folder.clone()),
                    speed: self.speed,
                    evidence: self.evidence,
                    ..SimConfig::default()
                })
            })
            .await?;
        Ok(simulator.base_url())
    }
}
