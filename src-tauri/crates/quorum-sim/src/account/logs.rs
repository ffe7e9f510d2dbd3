//! The two logs that tests read: every executed request, and every API call.
//!
//! `requests.log` is cut back at start to the length that the journal last knew: rows of a run that a crash interrupted will be
//! executed, and logged, again. `calls.log` is plain evidence and is never cut, apart from an unfinished last line.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
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

#[derive(Debug)]
pub(crate) struct Logs {
    requests: Log,
    calls: Log,
    pub(crate) executed: Vec<ExecutedRow>,
    pub(crate) called: Vec<CallRow>,
}

#[derive(Debug)]
struct Log {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Logs {
    pub(crate) fn open(folder: &Path, requests_bytes: u64) -> Result<Self, SimError> {
        let requests = Log::open(folder.join("requests.log"), Some(requests_bytes))?;
        let calls = Log::open(folder.join("calls.log"), None)?;
        Ok(Self { executed: requests.read()?, called: calls.read()?, requests, calls })
    }

    /// Appends rows and answers the log's new length.
    pub(crate) fn add_executed(&mut self, rows: Vec<ExecutedRow>) -> Result<u64, SimError> {
        self.requests.append(&rows)?;
        self.executed.extend(rows);
        Ok(self.requests.bytes)
    }

    pub(crate) fn add_call(&mut self, row: CallRow) -> Result<(), SimError> {
        self.calls.append(std::slice::from_ref(&row))?;
        self.called.push(row);
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
