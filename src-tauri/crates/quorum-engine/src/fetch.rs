//! Fetching a finished batch: both result files to disk, read, and into the store in one transaction.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use quorum_core::manifest::{Batch, Manifest, Outcome, Seconds};
use quorum_provider::{Provider, ProviderError};
use quorum_store::{Ingest, Ingested, Store, StoreError};

use crate::{
    EngineError, money,
    results::{self, Asked},
};

/// What became of a fetch.
#[derive(Debug)]
pub enum Fetched {
    Ingested(Ingested),
    /// The files could not be had; the batch stays ready.
    Later(ProviderError),
}

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
    for (slot, (file, kind)) in paths.iter_mut().zip([(&batch.output_file, "output"), (&batch.error_file, "errors")]) {
        let Some(file) = file else { continue };
        let path = folder.join(format!("{}-{}-{kind}.jsonl", manifest.key, batch.id.number));
        let downloaded = match provider.download_file(file, &path).await {
            Ok(downloaded) => downloaded,
            Err(error) => return Ok(Fetched::Later(error)),
        };
        if is_short(provider, file, downloaded.bytes).await && batch.failures_in_row < SHORT_DOWNLOADS_MAX {
            remove(&path).await;
            return Ok(Fetched::Later(ProviderError::LastLineCut { file_id: file.clone(), bytes: downloaded.bytes }));
        }
        *slot = Some(path);
    }
    let [output, errors] = paths;
    let done = {
        let (store, manifest, batch) = (Arc::clone(store), manifest.clone(), batch.clone());
        let (output, errors) = (output.clone(), errors.clone());
        tokio::task::spawn_blocking(move || {
            ingest_files(&store, &manifest, &batch, output.as_deref(), errors.as_deref(), now)
        })
        .await
        .map_err(EngineError::Stopped)??
    };
    for path in [output, errors].into_iter().flatten() {
        remove(&path).await;
    }
    Ok(Fetched::Ingested(done))
}

/// Downloads of another length than the provider names for the file, before the provider is taken to be wrong about it.
const SHORT_DOWNLOADS_MAX: u32 = 4;

/// Whether the provider says that the file has more than arrived. A proxy may cut an answer between two lines and make its
/// length agree; the requests behind the cut are answered and paid, and must not be asked again.
async fn is_short(provider: &Provider, file: &str, bytes: u64) -> bool {
    match provider.get_file(file).await {
        Ok(known) => known.bytes.is_some_and(|known| known > bytes),
        // Only a cross-check: the download itself was whole.
        Err(error) => {
            tracing::debug!(%error, "the length of a result file could not be asked for");
            false
        }
    }
}

async fn remove(path: &PathBuf) {
    if let Err(error) = tokio::fs::remove_file(path).await {
        tracing::warn!(path = %path.display(), %error, "a downloaded result file could not be removed");
    }
}

/// Reads a finished batch's result files (either may be missing) and stores all that they bring in one transaction.
pub fn ingest_files(
    store: &Store,
    manifest: &Manifest,
    batch: &Batch,
    output: Option<&Path>,
    errors: Option<&Path>,
    now: Seconds,
) -> Result<Ingested, EngineError> {
    let spaces = store.spaces()?;
    let space = spaces.iter().find(|space| space.number == manifest.space).ok_or_else(|| StoreError::Damaged {
        table: "spaces_v1",
        key: manifest.space.to_string(),
        reason: "it is missing",
    })?;
    let schema = space.schema();
    let requests = store.requests(batch.id)?;
    let asked = Asked {
        schema: &schema,
        model: store.intern_model(&batch.model)?,
        requests: &requests,
        outcome: batch.outcome.unwrap_or(Outcome::Completed),
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
