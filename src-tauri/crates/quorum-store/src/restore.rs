//! Restoring: a verified backup takes the place of the store, while no Quorum has it open and none can open it.
//!
//! At every moment there is a whole store under its name: the one that was there, or the backup. A program that finds none makes an
//! empty one without a word, so a crash must not leave it so.

use std::{
    fs::{self, OpenOptions},
    io,
    ops::Bound,
    path::Path,
};

use redb::{StorageBackend, backends::FileBackend};

use crate::{
    Store, StoreError, StoreFile,
    backup::{part_of, put_in_place},
    open::file_backend,
};

impl Store {
    /// Puts a copy of the backup `from` in the place of the store `to`, once every page of it is checked and `prepare` has changed in
    /// it what must not go on as it was. A store that is there is kept as `kept`, whatever its state: a damaged one is what people
    /// restore for. True when there was one.
    ///
    /// # Errors
    /// As [`Store::verify_file`], and [`StoreError::InUse`] while a Quorum has the store open. The store is as it was then.
    pub fn restore<E: From<StoreError>>(
        from: &Path,
        to: &Path,
        kept: &Path,
        prepare: impl FnOnce(&Store) -> Result<(), E>,
    ) -> Result<(StoreFile, bool), E> {
        let found = Self::verify_file(from)?;
        let present = hold(to)?;
        let part = part_of(to);
        let put = || -> Result<(), E> {
            let failed = |source| StoreError::Copy { path: part.clone(), source };
            fs::copy(from, &part).map_err(failed)?;
            prepare(&Self::open(&part)?)?;
            match &present {
                Present::Held(_) | Present::Closed => keep(to, kept)?,
                // Since it was looked for, a program may have made one.
                Present::Nothing if to.exists() => return Err(StoreError::InUse { path: to.to_owned() }.into()),
                Present::Nothing => {}
            }
            Ok(put_in_place(&part, to)?)
        };
        if let Err(error) = put() {
            // A copy that is not put in place is of no use; the next one starts over it.
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        Ok((found, !matches!(present, Present::Nothing)))
    }
}

/// What is under the store's name.
enum Present {
    Nothing,
    /// No program can open it before this is dropped.
    Held(#[expect(dead_code, reason = "held for its lock")] FileBackend),
    /// Nobody can open it: its permissions, or its disk.
    Closed,
}

fn hold(store: &Path) -> Result<Present, StoreError> {
    let opened = OpenOptions::new().read(true).write(true).open(store);
    let backend = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Present::Nothing),
        Err(_) => return Ok(Present::Closed),
        Ok(file) => file_backend(store, Ok(file))?,
    };
    match backend.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
        Ok(true) => Ok(Present::Held(backend)),
        Ok(false) => Err(StoreError::InUse { path: store.to_owned() }),
        Err(source) => Err(StoreError::Copy { path: store.to_owned(), source: source.into() }),
    }
}

/// Gives the store a second name; where the disk has no such thing, a copy.
fn keep(store: &Path, kept: &Path) -> Result<(), StoreError> {
    fs::hard_link(store, kept)
        .or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            _ => fs::copy(store, kept).map(drop),
        })
        .map_err(|source| StoreError::Copy { path: kept.to_owned(), source })
}
