//! Votes of a space that was made from a file, when nobody knew the terms behind its hash, under the terms once they are known.
//!
//! Such a space has the fields and values that the file used. New answers may hold others, and would lose them.

use std::ops::Bound;

use quorum_core::{recoding::Recoding, schema::Schema};
use redb::{ReadableTable, WriteTransaction};

use crate::{
    Space, StoreError,
    tables::{self, pair, second},
    votes::row_of,
};

/// Rows rewritten at a time; bounds the memory that it takes.
const ROWS_AT_ONCE: usize = 4_096;

/// Writes every vote of `space` anew, under `schema`.
pub(crate) fn recode(write: &WriteTransaction, space: &Space, schema: &Schema) -> Result<(), StoreError> {
    let recoding = Recoding::new(&space.schema(), schema);
    let mut table = write.open_table(tables::VOTES)?;
    let last = Bound::Included(pair(space.number, u32::MAX));
    let mut from = Bound::Included(pair(space.number, 0));
    loop {
        let mut rows = Vec::new();
        for row in table.range((from, last))?.take(ROWS_AT_ONCE) {
            let (key, value) = row?;
            let mut anew = Vec::new();
            recoding.row(row_of(second(key.value()), value.value())?, &mut anew);
            rows.push((key.value(), anew));
        }
        let Some((reached, _)) = rows.last() else { return Ok(()) };
        from = Bound::Excluded(*reached);
        for (key, row) in rows {
            table.insert(key, row.as_slice())?;
        }
    }
}
