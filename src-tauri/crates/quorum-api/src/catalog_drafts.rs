//! What a person has typed into files of the catalog and not saved yet: kept across quitting, in force nowhere.

use crate::{
    Quorum,
    dto::{catalog::CatalogChange, error::ApiError},
};

const SETTING: &str = "catalog_drafts";

impl Quorum {
    pub fn catalog_drafts(&self) -> Result<Vec<CatalogChange>, ApiError> {
        Ok(self.store().setting(SETTING)?.unwrap_or_default())
    }

    /// Keeps these in place of those before.
    pub fn catalog_drafts_keep(&self, drafts: &[CatalogChange]) -> Result<(), ApiError> {
        self.store().set_setting(SETTING, &drafts)?;
        Ok(())
    }
}
