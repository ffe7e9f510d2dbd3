//! The simulated account: its files, its batches, and what it remembers of them across a crash.
//!
//! The folder: `journal.jsonl` (every change), `files/<id>` (bodies), `time` (of the last call), `work/` (temporary files,
//! emptied at start), `lock`; where evidence is kept also `requests.log` (every executed request) and `calls.log` (every API
//! call).

pub(crate) mod batch;
pub(crate) mod file;
pub(crate) mod journal;
pub(crate) mod lifecycle;
pub(crate) mod logs;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use self::batch::BatchRecord;
use self::file::FileRecord;
use self::journal::{Change, Journal};
use self::logs::Logs;
use crate::config::{AccountLimits, Durations};
use crate::draw;
use crate::error::SimError;
use crate::execute::Outcome;
use crate::faults::{Counted, Faults};
use crate::scenario::Scenario;
use crate::validate::Report;

/// A piece of background work that a batch waits for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum JobKind {
    Validate,
    Execute,
}

/// The state behind the server; one lock guards it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) folder: PathBuf,
    pub(crate) seed: u64,
    pub(crate) limits: AccountLimits,
    pub(crate) durations: Durations,
    pub(crate) faults: Faults,
    pub(crate) logs: Logs,
    journal: Journal,
    files: Vec<FileRecord>,
    file_places: HashMap<String, usize>,
    batches: Vec<BatchRecord>,
    batch_places: HashMap<String, usize>,
    reports: HashMap<String, Report>,
    outcomes: HashMap<String, Outcome>,
    jobs: HashSet<(String, JobKind)>,
    pub(crate) revoked_keys: HashSet<String>,
    /// Keeps a second simulator off the folder.
    _lock: fs::File,
}

/// What an account is opened with.
pub(crate) struct Opening<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) seed: u64,
    pub(crate) limits: AccountLimits,
    pub(crate) durations: Durations,
    pub(crate) scenario: &'a Scenario,
    pub(crate) evidence: bool,
}

