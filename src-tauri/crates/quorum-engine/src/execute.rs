//! Carrying actions out. No choices here: each function does one thing and says what came of it.

use std::sync::Arc;

use quorum_core::{
    manifest::{Batch, Manifest},
    prompt::RequestWriter,
    topic::Topic,
};
use quorum_provider::{Provider, ProviderError, wire::CreateBatch};
use quorum_store::Store;

use crate::{
    EngineError, input, mark,
    step::{FileSighting, Recorded},
};

/// Files on a page when looking for one; the provider's own highest.
const FILES_PAGE: u32 = 10_000;

pub async fn upload(
    provider: &Provider,
    store: &Arc<Store>,
    topic: &Topic,
    manifest: &Manifest,
    batch: &Batch,
) -> Result<Recorded, EngineError> {
    let writer = Arc::new(RequestWriter::new(topic, batch.model.as_str()));
    let (requests, bytes) = {
        let (store, writer, id) = (Arc::clone(store), Arc::clone(&writer), batch.id);
        tokio::task::spawn_blocking(move || {
            let requests: Arc<[_]> = store.requests(id)?.into();
            let bytes = input::length(&store, &writer, &requests)?;
            Ok::<_, EngineError>((requests, bytes))
        })
        .await
        .map_err(EngineError::Stopped)??
    };
    let name = mark::file_name(manifest, batch);
    let body = || input::stream(Arc::clone(store), Arc::clone(&writer), Arc::clone(&requests));
    Ok(match provider.upload_file(&name, bytes, body).await {
        Ok(file) => Recorded::Uploaded(file.id),
        Err(error) => Recorded::Failed(error),
    })
}

/// Looks for a whole upload of this batch's input.
pub async fn look_for_file(
    provider: &Provider,
    manifest: &Manifest,
    batch: &Batch,
) -> Result<FileSighting, ProviderError> {
    let name = mark::file_name(manifest, batch);
    let mut after: Option<String> = None;
    loop {
        let page = provider.list_files(Some("batch"), after.as_deref(), FILES_PAGE).await?;
        if let Some(file) = page.data.iter().find(|file| file.filename == name) {
            return Ok(FileSighting::Found(file.id.clone()));
        }
        match page.next_after() {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(FileSighting::Absent),
        }
    }
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
