//! Datasets that were removed or replaced: kept out of sight for a while, and put back on request.
//!
//! Votes are no part of it. They are paid for and hang on reviews, so no removal touches them.

use quorum_core::ids::DatasetName;
use quorum_store::DatasetInfo;

use crate::{
    Quorum,
    dto::{
        dataset::{DatasetSummary, RemovedDataset},
        error::{ApiError, ErrorCode},
    },
};

/// A removal is final after so long: 30 days, as long as people expect of a waste basket.
const KEPT_SECONDS: u32 = 30 * 24 * 60 * 60;

pub(crate) fn removed(info: &DatasetInfo) -> RemovedDataset {
    let removed_at = info.removed_at.unwrap_or(info.imported_at);
    RemovedDataset {
        number: info.number,
        name: info.name.to_string(),
        businesses: info.businesses,
        reviews: info.reviews,
        removed_at,
        kept_until_at: removed_at.saturating_add(KEPT_SECONDS),
    }
}

impl Quorum {
    /// Puts a dataset out of sight.
    pub fn dataset_remove(&self, dataset: &str) -> Result<RemovedDataset, ApiError> {
        let name = DatasetName::from(dataset);
        self.refuse_when_used(&name, "Nothing was removed.")?;
        let info = self.store().remove_dataset(&name, self.now())?;
        self.tell_datasets()?;
        Ok(removed(&info))
    }

    /// Datasets that can be put back, the latest removal first.
    pub fn dataset_removed(&self) -> Result<Vec<RemovedDataset>, ApiError> {
        Ok(self.store().removed_datasets()?.iter().map(removed).collect())
    }

    /// Puts a removed dataset back; one that has its name by now goes out of sight in turn.
    pub fn dataset_restore(&self, number: u32) -> Result<DatasetSummary, ApiError> {
        if let Some(wanted) = self.store().removed_datasets()?.into_iter().find(|info| info.number == number) {
            self.refuse_when_used(&wanted.name, "Nothing was changed.")?;
        }
        let info = self.store().restore_dataset(number, self.now())?;
        self.tell_datasets()?;
        self.dataset_summary(&info)
    }

    /// Forgets what was removed long ago.
    pub(crate) fn purge_removed(&self) -> Result<(), ApiError> {
        self.store().purge_datasets(self.now().saturating_sub(KEPT_SECONDS))?;
        Ok(())
    }

    /// A live run sends texts of the dataset of this name.
    fn refuse_when_used(&self, name: &DatasetName, safe: &str) -> Result<(), ApiError> {
        if !self.is_in_use(name)? {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::DatasetInUse, format!("A live run needs the dataset \"{name}\"."))
            .safe(safe)
            .action("Wait for the run, or cancel it."))
    }
}
