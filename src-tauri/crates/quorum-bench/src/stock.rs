//! A data directory as the app has it after the whole published run: the dataset, every topic asked, every vote stored.
//!
//! The window is opened on it to see how it bears the size. The votes go into the store as an ingest puts them there, without
//! result files in between: [`crate::folder`] has those. They lean as real ones do: most reviews are not about the topic, most
//! votes on a review agree, and some businesses are worse than others, so that every verdict occurs.
//!
//! Everything is in the sandbox's realm, as nobody may take made-up votes for paid ones.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use quorum_api::{Address, OpenOptions, Quorum};
use quorum_catalog::builtin;
use quorum_core::{
    ids::DatasetName,
    manifest::{Batch, Cause, Failure, Manifest, Outcome, Realm},
    models::{BATCH_PRICE_SHARE, ModelTable, Usage},
    plan::Request,
    schema::Schema,
    votes::{ModelNo, PackedVotes, VoteRef},
};
use quorum_store::{DatasetView, Ingest, Store, StoreError};
use serde::Serialize;

use crate::{
    BenchError,
    draws::Draws,
    folder::{AT, plan, ready},
    reviews,
};

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Stock<'a> {
    pub dataset: &'a str,
    pub topics: usize,
    pub reviews: u32,
    /// Of each business; the last one may have fewer.
    pub reviews_a_business: u32,
    pub seed: u64,
}

impl Default for Stock<'static> {
    /// The published run: 18,440 reviews of 100 businesses, 18 topics.
    fn default() -> Self {
        Self {
            dataset: "published",
            topics: builtin().topics().len(),
            reviews: 18_440,
            reviews_a_business: 185,
            seed: 1,
        }
    }
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stocked {
    pub businesses: u32,
    pub reviews: u32,
    pub topics: usize,
    pub runs: u32,
    pub votes: u64,
    pub failed: u64,
}

/// Requests that got no vote: as rare as the provider's own.
const FAILED_ONCE_IN: u64 = 5_000;

/// Between two runs, and from a run's start to its end.
const RUN_SECONDS: u32 = 5_400;

/// Adds a dataset to a data directory, which may be new, and everything that was asked about it.
pub fn fill(data_dir: &Path, stock: Stock<'_>) -> Result<Stocked, BenchError> {
    let known = builtin().topics();
    if stock.topics > known.len() || stock.reviews == 0 || stock.reviews_a_business == 0 {
        return Err(BenchError::Scale { topics_max: known.len() });
    }
    fs::create_dir_all(data_dir).map_err(|source| BenchError::File { path: data_dir.to_owned(), source })?;
    let quorum = Quorum::open(OpenOptions::new(data_dir))?;
    import(&quorum, data_dir, stock)?;
    let store = quorum.store();
    let dataset = store.dataset(&DatasetName::from(stock.dataset))?;
    let topics = &known[..stock.topics];
    plan(store, &dataset, topics, Realm::Sandbox, Address::sandbox().as_str(), stock.reviews_a_business)?;
    let mut made = Stocked { businesses: dataset.info.businesses, reviews: dataset.info.reviews, ..Stocked::default() };
    made.topics = topics.len();
    let leanings = Leanings::new(&dataset, stock.seed);
    for (at, (manifest, batch)) in ready(store)?.into_iter().enumerate() {
        let topic = topics.iter().find(|topic| topic.id == manifest.topic).expect("planned from this list");
        let schema = &topic.schema;
        let ends = manifest.created_at + RUN_SECONDS;
        let ingest = answered(store, &leanings, schema, &manifest, &batch, stock.seed ^ at as u64, ends)?;
        made.votes += ingest.votes.len() as u64;
        made.failed += ingest.failures.len() as u64;
        store.ingest(ingest)?;
    }
    for manifest in store.manifests()? {
        if manifest.finished_at.is_none() && manifest.dataset == dataset.info.name {
            finish(store, &manifest)?;
            made.runs += 1;
        }
    }
    Ok(made)
}

/// By way of a file, as everybody imports.
fn import(quorum: &Quorum, data_dir: &Path, stock: Stock<'_>) -> Result<(), BenchError> {
    let path = data_dir.join("made-up reviews.jsonl");
    let failed = |source| BenchError::File { path: path.clone(), source };
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(failed)?);
    reviews::write(&mut out, stock.seed, stock.reviews, stock.reviews_a_business).map_err(failed)?;
    out.flush().map_err(failed)?;
    drop(out);
    quorum.dataset_import(&path, Some(stock.dataset))?;
    fs::remove_file(&path).map_err(failed)
}

/// How bad each review's business is, by review number.
struct Leanings {
    first: u32,
    /// Of 1,000 reviews, the ones that tell of an incident.
    incidents: Vec<u64>,
}

