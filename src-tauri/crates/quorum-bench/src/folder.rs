//! The folder that a benchmark works in: a dataset, a store with everything planned, and the files that a provider would
//! have written.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use quorum_api::{Address, OpenOptions, Quorum};
use quorum_catalog::builtin;
use quorum_core::{
    ensemble::Ensemble,
    ids::{DatasetName, ModelId},
    manifest::{Batch, BatchId, BatchState, Manifest, Mode, Outcome, Realm},
    models::ModelTable,
    plan::BatchLimits,
    topic::Topic,
};
use quorum_engine::{DraftRequest, SubmitRequest, draft, submit};
use quorum_store::{DatasetView, Store};
use rayon::prelude::*;
use serde::Serialize;

use crate::{BenchError, answers, reviews, stock::started_at};

/// Every review is asked about: no business of [`reviews`] has more.
pub const K: u32 = reviews::REVIEWS_A_BUSINESS;

/// When everything here happened, so that stores are the same byte for byte. Unix seconds.
pub const AT: u32 = 1_763_100_000;

const DATASET: &str = "bench";

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub topics: usize,
    pub reviews: u32,
    pub seed: u64,
}

/// What was made.
#[derive(Clone, Debug, Serialize)]
pub struct Generated {
    pub topics: usize,
    pub reviews: u32,
    pub batches: u64,
    pub lines: u64,
    pub lines_failed: u64,
    pub output_bytes: u64,
    pub dataset_bytes: u64,
}

/// A folder with the names of what is in it.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn dataset_name() -> DatasetName {
        DatasetName::from(DATASET)
    }

    pub fn reviews(&self) -> PathBuf {
        self.0.join("reviews.jsonl")
    }

    /// The provider's files.
    pub fn outputs(&self) -> PathBuf {
        self.0.join("outputs")
    }

    /// The store with the dataset alone.
    pub fn imported(&self) -> PathBuf {
        self.0.join("imported/quorum.redb")
    }

    /// The store with every batch ready to be ingested.
    pub fn planned(&self) -> PathBuf {
        self.0.join("planned/quorum.redb")
    }

    /// The store with every vote.
    pub fn ingested(&self) -> PathBuf {
        self.0.join("ingested/quorum.redb")
    }

    pub fn output(&self, batch: BatchId) -> PathBuf {
        self.outputs().join(format!("{batch}.output.jsonl"))
    }

    pub fn errors(&self, batch: BatchId) -> PathBuf {
        self.outputs().join(format!("{batch}.errors.jsonl"))
    }

    /// A store of this folder, which [`Folder::generate`] must have made.
    pub fn open(&self, store: &Path) -> Result<Store, BenchError> {
        if !store.is_file() {
            return Err(BenchError::NotMade(store.to_owned()));
        }
        Ok(Store::open(store)?)
    }

    /// Makes everything. What is in the folder already is replaced.
    pub fn generate(&self, scale: Scale) -> Result<Generated, BenchError> {
        let topics = builtin().topics();
        if scale.topics == 0 || scale.topics > topics.len() || scale.reviews == 0 {
            return Err(BenchError::Scale { topics_max: topics.len() });
        }
        let topics = &topics[..scale.topics];
        for folder in [self.imported(), self.planned(), self.ingested(), self.outputs().join("_")] {
            let folder = folder.parent().expect("every name here is in a folder of its own").to_owned();
            let cleared = match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => fs::create_dir_all(&folder),
            };
            cleared.map_err(|source| BenchError::File { path: folder, source })?;
        }
        let dataset_bytes = write_file(&self.reviews(), |out| {
            reviews::write(out, scale.seed, scale.reviews, reviews::REVIEWS_A_BUSINESS)
        })?;
        self.import()?;
        copy(&self.imported(), &self.planned())?;
        let store = Store::open(&self.planned())?;
        let dataset = store.dataset(&Self::dataset_name())?;
        plan(&store, &dataset, topics, Realm::Live, Address::openai().as_str(), K)?;
        let ready = ready(&store)?;
        let (lines, failed, bytes) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        ready.par_iter().try_for_each(|(manifest, batch)| {
            let topic = topics.iter().find(|topic| topic.id == manifest.topic).expect("planned from this list");
            let requests = store.requests(batch.id)?;
            let mut written = answers::Written::default();
            let mut errors = Vec::new();
            let output_bytes = write_file(&self.output(batch.id), |out| {
                let model = batch.model.as_str();
                written = answers::write(out, &mut errors, &topic.schema, model, &requests, scale.seed)?;
                Ok(())
            })?;
            let error_bytes = write_file(&self.errors(batch.id), |out| out.write_all(&errors))?;
            lines.fetch_add(written.answered + written.failed, Ordering::Relaxed);
            failed.fetch_add(written.failed, Ordering::Relaxed);
            bytes.fetch_add(output_bytes + error_bytes, Ordering::Relaxed);
            Ok::<(), BenchError>(())
        })?;
        Ok(Generated {
            topics: topics.len(),
            reviews: scale.reviews,
            batches: ready.len() as u64,
            lines: lines.into_inner(),
            lines_failed: failed.into_inner(),
            output_bytes: bytes.into_inner(),
            dataset_bytes,
        })
    }

    fn import(&self) -> Result<(), BenchError> {
        let data = self.imported();
        let folder = data.parent().expect("the store is in a folder");
        let quorum = Quorum::open(OpenOptions::new(folder))?;
        quorum.dataset_import(&self.reviews(), Some(DATASET))?;
        Ok(())
    }
}

/// Plans every topic and marks its batches as done at the provider.
pub(crate) fn plan(
    store: &Store,
    dataset: &DatasetView,
    topics: &[Arc<Topic>],
    realm: Realm,
    provider: &str,
    k: u32,
) -> Result<(), BenchError> {
    let (ensemble, models) = (Ensemble::standard(), ModelTable::default());
    let limits = |_: &ModelId| BatchLimits::default();
    let before = store.manifests()?.len();
    for (number, topic) in (before..).zip(topics) {
        let wish = DraftRequest { realm, topic, k, ensemble: &ensemble, models: &models, limits: &limits };
        let request = SubmitRequest {
            draft: draft(store, dataset, wish)?,
            topic,
            realm,
            provider: provider.to_owned(),
            k,
            ensemble: ensemble.clone(),
            mode: Mode::Batch,
            models: &models,
            budget_usd: None,
            canary: false,
            key: format!("{number:032x}"),
            now: started_at(number),
        };
        if let Some(manifest) = submit(store, request)? {
            for batch in store.batches(manifest.id)? {
                store.change_batch(batch.id, |batch| {
                    batch.state = BatchState::Ready;
                    batch.outcome = Some(Outcome::Completed);
                })?;
            }
        }
    }
    Ok(())
}

/// The batches whose results wait, in the order in which the loop takes them.
pub fn ready(store: &Store) -> Result<Vec<(Manifest, Batch)>, BenchError> {
    let mut ready = Vec::new();
    for manifest in store.manifests()? {
        for batch in store.batches(manifest.id)? {
            if batch.state == BatchState::Ready {
                ready.push((manifest.clone(), batch));
            }
        }
    }
    Ok(ready)
}

pub fn copy(from: &Path, to: &Path) -> Result<(), BenchError> {
    fs::copy(from, to).map(drop).map_err(|source| BenchError::File { path: to.to_owned(), source })
}

/// Writes a file and says how long it is.
fn write_file(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<u64, BenchError> {
    let run = || {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        write(&mut out)?;
        out.flush()?;
        Ok(out.get_ref().metadata()?.len())
    };
    run().map_err(|source| BenchError::File { path: path.to_owned(), source })
}
