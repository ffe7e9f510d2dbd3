//! Votes: packed rows per (space, review). A stored vote is never replaced.

use std::{
    collections::BTreeMap,
    ops::{Bound, RangeInclusive},
};

use quorum_core::votes::{Merged, ReviewNo, Vote, VoteRow, merge};
use redb::{ReadableTable, Table, WriteTransaction};

use crate::{
    Space, Store, StoreError,
    rows::from_json,
    tables::{self, pair, range_of, second},
};

/// A vote on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVote {
    pub review: ReviewNo,
    pub vote: Vote,
}

impl Store {
    /// The votes of one review.
    pub fn votes_of<T>(
        &self,
        space: u32,
        review: ReviewNo,
        read: impl FnOnce(VoteRow<'_>) -> T,
    ) -> Result<T, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::VOTES)?;
        match table.get(pair(space, review.0))? {
            Some(row) => Ok(read(row_of(review.0, row.value())?)),
            None => Ok(read(VoteRow::empty())),
        }
    }

    /// All votes of a space in the order of review numbers, in one range scan.
    pub fn each_votes(&self, space: u32, mut each: impl FnMut(ReviewNo, VoteRow<'_>)) -> Result<(), StoreError> {
        let table = self.db.begin_read()?.open_table(tables::VOTES)?;
        for row in table.range(range_of(space))? {
            let (key, value) = row?;
            let review = second(key.value());
            each(ReviewNo(review), row_of(review, value.value())?);
        }
        Ok(())
    }

    /// Stores votes of one space in one transaction. Sorts them, so that the tree is written in one pass.
    pub fn add_votes(&self, space: u32, fields: usize, mut votes: Vec<NewVote>) -> Result<Merged, StoreError> {
        sort(&mut votes);
        self.write(|write| insert(write, space, fields, &votes))
    }

    /// How many votes a space holds.
    pub fn votes_stored(&self, space: u32) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each_votes(space, |_, row| count += row.len() as u64)?;
        Ok(count)
    }
}

fn row_of(review: u32, bytes: &[u8]) -> Result<VoteRow<'_>, StoreError> {
    VoteRow::read(bytes).map_err(|source| StoreError::Votes { review, source })
}

/// Into the order of the table and of a row's entries.
pub(crate) fn sort(votes: &mut [NewVote]) {
    votes.sort_by_key(|new| (new.review, new.vote.model, new.vote.run));
}

/// Reviews that are merged at a time; bounds the memory that it takes.
const REVIEWS_AT_ONCE: usize = 4_096;

/// Up to this many stored rows a touched one, the whole stretch is written anew.
const REWRITE_ROWS_MAX: usize = 4;

/// Merges sorted votes into their rows.
pub(crate) fn insert(
    write: &WriteTransaction,
    space: u32,
    fields: usize,
    votes: &[NewVote],
) -> Result<Merged, StoreError> {
    check_width(write, space, fields, votes)?;
    let mut table = write.open_table(tables::VOTES)?;
    let groups: Vec<&[NewVote]> = votes.chunk_by(|one, next| one.review == next.review).collect();
    let mut total = Merged::default();
    for groups in groups.chunks(REVIEWS_AT_ONCE) {
        let merged = insert_groups(&mut table, space, fields, groups)?;
        total.added += merged.added;
        total.known += merged.known;
    }
    Ok(total)
}

/// Merges the votes of some reviews, one group a review, in order.
///
/// Rows that grow in place leave half-empty pages behind: 35 bytes a vote, measured. Where most rows of a stretch grow
/// anyway, it is taken out and written back in one sweep, which packs the pages full: 17 bytes a vote.
fn insert_groups(
    table: &mut Table<'_, u64, &'static [u8]>,
    space: u32,
    fields: usize,
    groups: &[&[NewVote]],
) -> Result<Merged, StoreError> {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return Ok(Merged::default()) };
    let stretch = pair(space, first[0].review.0)..=pair(space, last[0].review.0);
    let rows_max = groups.len() * REWRITE_ROWS_MAX;
    let mut rows = BTreeMap::new();
    for row in table.range(stretch.clone())?.take(rows_max + 1) {
        let (key, value) = row?;
        rows.insert(key.value(), value.value().to_vec());
    }
    let is_sweep = rows.len() <= rows_max;
    let (mut total, mut new) = (Merged::default(), Vec::new());
    for group in groups {
        let key = pair(space, group[0].review.0);
        new.clear();
        new.extend(group.iter().map(|new| new.vote.clone()));
        let mut row = Vec::new();
        let merged = if is_sweep {
            let stored = rows.get(&key).map_or(Ok(VoteRow::empty()), |row| row_of(second(key), row))?;
            merge(stored, &new, fields, &mut row)
        } else {
            let stored = table.get(key)?;
            let stored = stored.as_ref().map_or(Ok(VoteRow::empty()), |row| row_of(second(key), row.value()))?;
            merge(stored, &new, fields, &mut row)
        };
        total.added += merged.added;
        total.known += merged.known;
        if merged.added == 0 {
            continue;
        }
        if is_sweep {
            rows.insert(key, row);
        } else {
            table.insert(key, row.as_slice())?;
        }
    }
    if is_sweep && total.added > 0 {
        sweep(table, stretch, &rows)?;
    }
    Ok(total)
}

/// Replaces all rows of a stretch.
fn sweep(
    table: &mut Table<'_, u64, &'static [u8]>,
    stretch: RangeInclusive<u64>,
    rows: &BTreeMap<u64, Vec<u8>>,
) -> Result<(), StoreError> {
    table.retain_in(stretch.clone(), |_, _| false)?;
    let mut cursor = table.lower_bound_mut(Bound::Included(*stretch.start()))?;
    for (key, row) in rows {
        cursor.insert_before(*key, row.as_slice())?;
    }
    Ok(cursor.close()?)
}

/// A row of another width could not be read any more.
fn check_width(write: &WriteTransaction, space: u32, fields: usize, votes: &[NewVote]) -> Result<(), StoreError> {
    let spaces = write.open_table(tables::SPACES)?;
    let row = spaces.get(space)?.ok_or(StoreError::NoSpace(space))?;
    let known: Space = from_json("spaces_v1", space, row.value())?;
    let mut widths = votes.iter().map(|new| new.vote.codes.len()).chain([fields]);
    match widths.find(|width| *width != known.fields.len()) {
        Some(given) => Err(StoreError::FieldCount { space, fields: known.fields.len(), given }),
        None => Ok(()),
    }
}
