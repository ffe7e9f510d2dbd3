//! One look at the account's batches: paged until everything sought was seen, and matched to our own.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use quorum_core::manifest::{Batch, BatchId, BatchState, Manifest, Seconds};
use quorum_provider::{
    Provider, ProviderError,
    wire::{self, BatchStatus},
};

use crate::{
    mark,
    step::{Sighting, attempt, is_refusal},
};

/// Batches on a page; the provider's own highest.
const PAGE: u32 = 100;

/// Pages read in one look at most: 20,000 batches. In an account with more, batches whose id is known are asked for by it; one
/// without an id that stands behind so many newer ones is not found.
const PAGES_MAX: u32 = 200;

/// Clocks may differ by this much before "older than our first intent" is believed.
const CLOCK_SKEW_S: u64 = 3_600;

/// The account's batches as one look found them.
#[derive(Debug, Default)]
pub struct Listing {
    batches: Vec<wire::Batch>,
    /// Places of those that carry a mark of Quorum's, by the mark.
    by_tag: HashMap<String, Vec<usize>>,
    /// Places of those without, by their input file: some servers keep no metadata.
    unmarked: HashMap<String, Vec<usize>>,
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
            // Paging through the whole account for it at every look would find it no more; it is asked for by its id.
            Some(_) if batch.state == BatchState::Missing => {}
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
        for (at, seen) in listing.batches.iter().enumerate() {
            let (places, key) = match seen.metadata.get(mark::BATCH) {
                Some(tag) => (&mut listing.by_tag, tag),
                None => (&mut listing.unmarked, &seen.input_file_id),
            };
            places.entry(key.clone()).or_default().push(at);
        }
        Ok(listing)
    }

    /// The batch at the provider that is this one; of several attempts at it the one to keep ([`rank`]). Once that one is taken,
    /// the others are [`Listing::twins`].
    pub fn sight(&self, manifest: &Manifest, batch: &Batch) -> Sighting {
        let found = match &batch.provider_id {
            Some(id) => {
                let own = self.batches.iter().find(|seen| seen.id == *id);
                own.map(|own| self.useful(manifest, batch).chain([own]).min_by_key(|seen| rank(seen)).unwrap_or(own))
            }
            None => self.attempt_of(manifest, batch),
        };
        found.map_or(Sighting::Absent, |seen| Sighting::Found(Box::new(seen.clone())))
    }

    /// An attempt that came to something although another one is taken for this batch, which the account does not know.
    pub fn other_attempt(&self, manifest: &Manifest, batch: &Batch) -> Sighting {
        let found = self.useful(manifest, batch).min_by_key(|seen| rank(seen));
        found.map_or(Sighting::Absent, |seen| Sighting::Found(Box::new(seen.clone())))
    }

    /// Attempts at this batch, of any number: by their mark, or by the input file, which no other batch has.
    fn ours(&self, manifest: &Manifest, batch: &Batch) -> impl Iterator<Item = &wire::Batch> {
        let fingerprint = batch.fingerprint.clone();
        let tagged = self.by_tag.get(&mark::batch_tag(manifest, batch)).into_iter().flatten();
        let unmarked = batch.input_file.as_ref().filter(|file| !file.is_empty());
        let unmarked = unmarked.and_then(|file| self.unmarked.get(file)).into_iter().flatten();
        let seen = |at: &usize| &self.batches[*at];
        tagged.map(seen).filter(move |seen| mark::asks(seen, &fingerprint)).chain(unmarked.map(seen))
    }

    /// Attempts that run or brought something.
    fn useful(&self, manifest: &Manifest, batch: &Batch) -> impl Iterator<Item = &wire::Batch> {
        self.ours(manifest, batch).filter(|seen| {
            !matches!(seen.status, BatchStatus::Cancelled | BatchStatus::Cancelling) && !is_refusal(seen)
        })
    }

    /// An attempt at a batch that has no id: the current one while its end is unclear, one that this store does not remember
    /// (made by a copy of it), or an earlier one that was taken as lost and shows up late.
    fn attempt_of(&self, manifest: &Manifest, batch: &Batch) -> Option<&wire::Batch> {
        let unknown_from = match batch.state {
            BatchState::Creating => batch.attempts,
            _ => batch.attempts + 1,
        };
        self.ours(manifest, batch)
            .filter(|seen| attempt(seen).is_some_and(|attempt| attempt >= unknown_from))
            .chain(self.useful(manifest, batch))
            .min_by_key(|seen| rank(seen))
    }

    /// Further running batches that ask the same as this one, which is taken up from another of them or was given up: they would
    /// be paid in vain.
    pub fn twins(&self, manifest: &Manifest, batch: &Batch) -> Vec<String> {
        let own = batch.provider_id.as_ref();
        if own.is_none() && batch.state != BatchState::Cancelled {
            return Vec::new();
        }
        self.useful(manifest, batch)
            .filter(|seen| Some(&seen.id) != own && !seen.status.is_terminal())
            .map(|seen| seen.id.clone())
            .collect()
    }

    /// Batches with this manifest's mark that are none of its batches, and that run or were answered: a copy of the store made
    /// them, which is at work elsewhere or was when this one was backed up.
    pub fn strangers(&self, manifest: &Manifest, batches: &BTreeMap<BatchId, Batch>) -> Vec<String> {
        let prefix = format!("{}-", manifest.key);
        self.by_tag
            .iter()
            .filter_map(|(tag, places)| Some((tag.strip_prefix(&prefix)?.parse::<u32>().ok()?, places)))
            .flat_map(|(number, places)| places.iter().map(move |at| (number, &self.batches[*at])))
            .filter(|(_, seen)| {
                let runs = !seen.status.is_terminal() && seen.status != BatchStatus::Cancelling;
                runs || seen.request_counts.completed > 0 || seen.output_file_id.is_some()
            })
            .filter(|(number, seen)| {
                let known = batches.get(&BatchId { manifest: manifest.id, number: *number });
                known.is_none_or(|batch| !mark::asks(seen, &batch.fingerprint))
            })
            .map(|(_, seen)| seen.id.clone())
            .filter(|id| !manifest.strangers.contains(id))
            .collect()
    }
}

/// Which of several attempts to keep: the lowest. What is answered goes first, then what is about to be; of those that run the
/// oldest, which is nearly always ahead. At whatever moment anybody looks, two that run stand in the same order: so two copies of a
/// store that look at different moments do not each cancel the one that the other keeps.
fn rank(seen: &wire::Batch) -> impl Ord + use<> {
    let stage = match seen.status {
        BatchStatus::Completed => 0,
        BatchStatus::Failed if !is_refusal(seen) => 1,
        BatchStatus::Expired => 1,
        BatchStatus::Finalizing => 2,
        BatchStatus::InProgress | BatchStatus::Validating | BatchStatus::Unknown(_) => 3,
        BatchStatus::Cancelling => 4,
        BatchStatus::Cancelled => 5,
        BatchStatus::Failed => 6,
    };
    let answered = if seen.status.is_terminal() { seen.request_counts.completed } else { 0 };
    (stage, Reverse(answered), seen.created_at, seen.id.clone())
}
