//! Backups: a copy of the open store as it is at one moment, and a look into any store file.
//!
//! A copy keeps the store's key: restored on the same account it takes the batches that the original submitted for its own and
//! adopts them. So the two must not both be used from then on: each takes the other's batches for its own, and only a batch that
//! the other does not know (another number, other requests) tells it that a copy is at work.
//! Not here: restoring ([`crate::restore`]).

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    ops::Bound,
    path::{Path, PathBuf},
};

use quorum_core::votes::VoteRow;
use redb::{
    Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, Value,
    WriteTransaction,
};

use crate::{
    DatasetInfo, Store, StoreError,
    disk::Access,
    open::{SCHEMA_VERSION, file_backend, open_error, open_held, schema_version, store_key, without_panic},
    rows::all_json,
    tables::{self, with_every_table},
};

/// What a store file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFile {
    pub schema_version: u32,
    /// As [`Store::key`]; `None` when it was never asked for.
    pub store_key: Option<String>,
    pub datasets: u64,
    pub reviews: u64,
    pub votes: u64,
    pub manifests: u64,
    pub batches: u64,
    pub overrides: u64,
    pub bytes: u64,
}

impl Store {
    /// Copies the store as it is now to `to`, while others go on reading and writing.
    ///
    /// Written beside it as `.part`, flushed and then put in place, so that `to` is always a whole copy: the new one, or
    /// what was there before.
    pub fn backup(&self, to: &Path) -> Result<StoreFile, StoreError> {
        if is_same_file(self.path(), to) {
            return Err(StoreError::BackupOntoItself { path: to.to_owned() });
        }
        let part = part_of(to);
        let copied = self.copy_to(&part).and_then(|()| Self::verify_file(&part)).and_then(|copy| {
            put_in_place(&part, to)?;
            Ok(copy)
        });
        if copied.is_err() {
            // A half copy is of no use; when it cannot even be removed, the next backup starts over it.
            let _ = fs::remove_file(&part);
        }
        copied
    }

    /// Reads a store file whole, checks every page's sum and says what is in it. Never writes: not even the repair that a
    /// file left behind by a crash needs, which happens in memory.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Newer`], [`StoreError::InUse`] while a Quorum has it open,
    /// [`StoreError::Corrupt`] when a page does not have its sum.
    pub fn verify_file(path: &Path) -> Result<StoreFile, StoreError> {
        without_panic(|| read_store_file(path))
    }

    fn copy_to(&self, part: &Path) -> Result<(), StoreError> {
        match fs::remove_file(part) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::Copy { path: part.to_owned(), source });
            }
            _ => {}
        }
        let read = self.db.begin_read()?;
        let mut copy = Database::create(part).map_err(|error| open_error(part, error))?;
        let write = copy.begin_write()?;
        with_every_table!(table => copy_table(&read, &write, table)?);
        write.commit()?;
        // redb doubles a file when it grows; the copy needs none of that room.
        while copy.compact()? {}
        copy.close().map_err(|error| open_error(part, error))
    }
}

fn copy_table<K: Key + 'static, V: Value + 'static>(
    read: &ReadTransaction,
    write: &WriteTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<(), StoreError> {
    let (from, mut to) = (read.open_table(table)?, write.open_table(table)?);
    // A cursor at the end packs the pages full.
    let mut cursor = to.upper_bound_mut(Bound::<K::SelfType<'_>>::Unbounded)?;
    for row in from.iter()? {
        let (key, value) = row?;
        cursor.insert_before(key.value(), value.value())?;
    }
    Ok(cursor.close()?)
}

pub(crate) fn part_of(to: &Path) -> PathBuf {
    let mut part = OsString::from(to);
    part.push(".part");
    PathBuf::from(part)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Renames the copy once it is on the disk, and the name with it.
pub(crate) fn put_in_place(part: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Copy { path: to.to_owned(), source };
    File::options().write(true).open(part).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(part, to).map_err(failed)?;
    sync_folder(to).map_err(failed)
}

/// Makes a rename last. Only Unix knows how, and needs it.
#[cfg(unix)]
fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_of: &Path) -> io::Result<()> {
    Ok(())
}

/// What [`Store::verify_file`] promises.
fn read_store_file(path: &Path) -> Result<StoreFile, StoreError> {
    let backend = file_backend(path, OpenOptions::new().read(true).open(path))?;
    let opened = open_held(path, Box::new(backend), Access::Read)?;
    let read = opened.db.begin_read()?;
    let found = schema_version(path, &read)?.ok_or_else(|| StoreError::NotAStore { path: path.to_owned() })?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    let bytes = fs::metadata(path).map_err(|source| open_error(path, source.into()))?.len();
    Ok(StoreFile {
        schema_version: found,
        store_key: store_key(&read)?,
        datasets: count_datasets(&read)?,
        reviews: read.open_table(tables::REVIEWS)?.len()?,
        votes: count_votes(&read)?,
        manifests: read.open_table(tables::MANIFESTS)?.len()?,
        batches: read.open_table(tables::BATCHES)?.len()?,
        overrides: read.open_table(tables::OVERRIDES)?.len()?,
        bytes,
    })
}

/// Those that were not removed.
fn count_datasets(read: &ReadTransaction) -> Result<u64, StoreError> {
    let all: Vec<DatasetInfo> = all_json("datasets_v1", &read.open_table(tables::DATASETS)?)?;
    Ok(all.iter().filter(|info| info.removed_at.is_none()).count() as u64)
}

fn count_votes(read: &ReadTransaction) -> Result<u64, StoreError> {
    let mut count = 0;
    for row in read.open_table(tables::VOTES)?.iter()? {
        let (key, value) = row?;
        let review = tables::second(key.value());
        count += VoteRow::read(value.value()).map_err(|source| StoreError::Votes { review, source })?.len() as u64;
    }
    Ok(count)
}
