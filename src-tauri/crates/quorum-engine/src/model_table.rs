//! The model table of a store: the shipped values, over them what the provider announces, over that the user's edits.

use std::collections::BTreeMap;

use quorum_core::models::{ModelTable, announced::Announced, edits::ModelEdits};
use quorum_store::{Store, StoreError};

const EDITS: &str = "model_edits";
const ANNOUNCED: &str = "announced_models";

/// The table as everything uses it that has to do with a provider: estimates, refusals, warnings.
pub fn model_table(store: &Store, provider: &str) -> Result<ModelTable, StoreError> {
    Ok(model_edits(store)?.over(&table_without_edits(store, provider)?))
}

/// The table that a reset brings back.
pub fn table_without_edits(store: &Store, provider: &str) -> Result<ModelTable, StoreError> {
    let shipped = ModelTable::default();
    Ok(announced(store, provider)?.map_or(shipped.clone(), |announced| announced.over(&shipped)))
}

pub fn model_edits(store: &Store) -> Result<ModelEdits, StoreError> {
    Ok(store.setting(EDITS)?.unwrap_or_default())
}

/// Changes the user's edits. Nobody else's change comes between.
pub fn change_model_edits<R>(store: &Store, change: impl FnOnce(&mut ModelEdits) -> R) -> Result<R, StoreError> {
    store.change_setting(EDITS, change)
}

/// What a provider said of its models when it was last asked.
pub fn announced(store: &Store, provider: &str) -> Result<Option<Announced>, StoreError> {
    Ok(all_announced(store)?.remove(provider))
}

pub fn save_announced(store: &Store, provider: &str, announced: Announced) -> Result<(), StoreError> {
    store.change_setting(ANNOUNCED, |all: &mut BTreeMap<String, Announced>| {
        all.insert(provider.to_owned(), announced);
    })
}

fn all_announced(store: &Store) -> Result<BTreeMap<String, Announced>, StoreError> {
    Ok(store.setting(ANNOUNCED)?.unwrap_or_default())
}
