//! Opening the file: one process at a time, older files migrated, newer ones refused and left as they are.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Once, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use quorum_core::{ids::ModelId, votes::ModelNo};
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend, WriteTransaction, backends::FileBackend,
};

use crate::{
    StoreError,
    disk::{Access, Disk},
    handle::{Handle, Opened},
    migrations::MIGRATIONS,
    tables::{self, with_every_table},
};

/// Version of the whole file. Migration number n ([`crate::migrations`]) brings a file from n to n + 1.
pub(crate) const SCHEMA_VERSION: u32 = 3;

const VERSION_KEY: &str = "schema_version";
const STORE_KEY: &str = "store_key";

/// Pages kept in memory; bounds the store's share of the process. The system keeps the file in its own cache as well, and
/// more than this made nothing faster, measured.
const CACHE_BYTES: usize = 24 * 1024 * 1024;

/// The store. Cheap to share behind an `Arc`; readers never wait for the writer.
#[derive(Debug)]
pub struct Store {
    pub(crate) db: Handle,
    path: PathBuf,
    /// Model names by number and back; a handful, read at open.
    pub(crate) models: RwLock<BTreeMap<ModelId, ModelNo>>,
}

/// What an action did to the file.
pub(crate) enum Done<T> {
    Changed(T),
    /// Nothing to keep: the file stays as it is, byte for byte.
    Unchanged(T),
}

impl Store {
    /// Opens or makes the store at this path; makes missing folders.
    ///
    /// A file that is no store, or a newer one, is refused before a byte of it changes.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        }
        let file = path.to_owned();
        let is_first = AtomicBool::new(true);
        Self::open_on(path, move || {
            // Opened again after a failure, a file that is gone (a drive that was unplugged) must not come back empty.
            let create = is_first.swap(false, Ordering::Relaxed);
            let opened = OpenOptions::new().read(true).write(true).create(create).truncate(false).open(&file);
            Ok(Box::new(file_backend(&file, opened)?))
        })
    }

    /// Opens a store on a backend of the caller's, for tests that stop the disk at will. After a failed write such a store
    /// stays failed; [`Store::open_with_backends`] does not.
    pub fn open_with_backend(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let backend = Mutex::new(Some(backend));
        Self::open_on(Path::new("<backend>"), move || {
            let backend = backend.lock().unwrap_or_else(PoisonError::into_inner).take();
            let backend = backend.ok_or_else(|| StoreError::from(redb::StorageError::PreviousIo))?;
            Ok(Box::new(backend))
        })
    }

    /// As [`Store::open_with_backend`]; `backend` is asked for the same disk again after a failed write.
    pub fn open_with_backends<B: StorageBackend>(
        backend: impl Fn() -> B + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        Self::open_on(Path::new("<backend>"), move || Ok(Box::new(backend())))
    }

    fn open_on(
        path: &Path,
        backend: impl Fn() -> Result<Box<dyn StorageBackend>, StoreError> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let db = {
            let path = path.clone();
            Handle::new(Box::new(move || {
                let backend = backend()?;
                without_panic(|| {
                    let mut opened = open_held(&path, backend, Access::Write)?;
                    admit(&path, &mut opened)?;
                    Ok(opened)
                })
            }))?
        };
        let store = Self { db, path, models: RwLock::default() };
        // Or every opening after this one walks, too, until something is written and the file is closed. On a full disk it does:
        // reading goes on all the same.
        if store.db.was_walked()? {
            without_panic(|| store.rest()).ok();
        }
        without_panic(|| store.read_models())?;
        Ok(store)
    }

    /// One action, one transaction: committed when `act` succeeds, without a trace when it does not.
    pub(crate) fn write<T>(
        &self,
        act: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.write_if_changed(|write| act(write).map(Done::Changed))
    }

    /// As [`Store::write`], for actions that may find nothing to do.
    pub(crate) fn write_if_changed<T>(
        &self,
        act: impl FnOnce(&WriteTransaction) -> Result<Done<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let write = self.db.begin_write()?;
        match act(&write) {
            Ok(Done::Changed(done)) => {
                write.commit()?;
                Ok(done)
            }
            Ok(Done::Unchanged(done)) => {
                write.abort()?;
                Ok(done)
            }
            Err(error) => {
                abort(write);
                Err(error)
            }
        }
    }

    /// For the last moment before an end that closes nothing: what was written is safe without it, and the next opening is quick with
    /// it.
    pub fn rest(&self) -> Result<(), StoreError> {
        rest(self.db.begin_write()?)
    }

    /// Whether this opening had to walk through the whole file, for tests.
    #[cfg(feature = "testing")]
    pub fn was_walked(&self) -> Result<bool, StoreError> {
        self.db.was_walked()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A key that tells this store from every other, made by the caller (who may use randomness) the first time.
    ///
    /// A copy of the file has the same key ([`Store::backup`]).
    pub fn key(&self, make: impl FnOnce() -> String) -> Result<String, StoreError> {
        self.write_if_changed(|write| {
            let mut meta = write.open_table(tables::META)?;
            let known = meta.get(STORE_KEY)?.map(|key| String::from_utf8_lossy(key.value()).into_owned());
            if let Some(key) = known {
                return Ok(Done::Unchanged(key));
            }
            let key = make();
            meta.insert(STORE_KEY, key.as_bytes())?;
            Ok(Done::Changed(key))
        })
    }
}

