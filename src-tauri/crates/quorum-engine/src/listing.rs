//! One look at the account's batches: paged until everything sought was seen, and matched to our own.

use std::collections::HashSet;

use quorum_core::manifest::{Batch, BatchState, Manifest, Seconds};
use quorum_provider::{Provider, ProviderError, wire};

use crate::{
    mark,
    step::{Sighting, attempt},
};

/// Batches on a page; the provider's own highest.
const PAGE: u32 = 100;

/// Pages read in one look at most: 20,000 batches. An account with more is looked up one by one.
const PAGES_MAX: u32 = 200;

/// Clocks may differ by this much before "older than our first intent" is believed.
const CLOCK_SKEW_S: u64 = 3_600;

/// The account's batches as one look found them.
#[derive(Debug, Default)]
pub struct Listing {
    batches: Vec<wire::Batch>,
}

/// What a look has to find before it may stop early.
#[derive(Debug, Default)]
pub struct Sought {
    ids: HashSet<String>,
    /// The earliest time at which a batch without an id may have been created.
    oldest_intent: Option<Seconds>,
}

impl Sought {
    pub fn add(&mut self, manifest: &Manifest, batch: &Batch) {
        match &batch.provider_id {
            Some(id) => {
                self.ids.insert(id.clone());
            }
            None => {
                // A copy of this store may have sent it at any time since the plan was made.
                let since = manifest.created_at;
                self.oldest_intent = Some(self.oldest_intent.map_or(since, |oldest| oldest.min(since)));
            }
        }
    }
}

impl Listing {
    /// Pages through the account's batches, newest first, until all that is sought was seen or cannot come any more.
    pub async fn look(provider: &Provider, sought: &Sought) -> Result<Self, ProviderError> {
        let mut listing = Self::default();
        let mut open = sought.ids.clone();
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = provider.list_batches(after.as_deref(), PAGE).await?;
            for batch in &page.data {
                open.remove(&batch.id);
            }
            let next = page.next_after().map(str::to_owned);
            // Newest first is observed, not promised: only a page that is old as a whole ends the search.
            let is_past = sought.oldest_intent.is_none_or(|oldest| {
                let limit = u64::from(oldest).saturating_sub(CLOCK_SKEW_S);
                page.data.iter().all(|batch| batch.created_at.is_some_and(|created| created < limit))
            });
            listing.batches.extend(page.data);
            after = next;
            if after.is_none() || (open.is_empty() && is_past) {
                break;
            }
        }
        Ok(listing)
    }

    /// The batch at the provider that is this one.
    pub fn sight(&self, manifest: &Manifest, batch: &Batch) -> Sighting {
        let found = match &batch.provider_id {
            Some(id) => self.batches.iter().find(|seen| seen.id == *id),
            None => self.attempt_of(manifest, batch),
        };
        found.map_or(Sighting::Absent, |seen| Sighting::Found(Box::new(seen.clone())))
    }

    /// An attempt at this batch that is not known yet: the current one while its end is unclear, else only one that this store does
    /// not remember (made by a copy of it). Of several the oldest counts; [`Listing::twins`] are cancelled.
    fn attempt_of(&self, manifest: &Manifest, batch: &Batch) -> Option<&wire::Batch> {
        let unknown_from = match batch.state {
            BatchState::Creating => batch.attempts,
            _ => batch.attempts + 1,
        };
        self.batches
            .iter()
            .filter(|seen| mark::is_ours(seen, manifest, batch))
            .filter(|seen| attempt(seen).is_some_and(|attempt| attempt >= unknown_from))
            .min_by_key(|seen| (seen.status == wire::BatchStatus::Failed, seen.created_at, seen.id.clone()))
    }

    /// Further running batches that ask the same as this one, which has an id: they would be paid twice.
    pub fn twins(&self, manifest: &Manifest, batch: &Batch) -> Vec<String> {
        let Some(own) = &batch.provider_id else { return Vec::new() };
        self.batches
            .iter()
            .filter(|seen| seen.id != *own && mark::is_ours(seen, manifest, batch))
            .filter(|seen| !seen.status.is_terminal() && seen.status != wire::BatchStatus::Cancelling)
            .map(|seen| seen.id.clone())
            .collect()
    }
}