impl Account {
    /// Opens the folder and replays its journal. Also answers the latest virtual time that it knows.
    pub(crate) fn open(opening: Opening<'_>) -> Result<(Self, i64), SimError> {
        let folder = opening.folder;
        let open_error = |path: &Path| {
            let path = path.to_owned();
            move |source| SimError::OpenState { path, source }
        };
        for part in [folder.to_owned(), folder.join("files"), folder.join("work")] {
            fs::create_dir_all(&part).map_err(open_error(&part))?;
        }
        let lock_path = folder.join("lock");
        let lock = fs::File::create(&lock_path).map_err(open_error(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(SimError::StateInUse { path: folder.to_owned() });
            }
            Err(fs::TryLockError::Error(source)) => return Err(open_error(&lock_path)(source)),
        }
        let work = folder.join("work");
        for entry in fs::read_dir(&work).map_err(open_error(&work))? {
            let path = entry.map_err(open_error(&work))?.path();
            fs::remove_file(&path).map_err(open_error(&path))?;
        }

        let (journal, replay) = Journal::open(&folder.join("journal.jsonl"))?;
        let mut requests_bytes = 0;
        for change in &replay.changes {
            if let Change::Finished { requests_bytes: bytes, .. } | Change::Answered { requests_bytes: bytes } = change
            {
                requests_bytes = *bytes;
            }
        }
        let logs = Logs::open(folder, opening.evidence, requests_bytes)?;
        let mut account = Self {
            folder: folder.to_owned(),
            seed: opening.seed,
            limits: opening.limits,
            durations: opening.durations,
            faults: Faults::new(opening.seed, &opening.scenario.faults),
            logs,
            journal,
            files: Vec::new(),
            file_places: HashMap::new(),
            batches: Vec::new(),
            batch_places: HashMap::new(),
            reports: HashMap::new(),
            outcomes: HashMap::new(),
            jobs: HashSet::new(),
            revoked_keys: HashSet::new(),
            _lock: lock,
        };
        for change in replay.changes {
            account.apply(change);
        }
        // Time also passes while nothing changes: the calls know it.
        let called_ms = account.logs.last_call_s().saturating_mul(1_000);
        Ok((account, replay.latest_ms.max(called_ms)))
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::File { file } => self.put_file(file),
            Change::FileDeleted { id } => {
                if let Some(place) = self.file_places.get(&id) {
                    self.files[*place].deleted = true;
                }
            }
            Change::Batch { batch } => self.put_batch(*batch),
            Change::Finished { batch, files, .. } => {
                files.into_iter().for_each(|file| self.put_file(file));
                self.put_batch(*batch);
            }
            Change::Answered { .. } => {}
            Change::Observed { id, observations } => {
                if let Some(place) = self.batch_places.get(&id) {
                    self.batches[*place].observations = observations;
                }
            }
            Change::FaultCounted { place, seen, fired } => self.faults.restore(Counted { place, seen, fired }),
        }
    }

    fn put_file(&mut self, file: FileRecord) {
        match self.file_places.get(&file.id) {
            Some(place) => self.files[*place] = file,
            None => {
                self.file_places.insert(file.id.clone(), self.files.len());
                self.files.push(file);
            }
        }
    }

    fn put_batch(&mut self, batch: BatchRecord) {
        match self.batch_places.get(&batch.id) {
            Some(place) => self.batches[*place] = batch,
            None => {
                self.batch_places.insert(batch.id.clone(), self.batches.len());
                self.batches.push(batch);
            }
        }
    }

    /// Journals a change, then makes it.
    pub(crate) fn commit(&mut self, now_ms: i64, change: Change) -> Result<(), SimError> {
        self.journal.append(now_ms, change.clone())?;
        self.apply(change);
        Ok(())
    }

    pub(crate) fn count_faults(&mut self, now_ms: i64, counted: Vec<Counted>) -> Result<(), SimError> {
        for Counted { place, seen, fired } in counted {
            self.journal.append(now_ms, Change::FaultCounted { place, seen, fired })?;
        }
        Ok(())
    }

    pub(crate) fn body_path(&self, file_id: &str) -> PathBuf {
        self.folder.join("files").join(file_id)
    }

    pub(crate) fn work_folder(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// The file, unless it is deleted or expired.
    pub(crate) fn file(&self, id: &str, now_ms: i64) -> Option<&FileRecord> {
        let file = &self.files[*self.file_places.get(id)?];
        file.visible(now_ms).then_some(file)
    }

    /// Visible files, oldest first.
    pub(crate) fn files(&self, now_ms: i64) -> impl DoubleEndedIterator<Item = &FileRecord> {
        self.files.iter().filter(move |file| file.visible(now_ms))
    }

    /// A record for a new file, not yet stored; `nth` counts the new files of one change from 0.
    pub(crate) fn new_file(&self, nth: u64, filename: String, purpose: &str, bytes: u64, now_ms: i64) -> FileRecord {
        let serial = self.files.last().map_or(0, |file| file.serial) + 1 + nth;
        FileRecord {
            id: draw::file_id(self.seed, serial),
            serial,
            bytes,
            created_ms: now_ms,
            expires_ms: None,
            filename,
            purpose: purpose.to_owned(),
            deleted: false,
        }
    }

    /// Moves a finished temporary file to its place.
    pub(crate) fn keep_body(&self, body: NamedTempFile, file_id: &str) -> Result<(), SimError> {
        let path = self.body_path(file_id);
        body.persist(&path).map(|_| ()).map_err(|error| SimError::Write { path, source: error.error })
    }

    pub(crate) fn delete_file(&mut self, id: &str, now_ms: i64) -> Result<(), SimError> {
        self.commit(now_ms, Change::FileDeleted { id: id.to_owned() })?;
        self.remove_body(id)
    }

    /// Frees the disk of files whose life is over.
    pub(crate) fn purge_expired(&mut self, now_ms: i64) -> Result<(), SimError> {
        let expired: Vec<String> = self
            .files
            .iter()
            .filter(|file| !file.deleted && !file.visible(now_ms))
            .map(|file| file.id.clone())
            .collect();
        expired.iter().try_for_each(|id| self.delete_file(id, now_ms))
    }

    fn remove_body(&self, id: &str) -> Result<(), SimError> {
        let path = self.body_path(id);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(SimError::Write { path, source }),
            _ => Ok(()),
        }
    }

    /// The batch, unless it has vanished.
    pub(crate) fn batch(&self, id: &str) -> Option<&BatchRecord> {
        let batch = &self.batches[*self.batch_places.get(id)?];
        (!batch.gone).then_some(batch)
    }

    /// Known batches, oldest first.
    pub(crate) fn batches(&self) -> impl DoubleEndedIterator<Item = &BatchRecord> {
        self.batches.iter().filter(|batch| !batch.gone)
    }

    pub(crate) fn next_batch_serial(&self) -> u64 {
        self.batches.last().map_or(0, |batch| batch.serial) + 1
    }

    /// Creations within the virtual hour before `now_ms`.
    pub(crate) fn recent_creates(&self, now_ms: i64) -> usize {
        self.batches.iter().rev().take_while(|batch| batch.created_ms > now_ms - 3_600_000).count()
    }
}
