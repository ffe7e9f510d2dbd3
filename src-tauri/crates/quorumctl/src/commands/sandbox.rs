//! `sandbox`: the simulated provider as a server of its own.

use std::{io::Write, path::Path};

use quorum_api::dto::error::ErrorCode;
use quorum_sim::{Scenario, SimConfig, SimError, Simulator, Speed};

use super::{Failure, data_dir};
use crate::{args::Global, outcome::Exit};

pub async fn serve(global: &Global, port: u16, scenario: Option<&Path>, speed: Speed) -> Result<Exit, Failure> {
    let config = SimConfig {
        port,
        // With --data its state survives; without it the server forgets everything when it ends.
        state_dir: match &global.data {
            Some(_) => Some(data_dir(global)?.join("sandbox")),
            None => None,
        },
        speed,
        scenario: scenario.map(Scenario::read).transpose().map_err(failed)?,
        ..SimConfig::default()
    };
    let simulator = Simulator::start(config).await.map_err(failed)?;
    let mut stdout = std::io::stdout().lock();
    let said = writeln!(stdout, "listening on {}", simulator.base_url()).and_then(|()| stdout.flush());
    drop(stdout);
    said.map_err(|error| Failure::new(ErrorCode::Internal, "stdout cannot be written.").detail(error.to_string()))?;
    tokio::signal::ctrl_c().await.map_err(|error| {
        Failure::new(ErrorCode::Internal, "Signals cannot be waited for.").detail(error.to_string())
    })?;
    simulator.shutdown().await.map_err(failed)?;
    Ok(Exit::Done)
}

fn failed(error: SimError) -> Failure {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    Failure::new(ErrorCode::Internal, "The sandbox could not run.").detail(words)
}