impl Leanings {
    fn new(dataset: &DatasetView, seed: u64) -> Self {
        let numbers = || dataset.businesses.iter().flat_map(|it| &it.reviews).map(|review| review.number.0);
        let (first, last) = (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
        let mut incidents = vec![0; (last - first) as usize + 1];
        for (at, business) in (0..).zip(&dataset.businesses) {
            // Squared: most businesses are harmless.
            let badness = Draws::new(seed ^ 0xbad, at).below(16);
            for review in &business.reviews {
                incidents[(review.number.0 - first) as usize] = badness * badness / 4;
            }
        }
        Self { first, incidents }
    }

    fn of(&self, request: Request) -> u64 {
        self.incidents[(request.review.0 - self.first) as usize]
    }
}

/// What a batch brought.
fn answered(
    store: &Store,
    leanings: &Leanings,
    schema: &Schema,
    manifest: &Manifest,
    batch: &Batch,
    seed: u64,
    at: u32,
) -> Result<Ingest, StoreError> {
    let requests = store.requests(batch.id)?;
    let model = store.intern_model(&batch.model)?;
    let mut votes = PackedVotes::with_capacity(schema.fields().len(), requests.len());
    let mut failures = Vec::new();
    let mut draws = Draws::new(seed, u64::from(batch.id.manifest.0) << 32 | u64::from(batch.id.number));
    let topic_seed = u64::from(manifest.space) << 40;
    let mut codes = vec![0; schema.fields().len()];
    for request in requests {
        if draws.once_in(FAILED_ONCE_IN) {
            failures.push((request, failure(&mut draws)));
            continue;
        }
        let relevant = answer(&mut codes, schema, leanings.of(request), topic_seed, request, &mut draws);
        let fits = votes.push(request.review, vote(model, request.run, relevant, at, &codes));
        debug_assert!(fits, "as many codes as the schema has fields");
    }
    let asked = u64::from(batch.requests);
    let usage =
        Usage { input: batch.tokens, cached: batch.tokens / 2, written: 0, output: asked * 90, reasoning: asked * 64 };
    let usd = ModelTable::default().get(batch.model.as_str()).map_or(0.0, |model| model.usd(usage, BATCH_PRICE_SHARE));
    Ok(Ingest { batch: batch.id, space: manifest.space, votes, failures, usage, usd, at })
}

fn vote(model: ModelNo, run: u8, relevant: bool, at: u32, codes: &[u8]) -> VoteRef<'_> {
    VoteRef { model, run, relevant, imported: false, at, codes }
}

/// One model's answer. A review has a leaning of its own, which most of its votes follow.
fn answer(
    codes: &mut [u8],
    schema: &Schema,
    incidents: u64,
    topic_seed: u64,
    request: Request,
    draws: &mut Draws,
) -> bool {
    let mut leaning = Draws::new(topic_seed, u64::from(request.review.0));
    let follows = |draws: &mut Draws| draws.below(12) > 0;
    let tells = leaning.below(1_000) < incidents;
    let touches = tells || leaning.below(100) < 8;
    for (at, field) in schema.fields().iter().enumerate() {
        let values = field.term.values.len() as u64;
        let usual = field.term.default.as_deref().and_then(|id| field.value(id)).map_or(0, u64::from);
        let leant = leaning.below(values);
        let value = match (tells, follows(draws)) {
            (true, true) => leant,
            (false, true) => usual,
            (_, false) => draws.below(values),
        };
        let value = u8::try_from(value).expect("the catalog refuses terms of more than 255 values");
        codes[schema.slot(at)] = field.code(value);
    }
    if follows(draws) { touches } else { draws.once_in(2) }
}

fn failure(draws: &mut Draws) -> Failure {
    if draws.once_in(2) {
        let words = "This request could not be executed before the completion window expired.".to_owned();
        Failure { cause: Cause::Expired, status: 0, code: "batch_expired".to_owned(), words }
    } else {
        let words = "The response was filtered.".to_owned();
        Failure { cause: Cause::Filtered, status: 200, code: "content_filter".to_owned(), words }
    }
}

/// Closes a run, with the times that its batches had at the provider.
fn finish(store: &Store, manifest: &Manifest) -> Result<(), StoreError> {
    let start = manifest.created_at;
    for batch in store.batches(manifest.id)? {
        let queued = start + 60 * batch.id.number;
        store.change_batch(batch.id, |batch| {
            batch.outcome = Some(Outcome::Completed);
            (batch.submitted_at, batch.started_at) = (Some(queued), Some(queued + 240));
            (batch.finalizing_at, batch.ended_at) = (Some(start + RUN_SECONDS - 300), Some(start + RUN_SECONDS - 60));
            (batch.counted_completed, batch.counted_failed) = (batch.votes, batch.failed);
        })?;
    }
    store.change_manifest(manifest.id, |manifest| manifest.finished_at = Some(start + RUN_SECONDS))?;
    Ok(())
}

/// When the run of this number began.
pub(crate) fn started_at(run: usize) -> u32 {
    AT + RUN_SECONDS * u32::try_from(run).expect("there are few topics")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quorum_api::dto::results::ResultsQuery;

    use super::*;

    #[test]
    fn the_app_finds_every_review_judged_and_every_verdict_used() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let stock = Stock { topics: 2, reviews: 1_000, reviews_a_business: 25, ..Stock::default() };
        let made = fill(folder.path(), stock).expect("a data directory");
        assert_eq!((made.businesses, made.reviews, made.topics, made.runs), (40, 1_000, 2, 2));
        assert_eq!(made.votes + made.failed, 2 * 4 * 1_000);

        let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("it opens");
        let query = ResultsQuery {
            dataset: stock.dataset.to_owned(),
            topic: builtin().topics()[0].id.to_string(),
            k: 25,
            compare_k: None,
        };
        let results = quorum.results_overview(&query).expect("results");
        assert_eq!((results.rows.len(), results.reviews), (40, 1_000));
        let used: BTreeSet<_> = results.rows.iter().map(|row| row.verdicts[3].verdict_index).collect();
        assert!(used.len() >= 3, "{used:?}");
    }
}
