//! What can go wrong in the simulator itself, as opposed to the provider errors it plays.

use std::path::PathBuf;

/// One variant per operation; the source says the cause.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error("the simulator cannot listen on 127.0.0.1:{port}")]
    Listen {
        port: u16,
        #[source]
        source: std::io::Error,
    },
    #[error("the simulator cannot open its folder {}", path.display())]
    OpenState {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("another simulator uses the folder {}", path.display())]
    StateInUse { path: PathBuf },
    #[error("the simulator cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the simulator cannot write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("line {line} of {} is not a journal record", path.display())]
    JournalLine {
        path: PathBuf,
        line: u64,
        #[source]
        source: serde_json::Error,
    },
    #[error("a journal record cannot be written as JSON")]
    JournalEncode(#[source] serde_json::Error),
    #[error("the scenario file {} cannot be read", path.display())]
    ReadScenario {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the scenario is not valid TOML of the documented shape")]
    ParseScenario(#[source] toml::de::Error),
    #[error("fault {number} of the scenario: {reason}")]
    ScenarioFault { number: usize, reason: String },
    #[error("the simulator has stopped")]
    Stopped,
}
