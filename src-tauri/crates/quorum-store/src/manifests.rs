//! Manifests: made whole with all their batches and requests before anything is sent.

use quorum_core::{
    manifest::{Batch, BatchId, BatchState, Manifest, ManifestId, Outcome},
    plan::Request,
    votes::ReviewNo,
};
use redb::ReadableTable;

use crate::{
    Store, StoreError,
    batches::batches_of,
    open::Done,
    rows::{all_json, from_json, read_counter, to_json, write_counter},
    tables::{self, pair, range_of},
};

/// A manifest that has no number yet; `manifest.id` is ignored.
#[derive(Clone, Debug)]
pub struct NewManifest {
    pub manifest: Manifest,
    pub batches: Vec<NewBatch>,
}

/// A batch that has no number yet; `batch.id` is ignored.
#[derive(Clone, Debug)]
pub struct NewBatch {
    pub batch: Batch,
    pub requests: Vec<Request>,
}

const NEXT_MANIFEST: &str = "next_manifest";

impl Store {
    /// Stores a plan: the manifest, its batches and every request in them, in one transaction. Batches are numbered from 1.
    /// Refused where a request of it is taken ([`crate::Claims`]).
    pub fn create_manifest(&self, new: NewManifest) -> Result<Manifest, StoreError> {
        self.write(|write| {
            let mut manifest = new.manifest;
            {
                // A counter and not the number after the last row: the usage ledger names runs by number, for good.
                let mut meta = write.open_table(tables::META)?;
                let number = read_counter(&meta, NEXT_MANIFEST)?;
                write_counter(&mut meta, NEXT_MANIFEST, number.checked_add(1).ok_or(StoreError::TooMany("runs"))?)?;
                manifest.id = ManifestId(number);
            }
            let requests = self.taken(write, &manifest, &[], &new.batches)?;
            if requests > 0 {
                return Err(StoreError::Taken { requests });
            }
            put(write, &manifest)?;
            insert_batches(write, manifest.id, 1, new.batches)?;
            Ok(manifest)
        })
    }

    /// Adds the batches of a further round, closes those whose place they take, and changes the manifest with them, in one
    /// transaction. `admit` sees the manifest and all its batches as they are stored now. When it says no, or when a request of
    /// the new batches is taken ([`crate::Claims`]), nothing changes and `None` comes back.
    pub fn extend_manifest(
        &self,
        id: ManifestId,
        close: &[BatchId],
        new: Vec<NewBatch>,
        admit: impl FnOnce(&mut Manifest, &[Batch]) -> bool,
    ) -> Result<Option<Manifest>, StoreError> {
        self.write_if_changed(|write| {
            let mut manifest: Manifest = {
                let table = write.open_table(tables::MANIFESTS)?;
                let row = table.get(id.0)?.ok_or(StoreError::NoManifest(id))?;
                from_json("manifests_v1", id, row.value())?
            };
            let stored = batches_of(&write.open_table(tables::BATCHES)?, id)?;
            if let Some(unknown) = close.iter().find(|close| stored.iter().all(|batch| batch.id != **close)) {
                return Err(StoreError::NoBatch(*unknown));
            }
            if !admit(&mut manifest, &stored) || self.taken(write, &manifest, close, &new)? > 0 {
                return Ok(Done::Unchanged(None));
            }
            put(write, &manifest)?;
            let first = stored.last().map_or(1, |batch| batch.id.number + 1);
            {
                let mut table = write.open_table(tables::BATCHES)?;
                for batch in stored.into_iter().filter(|batch| close.contains(&batch.id)) {
                    let batch = Batch {
                        state: BatchState::Cancelled,
                        outcome: Some(Outcome::Cancelled),
                        // Should it turn up at the provider after all.
                        cancel_requested: true,
                        ..batch
                    };
                    table.insert(pair(id.0, batch.id.number), to_json(&batch).as_slice())?;
                }
            }
            insert_batches(write, manifest.id, first, new)?;
            Ok(Done::Changed(Some(manifest)))
        })
    }

