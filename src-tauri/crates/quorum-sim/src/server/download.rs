//! Reading and deleting files: list, one, content with ranges, delete.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::reply::{self, Refusal};
use crate::account::file::FileRecord;
use crate::error::SimError;
use crate::shared::Shared;

const CHUNK: usize = 64 * 1024;

#[derive(Deserialize)]
struct Page {
    purpose: Option<String>,
    limit: Option<usize>,
    order: Option<String>,
    after: Option<String>,
}

pub(crate) fn list(shared: &Arc<Shared>, uri: &Uri) -> Result<Response<Body>, Refusal> {
    let Query(page) = Query::<Page>::try_from_uri(uri).map_err(|error| Refusal::new(400, error.body_text()))?;
    let limit = page.limit.unwrap_or(10_000);
    if !(1..=10_000).contains(&limit) {
        return Err(Refusal::new(400, format!("Invalid 'limit': {limit}. Expected a value between 1 and 10000."))
            .param("limit")
            .code("invalid_value"));
    }
    let now_ms = shared.clock.now_ms();
    let account = shared.account();
    let mut files: Vec<&FileRecord> = account
        .files(now_ms)
        .filter(|file| page.purpose.as_ref().is_none_or(|purpose| *purpose == file.purpose))
        .collect();
    if page.order.as_deref() != Some("asc") {
        files.reverse();
    }
    let from = match &page.after {
        None => 0,
        Some(after) => {
            files.iter().position(|file| file.id == *after).map(|place| place + 1).ok_or_else(|| no_such_file(after))?
        }
    };
    let shown: Vec<_> = files.iter().skip(from).take(limit).collect();
    Ok(reply::json(&json!({
        "object": "list",
        "data": shown.iter().map(|file| file.object()).collect::<Vec<_>>(),
        "first_id": shown.first().map(|file| file.id.as_str()),
        "last_id": shown.last().map(|file| file.id.as_str()),
        "has_more": from + shown.len() < files.len(),
    })))
}

pub(crate) fn get(shared: &Arc<Shared>, id: &str) -> Result<Response<Body>, Refusal> {
    let account = shared.account();
    let file = account.file(id, shared.clock.now_ms()).ok_or_else(|| no_such_file(id))?;
    Ok(reply::json(&file.object()))
}

pub(crate) fn delete(shared: &Arc<Shared>, id: &str) -> Result<Response<Body>, Refusal> {
    let now_ms = shared.clock.now_ms();
    let mut account = shared.account();
    if account.file(id, now_ms).is_none() {
        return Err(no_such_file(id));
    }
    account.delete_file(id, now_ms)?;
    Ok(reply::json(&json!({"id": id, "object": "file", "deleted": true})))
}

pub(crate) async fn content(shared: &Arc<Shared>, id: &str, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    let (path, bytes) = {
        let account = shared.account();
        let file = account.file(id, shared.clock.now_ms()).ok_or_else(|| no_such_file(id))?;
        (account.body_path(id), file.bytes)
    };
    let etag = format!("\"{id}\"");
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let if_range_holds = text(IF_RANGE).is_none_or(|condition| condition == etag);
    let asked = text(RANGE).filter(|_| shared.ranges && if_range_holds);
    let range = match asked.map(|asked| parse_range(asked, bytes)) {
        None | Some(Asked::Other) => None,
        Some(Asked::Part(first, last)) => Some((first, last)),
        Some(Asked::Outside) => {
            return Err(Refusal::new(416, "The requested range is not satisfiable.")
                .header("content-range", format!("bytes */{bytes}")));
        }
    };
    let (first, length) = range.map_or((0, bytes), |(first, last)| (first, last - first + 1));

    let read_error = |source| SimError::Read { path: path.clone(), source };
    let mut file = tokio::fs::File::open(&path).await.map_err(read_error)?;
    file.seek(std::io::SeekFrom::Start(first)).await.map_err(read_error)?;
    let chunks = stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        let mut chunk = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
        file.read_exact(&mut chunk).await?;
        let left = left - chunk.len() as u64;
        Ok(Some((Bytes::from(chunk), (file, left))))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let put = response.headers_mut();
    put.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    put.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        put.insert(ETAG, etag);
    }
    if shared.ranges {
        put.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    if let Some((first, last)) = range {
        if let Ok(value) = HeaderValue::try_from(format!("bytes {first}-{last}/{bytes}")) {
            put.insert(CONTENT_RANGE, value);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn no_such_file(id: &str) -> Refusal {
    Refusal::new(404, format!("No such File object: {id}")).param("id")
}

#[derive(Debug, PartialEq)]
enum Asked {
    /// First and last byte.
    Part(u64, u64),
    Outside,
    /// Not a single byte range: answered whole, as HTTP allows.
    Other,
}

fn parse_range(header: &str, bytes: u64) -> Asked {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Asked::Other;
    };
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), _) if first >= bytes => Asked::Outside,
        (Ok(first), Ok(last)) if last >= first => Asked::Part(first, last.min(bytes - 1)),
        (Ok(first), Err(_)) if last.is_empty() => Asked::Part(first, bytes - 1),
        (Err(_), Ok(count)) if first.is_empty() && count > 0 && bytes > 0 => {
            Asked::Part(bytes.saturating_sub(count), bytes - 1)
        }
        _ => Asked::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_ranges_are_read() {
        assert_eq!(parse_range("bytes=2-", 10), Asked::Part(2, 9));
        assert_eq!(parse_range("bytes=2-4", 10), Asked::Part(2, 4));
        assert_eq!(parse_range("bytes=2-40", 10), Asked::Part(2, 9));
        assert_eq!(parse_range("bytes=-3", 10), Asked::Part(7, 9));
        assert_eq!(parse_range("bytes=10-", 10), Asked::Outside);
        assert_eq!(parse_range("bytes=0-1,3-4", 10), Asked::Other);
        assert_eq!(parse_range("lines=1", 10), Asked::Other);
    }
}
