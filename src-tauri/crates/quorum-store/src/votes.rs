//! Votes: packed rows per (space, review). A stored vote is never replaced.

use quorum_core::votes::{Merged, ReviewNo, Vote, VoteRow, merge};
use redb::{ReadableDatabase, ReadableTable, Table, WriteTransaction};

use crate::{
    Store, StoreError,
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

/// Merges sorted votes into their rows.
pub(crate) fn insert(
    write: &WriteTransaction,
    space: u32,
    fields: usize,
    votes: &[NewVote],
) -> Result<Merged, StoreError> {
    let mut table = write.open_table(tables::VOTES)?;
    let mut total = Merged::default();
    let (mut row, mut new) = (Vec::new(), Vec::new());
    for group in votes.chunk_by(|one, next| one.review == next.review) {
        new.clear();
        new.extend(group.iter().map(|new| new.vote.clone()));
        let merged = insert_row(&mut table, pair(space, group[0].review.0), fields, &new, &mut row)?;
        total.added += merged.added;
        total.known += merged.known;
    }
    Ok(total)
}

fn insert_row(
    table: &mut Table<'_, u64, &'static [u8]>,
    key: u64,
    fields: usize,
    new: &[Vote],
    row: &mut Vec<u8>,
) -> Result<Merged, StoreError> {
    let merged = {
        let stored = table.get(key)?;
        let stored = match &stored {
            Some(bytes) => row_of(second(key), bytes.value())?,
            None => VoteRow::empty(),
        };
        merge(stored, new, fields, row)
    };
    if merged.added > 0 {
        table.insert(key, row.as_slice())?;
    }
    Ok(merged)
}
