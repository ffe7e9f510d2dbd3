//! The vote cache as a file: its members at the top, and the keys and values of its votes.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use quorum_core::{
    answer::{Answer, read_answer},
    ids::{ModelId, ReviewId, TopicId},
    manifest::Seconds,
    schema::Schema,
};
use serde::Deserialize;

use super::scan::{Next, Scanner, Value};
use crate::{
    dto::error::{ApiError, ErrorCode},
    whole_file::unreadable,
};

/// Longest vote that is kept; real ones have about 300 bytes.
const VOTE_BYTES_MAX: usize = 1 << 20;

/// Longest `_metadata` that is kept.
const METADATA_BYTES_MAX: usize = 16 << 20;

/// Bytes read from the file at a time.
const BUFFER_BYTES: usize = 1 << 18;

/// What `_metadata` says of a topic.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Metadata {
    #[serde(default)]
    pub term_hash: Option<String>,
}

/// How a pass over the file ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// The file ends before its last brace.
    pub is_cut: bool,
    /// Votes that end, damaged ones included.
    pub entries: u64,
    /// Votes that are damaged: no key, no value, or longer than any vote.
    pub damaged: u64,
    pub has_raw: bool,
}

/// Reads the file once, as [`read_votes`].
pub fn read(
    path: &Path,
    metadata: &mut BTreeMap<String, Metadata>,
    each: impl FnMut(&[u8], &[u8]) -> Result<(), ApiError>,
) -> Result<Pass, ApiError> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    read_votes(path, BufReader::with_capacity(BUFFER_BYTES, file), metadata, each)
}

/// Reads a vote cache once: `_metadata` where there is any, and every member of `raw` as (key, value), both as JSON text. `path` is
/// what errors call it.
pub fn read_votes(
    path: &Path,
    input: impl BufRead,
    metadata: &mut BTreeMap<String, Metadata>,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), ApiError>,
) -> Result<Pass, ApiError> {
    let failed = |error: io::Error| unreadable(path, &error);
    let mut scanner = Scanner::new(input);
    open_top(path, &mut scanner)?;
    let (mut key, mut value) = (Vec::new(), Vec::new());
    let mut pass = Pass::default();
    loop {
        match scanner.next_key(&mut key).map_err(failed)? {
            Next::End => return Ok(pass),
            Next::Damaged => {
                let at = scanner.position();
                return Err(format_error(path, format!("expected a member of the object before byte {at}")));
            }
            Next::Cut => {
                pass.is_cut = true;
                return Ok(pass);
            }
            Next::Key => {}
        }
        let done = match key.as_slice() {
            b"\"raw\"" => {
                pass.has_raw = true;
                read_raw(path, &mut scanner, &mut pass, &mut each)?
            }
            b"\"_metadata\"" => {
                let read = scanner.member(&mut value, METADATA_BYTES_MAX).map_err(failed)?;
                if read == Value::Whole {
                    *metadata = read_metadata(&value);
                }
                read
            }
            // Nothing is kept of the rest.
            _ => scanner.member(&mut value, 0).map_err(failed)?,
        };
        if done == Value::Cut {
            pass.is_cut = true;
            return Ok(pass);
        }
    }
}

/// A topic whose metadata cannot be read has none.
fn read_metadata(json: &[u8]) -> BTreeMap<String, Metadata> {
    let topics: BTreeMap<String, serde_json::Value> = serde_json::from_slice(json).unwrap_or_default();
    let read = |metadata| serde_json::from_value(metadata).ok();
    topics.into_iter().filter_map(|(topic, metadata)| Some((topic, read(metadata)?))).collect()
}

