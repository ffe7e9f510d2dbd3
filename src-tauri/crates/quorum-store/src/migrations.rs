//! What brings an older file to the present version, step by step. A file is migrated as a whole or not at all.

use redb::WriteTransaction;

use crate::{StoreError, tables};

/// Number n, from 1, brings a file from version n to n + 1. A migration that was released never changes.
pub(crate) const MIGRATIONS: &[Migration] = &[make_gold, count_changes];

type Migration = fn(&WriteTransaction) -> Result<(), StoreError>;

/// 1 → 2: the trail of gold labels.
fn make_gold(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(tables::GOLD)?;
    Ok(())
}

/// 2 → 3: every space counts how often its votes changed. None has so far; what matters is that no Quorum that does not count
/// may change them from here on.
fn count_changes(_: &WriteTransaction) -> Result<(), StoreError> {
    Ok(())
}
