//! When the last call was, and evidence for tests: every executed request, and every API call.
//!
//! The time always lies in `time`, one line of fixed length that each second with a call overwrites. The evidence grows without
//! end and is kept only where it is asked for, in memory and in two logs. `requests.log` is cut back at start to the length that
//! the journal last knew: rows of a run that a crash interrupted will be executed, and logged, again. `calls.log` is never cut,
//! apart from an unfinished last line.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::SimError;
use crate::execute::ExecutedRow;

/// One API call, as answered.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CallRow {
    /// Virtual Unix seconds.
    pub at: i64,
    pub method: String,
    pub path: String,
    /// 0 where the connection was closed without an answer.
    pub status: u16,
}

/// One request that was executed, and billed, more than once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DuplicateRequest {
    pub model: String,
    pub custom_id: String,
    pub body_sha256: String,
    /// The batches that ran it (`chat` for a synchronous call), in order.
    pub batches: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Logs {
    time: Time,
    evidence: Option<Evidence>,
}

#[derive(Debug)]
pub(crate) struct Evidence {
    requests: Log,
    calls: Log,
    pub(crate) executed: Vec<ExecutedRow>,
    pub(crate) called: Vec<CallRow>,
}

/// The virtual second of the last call.
#[derive(Debug)]
struct Time {
    file: File,
    path: PathBuf,
    last_s: i64,
}

#[derive(Debug)]
struct Log {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Logs {
    /// `requests_bytes` is the length of the log of requests that the journal knows, if evidence is kept.
    pub(crate) fn open(folder: &Path, evidence: bool, requests_bytes: u64) -> Result<Self, SimError> {
        let time = Time::open(folder.join("time"))?;
        let evidence = if evidence { Some(Evidence::open(folder, requests_bytes)?) } else { None };
        Ok(Self { time, evidence })
    }

    /// When the last call was, in virtual Unix seconds; 0 before the first.
    pub(crate) fn last_call_s(&self) -> i64 {
        self.time.last_s
    }

    pub(crate) fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_ref()
    }

    /// Appends rows and answers the log's new length; `None` where no evidence is kept.
    pub(crate) fn add_executed(&mut self, rows: Vec<ExecutedRow>) -> Result<Option<u64>, SimError> {
        let Some(evidence) = &mut self.evidence else {
            return Ok(None);
        };
        evidence.requests.append(&rows)?;
        evidence.executed.extend(rows);
        Ok(Some(evidence.requests.bytes))
    }

    pub(crate) fn add_call(&mut self, row: CallRow) -> Result<(), SimError> {
        self.time.set(row.at)?;
        if let Some(evidence) = &mut self.evidence {
            evidence.calls.append(std::slice::from_ref(&row))?;
            evidence.called.push(row);
        }
        Ok(())
    }
}

impl Evidence {
    fn open(folder: &Path, requests_bytes: u64) -> Result<Self, SimError> {
        let requests = Log::open(folder.join("requests.log"), Some(requests_bytes))?;
        let calls = Log::open(folder.join("calls.log"), None)?;
        Ok(Self { executed: requests.read()?, called: calls.read()?, requests, calls })
    }

    /// Requests with more than one billed row of the same model, custom_id and body.
    pub(crate) fn duplicates(&self) -> Vec<DuplicateRequest> {
        let mut billed: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
        for row in self.executed.iter().filter(|row| row.status == 200) {
            billed.entry((&row.model, &row.custom_id, &row.body_sha256)).or_default().push(&row.batch);
        }
        billed
            .into_iter()
            .filter(|(_, batches)| batches.len() > 1)
            .map(|((model, custom_id, body_sha256), batches)| DuplicateRequest {
                model: model.to_owned(),
                custom_id: custom_id.to_owned(),
                body_sha256: body_sha256.to_owned(),
                batches: batches.into_iter().map(str::to_owned).collect(),
            })
            .collect()
    }
}

impl Time {
    fn open(path: PathBuf) -> Result<Self, SimError> {
        let open_error = |source| SimError::OpenState { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(open_error)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(open_error)?;
        // Empty before the first call. A power cut may leave anything; the journal's time then stands, as the clock never
        // starts before either.
        let last_s = text.trim().parse().unwrap_or(0);
        Ok(Self { file, path, last_s })
    }

    fn set(&mut self, at_s: i64) -> Result<(), SimError> {
        if at_s == self.last_s {
            return Ok(());
        }
        let line = format!("{at_s:020}\n");
        let written = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(line.as_bytes()));
        written.map_err(|source| SimError::Write { path: self.path.clone(), source })?;
        self.last_s = at_s;
        Ok(())
    }
}

impl Log {
    fn open(path: PathBuf, keep: Option<u64>) -> Result<Self, SimError> {
        let open_error = |source| SimError::OpenState { path: path.clone(), source };
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(open_error)?;
        let bytes = match keep {
            Some(keep) => keep.min(file.metadata().map_err(open_error)?.len()),
            None => whole_lines(&file).map_err(open_error)?,
        };
        file.set_len(bytes).map_err(open_error)?;
        Ok(Self { file, path, bytes })
    }

    fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<Vec<T>, SimError> {
        let read_error = |source| SimError::Read { path: self.path.clone(), source };
        let mut rows = Vec::new();
        let file = File::open(&self.path).map_err(read_error)?;
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(read_error)?;
            rows.push(serde_json::from_str(&line).map_err(|source| SimError::JournalLine {
                path: self.path.clone(),
                line: index as u64 + 1,
                source,
            })?);
        }
        Ok(rows)
    }

    fn append<T: Serialize>(&mut self, rows: &[T]) -> Result<(), SimError> {
        let mut lines = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut lines, row).map_err(SimError::JournalEncode)?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines).map_err(|source| SimError::Write { path: self.path.clone(), source })?;
        self.bytes += lines.len() as u64;
        Ok(())
    }
}

/// The length up to and including the last line end.
fn whole_lines(mut file: &File) -> std::io::Result<u64> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n');
    Ok(whole.map_or(0, |at| at as u64 + 1))
}
