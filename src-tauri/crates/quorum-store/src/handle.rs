//! The open database, opened anew after a failed read or write.
//!
//! redb refuses everything after one such failure. A full disk must not cost the user a restart: once there is room again,
//! the next action works.

use std::{
    fmt,
    sync::{PoisonError, RwLock, RwLockWriteGuard},
};

use redb::{Database, ReadTransaction, ReadableDatabase, TransactionError, WriteTransaction};

use crate::{StoreError, disk::Disk};

/// A database and the disk beneath it.
pub(crate) struct Opened {
    pub(crate) db: Database,
    pub(crate) disk: Disk,
    /// The last end was sudden, and the whole file was walked through to find its free pages.
    pub(crate) was_walked: bool,
}

type Open = dyn Fn() -> Result<Opened, StoreError> + Send + Sync;

pub(crate) struct Handle {
    /// `None` after a reopening that failed; the next action tries again.
    opened: RwLock<Option<Opened>>,
    open: Box<Open>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Handle {
    pub(crate) fn new(open: Box<Open>) -> Result<Self, StoreError> {
        let opened = open()?;
        Ok(Self { opened: RwLock::new(Some(opened)), open })
    }

    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        self.begin(|db| db.begin_read())
    }

    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        self.begin(|db| db.begin_write())
    }

    /// The database for an action that needs it for itself.
    #[cfg(feature = "testing")]
    pub(crate) fn exclusive<T>(
        &self,
        act: impl FnOnce(&mut Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut opened = self.lock();
        self.reopen_if_failed(&mut opened)?;
        act(&mut opened.as_mut().expect("reopened just now").db)
    }

    pub(crate) fn was_walked(&self) -> Result<bool, StoreError> {
        let mut opened = self.lock();
        self.reopen_if_failed(&mut opened)?;
        Ok(opened.as_ref().expect("reopened just now").was_walked)
    }

    fn begin<T>(&self, begin: impl Fn(&Database) -> Result<T, TransactionError>) -> Result<T, StoreError> {
        {
            let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(opened) = opened.as_ref().filter(|opened| !opened.disk.has_failed()) {
                return Ok(begin(&opened.db)?);
            }
        }
        let mut opened = self.lock();
        self.reopen_if_failed(&mut opened)?;
        Ok(begin(&opened.as_ref().expect("reopened just now").db)?)
    }

    fn lock(&self) -> RwLockWriteGuard<'_, Option<Opened>> {
        self.opened.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn reopen_if_failed(&self, opened: &mut Option<Opened>) -> Result<(), StoreError> {
        if opened.as_ref().is_some_and(|opened| !opened.disk.has_failed()) {
            return Ok(());
        }
        // The file's lock must go before the file can be opened again.
        drop(opened.take());
        *opened = Some((self.open)().map_err(|error| match error {
            // Another thread's action still ends on the failed file; the lock is our own.
            StoreError::InUse { .. } => StoreError::from(redb::StorageError::PreviousIo),
            error => error,
        })?);
        Ok(())
    }
}
