//! Fetching a finished batch: both result files to disk, read, and into the store in one transaction.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use quorum_core::manifest::{Batch, Manifest, Outcome, Seconds};
use quorum_provider::{Provider, ProviderError};
use quorum_store::{Ingest, Ingested, Store};

use crate::{
    EngineError, money,
    results::{self, Asked, Results},
    step::RESULTS_LOOKS_MAX,
};

/// What became of a fetch.
#[derive(Debug)]
pub enum Fetched {
    Ingested(Ingested),
    /// The files could not be had; the batch stays ready.
    Later(ProviderError),
    /// Requests are missing from files that may not be whole; the batch stays ready.
    Short(ProviderError),
    /// The account knows neither the files nor the batch: it is another project's.
    Unknown,
}

/// Fetches of files that are short of requests and not known to be whole, before what they have is taken. From then on it is the
/// user's to say whether the rest is asked again.
const UNSURE_DOWNLOADS_MAX: u32 = 6;

/// Downloads what the batch has, reads it and ingests it. The files on disk are removed once their content is in the store.
pub async fn fetch(
    provider: &Provider,
    store: &Arc<Store>,
    folder: &Path,
    manifest: &Manifest,
    batch: &Batch,
    now: Seconds,
) -> Result<Fetched, EngineError> {
    // Made here and not at start: a folder that somebody tidied away must not stop a run.
    if let Err(source) = tokio::fs::create_dir_all(folder).await {
        return Ok(Fetched::Later(ProviderError::Io { doing: "create", path: folder.to_owned(), source }));
    }
    let mut paths = [None, None];
    let (mut doubt, mut gone) = (None, None);
    for (slot, (file, kind)) in paths.iter_mut().zip([(&batch.output_file, "output"), (&batch.error_file, "errors")]) {
        let Some(file) = file else { continue };
        let path = folder.join(format!("{}-{}-{kind}.jsonl", manifest.key, batch.id.number));
        let downloaded = match provider.download_file(file, &path).await {
            Ok(downloaded) => downloaded,
            Err(ProviderError::NotFound { .. }) if is_unknown(provider, batch).await => return Ok(Fetched::Unknown),
            Err(error @ ProviderError::NotFound { .. }) => {
                gone.get_or_insert(error);
                continue;
            }
            Err(error) => return Ok(Fetched::Later(error)),
        };
        if let Err(error) = confirm_length(provider, file, downloaded.bytes).await {
            doubt.get_or_insert(error);
        }
        *slot = Some(path);
    }
    if let Some(gone) = gone.take_if(|_| batch.unseen < RESULTS_LOOKS_MAX || paths.iter().all(Option::is_none)) {
        return Ok(Fetched::Later(gone));
    }
    // What is behind a file that cannot be had may be answered and paid.
    let is_whole = doubt.is_none() && gone.is_none() && !batch.lacks_output();
    let may_wait = doubt.is_some() && batch.unsure_downloads < UNSURE_DOWNLOADS_MAX;
    let done = {
        let (store, manifest, batch) = (Arc::clone(store), manifest.clone(), batch.clone());
        let paths = paths.clone();
        tokio::task::spawn_blocking(move || {
            let [output, errors] = &paths;
            let results = read_files(&store, &manifest, &batch, [output.as_deref(), errors.as_deref()], is_whole, now)?;
            if may_wait && results.absent > 0 {
                return Ok(None);
            }
            store_results(&store, &manifest, &batch, results, now).map(Some)
        })
        .await
        .map_err(EngineError::Stopped)??
    };
    for path in paths.into_iter().flatten() {
        remove(&path).await;
    }
    Ok(match (done, doubt) {
        (Some(done), _) => Fetched::Ingested(done),
        (None, Some(doubt)) => Fetched::Short(doubt),
        (None, None) => unreachable!("without a doubt there is no wait"),
    })
}

async fn is_unknown(provider: &Provider, batch: &Batch) -> bool {
    match &batch.provider_id {
        Some(id) => matches!(provider.get_batch(id).await, Err(ProviderError::NotFound { .. })),
        None => false,
    }
}

/// Asks the provider for a file's length. A proxy may cut an answer between two lines and make its length agree; the requests
/// behind the cut are answered and paid, and must not be asked again. A provider that names no length is believed.
async fn confirm_length(provider: &Provider, file: &str, bytes: u64) -> Result<(), ProviderError> {
    match provider.get_file(file).await?.bytes {
        Some(known) if known > bytes => Err(ProviderError::LastLineCut { file_id: file.to_owned(), bytes }),
        _ => Ok(()),
    }
}

async fn remove(path: &PathBuf) {
    if let Err(error) = tokio::fs::remove_file(path).await {
        tracing::warn!(path = %path.display(), %error, "a downloaded result file could not be removed");
    }
}

/// Reads a finished batch's result files, which are whole (either may be missing), and stores all that they bring in one
/// transaction.
pub fn ingest_files(
    store: &Store,
    manifest: &Manifest,
    batch: &Batch,
    output: Option<&Path>,
    errors: Option<&Path>,
    now: Seconds,
) -> Result<Ingested, EngineError> {
    let results = read_files(store, manifest, batch, [output, errors], true, now)?;
    store_results(store, manifest, batch, results, now)
}

fn read_files(
    store: &Store,
    manifest: &Manifest,
    batch: &Batch,
    [output, errors]: [Option<&Path>; 2],
    is_whole: bool,
    now: Seconds,
) -> Result<Results, EngineError> {
    let schema = store.space_of(manifest)?.schema();
    let requests = store.requests(batch.id)?;
    let asked = Asked {
        schema: &schema,
        model: store.intern_model(&batch.model)?,
        requests: &requests,
        outcome: batch.outcome.unwrap_or(Outcome::Completed),
        is_whole,
        at: now,
    };
    let results =
        results::read(&asked, output, errors).map_err(|source| EngineError::Results { batch: batch.id, source })?;
    if results.unreadable_lines + results.unknown_ids + results.duplicates > 0 {
        tracing::warn!(
            batch = %batch.id,
            unreadable = results.unreadable_lines,
            unknown = results.unknown_ids,
            duplicates = results.duplicates,
            "odd lines in the result files"
        );
    }
    Ok(results)
}

fn store_results(
    store: &Store,
    manifest: &Manifest,
    batch: &Batch,
    results: Results,
    now: Seconds,
) -> Result<Ingested, EngineError> {
    let usd = money::charged(manifest, &batch.model, results.usage, false);
    Ok(store.ingest(Ingest {
        batch: batch.id,
        space: manifest.space,
        votes: results.votes,
        failures: results.failures,
        usage: results.usage,
        usd,
        at: now,
    })?)
}
