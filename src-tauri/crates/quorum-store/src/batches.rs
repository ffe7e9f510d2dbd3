//! Batches: read and changed one at a time; every state they pass is committed before its effect is tried.

use quorum_core::{
    manifest::{Batch, BatchId, ManifestId},
    plan::Request,
};
use redb::ReadableTable;

use crate::{
    Store, StoreError,
    manifests::unpack_requests,
    open::Done,
    rows::{from_json, to_json},
    tables::{self, pair, range_of},
};

pub(crate) fn key(id: BatchId) -> u64 {
    pair(id.manifest.0, id.number)
}

pub(crate) fn batches_of(
    table: &impl ReadableTable<u64, &'static [u8]>,
    manifest: ManifestId,
) -> Result<Vec<Batch>, StoreError> {
    table
        .range(range_of(manifest.0))?
        .map(|row| {
            let (key, value) = row?;
            from_json("batches_v1", key.value(), value.value())
        })
        .collect()
}

impl Store {
    pub fn batches(&self, manifest: ManifestId) -> Result<Vec<Batch>, StoreError> {
        batches_of(&self.db.begin_read()?.open_table(tables::BATCHES)?, manifest)
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

    /// Writes `after` in the place of `before`. `None`, and nothing changed, when somebody else changed the batch in between;
    /// only the wish to cancel it is taken over.
    pub fn replace_batch(&self, before: &Batch, after: Batch) -> Result<Option<Batch>, StoreError> {
        self.write_if_changed(|write| {
            let mut table = write.open_table(tables::BATCHES)?;
            let stored: Batch = {
                let row = table.get(key(before.id))?.ok_or(StoreError::NoBatch(before.id))?;
                from_json("batches_v1", before.id, row.value())?
            };
            let cancel_requested = stored.cancel_requested || after.cancel_requested;
            if (Batch { cancel_requested: before.cancel_requested, ..stored }) != *before {
                return Ok(Done::Unchanged(None));
            }
            let after = Batch { cancel_requested, ..after };
            table.insert(key(after.id), to_json(&after).as_slice())?;
            Ok(Done::Changed(Some(after)))
        })
    }

    /// What a batch asks, in the order of its input file.
    pub fn requests(&self, id: BatchId) -> Result<Vec<Request>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::REQUESTS)?;
        let row = table.get(key(id))?.ok_or(StoreError::NoBatch(id))?;
        unpack_requests(id, row.value())
    }
}
