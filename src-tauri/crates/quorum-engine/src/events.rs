//! What the engine tells while it works: facts in the past tense, for the window, the command line and notifications.

use quorum_core::manifest::{BatchId, ManifestId, Trouble};
use quorum_store::Activity;

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    BatchChanged(BatchId),
    RunChanged(ManifestId),
    ActivityAdded(Activity),
}

/// How the last look at a provider went.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Base address, or `sandbox`.
    pub provider: String,
    /// `None`: it answered.
    pub trouble: Option<Trouble>,
}
