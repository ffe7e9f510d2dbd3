//! Carrying actions out. No choices here: each function does one thing and says what came of it.

use std::sync::Arc;

use quorum_core::{
    manifest::{Batch, Manifest},
    plan::Request,
    prompt::RequestWriter,
    topic::Topic,
};
use quorum_provider::{
    Provider, ProviderError,
    limits::FILES_PAGE_MAX,
    wire::{CreateBatch, FileObject},
};
use quorum_store::Store;

use crate::{
    EngineError, input, mark,
    step::{FileSighting, Recorded},
};

/// Pages looked through for one file. Beyond, it is sent again: a file costs nothing, and a tick must end.
const PAGES_MAX: u32 = 50;

pub async fn upload(
    provider: &Provider,
    store: &Arc<Store>,
    topic: &Topic,
    manifest: &Manifest,
    batch: &Batch,
) -> Result<Recorded, EngineError> {
    let writer = Arc::new(RequestWriter::new(topic, batch.model.as_str()));
    let (requests, bytes) = measure(store, &writer, batch).await?;
    let name = mark::file_name(manifest, batch);
    let body = || input::stream(Arc::clone(store), Arc::clone(&writer), Arc::clone(&requests));
    Ok(match provider.upload_file(&name, bytes, body).await {
        Ok(file) => Recorded::Uploaded(file.id),
        Err(error) => Recorded::Failed(error),
    })
}

/// The batch's requests, and the length of its input file.
async fn measure(
    store: &Arc<Store>,
    writer: &Arc<RequestWriter>,
    batch: &Batch,
) -> Result<(Arc<[Request]>, u64), EngineError> {
    let (store, writer, id) = (Arc::clone(store), Arc::clone(writer), batch.id);
    tokio::task::spawn_blocking(move || {
        let requests: Arc<[Request]> = store.requests(id)?.into();
        let bytes = input::length(&store, &writer, &requests)?;
        Ok((requests, bytes))
    })
    .await
    .map_err(EngineError::Stopped)?
}

/// Looks for a whole upload of this batch's input: one of its name and of its length.
pub async fn look_for_file(
    provider: &Provider,
    store: &Arc<Store>,
    topic: &Topic,
    manifest: &Manifest,
    batch: &Batch,
) -> Result<Result<FileSighting, ProviderError>, EngineError> {
    let name = mark::file_name(manifest, batch);
    let found = match files_named(provider, &name).await {
        Ok(found) if found.is_empty() => return Ok(Ok(FileSighting::Absent)),
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let writer = Arc::new(RequestWriter::new(topic, batch.model.as_str()));
    let (_, bytes) = measure(store, &writer, batch).await?;
    // A server that does not say how long a file is vouches for it by listing it.
    let whole = found.into_iter().find(|file| file.bytes.is_none_or(|listed| listed == bytes));
    Ok(Ok(whole.map_or(FileSighting::Absent, |file| FileSighting::Found(file.id))))
}

/// Whether the account knows this file.
pub async fn look_for_known_file(provider: &Provider, id: &str) -> Result<FileSighting, ProviderError> {
    match provider.get_file(id).await {
        Ok(file) => Ok(FileSighting::Found(file.id)),
        Err(ProviderError::NotFound { .. }) => Ok(FileSighting::Absent),
        Err(error) => Err(error),
    }
}

/// Every file of a name, as far as pages lead on: some servers answer each question for the next page with the same one.
async fn files_named(provider: &Provider, name: &str) -> Result<Vec<FileObject>, ProviderError> {
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page = provider.list_files(Some("batch"), after.as_deref(), FILES_PAGE_MAX).await?;
        let next = page.next_after().map(str::to_owned);
        found.extend(page.data.into_iter().filter(|file| file.filename == name));
        if next.is_none() || next == after {
            return Ok(found);
        }
        after = next;
    }
    tracing::warn!(name, "the provider lists files without an end; those behind were not looked at");
    Ok(found)
}

pub async fn create(provider: &Provider, manifest: &Manifest, batch: &Batch) -> Recorded {
    let Some(file) = batch.input_file.clone() else {
        return Recorded::NotCreated(ProviderError::BadId { id: String::new() });
    };
    match provider.create_batch(&CreateBatch::chat_completions(file, mark::metadata(manifest, batch))).await {
        Ok(created) => Recorded::Created(Box::new(created)),
        Err(error) => error.into(),
    }
}

pub async fn cancel(provider: &Provider, id: &str) -> Recorded {
    match provider.cancel_batch(id).await {
        Ok(seen) => Recorded::CancelAsked(Box::new(seen)),
        Err(error) => Recorded::Failed(error),
    }
}

/// Deletes the batch's files at the provider. Files that are gone count as deleted.
pub async fn clean(provider: &Provider, batch: &Batch) -> Recorded {
    for file in [&batch.input_file, &batch.output_file, &batch.error_file].into_iter().flatten() {
        if let Err(error) = provider.delete_file(file).await {
            return Recorded::NotCleaned(error);
        }
    }
    Recorded::Cleaned
}
