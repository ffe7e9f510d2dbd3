//! The input file of a batch, streamed from the store: rendered a few thousand requests at a time, never whole in memory.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::Stream;
use quorum_core::{
    plan::Request,
    prompt::{RequestWriter, sent_bytes},
    votes::ReviewNo,
};
use quorum_store::{ReviewRow, Store, StoreError};
use tokio::sync::mpsc;

/// Bytes rendered before they are handed on.
const CHUNK_BYTES: usize = 512 * 1024;

/// Rendered chunks that may wait for the network.
const CHUNKS_WAITING_MAX: usize = 4;

#[derive(Debug, thiserror::Error)]
enum RenderError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reader went away: the upload was given up.
    #[error("nobody reads any more")]
    Gone,
}

/// The lines of these requests as a stream. A second call gives the same bytes.
pub fn stream(
    store: Arc<Store>,
    writer: Arc<RequestWriter>,
    requests: Arc<[Request]>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (send, receive) = mpsc::channel::<io::Result<Bytes>>(CHUNKS_WAITING_MAX);
    tokio::task::spawn_blocking(move || {
        let rendered =
            render(&store, &writer, &requests, |chunk| send.blocking_send(Ok(chunk)).map_err(|_| RenderError::Gone));
        if let Err(RenderError::Store(error)) = rendered {
            // The upload fails with this reason; when nobody listens any more, it was given up already.
            let _nobody_listens = send.blocking_send(Err(io::Error::other(error)));
        }
    });
    futures_util::stream::unfold(receive, |mut receive| async move { Some((receive.recv().await?, receive)) })
}

/// Bytes of the whole file, without rendering it.
pub fn length(store: &Store, writer: &RequestWriter, requests: &[Request]) -> Result<u64, StoreError> {
    let mut bytes = 0;
    each_request(store, requests, |request, text| -> Result<(), StoreError> {
        bytes += writer.line_bytes(request.review, request.run, sent_bytes(text));
        Ok(())
    })?;
    Ok(bytes)
}

fn render(
    store: &Store,
    writer: &RequestWriter,
    requests: &[Request],
    mut hand_on: impl FnMut(Bytes) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    let mut chunk = String::with_capacity(CHUNK_BYTES + 64 * 1024);
    each_request(store, requests, |request, text| {
        writer.line(&mut chunk, request.review, request.run, text);
        if chunk.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut chunk, String::with_capacity(CHUNK_BYTES + 64 * 1024));
            hand_on(Bytes::from(full))?;
        }
        Ok::<(), RenderError>(())
    })?;
    if !chunk.is_empty() {
        hand_on(Bytes::from(chunk))?;
    }
    Ok(())
}

/// Visits requests with their texts, in order; runs of one review are read once.
fn each_request<E: From<StoreError>>(
    store: &Store,
    requests: &[Request],
    mut each: impl FnMut(&Request, &str) -> Result<(), E>,
) -> Result<(), E> {
    let mut groups = requests.chunk_by(|one, next| one.review == next.review);
    let reviews: Vec<ReviewNo> = groups.clone().map(|group| group[0].review).collect();
    store.each_review(reviews, |number, row: ReviewRow| {
        // A review without a text cannot have been planned; groups that were skipped would show as a length mismatch.
        for group in groups.by_ref() {
            if group[0].review == number {
                return group.iter().try_for_each(|request| each(request, &row.text));
            }
        }
        Ok(())
    })
}
