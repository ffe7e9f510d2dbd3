//! The append-only journal: every change of the account as one JSON line, written before the change is answered.
//!
//! A kill can cut the last line; it is dropped at the next start, as its change was never answered. A broken line before that
//! is an error. Nothing is synced to disk: the journal survives the process, not the machine's power.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::batch::BatchRecord;
use super::file::FileRecord;
use crate::error::SimError;

/// One change.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Change {
    File {
        file: FileRecord,
    },
    FileDeleted {
        id: String,
    },
    Batch {
        batch: Box<BatchRecord>,
    },
    /// A batch ended with results: all of it in one line, so that a cut cannot part them.
    Finished {
        batch: Box<BatchRecord>,
        files: Vec<FileRecord>,
        requests_bytes: u64,
    },
    /// A synchronous request was answered.
    Answered {
        requests_bytes: u64,
    },
    /// An instant batch was observed. One poll a process must move it on, too.
    Observed {
        id: String,
        observations: u32,
    },
    FaultCounted {
        place: usize,
        seen: u64,
        fired: u64,
    },
}

#[derive(Deserialize, Serialize)]
struct Line {
    at_ms: i64,
    #[serde(flatten)]
    change: Change,
}

#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
}

/// What a journal holds.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    pub(crate) changes: Vec<Change>,
    /// The latest virtual time; the clock must not start before it.
    pub(crate) latest_ms: i64,
}

impl Journal {
    /// Opens or creates the journal and reads what it holds.
    pub(crate) fn open(path: &Path) -> Result<(Self, Replay), SimError> {
        let open_error = |source| SimError::OpenState { path: path.to_owned(), source };
        let read_error = |source| SimError::Read { path: path.to_owned(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(open_error)?;
        let mut replay = Replay::default();
        let mut whole = 0_u64;
        let mut number = 0;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(read_error)?;
            if read == 0 || line.last() != Some(&b'\n') {
                break;
            }
            number += 1;
            let entry: Line = serde_json::from_slice(&line).map_err(|source| SimError::JournalLine {
                path: path.to_owned(),
                line: number,
                source,
            })?;
            replay.latest_ms = replay.latest_ms.max(entry.at_ms);
            replay.changes.push(entry.change);
            whole += read as u64;
        }
        file.set_len(whole).map_err(open_error)?;
        file.seek(SeekFrom::Start(whole)).map_err(open_error)?;
        Ok((Self { file, path: path.to_owned() }, replay))
    }

    pub(crate) fn append(&mut self, at_ms: i64, change: Change) -> Result<(), SimError> {
        let mut line = serde_json::to_vec(&Line { at_ms, change }).map_err(SimError::JournalEncode)?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|source| SimError::Write { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleted(id: &str) -> Change {
        Change::FileDeleted { id: id.to_owned() }
    }

    #[test]
    fn a_cut_last_line_is_dropped_and_the_rest_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        let (mut journal, replay) = Journal::open(&path).expect("a new journal");
        assert!(replay.changes.is_empty());
        journal.append(10, deleted("a")).expect("append");
        journal.append(20, deleted("b")).expect("append");
        drop(journal);
        let whole = std::fs::read(&path).expect("the journal");
        let first = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
        for cut in first..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("cut");
            let (mut journal, replay) = Journal::open(&path).expect("a cut journal opens");
            assert_eq!(replay.changes, [deleted("a")], "cut at {cut}");
            assert_eq!(replay.latest_ms, 10);
            journal.append(30, deleted("c")).expect("append");
            drop(journal);
            let (_, replay) = Journal::open(&path).expect("it opens again");
            assert_eq!(replay.changes, [deleted("a"), deleted("c")]);
        }
    }

    #[test]
    fn a_broken_line_in_the_middle_is_an_error_with_its_number() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, "{\"at_ms\":1,\"kind\":\"file_deleted\",\"id\":\"a\"}\nnot json\n{}\n").expect("write");
        let error = Journal::open(&path).expect_err("line 2 is broken");
        assert!(matches!(error, SimError::JournalLine { line: 2, .. }), "{error:?}");
    }
}
