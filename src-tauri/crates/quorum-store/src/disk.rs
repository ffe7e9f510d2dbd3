//! The disk beneath redb: holds every write back until the file is known to be one of ours, and notes failures.
//!
//! redb writes to a file as soon as it opens it (to mark it as in use, and to repair it after a crash). A file of a newer
//! Quorum must not change at all, so those first writes wait in memory until the version has been read. After a failed write
//! redb refuses everything until the file is opened again; the note about it tells [`crate::handle`] when.

use std::{
    io,
    ops::Bound,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::{BackendError, StorageBackend};

/// The control side; redb has the other ([`Disk::backend`]).
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Box<dyn StorageBackend>,
    access: Access,
    is_holding: AtomicBool,
    has_failed: AtomicBool,
    held: RwLock<Held>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Write,
    /// Nothing is ever written, and other readers are let in.
    Read,
}

/// What was not written yet, in order.
#[derive(Debug)]
struct Held {
    writes: Vec<Change>,
    /// `None` until redb asks, which it does once it holds the file's lock.
    len: Option<u64>,
    /// The part of the file that still shows: what lies behind was cut off.
    file_len_shown: u64,
}

#[derive(Debug)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
    Sync,
}

impl Disk {
    pub(crate) fn new(inner: Box<dyn StorageBackend>, access: Access) -> Self {
        Self(Arc::new(Shared {
            inner,
            access,
            is_holding: AtomicBool::new(true),
            has_failed: AtomicBool::new(false),
            held: RwLock::new(Held { writes: Vec::new(), len: None, file_len_shown: 0 }),
        }))
    }

    pub(crate) fn backend(&self) -> impl StorageBackend {
        Backend(self.0.clone())
    }

    /// Writes what was held, in its order, and from now on everything at once.
    pub(crate) fn release(&self) -> io::Result<()> {
        let mut held = self.0.held_mut();
        for change in &held.writes {
            let done = match change {
                Change::Write { offset, bytes } => self.0.inner.write(*offset, bytes),
                Change::SetLen(len) => self.0.inner.set_len(*len),
                Change::Sync => self.0.inner.sync_data(),
            };
            self.0.note(done)?;
        }
        held.writes = Vec::new();
        self.0.is_holding.store(false, Ordering::Release);
        Ok(())
    }

    /// Something could not be read or written: redb refuses everything until the file is opened again.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.has_failed.load(Ordering::Acquire)
    }
}

impl Shared {
    fn note<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if done.is_err() {
            self.has_failed.store(true, Ordering::Release);
        }
        done
    }

    fn is_holding(&self) -> bool {
        self.is_holding.load(Ordering::Acquire)
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, change: Change) {
        let mut held = self.held_mut();
        match &change {
            Change::Write { offset, bytes } => held.len = held.len.max(Some(offset + bytes.len() as u64)),
            Change::SetLen(len) => {
                held.len = Some(*len);
                held.file_len_shown = held.file_len_shown.min(*len);
            }
            Change::Sync => {}
        }
        held.writes.push(change);
    }

    fn len_held(&self) -> io::Result<u64> {
        let mut held = self.held_mut();
        if let Some(len) = held.len {
            return Ok(len);
        }
        let mut len = self.note(self.inner.len())?;
        if self.note(is_unborn(self.inner.as_ref(), len))? {
            held.writes.push(Change::SetLen(0));
            len = 0;
        }
        held.file_len_shown = len;
        held.len = Some(len);
        Ok(len)
    }

    /// The file with the held writes laid over it.
    fn read_held(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset + out.len() as u64;
        if end > self.len_held()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let held = self.held();
        out.fill(0);
        if let Some(count) = held.file_len_shown.checked_sub(offset) {
            let count = usize::try_from(count).map_or(out.len(), |count| count.min(out.len()));
            self.note(self.inner.read(offset, &mut out[..count]))?;
        }
        for change in &held.writes {
            match change {
                Change::Write { offset: at, bytes } => lay_over(offset, out, *at, bytes),
                Change::SetLen(len) if *len < end => {
                    let kept = len.saturating_sub(offset);
                    out[usize::try_from(kept).expect("shorter than `out`")..].fill(0);
                }
                Change::SetLen(_) | Change::Sync => {}
            }
        }
        Ok(())
    }
}

/// redb writes its magic number last when it makes a file, and fills a new file with zeros up to about 1.1 MB.
const UNBORN_BYTES_MAX: u64 = 4 * 1024 * 1024;
const MAGIC_BYTES: usize = 9;
/// What redb writes before the magic number.
const HEADER_BYTES: usize = 512;

/// What a crash within the very first opening leaves: a file that never held a commit. It is taken for an empty one.
fn is_unborn(inner: &dyn StorageBackend, len: u64) -> io::Result<bool> {
    let Some(count) = usize::try_from(len).ok().filter(|_| (HEADER_BYTES as u64..=UNBORN_BYTES_MAX).contains(&len))
    else {
        return Ok(false);
    };
    let mut start = [0; MAGIC_BYTES];
    inner.read(0, &mut start)?;
    if start != [0; MAGIC_BYTES] {
        return Ok(false);
    }
    let mut bytes = vec![0; count];
    inner.read(0, &mut bytes)?;
    Ok(bytes[HEADER_BYTES..].iter().all(|byte| *byte == 0))
}

/// Copies the part of `bytes` (which stand at `at`) that falls into `out` (which stands at `offset`).
fn lay_over(offset: u64, out: &mut [u8], at: u64, bytes: &[u8]) {
    let start = offset.max(at);
    let end = (offset + out.len() as u64).min(at + bytes.len() as u64);
    if start < end {
        let index = |position: u64, from: u64| usize::try_from(position - from).expect("within memory");
        out[index(start, offset)..index(end, offset)].copy_from_slice(&bytes[index(start, at)..index(end, at)]);
    }
}

/// What redb sees.
#[derive(Debug)]
struct Backend(Arc<Shared>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        if self.0.is_holding() { self.0.len_held() } else { self.0.note(self.0.inner.len()) }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.0.is_holding() { self.0.read_held(offset, out) } else { self.0.note(self.0.inner.read(offset, out)) }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.0.is_holding() {
            self.0.hold(Change::SetLen(len));
            return Ok(());
        }
        self.0.note(self.0.inner.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.0.is_holding() {
            self.0.hold(Change::Sync);
            return Ok(());
        }
        self.0.note(self.0.inner.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.0.is_holding() {
            self.0.hold(Change::Write { offset, bytes: data.to_owned() });
            return Ok(());
        }
        self.0.note(self.0.inner.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        match self.0.access {
            Access::Write => self.0.inner.try_lock_range(start, end),
            Access::Read => self.0.inner.try_lock_shared_range(start, end),
        }
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        match self.0.access {
            Access::Write => self.0.inner.lock_range(start, end),
            Access::Read => self.0.inner.lock_shared_range(start, end),
        }
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.inner.query_lock_range(start, end)
    }
}
