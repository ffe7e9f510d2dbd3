//! Datasets out of sight: removed or replaced, and kept for a while so that they can be put back.
//!
//! Removing only marks the dataset's row, so it costs the same at any size and so does putting back. Reviews and votes are no
//! part of it: they hang on review numbers and outlive every dataset.
//!
//! Deliberately not here: how long "a while" is (callers say before when a removal counts as final).

use quorum_core::{ids::DatasetName, manifest::Manifest};
use redb::{ReadableTable, WriteTransaction};

use crate::{
    DatasetInfo, Store, StoreError,
    rows::{all_json, from_json, to_json},
    tables::{self, range_of},
};

const TABLE: &str = "datasets_v1";

impl Store {
    /// Datasets that can be put back, the latest removal first.
    pub fn removed_datasets(&self) -> Result<Vec<DatasetInfo>, StoreError> {
        let mut removed = self.datasets_and_removed()?;
        removed.retain(|info| info.removed_at.is_some());
        removed.sort_by_key(|info| std::cmp::Reverse((info.removed_at, info.number)));
        Ok(removed)
    }

    /// Puts a dataset out of sight; its reviews and their votes stay. Refused while a run asks about it.
    pub fn remove_dataset(&self, name: &DatasetName, at: u32) -> Result<DatasetInfo, StoreError> {
        self.write(|write| {
            refuse_when_used(write, name)?;
            set_aside(write, name, at)?.ok_or_else(|| StoreError::NoDataset(name.clone()))
        })
    }

    /// Puts a removed dataset back, unless a run asks about the one that has its name by now. One that has its name by now goes out of sight in turn, so that nothing is lost either way.
    pub fn restore_dataset(&self, number: u32, at: u32) -> Result<DatasetInfo, StoreError> {
        self.write(|write| {
            let found = {
                let datasets = write.open_table(tables::DATASETS)?;
                let row = datasets.get(number)?;
                row.map(|row| from_json::<DatasetInfo>(TABLE, number, row.value())).transpose()?
            };
            let Some(mut info) = found.filter(|info| info.removed_at.is_some()) else {
                return Err(StoreError::NotRemoved(number));
            };
            refuse_when_used(write, &info.name)?;
            mark(write, &info.name, at)?;
            info.removed_at = None;
            write.open_table(tables::DATASETS)?.insert(number, to_json(&info).as_slice())?;
            Ok(info)
        })
    }

    /// Forgets datasets that were removed before a time. Writes nothing when there is none.
    pub fn purge_datasets(&self, before: u32) -> Result<usize, StoreError> {
        let mut gone = self.removed_datasets()?;
        gone.retain(|info| info.removed_at.is_some_and(|at| at < before));
        if gone.is_empty() {
            return Ok(0);
        }
        self.write(|write| {
            let mut datasets = write.open_table(tables::DATASETS)?;
            let mut businesses = write.open_table(tables::BUSINESSES)?;
            for info in &gone {
                datasets.remove(info.number)?;
                businesses.retain_in(range_of(info.number), |_, _| false)?;
            }
            Ok(gone.len())
        })
    }
}

/// Whether a run that is not finished asks about the dataset of this name: as of the transaction, so that none can begin between
/// the question and what hangs on it.
pub fn is_asked_about(write: &WriteTransaction, name: &DatasetName) -> Result<bool, StoreError> {
    let runs: Vec<Manifest> = all_json("manifests_v1", &write.open_table(tables::MANIFESTS)?)?;
    Ok(runs.iter().any(|run| run.dataset == *name && run.finished_at.is_none()))
}

fn refuse_when_used(write: &WriteTransaction, name: &DatasetName) -> Result<(), StoreError> {
    if is_asked_about(write, name)? { Err(StoreError::DatasetInUse(name.clone())) } else { Ok(()) }
}

/// Puts the dataset of this name out of sight; `None` when there is none. Only the last one of a name is kept, so that importing
/// a file again and again does not pile up its former readings.
pub fn set_aside(write: &WriteTransaction, name: &DatasetName, at: u32) -> Result<Option<DatasetInfo>, StoreError> {
    let marked = mark(write, name, at)?;
    if let Some(marked) = &marked {
        let mut datasets = write.open_table(tables::DATASETS)?;
        let mut businesses = write.open_table(tables::BUSINESSES)?;
        for earlier in all_json::<_, DatasetInfo>(TABLE, &datasets)? {
            if earlier.name == *name && earlier.number != marked.number {
                datasets.remove(earlier.number)?;
                businesses.retain_in(range_of(earlier.number), |_, _| false)?;
            }
        }
    }
    Ok(marked)
}

fn mark(write: &WriteTransaction, name: &DatasetName, at: u32) -> Result<Option<DatasetInfo>, StoreError> {
    let mut datasets = write.open_table(tables::DATASETS)?;
    let all: Vec<DatasetInfo> = all_json(TABLE, &datasets)?;
    let Some(mut info) = all.into_iter().find(|info| info.removed_at.is_none() && info.name == *name) else {
        return Ok(None);
    };
    info.removed_at = Some(at);
    datasets.insert(info.number, to_json(&info).as_slice())?;
    Ok(Some(info))
}
