//! What brings an older file to the present version, step by step. A file is migrated as a whole or not at all.

use redb::WriteTransaction;

use crate::{StoreError, tables};

/// Number n, from 1, brings a file from version n to n + 1. A migration that was released never changes.
pub(crate) const MIGRATIONS: &[Migration] = &[make_gold];

type Migration = fn(&WriteTransaction) -> Result<(), StoreError>;

/// 1 → 2: the trail of gold labels.
fn make_gold(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(tables::GOLD)?;
    Ok(())
}