    /// Changes a manifest where it and all its batches, as they are stored now, admit it. `None`: they do not, nothing changed.
    pub fn change_manifest_if(
        &self,
        id: ManifestId,
        admit: impl FnOnce(&mut Manifest, &[Batch]) -> bool,
    ) -> Result<Option<Manifest>, StoreError> {
        self.extend_manifest(id, &[], Vec::new(), admit)
    }

    /// Cuts an unsent batch into parts: the first takes over its number, the others are added behind. The requests together
    /// are the same.
    pub fn split_batch(&self, id: BatchId, parts: Vec<NewBatch>) -> Result<(), StoreError> {
        self.write(|write| {
            let mut parts = parts.into_iter();
            let Some(first) = parts.next() else { return Ok(()) };
            let next = {
                let table = write.open_table(tables::BATCHES)?;
                let last = table.range(range_of(id.manifest.0))?.next_back().transpose()?;
                last.map_or(1, |(key, _)| tables::second(key.value()) + 1)
            };
            insert_batches(write, id.manifest, id.number, vec![first])?;
            insert_batches(write, id.manifest, next, parts.collect())
        })
    }

    pub fn manifests(&self) -> Result<Vec<Manifest>, StoreError> {
        all_json("manifests_v1", &self.db.begin_read()?.open_table(tables::MANIFESTS)?)
    }

    pub fn manifest(&self, id: ManifestId) -> Result<Manifest, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::MANIFESTS)?;
        let row = table.get(id.0)?.ok_or(StoreError::NoManifest(id))?;
        from_json("manifests_v1", id, row.value())
    }

    /// Reads, changes and writes a manifest in one transaction, so that no other change is lost.
    pub fn change_manifest(&self, id: ManifestId, change: impl FnOnce(&mut Manifest)) -> Result<Manifest, StoreError> {
        self.write(|write| {
            let mut manifest: Manifest = {
                let table = write.open_table(tables::MANIFESTS)?;
                let row = table.get(id.0)?.ok_or(StoreError::NoManifest(id))?;
                from_json("manifests_v1", id, row.value())?
            };
            change(&mut manifest);
            put(write, &manifest)?;
            Ok(manifest)
        })
    }
}

fn put(write: &redb::WriteTransaction, manifest: &Manifest) -> Result<(), StoreError> {
    write.open_table(tables::MANIFESTS)?.insert(manifest.id.0, to_json(manifest).as_slice())?;
    Ok(())
}

fn insert_batches(
    write: &redb::WriteTransaction,
    manifest: ManifestId,
    first: u32,
    batches: Vec<NewBatch>,
) -> Result<(), StoreError> {
    let mut table = write.open_table(tables::BATCHES)?;
    let mut requests = write.open_table(tables::REQUESTS)?;
    for (number, new) in (first..).zip(batches) {
        let batch = Batch { id: BatchId { manifest, number }, ..new.batch };
        let key = pair(manifest.0, number);
        table.insert(key, to_json(&batch).as_slice())?;
        requests.insert(key, pack_requests(&new.requests).as_slice())?;
    }
    Ok(())
}

const REQUESTS_VERSION: u8 = 1;

fn pack_requests(requests: &[Request]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + requests.len() * 5);
    out.push(REQUESTS_VERSION);
    for request in requests {
        out.extend_from_slice(&request.review.0.to_be_bytes());
        out.push(request.run);
    }
    out
}

pub(crate) fn unpack_requests(batch: BatchId, bytes: &[u8]) -> Result<Vec<Request>, StoreError> {
    let damaged = |reason| StoreError::Damaged { table: "requests_v1", key: batch.to_string(), reason };
    match bytes {
        [REQUESTS_VERSION, requests @ ..] if requests.len() % 5 == 0 => Ok(requests
            .chunks_exact(5)
            .map(|request| Request {
                review: ReviewNo(u32::from_be_bytes([request[0], request[1], request[2], request[3]])),
                run: request[4],
            })
            .collect()),
        [REQUESTS_VERSION, ..] => Err(damaged("it ends within a request")),
        [version, ..] => Err(StoreError::RowVersion { table: "requests_v1", version: *version }),
        [] => Err(damaged("it is empty")),
    }
}
