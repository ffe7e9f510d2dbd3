//! Reviews and their numbers. A review id has one number for good; votes hang on the number.

use std::collections::BTreeMap;

use quorum_core::{date::Date, ids::ReviewId, votes::ReviewNo};
use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError,
    open::Done,
    rows::{Unpack, pack_text, read_counter, write_counter},
    tables,
};

/// A review as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewRow {
    pub id: ReviewId,
    pub text: String,
    pub stars: Option<f32>,
    pub date: Option<Date>,
    pub useful: Option<u32>,
}

const VERSION: u8 = 1;
const NO_DATE: i32 = i32::MIN;
const NO_COUNT: u32 = u32::MAX;

impl ReviewRow {
    pub(crate) fn pack(&self) -> Result<Vec<u8>, StoreError> {
        let mut out = Vec::with_capacity(self.text.len() + self.id.as_str().len() + 24);
        out.push(VERSION);
        out.extend_from_slice(&self.stars.unwrap_or(f32::NAN).to_bits().to_be_bytes());
        out.extend_from_slice(&self.date.map_or(NO_DATE, Date::epoch_days).to_be_bytes());
        out.extend_from_slice(&self.useful.unwrap_or(NO_COUNT).to_be_bytes());
        pack_text(&mut out, self.id.as_str())?;
        pack_text(&mut out, &self.text)?;
        Ok(out)
    }

    fn unpack(number: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        let mut row = Unpack::new("reviews_v1", u64::from(number), bytes, VERSION)?;
        let stars = f32::from_bits(row.u32()?);
        let (date, useful) = (row.i32()?, row.u32()?);
        Ok(Self {
            id: ReviewId::new(row.text()?),
            text: row.text()?.to_owned(),
            stars: (!stars.is_nan()).then_some(stars),
            date: (date != NO_DATE).then(|| Date::from_epoch_days(date)),
            useful: (useful != NO_COUNT).then_some(useful),
        })
    }
}

/// The text of a packed row, which stands behind the numbers and the id.
pub(crate) fn text_of(number: u32, bytes: &[u8]) -> Result<&str, StoreError> {
    let mut row = Unpack::new("reviews_v1", u64::from(number), bytes, VERSION)?;
    row.bytes(12)?;
    row.text()?;
    row.text()
}

impl Store {
    pub fn review(&self, number: ReviewNo) -> Result<Option<ReviewRow>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::REVIEWS)?;
        table.get(number.0)?.map(|row| ReviewRow::unpack(number.0, row.value())).transpose()
    }

    /// Reads these reviews in the given order from one view of the store; `each` may stop with an error of its own.
    ///
    /// Numbers without a review (votes imported for texts that were never imported) are left out.
    pub fn each_review<E: From<StoreError>>(
        &self,
        numbers: impl IntoIterator<Item = ReviewNo>,
        mut each: impl FnMut(ReviewNo, ReviewRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let read = self.db.begin_read()?;
        let table = read.open_table(tables::REVIEWS).map_err(StoreError::from)?;
        for number in numbers {
            if let Some(row) = table.get(number.0).map_err(StoreError::from)? {
                each(number, ReviewRow::unpack(number.0, row.value())?)?;
            }
        }
        Ok(())
    }

    /// As [`Store::each_review`], with nothing but the texts, read where they lie.
    pub fn each_text<E: From<StoreError>>(
        &self,
        numbers: impl IntoIterator<Item = ReviewNo>,
        mut each: impl FnMut(ReviewNo, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let read = self.db.begin_read()?;
        let table = read.open_table(tables::REVIEWS).map_err(StoreError::from)?;
        for number in numbers {
            if let Some(row) = table.get(number.0).map_err(StoreError::from)? {
                each(number, text_of(number.0, row.value())?)?;
            }
        }
        Ok(())
    }

    pub fn review_no(&self, id: &ReviewId) -> Result<Option<ReviewNo>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::REVIEW_NOS)?;
        Ok(table.get(id.as_str())?.map(|number| ReviewNo(number.value())))
    }

    /// Every review id by number. For exports; large.
    pub fn review_ids(&self) -> Result<BTreeMap<ReviewNo, ReviewId>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::REVIEW_NOS)?;
        table
            .iter()?
            .map(|row| {
                let (id, number) = row?;
                Ok((ReviewNo(number.value()), ReviewId::from(id.value())))
            })
            .collect()
    }

    /// The numbers of these review ids, given now to those that have none.
    pub fn intern_reviews(&self, ids: &[ReviewId]) -> Result<Vec<ReviewNo>, StoreError> {
        self.write_if_changed(|write| {
            let mut table = write.open_table(tables::REVIEW_NOS)?;
            let first = next_review_no(&write.open_table(tables::META)?)?;
            let mut next = first;
            let mut numbers = Vec::with_capacity(ids.len());
            for id in ids {
                let known = table.get(id.as_str())?.map(|number| number.value());
                let number = match known {
                    Some(number) => number,
                    None => {
                        let number = next;
                        next = number.checked_add(1).ok_or(StoreError::TooMany("reviews"))?;
                        table.insert(id.as_str(), number)?;
                        number
                    }
                };
                numbers.push(ReviewNo(number));
            }
            if next == first {
                return Ok(Done::Unchanged(numbers));
            }
            set_next_review_no(&mut write.open_table(tables::META)?, next)?;
            Ok(Done::Changed(numbers))
        })
    }
}

const NEXT_REVIEW: &str = "next_review";

/// The number that the next new review gets.
pub(crate) fn next_review_no(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<u32, StoreError> {
    read_counter(meta, NEXT_REVIEW)
}

pub(crate) fn set_next_review_no(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    next: u32,
) -> Result<(), StoreError> {
    write_counter(meta, NEXT_REVIEW, next)
}
