//! What call faults do to an answer on its way out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Response};
use futures_util::{StreamExt as _, stream};

/// Time for the bytes before a cut to leave; hyper drops what it still holds when a body fails.
const FLUSH: Duration = Duration::from_millis(30);
const TICK: Duration = Duration::from_millis(100);

/// The first `bytes` of the body, with a length that agrees.
pub(crate) async fn truncated(response: Response<Body>, bytes: u64) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let mut kept = Vec::new();
    let mut data = body.into_data_stream();
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    while kept.len() < bytes
        && let Some(Ok(chunk)) = data.next().await
    {
        kept.extend_from_slice(&chunk);
    }
    kept.truncate(bytes);
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(kept.len()));
    Response::from_parts(parts, Body::from(kept))
}

/// The full length promised, the connection closed after `bytes`; with a reset if `reset` is given.
pub(crate) fn cut(response: Response<Body>, bytes: u64, reset: Option<Arc<AtomicBool>>) -> Response<Body> {
    restreamed(response, |data| {
        let state = (data, bytes, reset);
        stream::unfold(Some(state), |state| async {
            let (mut data, left, reset) = state?;
            let next = if left == 0 { None } else { data.next().await };
            let Some(Ok(mut chunk)) = next else {
                tokio::time::sleep(FLUSH).await;
                if let Some(reset) = reset {
                    reset.store(true, Ordering::Relaxed);
                }
                return Some((Err(io::Error::other("cut by the scenario")), None));
            };
            chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - chunk.len() as u64;
            Some((Ok(chunk), Some((data, left, reset))))
        })
    })
}

/// A trickle of so many bytes a second.
pub(crate) fn slow(response: Response<Body>, bytes_per_s: u64) -> Response<Body> {
    let piece = usize::try_from(bytes_per_s / 10).unwrap_or(usize::MAX).max(1);
    restreamed(response, |data| {
        stream::unfold((data, Bytes::new()), move |(mut data, mut held)| async move {
            if held.is_empty() {
                held = match data.next().await? {
                    Ok(chunk) => chunk,
                    Err(error) => return Some((Err(io::Error::other(error)), (data, held))),
                };
            }
            tokio::time::sleep(TICK).await;
            let out = held.split_to(piece.min(held.len()));
            Some((Ok(out), (data, held)))
        })
    })
}

/// The same response with its body replaced and its length kept as promised.
fn restreamed<S>(response: Response<Body>, wrap: impl FnOnce(BodyDataStream) -> S) -> Response<Body>
where
    S: stream::Stream<Item = io::Result<Bytes>> + Send + 'static,
{
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::from_stream(wrap(body.into_data_stream())))
}
