//! How a batch and its input file are known again at the provider.
//!
//! The provider has no idempotency key for creating a batch, so the mark in its metadata is the only way to find out whether an
//! unclear attempt went through (OpenAI batch guide: metadata of up to 16 pairs; no filter on it when listing).

use std::collections::BTreeMap;

use quorum_core::manifest::{Batch, Manifest};
use quorum_provider::wire;

/// `<manifest key>-<batch number>`.
pub const BATCH: &str = "quorum_batch";
/// Number of the creation attempt, from 1.
pub const ATTEMPT: &str = "quorum_attempt";
/// What the batch asks ([`Batch::fingerprint`]).
pub const FINGERPRINT: &str = "quorum_requests";
/// For the person who looks at the provider's own list.
pub const TOPIC: &str = "quorum_topic";

pub fn batch_tag(manifest: &Manifest, batch: &Batch) -> String {
    format!("{}-{}", manifest.key, batch.id.number)
}

/// The input file's name: unique to what is asked, so that a finished upload is found again.
pub fn file_name(manifest: &Manifest, batch: &Batch) -> String {
    format!("quorum-{}-{}.jsonl", batch_tag(manifest, batch), batch.fingerprint)
}

pub fn metadata(manifest: &Manifest, batch: &Batch) -> BTreeMap<String, String> {
    BTreeMap::from([
        (BATCH.to_owned(), batch_tag(manifest, batch)),
        (ATTEMPT.to_owned(), batch.attempts.to_string()),
        (FINGERPRINT.to_owned(), batch.fingerprint.clone()),
        (TOPIC.to_owned(), manifest.topic.to_string()),
    ])
}

/// Whether a batch at the provider asks what this fingerprint stands for.
pub fn asks(seen: &wire::Batch, fingerprint: &str) -> bool {
    seen.metadata.get(FINGERPRINT).is_some_and(|found| found == fingerprint)
}
