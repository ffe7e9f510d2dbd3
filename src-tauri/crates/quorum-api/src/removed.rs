//! Datasets that were removed or replaced: kept out of sight for a while, and put back on request.
//!
//! Votes are no part of it. They are paid for and hang on reviews, so no removal touches them.

use quorum_core::ids::DatasetName;
use quorum_store::{DatasetInfo, Store, StoreError};

use crate::{
    Quorum,
    dto::{
        dataset::{DatasetSummary, RemovedDataset},
        error::ApiError,
    },
};

/// A removal is final after so long: 30 days, as long as people expect of a waste basket.
const KEPT_SECONDS: u32 = 30 * 24 * 60 * 60;

/// Only what two starts found overdue, at least so far apart, is forgotten: to one whose clock runs ahead everything is overdue.
const FOUND_AGAIN_SECONDS: u32 = 24 * 60 * 60;

/// When a start first found a removal overdue.
const OVERDUE: &str = "removals_overdue_since";

pub(crate) fn removed(info: &DatasetInfo) -> RemovedDataset {
    let removed_at = info.removed_at.unwrap_or(info.imported_at);
    RemovedDataset {
        number: info.number,
        name: info.name.to_string(),
        businesses: info.businesses,
        reviews: info.reviews,
        kept_until_at: removed_at.saturating_add(KEPT_SECONDS),
    }
}

impl Quorum {
    /// Puts a dataset out of sight.
    pub fn dataset_remove(&self, dataset: &str) -> Result<RemovedDataset, ApiError> {
        let name = DatasetName::from(dataset);
        let info =
            self.store().remove_dataset(&name, self.now()).map_err(|error| used(error, "Nothing was removed."))?;
        self.tell_datasets()?;
        Ok(removed(&info))
    }

    /// Datasets that can be put back, the latest removal first.
    pub fn dataset_removed(&self) -> Result<Vec<RemovedDataset>, ApiError> {
        Ok(self.store().removed_datasets()?.iter().map(removed).collect())
    }

    /// Puts a removed dataset back; one that has its name by now goes out of sight in turn.
    pub fn dataset_restore(&self, number: u32) -> Result<DatasetSummary, ApiError> {
        let restored = self.store().restore_dataset(number, self.now());
        let info = restored.map_err(|error| used(error, "Nothing was changed."))?;
        self.tell_datasets()?;
        self.dataset_summary(&info)
    }

    /// Forgets what was removed long ago.
    pub(crate) fn purge_removed(&self) -> Result<(), ApiError> {
        Ok(purge(self.store(), self.now())?)
    }
}

fn purge(store: &Store, now: u32) -> Result<(), StoreError> {
    let found: Option<u32> = store.setting(OVERDUE)?.flatten();
    let is_overdue = |info: &DatasetInfo| info.removed_at.is_some_and(|at| at < now.saturating_sub(KEPT_SECONDS));
    let next = match found.filter(|found| *found <= now) {
        _ if !store.removed_datasets()?.iter().any(is_overdue) => None,
        Some(found) if now - found >= FOUND_AGAIN_SECONDS => {
            store.purge_datasets(found.saturating_sub(KEPT_SECONDS))?;
            None
        }
        Some(found) => Some(found),
        None => Some(now),
    };
    if next != found { store.set_setting(OVERDUE, &next) } else { Ok(()) }
}

/// A live run sends texts of the dataset of this name.
fn used(error: StoreError, safe: &str) -> ApiError {
    let is_used = matches!(error, StoreError::DatasetInUse(_));
    let error = ApiError::from(error);
    if is_used { error.safe(safe) } else { error }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const DAY: u32 = 24 * 60 * 60;

    /// A store that had one dataset until day 100.
    fn store() -> (TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("quorum.redb")).expect("a store");
        let name = DatasetName::from("town");
        store.import_dataset::<StoreError>(&name, "test", DAY, []).expect("imported");
        store.remove_dataset(&name, 100 * DAY).expect("removed");
        (folder, store)
    }

    fn is_kept_after(starts: &[u32]) -> bool {
        let (_folder, store) = store();
        for day in starts {
            purge(&store, day * DAY).expect("the store");
        }
        !store.removed_datasets().expect("the store").is_empty()
    }

    #[test]
    fn one_start_with_a_clock_that_runs_ahead_forgets_nothing() {
        assert!(is_kept_after(&[101]));
        assert!(is_kept_after(&[400]));
        assert!(is_kept_after(&[400, 400, 101, 102]), "and is forgotten itself once the clock is right");
        assert!(is_kept_after(&[400, 101, 400]));
        assert!(is_kept_after(&[131]));
        assert!(!is_kept_after(&[131, 132]));
        assert!(!is_kept_after(&[400, 900]));
    }

    #[test]
    fn only_what_was_overdue_both_times_goes() {
        let (_folder, store) = store();
        purge(&store, 131 * DAY).expect("the store");
        let name = DatasetName::from("late");
        store.import_dataset::<StoreError>(&name, "test", DAY, []).expect("imported");
        store.remove_dataset(&name, 131 * DAY).expect("removed");
        purge(&store, 200 * DAY).expect("the store");
        let left = store.removed_datasets().expect("the store");
        assert_eq!(left.iter().map(|info| info.name.as_str()).collect::<Vec<_>>(), ["late"]);
    }
}
