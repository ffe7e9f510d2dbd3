//! Opening the file: one process at a time, older files migrated, newer ones refused and left as they are.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::RwLock,
};

use quorum_core::{ids::ModelId, votes::ModelNo};
use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend, WriteTransaction};

use crate::{StoreError, tables};

/// Version of the whole file. Migration number n brings a file from n to n + 1.
const SCHEMA_VERSION: u32 = 1;

const VERSION_KEY: &str = "schema_version";
const STORE_KEY: &str = "store_key";

/// Pages kept in memory; bounds the store's share of the process.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The store. Cheap to share behind an `Arc`; readers never wait for the writer.
pub struct Store {
    pub(crate) db: Database,
    path: PathBuf,
    /// Model names by number and back; a handful, read at open.
    models: RwLock<BTreeMap<ModelId, ModelNo>>,
}

/// What a whole check of the file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    Sound,
    /// Damage was found and repaired from the last commit.
    Repaired,
}

impl Store {
    /// Opens or makes the store at this path; makes missing folders.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        }
        let opened = Database::builder().set_cache_size(CACHE_BYTES).create(path);
        Self::prepare(path, opened)
    }

    /// Opens a store on a backend of the caller's, for tests that stop the disk at will.
    pub fn open_with_backend(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let opened = Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(backend);
        Self::prepare(Path::new("<backend>"), opened)
    }

    fn prepare(path: &Path, opened: Result<Database, redb::DatabaseError>) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let db = opened.map_err(|source| match source {
            redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: path.clone() },
            redb::DatabaseError::Storage(redb::StorageError::Io(io))
                if io.kind() == std::io::ErrorKind::InvalidData =>
            {
                StoreError::NotAStore { path: path.clone() }
            }
            redb::DatabaseError::Storage(storage) => storage.into(),
            source => StoreError::Open { path: path.clone(), source: Box::new(source) },
        })?;
        let mut store = Self { db, path, models: RwLock::default() };
        store.migrate()?;
        store.models = RwLock::new(store.read_models()?);
        Ok(store)
    }

    fn migrate(&self) -> Result<(), StoreError> {
        match self.meta(VERSION_KEY)? {
            None => self.create_tables(),
            Some(bytes) => {
                let found = bytes.try_into().map(u32::from_be_bytes).map_err(|_| StoreError::Damaged {
                    table: "meta",
                    key: VERSION_KEY.to_owned(),
                    reason: "it is not a number",
                })?;
                if found > SCHEMA_VERSION {
                    return Err(StoreError::Newer { path: self.path.clone(), found, known: SCHEMA_VERSION });
                }
                Ok(())
            }
        }
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.db.begin_read()?;
        match read.open_table(tables::META) {
            Ok(table) => Ok(table.get(key)?.map(|value| value.value().to_owned())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes all tables at once, so that readers never meet a missing one.
    fn create_tables(&self) -> Result<(), StoreError> {
        self.write(|write| {
            write.open_table(tables::META)?.insert(VERSION_KEY, SCHEMA_VERSION.to_be_bytes().as_slice())?;
            write.open_table(tables::DATASETS)?;
            write.open_table(tables::BUSINESSES)?;
            write.open_table(tables::REVIEWS)?;
            write.open_table(tables::REVIEW_NOS)?;
            write.open_table(tables::MODELS)?;
            write.open_table(tables::SPACES)?;
            write.open_table(tables::VOTES)?;
            write.open_table(tables::MANIFESTS)?;
            write.open_table(tables::BATCHES)?;
            write.open_table(tables::REQUESTS)?;
            write.open_table(tables::FAILURES)?;
            write.open_table(tables::OVERRIDES)?;
            write.open_table(tables::USAGE)?;
            write.open_table(tables::ACTIVITY)?;
            write.open_table(tables::SETTINGS)?;
            write.open_table(tables::CATALOG)?;
            Ok(())
        })
    }

    /// One action, one transaction: committed when `act` succeeds, without a trace when it does not.
    pub(crate) fn write<T>(
        &self,
        act: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let write = self.db.begin_write()?;
        match act(&write) {
            Ok(done) => {
                write.commit()?;
                Ok(done)
            }
            Err(error) => {
                write.abort()?;
                Err(error)
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A key that tells this store from every other, made by the caller (who may use randomness) the first time.
    pub fn key(&self, make: impl FnOnce() -> String) -> Result<String, StoreError> {
        if let Some(key) = self.meta(STORE_KEY)? {
            return Ok(String::from_utf8_lossy(&key).into_owned());
        }
        let key = make();
        self.write(|write| {
            write.open_table(tables::META)?.insert(STORE_KEY, key.as_bytes())?;
            Ok(())
        })?;
        Ok(key)
    }

    fn read_models(&self) -> Result<BTreeMap<ModelId, ModelNo>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::MODELS)?;
        table
            .iter()?
            .map(|row| {
                let (number, name) = row?;
                Ok((ModelId::from(name.value()), ModelNo(number.value())))
            })
            .collect()
    }

    /// The number of a model that has one.
    pub fn model_no(&self, model: &ModelId) -> Option<ModelNo> {
        self.models.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(model).copied()
    }

    /// All models that were ever asked or imported, by number.
    pub fn models(&self) -> BTreeMap<ModelNo, ModelId> {
        let models = self.models.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        models.iter().map(|(model, number)| (*number, model.clone())).collect()
    }

    /// The number of a model, given now if it has none.
    pub fn intern_model(&self, model: &ModelId) -> Result<ModelNo, StoreError> {
        if let Some(known) = self.model_no(model) {
            return Ok(known);
        }
        let number = self.write(|write| {
            let mut table = write.open_table(tables::MODELS)?;
            // Another thread may have been first.
            for row in table.iter()? {
                let (number, name) = row?;
                if name.value() == model.as_str() {
                    return Ok(number.value());
                }
            }
            let next = match table.last()? {
                Some((last, _)) => last.value().checked_add(1).ok_or(StoreError::TooMany("models"))?,
                None => 1,
            };
            table.insert(next, model.as_str())?;
            Ok(next)
        })?;
        let number = ModelNo(number);
        self.models.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(model.clone(), number);
        Ok(number)
    }

    /// Reads every page and checks its sum; needs the store for itself.
    pub fn check(&mut self) -> Result<Integrity, StoreError> {
        match self.db.check_integrity() {
            Ok(true) => Ok(Integrity::Sound),
            Ok(false) => Ok(Integrity::Repaired),
            Err(redb::DatabaseError::Storage(storage)) => Err(storage.into()),
            Err(source) => Err(StoreError::Open { path: self.path.clone(), source: Box::new(source) }),
        }
    }

    /// Gives unused pages back to the file system; needs the store for itself.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        while self.db.compact()? {}
        Ok(())
    }
}
