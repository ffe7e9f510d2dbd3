//! Datasets: businesses in order, each with its reviews in order.
//!
//! A business row carries, beside the names, what planning and verdicts need of every review (its number, date, tokens and
//! bytes), so that neither ever reads a text.

use std::collections::BTreeSet;

use quorum_core::{
    dataset::LineProblem,
    date::Date,
    ids::{BusinessId, DatasetName, ReviewId},
    prompt::sent_bytes,
    tokens,
    votes::ReviewNo,
};
use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::{
    ReviewRow, Store, StoreError,
    open::abort,
    removed::{is_asked_about, set_aside},
    reviews::{next_review_no, set_next_review_no, text_of},
    rows::{Unpack, all_json, next_number, pack_text, to_json},
    tables::{self, pair, range_of},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetInfo {
    pub number: u32,
    pub name: DatasetName,
    pub businesses: u32,
    pub reviews: u32,
    /// Unix seconds.
    pub imported_at: u32,
    /// Where it came from, for people.
    pub source: String,
    /// When it was put out of sight; `None`: it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<u32>,
}

/// What planning and verdicts need of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewFact {
    pub number: ReviewNo,
    pub date: Option<Date>,
    /// Tokens of the text as it is sent.
    pub tokens: u32,
    /// Bytes of the text as it stands in a request, escaped and with the cut mark.
    pub bytes: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessRow {
    pub id: BusinessId,
    pub name: String,
    pub categories: String,
    pub reviews: Vec<ReviewFact>,
}

/// A dataset without its texts.
#[derive(Clone, Debug)]
pub struct DatasetView {
    pub info: DatasetInfo,
    pub businesses: Vec<BusinessRow>,
}

/// A business ready for storing: counted, with its line in the source file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreparedBusiness {
    pub line: u64,
    pub id: BusinessId,
    pub name: String,
    pub categories: String,
    pub reviews: Vec<PreparedReview>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreparedReview {
    pub row: ReviewRow,
    pub tokens: u32,
    pub bytes: u32,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub businesses: u32,
    pub reviews: u32,
    /// Reviews left out because their id stood in the file before.
    pub duplicates: u32,
    /// The dataset that had this name before: out of sight, to be put back by its number. Its votes stay, they belong to
    /// the reviews.
    pub replaced: Option<DatasetInfo>,
    pub problems: Vec<LineProblem>,
}

const VERSION: u8 = 1;
const NO_DATE: i32 = i32::MIN;

impl BusinessRow {
    fn pack(&self) -> Result<Vec<u8>, StoreError> {
        let mut out = vec![VERSION];
        pack_text(&mut out, self.id.as_str())?;
        pack_text(&mut out, &self.name)?;
        pack_text(&mut out, &self.categories)?;
        for review in &self.reviews {
            out.extend_from_slice(&review.number.0.to_be_bytes());
            out.extend_from_slice(&review.date.map_or(NO_DATE, Date::epoch_days).to_be_bytes());
            out.extend_from_slice(&review.tokens.to_be_bytes());
            out.extend_from_slice(&review.bytes.to_be_bytes());
        }
        Ok(out)
    }

    fn unpack(key: u64, bytes: &[u8]) -> Result<Self, StoreError> {
        let mut row = Unpack::new("businesses_v1", key, bytes, VERSION)?;
        let mut business = Self {
            id: BusinessId::new(row.text()?),
            name: row.text()?.to_owned(),
            categories: row.text()?.to_owned(),
            reviews: Vec::new(),
        };
        while !row.is_empty() {
            let number = ReviewNo(row.u32()?);
            let date = row.i32()?;
            let date = (date != NO_DATE).then(|| Date::from_epoch_days(date));
            business.reviews.push(ReviewFact { number, date, tokens: row.u32()?, bytes: row.u32()? });
        }
        Ok(business)
    }
}

/// Problems that are kept word for word; the counts go on beyond.
const PROBLEMS_KEPT_MAX: usize = 1_000;

impl Store {
    /// Those that were not removed.
    pub fn datasets(&self) -> Result<Vec<DatasetInfo>, StoreError> {
        let mut all = self.datasets_and_removed()?;
        all.retain(|info| info.removed_at.is_none());
        Ok(all)
    }

    pub(crate) fn datasets_and_removed(&self) -> Result<Vec<DatasetInfo>, StoreError> {
        all_json("datasets_v1", &self.db.begin_read()?.open_table(tables::DATASETS)?)
    }

    pub fn dataset_info(&self, name: &DatasetName) -> Result<DatasetInfo, StoreError> {
        let found = self.datasets()?.into_iter().find(|info| info.name == *name);
        found.ok_or_else(|| StoreError::NoDataset(name.clone()))
    }

    /// The dataset without its texts.
    pub fn dataset(&self, name: &DatasetName) -> Result<DatasetView, StoreError> {
        let info = self.dataset_info(name)?;
        let table = self.db.begin_read()?.open_table(tables::BUSINESSES)?;
        let businesses = table
            .range(range_of(info.number))?
            .map(|row| {
                let (key, value) = row?;
                BusinessRow::unpack(key.value(), value.value())
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(DatasetView { info, businesses })
    }

    /// Stores a dataset as a whole: when `businesses` ends with an error, nothing of it is kept.
    ///
    /// A review id that stands twice counts once. A review that is known already keeps its text, because its votes
    /// belong to that text; a different one is reported. While a run asks about the dataset that has the name now, one that lacks
    /// any of its reviews is refused as a whole.
    ///
    /// Nobody else can write until `businesses` has ended: what takes its time is to be done before.
    pub fn import_dataset<E: From<StoreError>>(
        &self,
        name: &DatasetName,
        source: &str,
        imported_at: u32,
        businesses: impl IntoIterator<Item = Result<PreparedBusiness, E>>,
    ) -> Result<ImportReport, E> {
        let write = self.db.begin_write()?;
        // Nobody else writes now, so what is read is what the transaction began with.
        let needed = if is_asked_about(&write, name)? { self.review_numbers(name)? } else { BTreeSet::new() };
        let mut import = Import { report: ImportReport::default(), number: 0, source, needed };
        let done = import.run(&write, name, imported_at, businesses);
        match done {
            Ok(()) => write.commit().map_err(StoreError::from)?,
            Err(error) => {
                abort(write);
                return Err(error);
            }
        }
        Ok(import.report)
    }

    /// The reviews of a dataset; none where there is no such dataset.
    fn review_numbers(&self, name: &DatasetName) -> Result<BTreeSet<u32>, StoreError> {
        match self.dataset(name) {
            Ok(view) => Ok(view.businesses.iter().flat_map(|it| &it.reviews).map(|review| review.number.0).collect()),
            Err(StoreError::NoDataset(_)) => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }
}

struct Import<'a> {
    report: ImportReport,
    number: u32,
    source: &'a str,
    /// Reviews that must be in the new dataset and were not met yet.
    needed: BTreeSet<u32>,
}

impl Import<'_> {
    fn run<E: From<StoreError>>(
        &mut self,
        write: &redb::WriteTransaction,
        name: &DatasetName,
        imported_at: u32,
        businesses: impl IntoIterator<Item = Result<PreparedBusiness, E>>,
    ) -> Result<(), E> {
        let open = |error: redb::TableError| E::from(StoreError::from(error));
        self.report.replaced = set_aside(write, name, imported_at)?;
        let (mut next, first_new) = {
            let meta = write.open_table(tables::META).map_err(open)?;
            let next = next_review_no(&meta)?;
            (next, next)
        };
        {
            let datasets = write.open_table(tables::DATASETS).map_err(open)?;
            self.number = next_number(&datasets, "datasets")?;
        }
        // Which review numbers stood in this file already.
        let mut seen = Bits::default();
        let mut table = write.open_table(tables::BUSINESSES).map_err(open)?;
        let mut reviews = write.open_table(tables::REVIEWS).map_err(open)?;
        let mut numbers = write.open_table(tables::REVIEW_NOS).map_err(open)?;
        for (position, business) in (0_u32..).zip(businesses) {
            let business = business?;
            let mut row = BusinessRow {
                id: business.id,
                name: business.name,
                categories: business.categories,
                reviews: Vec::with_capacity(business.reviews.len()),
            };
            for review in business.reviews {
                let number = Self::number(&mut numbers, &review.row.id, &mut next).map_err(|error| E::from(error))?;
                if seen.set(number) {
                    self.report.duplicates += 1;
                    self.problem(business.line, &review.row.id, "stands twice in the file; its first place counts");
                    continue;
                }
                let fresh = number >= first_new || reviews.get(number).map_err(StoreError::from)?.is_none();
                let (mut tokens, mut bytes) = (review.tokens, review.bytes);
                if fresh {
                    reviews.insert(number, review.row.pack()?.as_slice()).map_err(StoreError::from)?;
                } else if let Some(text) = Self::other_text(&reviews, number, &review.row)? {
                    let words = "was imported before with another text; the earlier text stays, its votes belong to it";
                    self.problem(business.line, &review.row.id, words);
                    // The earlier text is what is sent, so its size is what counts.
                    (tokens, bytes) = (tokens::review(&text), sent_bytes(&text));
                }
                self.needed.remove(&number);
                row.reviews.push(ReviewFact { number: ReviewNo(number), date: review.row.date, tokens, bytes });
                self.report.reviews += 1;
            }
            table.insert(pair(self.number, position), row.pack()?.as_slice()).map_err(StoreError::from)?;
            self.report.businesses += 1;
        }
        if !self.needed.is_empty() {
            return Err(E::from(StoreError::ReviewsNeeded { dataset: name.clone(), lacking: self.needed.len() }));
        }
        let info = DatasetInfo {
            number: self.number,
            name: name.clone(),
            businesses: self.report.businesses,
            reviews: self.report.reviews,
            imported_at,
            source: self.source.to_owned(),
            removed_at: None,
        };
        let mut datasets = write.open_table(tables::DATASETS).map_err(open)?;
        datasets.insert(self.number, to_json(&info).as_slice()).map_err(StoreError::from)?;
        set_next_review_no(&mut write.open_table(tables::META).map_err(open)?, next)?;
        Ok(())
    }

    fn number(
        numbers: &mut redb::Table<'_, &'static str, u32>,
        id: &ReviewId,
        next: &mut u32,
    ) -> Result<u32, StoreError> {
        if let Some(known) = numbers.get(id.as_str())?.map(|number| number.value()) {
            return Ok(known);
        }
        let number = *next;
        *next = number.checked_add(1).ok_or(StoreError::TooMany("reviews"))?;
        numbers.insert(id.as_str(), number)?;
        Ok(number)
    }

    /// The text that is stored, where it is another than the row's.
    fn other_text(
        reviews: &impl ReadableTable<u32, &'static [u8]>,
        number: u32,
        row: &ReviewRow,
    ) -> Result<Option<String>, StoreError> {
        let packed = row.pack()?;
        let Some(stored) = reviews.get(number)? else { return Ok(None) };
        // The text is the row's end; everything before it may change freely.
        let is_same = stored.value() == packed.as_slice()
            || (stored.value().ends_with(row.text.as_bytes()) && stored.value().len() == packed.len());
        Ok(if is_same { None } else { Some(text_of(number, stored.value())?.to_owned()) })
    }

    fn problem(&mut self, line: u64, review: &ReviewId, words: &str) {
        if self.report.problems.len() < PROBLEMS_KEPT_MAX {
            let message = format!("review {review} {words}");
            self.report.problems.push(LineProblem { line, field: Some("review_id".to_owned()), message });
        }
    }
}

/// A growing set of small numbers: one bit each.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    /// Puts a number in; true when it was there.
    fn set(&mut self, number: u32) -> bool {
        let (word, bit) = (number as usize / 64, number % 64);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let was = self.0[word] >> bit & 1 == 1;
        self.0[word] |= 1 << bit;
        was
    }
}
