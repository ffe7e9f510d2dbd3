//! The input file of a batch, streamed from the store: rendered a few thousand requests at a time, never whole in memory.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::Stream;
use quorum_core::{
    plan::Request,
    prompt::{EscapedMessage, RequestWriter, sent_bytes},
    votes::ReviewNo,
};
use quorum_store::{Store, StoreError};
use tokio::sync::mpsc;

use crate::buffers::Buffers;

/// Bytes rendered before they are handed on.
const CHUNK_BYTES: usize = 256 * 1024;

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
    each_review(store, requests, |group, text| -> Result<(), StoreError> {
        let text = sent_bytes(text);
        bytes += group.iter().map(|request| writer.line_bytes(request.review, request.run, text)).sum::<u64>();
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
    let buffers = Buffers::new(CHUNK_BYTES + 64 * 1024);
    let (mut chunk, mut message) = (buffers.take(), EscapedMessage::default());
    each_review(store, requests, |group, text| {
        message.set(text);
        for request in group {
            writer.line(&mut chunk, request.review, request.run, &message);
            if chunk.len() >= CHUNK_BYTES {
                hand_on(buffers.lend(std::mem::replace(&mut chunk, buffers.take())))?;
            }
        }
        Ok::<(), RenderError>(())
    })?;
    if !chunk.is_empty() {
        hand_on(buffers.lend(chunk))?;
    }
    Ok(())
}

/// Visits the requests of each review together with its text, in order; runs of one review are read once.
fn each_review<E: From<StoreError>>(
    store: &Store,
    requests: &[Request],
    mut each: impl FnMut(&[Request], &str) -> Result<(), E>,
) -> Result<(), E> {
    let mut groups = requests.chunk_by(|one, next| one.review == next.review);
    let reviews: Vec<ReviewNo> = groups.clone().map(|group| group[0].review).collect();
    store.each_text(reviews, |number, text| {
        // A review without a text cannot have been planned; groups that were skipped would show as a length mismatch.
        for group in groups.by_ref() {
            if group[0].review == number {
                return each(group, text);
            }
        }
        Ok(())
    })
}
