//! What can go wrong with the store, one variant per kind of cause.

use std::path::PathBuf;

use quorum_core::{ids::DatasetName, manifest::BatchId, manifest::ManifestId, votes::RowError};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path} is open in another Quorum; close that one, or use its window")]
    InUse { path: PathBuf },
    #[error(
        "{path} was written by a newer Quorum (store {found}, this one reads {known}); nothing was changed, install a newer version"
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("{path} is not a Quorum store; nothing was changed")]
    NotAStore { path: PathBuf },
    #[error("the folder {path} cannot be made")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("opening {path} failed")]
    Open { path: PathBuf, source: Box<redb::DatabaseError> },
    #[error("no space is left on the disk; everything before this step is safe")]
    DiskFull { source: Box<redb::Error> },
    #[error("the store could not be read or written; everything committed before is safe")]
    Storage { source: Box<redb::Error> },
    #[error("the store file is damaged and cannot be repaired; a backup has what it had then")]
    Corrupt { source: Box<redb::Error> },
    #[error("the row {table}/{key} is damaged")]
    Row { table: &'static str, key: String, source: serde_json::Error },
    #[error("the row {table}/{key} is damaged: {reason}")]
    Damaged { table: &'static str, key: String, reason: &'static str },
    #[error("a row of {table} is of a newer version ({version})")]
    RowVersion { table: &'static str, version: u8 },
    #[error("votes of review number {review} cannot be read")]
    Votes { review: u32, source: RowError },
    #[error("votes with {given} fields do not fit vote space {space}, whose schema has {fields}")]
    FieldCount { space: u32, fields: usize, given: usize },
    #[error("there is no vote space {0}")]
    NoSpace(u32),
    #[error("there is no dataset `{0}`")]
    NoDataset(DatasetName),
    #[error("{lacking} reviews of the dataset `{dataset}` that are needed are not in the new one; nothing was changed")]
    ReviewsNeeded { dataset: DatasetName, lacking: usize },
    #[error("a run that is not finished asks about the dataset `{0}`; nothing was changed")]
    DatasetInUse(DatasetName),
    #[error("no removed dataset has the number {0}")]
    NotRemoved(u32),
    #[error("{requests} of these requests are answered or on their way by now; nothing was changed")]
    Taken { requests: usize },
    #[error("there is no run {0}")]
    NoManifest(ManifestId),
    #[error("there is no batch {0}")]
    NoBatch(BatchId),
    #[error("there is no correction {0}")]
    NoOverride(u32),
    #[error("the store cannot count higher than it has: {0}")]
    TooMany(&'static str),
    #[error("copying the store to {path} failed")]
    Copy { path: PathBuf, source: std::io::Error },
    #[error("{path} is the store itself; a backup needs a file of its own")]
    BackupOntoItself { path: PathBuf },
}

impl StoreError {
    fn storage(source: redb::Error) -> Self {
        match &source {
            redb::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => {
                Self::DiskFull { source: Box::new(source) }
            }
            redb::Error::Corrupted(_) => Self::Corrupt { source: Box::new(source) },
            _ => Self::Storage { source: Box::new(source) },
        }
    }
}

macro_rules! from_redb {
    ($($error:ty),+) => {$(
        impl From<$error> for StoreError {
            fn from(source: $error) -> Self {
                Self::storage(source.into())
            }
        }
    )+};
}

from_redb!(
    redb::CursorError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::CompactionError
);
