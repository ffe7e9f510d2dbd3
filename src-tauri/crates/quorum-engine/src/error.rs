//! What stops a tick as a whole. Trouble of a single batch is kept with the batch instead.

use quorum_core::manifest::{BatchId, ManifestId};
use quorum_store::StoreError;

/// Why there is no provider to talk to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no API key is stored")]
    NoKey,
    #[error("the keyring cannot be read")]
    Keyring(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the provider's address cannot be used")]
    Address(#[source] quorum_provider::ConfigError),
    #[error("the sandbox could not be started")]
    Sandbox(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a background task of the engine was stopped")]
    Stopped(#[source] tokio::task::JoinError),
    #[error("reading the results of batch {batch} failed; they stay at the provider and are fetched again")]
    Results { batch: BatchId, source: crate::ResultsError },
    #[error("run {run} was left as it is in this tick")]
    Run { run: ManifestId, source: Box<EngineError> },
}
