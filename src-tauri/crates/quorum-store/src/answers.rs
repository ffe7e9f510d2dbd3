//! Answers of synchronous calls: a few at a time, each few in one transaction with the mark that they were asked.

use quorum_core::{
    manifest::{Batch, BatchId, BatchState, Failure},
    models::Usage,
    plan::Request,
};
use redb::ReadableTable;

use crate::{
    NewVote, Store, StoreError, UsageEntry,
    batches::key,
    failures::request_key,
    open::Done,
    rows::{from_json, next_number, to_json},
    tables, votes,
};

/// What became of the requests that a batch's `asking` names.
#[derive(Clone, Debug)]
pub struct Answers {
    pub batch: BatchId,
    pub space: u32,
    /// Fields of the space's schema.
    pub fields: usize,
    /// The mark that these answers end; as it was written before they were asked.
    pub asking: Vec<u32>,
    pub votes: Vec<NewVote>,
    pub failures: Vec<(Request, Failure)>,
    pub usage: Usage,
    /// USD for `usage`, at the full price.
    pub usd: f64,
    /// Unix seconds.
    pub at: u32,
    /// Nothing of the batch is left to ask.
    pub is_last: bool,
}

impl Store {
    /// Stores votes, failures and usage, and ends the mark, together. `None`, and nothing changed, when the batch's mark is
    /// another one: these answers were stored before.
    pub fn add_answers(&self, answers: Answers) -> Result<Option<Batch>, StoreError> {
        self.write_if_changed(|write| {
            let mut batches = write.open_table(tables::BATCHES)?;
            let mut batch: Batch = {
                let row = batches.get(key(answers.batch))?.ok_or(StoreError::NoBatch(answers.batch))?;
                from_json("batches_v1", answers.batch, row.value())?
            };
            if batch.asking != answers.asking || batch.state.is_settled() {
                return Ok(Done::Unchanged(None));
            }
            let merged = votes::insert(write, answers.space, &votes::pack(&answers.votes, answers.fields))?;
            let mut failures = write.open_table(tables::FAILURES)?;
            for (request, failure) in &answers.failures {
                failures.insert((key(answers.batch), request_key(*request)), to_json(failure).as_slice())?;
            }
            let asked = u32::try_from(answers.votes.len() + answers.failures.len()).unwrap_or(u32::MAX);
            if asked > 0 {
                let mut usage = write.open_table(tables::USAGE)?;
                let number = next_number(&usage, "usage entries")?;
                let entry = UsageEntry {
                    batch: answers.batch,
                    model: batch.model.clone(),
                    usage: answers.usage,
                    usd: answers.usd,
                    requests: asked,
                    at: answers.at,
                };
                usage.insert(number, to_json(&entry).as_slice())?;
            }
            batch.asking.clear();
            batch.votes = batch.votes.saturating_add(merged.added);
            batch.failed = batch.failed.saturating_add(u32::try_from(answers.failures.len()).unwrap_or(u32::MAX));
            batch.counted_completed = batch.votes;
            batch.counted_failed = batch.failed;
            batch.usage += answers.usage;
            batch.usd += answers.usd;
            if answers.is_last {
                batch.state = BatchState::Ingested;
                batch.ingested_at = Some(answers.at);
                batch.ended_at = Some(answers.at);
                batch.trouble = None;
                batch.retry_at = None;
            }
            batches.insert(key(answers.batch), to_json(&batch).as_slice())?;
            Ok(Done::Changed(Some(batch)))
        })
    }
}
