//! Ingest: everything that a finished batch brought, in one transaction. All of it or none, and a second time changes nothing.

use quorum_core::{
    manifest::{Batch, BatchId, BatchState, Failure},
    models::Usage,
    plan::Request,
    votes::PackedVotes,
};
use redb::ReadableTable;

use crate::{
    Store, StoreError, UsageEntry,
    batches::key,
    failures::request_key,
    open::Done,
    rows::{from_json, next_number, to_json},
    tables, votes,
};

/// What was read from a batch's result files.
#[derive(Clone, Debug)]
pub struct Ingest {
    pub batch: BatchId,
    pub space: u32,
    /// As wide as the space's schema.
    pub votes: PackedVotes,
    pub failures: Vec<(Request, Failure)>,
    pub usage: Usage,
    /// USD for `usage`, by the manifest's prices.
    pub usd: f64,
    /// Unix seconds.
    pub at: u32,
}

/// What an ingest did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingested {
    Now {
        votes: u32,
        known: u32,
        failed: u32,
    },
    /// The batch was ingested before; nothing changed.
    Before,
}

impl Store {
    /// Stores votes, failures, usage and the batch's new state together.
    pub fn ingest(&self, mut ingest: Ingest) -> Result<Ingested, StoreError> {
        ingest.votes.sort();
        self.write_if_changed(|write| {
            let mut batches = write.open_table(tables::BATCHES)?;
            let mut batch: Batch = {
                let row = batches.get(key(ingest.batch))?.ok_or(StoreError::NoBatch(ingest.batch))?;
                from_json("batches_v1", ingest.batch, row.value())?
            };
            if batch.state == BatchState::Ingested {
                return Ok(Done::Unchanged(Ingested::Before));
            }
            let merged = votes::insert(write, ingest.space, &ingest.votes)?;
            let mut failures = write.open_table(tables::FAILURES)?;
            for (request, failure) in &ingest.failures {
                failures.insert((key(ingest.batch), request_key(*request)), to_json(failure).as_slice())?;
            }
            let mut usage = write.open_table(tables::USAGE)?;
            let number = next_number(&usage, "usage entries")?;
            let entry = UsageEntry {
                batch: ingest.batch,
                model: batch.model.clone(),
                usage: ingest.usage,
                usd: ingest.usd,
                requests: u32::try_from(ingest.votes.len() + ingest.failures.len()).unwrap_or(u32::MAX),
                at: ingest.at,
            };
            usage.insert(number, to_json(&entry).as_slice())?;
            batch.state = BatchState::Ingested;
            batch.ingested_at = Some(ingest.at);
            batch.votes = merged.added;
            batch.failed = u32::try_from(ingest.failures.len()).unwrap_or(u32::MAX);
            batch.usage = ingest.usage;
            batch.usd = ingest.usd;
            batch.trouble = None;
            batch.retry_at = None;
            batch.failures_in_row = 0;
            batches.insert(key(ingest.batch), to_json(&batch).as_slice())?;
            Ok(Done::Changed(Ingested::Now { votes: merged.added, known: merged.known, failed: batch.failed }))
        })
    }
}
