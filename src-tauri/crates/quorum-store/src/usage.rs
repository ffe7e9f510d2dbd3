//! The usage ledger: what was billed, entry by entry. Append-only.

use quorum_core::{ids::ModelId, manifest::BatchId, models::Usage};
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError, rows::all_json, tables};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageEntry {
    pub batch: BatchId,
    pub model: ModelId,
    pub usage: Usage,
    pub usd: f64,
    pub requests: u32,
    /// Unix seconds.
    pub at: u32,
}

impl Store {
    pub fn usage(&self) -> Result<Vec<UsageEntry>, StoreError> {
        all_json("usage_v1", &self.db.begin_read()?.open_table(tables::USAGE)?)
    }
}
