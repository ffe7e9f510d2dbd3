//! Batches: read and changed one at a time; every state they pass is committed before its effect is tried.

use quorum_core::{
    manifest::{Batch, BatchId, ManifestId},
    plan::Request,
};
use redb::ReadableTable;

use crate::{
    Store, StoreError,
    manifests::unpack_requests,
    rows::{from_json, to_json},
    tables::{self, pair, range_of},
};

pub(crate) fn key(id: BatchId) -> u64 {
    pair(id.manifest.0, id.number)
}

impl Store {
    pub fn batches(&self, manifest: ManifestId) -> Result<Vec<Batch>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::BATCHES)?;
        table
            .range(range_of(manifest.0))?
            .map(|row| {
                let (key, value) = row?;
                from_json("batches_v1", key.value(), value.value())
            })
            .collect()
    }

    /// Batches of every manifest.
    pub fn all_batches(&self) -> Result<Vec<Batch>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::BATCHES)?;
        table
            .iter()?
            .map(|row| {
                let (key, value) = row?;
                from_json("batches_v1", key.value(), value.value())
            })
            .collect()
    }

    pub fn batch(&self, id: BatchId) -> Result<Batch, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::BATCHES)?;
        let row = table.get(key(id))?.ok_or(StoreError::NoBatch(id))?;
        from_json("batches_v1", id, row.value())
    }

    /// Reads, changes and writes a batch in one transaction.
    pub fn change_batch(&self, id: BatchId, change: impl FnOnce(&mut Batch)) -> Result<Batch, StoreError> {
        self.write(|write| {
            let mut table = write.open_table(tables::BATCHES)?;
            let mut batch: Batch = {
                let row = table.get(key(id))?.ok_or(StoreError::NoBatch(id))?;
                from_json("batches_v1", id, row.value())?
            };
            change(&mut batch);
            table.insert(key(id), to_json(&batch).as_slice())?;
            Ok(batch)
        })
    }

    /// What a batch asks, in the order of its input file.
    pub fn requests(&self, id: BatchId) -> Result<Vec<Request>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::REQUESTS)?;
        let row = table.get(key(id))?.ok_or(StoreError::NoBatch(id))?;
        unpack_requests(id, row.value())
    }
}
