//! `POST /v1/files`: streamed to disk and checked on the way.

use std::io::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use axum::http::Response;
use tempfile::NamedTempFile;

use super::reply::{self, Refusal};
use crate::account::journal::Change;
use crate::error::SimError;
use crate::shared::Shared;

const PURPOSES: [&str; 6] = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];
/// Batch input files live 30 days.
const BATCH_FILE_LIFE_S: i64 = 2_592_000;
/// A first line longer than this is taken as well formed.
const FIRST_LINE_MAX: usize = 16 << 20;

struct Stored {
    body: NamedTempFile,
    filename: String,
    bytes: u64,
    utf8: bool,
    first_line: Vec<u8>,
}

pub(crate) async fn upload(shared: &Arc<Shared>, mut request: Request) -> Result<Response<Body>, Refusal> {
    DefaultBodyLimit::disable().apply(&mut request);
    let malformed = |error: axum::extract::multipart::MultipartError| Refusal::new(400, error.body_text());
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| Refusal::new(400, error.body_text()))?;
    let (mut purpose, mut expires_after_s, mut anchor, mut stored) = (None, None, None, None);
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        match field.name() {
            Some("file") => stored = Some(store(shared, field).await?),
            Some("purpose") => purpose = Some(field.text().await.map_err(malformed)?),
            Some("expires_after[anchor]") => anchor = Some(field.text().await.map_err(malformed)?),
            Some("expires_after[seconds]") => {
                let text = field.text().await.map_err(malformed)?;
                let seconds = text.parse::<i64>().ok().filter(|s| (3_600..=2_592_000).contains(s));
                expires_after_s = Some(seconds.ok_or_else(|| {
                    Refusal::new(400, format!("Invalid value for 'expires_after.seconds': {text}. Expected an integer between 3600 and 2592000."))
                        .param("expires_after.seconds")
                        .code("invalid_value")
                })?);
            }
            _ => {}
        }
    }
    let purpose = purpose.ok_or_else(|| missing("purpose"))?;
    let stored = stored.ok_or_else(|| missing("file"))?;
    if anchor.is_some_and(|anchor| anchor != "created_at") {
        return Err(Refusal::new(400, "Invalid value for 'expires_after.anchor'. Supported values are: 'created_at'.")
            .param("expires_after.anchor")
            .code("invalid_value"));
    }
    if !PURPOSES.contains(&purpose.as_str()) {
        return Err(Refusal::new(400, format!("'{purpose}' is not one of {PURPOSES:?} - 'purpose'")));
    }
    if purpose == "batch" {
        check_batch_file(&stored)?;
    }

    let now_ms = shared.clock.now_ms();
    let mut account = shared.account();
    account.purge_expired(now_ms)?;
    let mut file = account.new_file(0, stored.filename, &purpose, stored.bytes, now_ms);
    let life_s = expires_after_s.or_else(|| (purpose == "batch").then_some(BATCH_FILE_LIFE_S));
    file.expires_ms = life_s.map(|seconds| now_ms + seconds * 1_000);
    account.keep_body(stored.body, &file.id)?;
    let object = file.object();
    account.commit(now_ms, Change::File { file })?;
    Ok(reply::json(&object))
}

fn missing(param: &str) -> Refusal {
    Refusal::new(400, format!("Missing required parameter: '{param}'.")).param(param).code("missing_required_parameter")
}

async fn store(shared: &Shared, mut field: Field<'_>) -> Result<Stored, Refusal> {
    let (work, limit) = {
        let account = shared.account();
        (account.work_folder(), account.limits.upload_bytes)
    };
    let write_error = |source| SimError::Write { path: work.clone(), source };
    let mut stored = Stored {
        body: NamedTempFile::new_in(&work).map_err(write_error)?,
        filename: field.file_name().unwrap_or("file").to_owned(),
        bytes: 0,
        utf8: true,
        first_line: Vec::new(),
    };
    let mut utf8 = Utf8::default();
    let mut first_line_done = false;
    while let Some(chunk) = field.chunk().await.map_err(|error| Refusal::new(400, error.body_text()))? {
        stored.bytes += chunk.len() as u64;
        if stored.bytes > limit {
            return Err(Refusal::new(400, "File is too large."));
        }
        stored.utf8 &= utf8.accepts(&chunk);
        if !first_line_done {
            let end = chunk.iter().position(|byte| *byte == b'\n');
            stored.first_line.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
            first_line_done = end.is_some() || stored.first_line.len() > FIRST_LINE_MAX;
        }
        stored.body.write_all(&chunk).map_err(write_error)?;
    }
    stored.utf8 &= utf8.is_whole();
    Ok(stored)
}

fn check_batch_file(stored: &Stored) -> Result<(), Refusal> {
    if !stored.filename.ends_with(".jsonl") {
        return Err(Refusal::new(400, "Invalid file format for Batch API. Must be .jsonl"));
    }
    if stored.bytes == 0 {
        return Err(Refusal::new(400, "The file is empty."));
    }
    if !stored.utf8 {
        return Err(Refusal::new(400, "Invalid file for Batch API. Must be utf-8 encoded"));
    }
    let well_formed = stored.first_line.len() > FIRST_LINE_MAX
        || serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&stored.first_line).is_ok();
    if !well_formed {
        return Err(Refusal::new(400, "Invalid file format for Batch API. Must be .jsonl"));
    }
    Ok(())
}

/// UTF-8 checked in portions that may cut a character.
#[derive(Default)]
struct Utf8 {
    /// The beginning of a character at the end of the last portion.
    pending: Vec<u8>,
}

impl Utf8 {
    fn accepts(&mut self, chunk: &[u8]) -> bool {
        let mut rest = chunk;
        while !self.pending.is_empty()
            && let Some((byte, after)) = rest.split_first()
        {
            self.pending.push(*byte);
            rest = after;
            match std::str::from_utf8(&self.pending) {
                Ok(_) => self.pending.clear(),
                Err(error) if error.error_len().is_some() => return false,
                Err(_) => {}
            }
        }
        match std::str::from_utf8(rest) {
            Ok(_) => true,
            Err(error) if error.error_len().is_some() => false,
            Err(error) => {
                self.pending = rest[error.valid_up_to()..].to_vec();
                true
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_survives_any_cut() {
        let text = "aé€😀z".as_bytes();
        for size in 1..text.len() {
            let mut check = Utf8::default();
            assert!(text.chunks(size).all(|chunk| check.accepts(chunk)), "{size}");
            assert!(check.is_whole());
        }
        let mut check = Utf8::default();
        assert!(!check.accepts(b"a\xffb"));
        let mut check = Utf8::default();
        assert!(check.accepts(b"\xe2\x82"));
        assert!(!check.is_whole());
        assert!(!check.accepts(b"x"));
    }
}
