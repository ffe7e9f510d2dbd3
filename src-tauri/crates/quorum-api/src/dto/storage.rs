//! What the data take.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// Sizes are whole bytes; they pass 4 GB, so they are floating-point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// The store: datasets, votes, runs, settings.
    #[specta(type = Number)]
    pub store_bytes: f64,
    /// All else in the data directory: downloads under way, stores that a restored backup took the place of, the sandbox's state.
    #[specta(type = Number)]
    pub other_bytes: f64,
    /// Files of this store's batches that are still at providers.
    pub remote_files: u32,
    /// Of these, what was uploaded; how large results are only the provider knows.
    #[specta(type = Number)]
    pub remote_uploaded_bytes: f64,
}