/// redb trusts the pages of a file that was closed well, and panics over one whose bytes were changed since; here that is an
/// error like any other, and nothing is printed about it. Nothing is left half done: the database of a failed opening is dropped.
pub(crate) fn without_panic<T>(act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    static QUIETED: Once = Once::new();
    QUIETED.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if !IS_CAUGHT.get() {
                print(panicked);
            }
        }));
    });
    let outer = IS_CAUGHT.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(act));
    IS_CAUGHT.set(outer);
    done.unwrap_or_else(|_| {
        Err(redb::StorageError::Corrupted("a page does not hold what redb writes".to_owned()).into())
    })
}

thread_local! {
    /// A panic of this thread becomes an error in [`without_panic`].
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Gives a failed action up. Its own error is the one to tell: when aborting fails too, it is for the same cause, and the
/// file's last commit stands either way.
pub(crate) fn abort(write: WriteTransaction) {
    let _ = write.abort();
}

/// The file behind an opened path.
pub(crate) fn file_backend(path: &Path, opened: io::Result<File>) -> Result<FileBackend, StoreError> {
    let file = opened.map_err(|source| {
        if path.is_dir() { StoreError::NotAStore { path: path.to_owned() } } else { open_error(path, source.into()) }
    })?;
    if path.is_dir() {
        return Err(StoreError::NotAStore { path: path.to_owned() });
    }
    FileBackend::new(file).map_err(|error| open_error(path, error))
}

/// Opens a database whose writes are held back until [`Disk::release`].
pub(crate) fn open_held(path: &Path, backend: Box<dyn StorageBackend>, access: Access) -> Result<Opened, StoreError> {
    let disk = Disk::new(backend, access);
    let was_walked = Arc::new(AtomicBool::new(false));
    let noting = Arc::clone(&was_walked);
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(access == Access::Read);
    builder.set_repair_callback(move |_| noting.store(true, Ordering::Relaxed));
    let db = builder.create_with_backend(disk.backend()).map_err(|error| open_error(path, error))?;
    Ok(Opened { db, disk, was_walked: was_walked.load(Ordering::Relaxed) })
}

/// Writes down where the file has room. After an end without a word (a kill, a logout) the next opening would walk through the whole
/// file to find that out: 2 ms a megabyte, against half a millisecond once here.
fn rest(mut write: WriteTransaction) -> Result<(), StoreError> {
    write.set_quick_repair(true);
    Ok(write.commit()?)
}

/// Lets a file in when it is ours and not newer; from then on it may be written.
fn admit(path: &Path, opened: &mut Opened) -> Result<(), StoreError> {
    let found = schema_version(path, &opened.db.begin_read()?)?;
    let release = || opened.disk.release().map_err(|error| open_error(path, error.into()));
    match found {
        None => {
            release()?;
            create_tables(&opened.db)
        }
        Some(found) if found > SCHEMA_VERSION => {
            Err(StoreError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION })
        }
        Some(found) if found < SCHEMA_VERSION => {
            // Writing into a damaged file would spread the damage, so every page is looked at before the one time that an
            // opening writes.
            opened.db.check_integrity().map_err(|error| open_error(path, error))?;
            opened.disk.release().map_err(|error| open_error(path, error.into()))?;
            migrate(&opened.db, found)
        }
        Some(_) => release(),
    }
}

/// Brings an older file to this version, in one transaction.
fn migrate(db: &Database, found: u32) -> Result<(), StoreError> {
    let write = db.begin_write()?;
    for (_, migration) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number >= found) {
        migration(&write)?;
    }
    write.open_table(tables::META)?.insert(VERSION_KEY, SCHEMA_VERSION.to_be_bytes().as_slice())?;
    Ok(write.commit()?)
}

/// The version of a store file; `None` for a file without any table, which is a new one.
pub(crate) fn schema_version(path: &Path, read: &ReadTransaction) -> Result<Option<u32>, StoreError> {
    if read.list_tables()?.next().is_none() {
        return Ok(None);
    }
    // Somebody else's redb file.
    let foreign = || StoreError::NotAStore { path: path.to_owned() };
    let meta = match read.open_table(tables::META) {
        Ok(meta) => meta,
        Err(redb::TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Err(foreign()),
    };
    let row = meta.get(VERSION_KEY)?.ok_or_else(foreign)?;
    row.value().try_into().map(u32::from_be_bytes).map(Some).map_err(|_| foreign())
}

/// The store's key, if it was ever asked for.
pub(crate) fn store_key(read: &ReadTransaction) -> Result<Option<String>, StoreError> {
    let meta = read.open_table(tables::META)?;
    Ok(meta.get(STORE_KEY)?.map(|key| String::from_utf8_lossy(key.value()).into_owned()))
}

/// Makes all tables at once, so that readers never meet a missing one.
fn create_tables(db: &Database) -> Result<(), StoreError> {
    let write = db.begin_write()?;
    write.open_table(tables::META)?.insert(VERSION_KEY, SCHEMA_VERSION.to_be_bytes().as_slice())?;
    with_every_table!(table => write.open_table(table)?);
    Ok(write.commit()?)
}

pub(crate) fn open_error(path: &Path, error: redb::DatabaseError) -> StoreError {
    let path = path.to_owned();
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path },
        redb::DatabaseError::Storage(redb::StorageError::Io(error)) => match error.kind() {
            io::ErrorKind::InvalidData => StoreError::NotAStore { path },
            io::ErrorKind::StorageFull => redb::StorageError::Io(error).into(),
            _ => StoreError::Open { path, source: Box::new(error.into()) },
        },
        redb::DatabaseError::Storage(error) => error.into(),
        source => StoreError::Open { path, source: Box::new(source) },
    }
}
