//! The sandbox: the simulated provider inside this process, started when it is first needed.
//!
//! Its files and batches live under the data directory, so that a later start, or one after a crash, finds them again.

use std::path::PathBuf;

use quorum_sim::{SimConfig, SimError, Simulator, Speed};
use tokio::sync::OnceCell;

pub struct Sandbox {
    folder: PathBuf,
    speed: Speed,
    running: OnceCell<Simulator>,
}

impl Sandbox {
    pub fn new(folder: PathBuf, speed: Speed) -> Self {
        Self { folder, speed, running: OnceCell::new() }
    }

    /// Its base address; starts it the first time.
    pub async fn base_url(&self) -> Result<String, SimError> {
        let simulator = self
            .running
            .get_or_try_init(|| {
                Simulator::start(SimConfig {
                    state_dir: Some(self.folder.clone()),
                    speed: self.speed,
                    ..SimConfig::default()
                })
            })
            .await?;
        Ok(simulator.base_url())
    }
}
