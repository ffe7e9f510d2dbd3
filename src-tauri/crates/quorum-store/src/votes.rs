//! Votes: packed rows per (space, review). A stored vote is never replaced.

use std::ops::{Bound, RangeInclusive};

use quorum_core::votes::{Merged, PackedVotes, ReviewNo, Vote, VoteRow, merge_entries};
use redb::{ReadableTable, Table, WriteTransaction};

use crate::{
    Space, Store, StoreError,
    rows::{from_json, to_json},
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
    pub fn add_votes(&self, space: u32, fields: usize, votes: Vec<NewVote>) -> Result<Merged, StoreError> {
        self.write(|write| {
            check_width(write, space, votes.iter().map(|new| new.vote.codes.len()).chain([fields]))?;
            insert(write, space, &pack(&votes, fields))
        })
    }

    /// How many votes a space holds.
    pub fn votes_stored(&self, space: u32) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each_votes(space, |_, row| count += row.len() as u64)?;
        Ok(count)
    }
}

pub(crate) fn row_of(review: u32, bytes: &[u8]) -> Result<VoteRow<'_>, StoreError> {
    VoteRow::read(bytes).map_err(|source| StoreError::Votes { review, source })
}

/// Packs votes, in the order of the table and of a row's entries.
pub(crate) fn pack(votes: &[NewVote], fields: usize) -> PackedVotes {
    let mut packed = PackedVotes::with_capacity(fields, votes.len());
    for new in votes {
        let fits = packed.push(new.review, new.vote.borrow());
        debug_assert!(fits, "the widths were checked");
    }
    packed.sort();
    packed
}

/// Reviews that are merged at a time; bounds the memory that it takes.
const REVIEWS_AT_ONCE: usize = 4_096;

/// Up to this many stored rows a touched one, the whole stretch is written anew.
const REWRITE_ROWS_MAX: usize = 4;

/// Merges sorted votes into their rows.
pub(crate) fn insert(write: &WriteTransaction, space: u32, votes: &PackedVotes) -> Result<Merged, StoreError> {
    check_width(write, space, [votes.fields()])?;
    let mut table = write.open_table(tables::VOTES)?;
    let groups: Vec<Group<'_>> = votes.by_review().collect();
    let mut total = Merged::default();
    for groups in groups.chunks(REVIEWS_AT_ONCE) {
        let merged = insert_groups(&mut table, space, votes.fields(), groups)?;
        total.added += merged.added;
        total.known += merged.known;
    }
    if total.added > 0 {
        let mut spaces = write.open_table(tables::SPACES)?;
        let row = spaces.get(space)?.map(|row| row.value().to_vec()).ok_or(StoreError::NoSpace(space))?;
        let mut changed: Space = from_json("spaces_v1", space, &row)?;
        changed.changes = changed.changes.wrapping_add(1);
        spaces.insert(space, to_json(&changed).as_slice())?;
    }
    Ok(total)
}

/// A review and its packed new votes.
type Group<'a> = (ReviewNo, &'a [u8]);

/// Rows one after the other in one buffer, in the order of their keys.
#[derive(Default)]
struct Rows {
    bytes: Vec<u8>,
    /// Key, and where the row ends.
    ends: Vec<(u64, usize)>,
}

impl Rows {
    fn push(&mut self, key: u64, row: &[u8]) {
        self.bytes.extend_from_slice(row);
        self.ends.push((key, self.bytes.len()));
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        self.ends.iter().zip(starts).map(|((key, end), start)| (*key, &self.bytes[start..*end]))
    }
}

/// Merges the votes of some reviews, one group a review, in order.
///
/// Rows that grow in place leave half-empty pages behind: 35 bytes a vote, measured. Where most rows of a stretch grow
/// anyway, it is taken out and written back in one sweep, which packs the pages full: 17 bytes a vote.
fn insert_groups(
    table: &mut Table<'_, u64, &'static [u8]>,
    space: u32,
    fields: usize,
    groups: &[Group<'_>],
) -> Result<Merged, StoreError> {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return Ok(Merged::default()) };
    let stretch = pair(space, first.0.0)..=pair(space, last.0.0);
    let rows_max = groups.len() * REWRITE_ROWS_MAX;
    let mut stored = Rows::default();
    for row in table.range(stretch.clone())?.take(rows_max + 1) {
        let (key, value) = row?;
        stored.push(key.value(), value.value());
    }
    if stored.ends.len() <= rows_max {
        sweep(table, stretch, space, fields, &stored, groups)
    } else {
        drop(stored);
        grow(table, space, fields, groups)
    }
}

/// Merges groups into rows where they stand.
fn grow(
    table: &mut Table<'_, u64, &'static [u8]>,
    space: u32,
    fields: usize,
    groups: &[Group<'_>],
) -> Result<Merged, StoreError> {
    let (mut total, mut row) = (Merged::default(), Vec::new());
    for (review, new) in groups {
        let key = pair(space, review.0);
        let merged = {
            let stored = table.get(key)?;
            let stored = stored.as_ref().map_or(Ok(VoteRow::empty()), |row| row_of(review.0, row.value()))?;
            merge_entries(stored, new, fields, &mut row)
        };
        total.added += merged.added;
        total.known += merged.known;
        if merged.added > 0 {
            table.insert(key, row.as_slice())?;
        }
    }
    Ok(total)
}

/// Merges groups with all rows of their stretch, and replaces the stretch where that changed anything.
fn sweep(
    table: &mut Table<'_, u64, &'static [u8]>,
    stretch: RangeInclusive<u64>,
    space: u32,
    fields: usize,
    stored: &Rows,
    groups: &[Group<'_>],
) -> Result<Merged, StoreError> {
    let (mut total, mut row) = (Merged::default(), Vec::new());
    let mut merged = Rows { bytes: Vec::with_capacity(stored.bytes.len() * 2), ends: Vec::new() };
    let mut old = stored.iter().peekable();
    for (review, new) in groups {
        let key = pair(space, review.0);
        while let Some((key, row)) = old.next_if(|(stored, _)| *stored < key) {
            merged.push(key, row);
        }
        let stored = old.next_if(|(stored, _)| *stored == key);
        let stored = stored.map_or(Ok(VoteRow::empty()), |(_, row)| row_of(review.0, row))?;
        let counts = merge_entries(stored, new, fields, &mut row);
        total.added += counts.added;
        total.known += counts.known;
        merged.push(key, &row);
    }
    debug_assert!(old.next().is_none(), "a stretch ends with its last group");
    if total.added > 0 {
        if !stored.ends.is_empty() {
            table.retain_in(stretch.clone(), |_, _| false)?;
        }
        let mut cursor = table.lower_bound_mut(Bound::Included(*stretch.start()))?;
        for (key, row) in merged.iter() {
            cursor.insert_before(key, row)?;
        }
        cursor.close()?;
    }
    Ok(total)
}

/// A row of another width could not be read any more.
fn check_width(
    write: &WriteTransaction,
    space: u32,
    widths: impl IntoIterator<Item = usize>,
) -> Result<(), StoreError> {
    let spaces = write.open_table(tables::SPACES)?;
    let row = spaces.get(space)?.ok_or(StoreError::NoSpace(space))?;
    let known: Space = from_json("spaces_v1", space, row.value())?;
    match widths.into_iter().find(|width| *width != known.fields.len()) {
        Some(given) => Err(StoreError::FieldCount { space, fields: known.fields.len(), given }),
        None => Ok(()),
    }
}