fn read_raw(
    path: &Path,
    scanner: &mut Scanner<impl BufRead>,
    pass: &mut Pass,
    each: &mut impl FnMut(&[u8], &[u8]) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let failed = |error: io::Error| unreadable(path, &error);
    if !scanner.colon().map_err(failed)? {
        return Ok(if scanner.peek().map_err(failed)?.is_none() { Value::Cut } else { Value::Missing });
    }
    match scanner.peek_visible().map_err(failed)? {
        None => return Ok(Value::Cut),
        Some(b'{') => scanner.take(),
        Some(_) => return Err(format_error(path, "`raw` is no object of votes".to_owned())),
    }
    let (mut key, mut value) = (Vec::new(), Vec::new());
    loop {
        match scanner.next_key(&mut key).map_err(failed)? {
            Next::End => return Ok(Value::Whole),
            Next::Cut => return Ok(Value::Cut),
            Next::Damaged => {
                pass.entries += 1;
                pass.damaged += 1;
                continue;
            }
            Next::Key => {}
        }
        match scanner.member(&mut value, VOTE_BYTES_MAX).map_err(failed)? {
            Value::Cut => return Ok(Value::Cut),
            Value::Whole => {
                pass.entries += 1;
                each(&key, &value)?;
            }
            Value::TooLong | Value::Missing => {
                pass.entries += 1;
                pass.damaged += 1;
            }
        }
    }
}

fn open_top(path: &Path, scanner: &mut Scanner<impl BufRead>) -> Result<(), ApiError> {
    let failed = |error: io::Error| unreadable(path, &error);
    if scanner.peek().map_err(failed)? == Some(0xef) {
        // The mark that some editors put in front of UTF-8.
        for byte in [0xef, 0xbb, 0xbf] {
            if scanner.peek().map_err(failed)? != Some(byte) {
                return Err(format_error(path, "the file is not UTF-8".to_owned()));
            }
            scanner.take();
        }
    }
    match scanner.peek_visible().map_err(failed)? {
        Some(b'{') => {
            scanner.take();
            Ok(())
        }
        None => Err(format_error(path, "the file is empty".to_owned())),
        Some(b'[') => Err(format_error(path, "expected an object at the top, found a list".to_owned())),
        Some(byte) if !byte.is_ascii() || byte == 0 => Err(format_error(path, "the file is not UTF-8 text".to_owned())),
        Some(_) => Err(format_error(path, "expected an object at the top, found something else".to_owned())),
    }
}

pub fn format_error(path: &Path, detail: String) -> ApiError {
    ApiError::new(ErrorCode::FileFormat, format!("{} is no vote cache.", path.display()))
        .safe("Nothing was imported.")
        .action("Choose the predecessor's policy_cache.json, or a file that `votes export` wrote.")
        .detail(detail)
}

/// Whose vote it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoteKey {
    pub topic: TopicId,
    pub review: ReviewId,
    pub model: ModelId,
    pub run: u8,
}

/// Reads `"topic::review_id::model::runN"`, quotes included. Review ids may contain `::` themselves.
pub fn read_key(json: &[u8]) -> Option<VoteKey> {
    let text: String = serde_json::from_slice(json).ok()?;
    let (topic, rest) = text.split_once("::")?;
    let (rest, run) = rest.rsplit_once("::")?;
    let (review, model) = rest.rsplit_once("::")?;
    let run = run.strip_prefix("run")?.parse().ok().filter(|run| *run > 0)?;
    let are_given = !topic.is_empty() && !review.is_empty() && !model.is_empty();
    are_given.then(|| VoteKey { topic: topic.into(), review: review.into(), model: model.into(), run })
}

/// What a vote says, and when it was given (Unix seconds) where the file tells.
pub fn read_vote(schema: &Schema, json: &[u8]) -> Option<(Answer, Option<Seconds>)> {
    #[derive(Deserialize)]
    struct Given {
        #[serde(default, rename = "_extracted_at")]
        at: serde_json::Value,
    }
    // Also the check that the whole entry is JSON: what follows is lenient.
    let given: Given = serde_json::from_slice(json).ok().filter(|_| json.starts_with(b"{"))?;
    let answer = read_answer(schema, str::from_utf8(json).ok()?).ok()?;
    Some((answer, read_time(&given.at)))
}

/// Seconds since 1970, RFC 3339, or a date and time without a zone, taken for UTC.
fn read_time(at: &serde_json::Value) -> Option<Seconds> {
    let seconds = match at {
        serde_json::Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and the range is checked below")]
            let seconds = number.as_f64()? as i64;
            seconds
        }
        serde_json::Value::String(text) => {
            let zoned = text.parse::<jiff::Timestamp>().ok();
            let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
            zoned.or_else(|| Some(local()?.timestamp()))?.as_second()
        }
        _ => return None,
    };
    u32::try_from(seconds).ok()
}
