//! A dataset opened for judging: its businesses with their reviews in flat arrays, and the corrections that hold.
//!
//! A review is known here by its *position*: 0 is the first review of the first business, and a business's reviews stand next
//! to each other, so that the first K of them are one slice. Not here: texts, and votes ([`crate::judgments`]).

use std::{collections::BTreeMap, ops::Range};

use quorum_core::{
    date::Date,
    ids::{BusinessId, DatasetName, ReviewId, TopicId},
    manifest::Realm,
    overrides::{CorrectionError, resolve},
    schema::Schema,
    tally::Correction,
    votes::ReviewNo,
};
use quorum_store::{DatasetView, OverrideEvent, OverrideKind, ReviewRow, Space, Store, StoreError};

use crate::dto::error::ApiError;

/// A dataset with everything that judging its topics needs, read once.
#[derive(Debug)]
pub struct OpenDataset {
    pub realm: Realm,
    pub view: DatasetView,
    /// Position of each business's first review; one more at the end.
    starts: Vec<usize>,
    numbers: Vec<ReviewNo>,
    dates: Vec<Option<Date>>,
    /// (review, position), sorted: votes come in the order of review numbers.
    by_number: Vec<(ReviewNo, usize)>,
    spaces: Vec<Space>,
    /// The corrections that hold, with the positions of their reviews; those of other datasets are left out.
    overrides: Vec<(usize, OverrideEvent)>,
}

/// A correction that no longer fits its topic's schema; it has no effect until the term has the value again.
#[derive(Debug, PartialEq, Eq)]
pub struct UnfitOverride {
    pub number: u32,
    pub topic: TopicId,
    pub review: ReviewId,
    pub problem: CorrectionError,
}

impl OpenDataset {
    pub fn open(store: &Store, realm: Realm, name: &DatasetName) -> Result<Self, StoreError> {
        let view = store.dataset(name)?;
        let reviews = view.businesses.iter().map(|business| business.reviews.len()).sum();
        let mut starts = Vec::with_capacity(view.businesses.len() + 1);
        let (mut numbers, mut dates) = (Vec::with_capacity(reviews), Vec::with_capacity(reviews));
        for business in &view.businesses {
            starts.push(numbers.len());
            numbers.extend(business.reviews.iter().map(|review| review.number));
            dates.extend(business.reviews.iter().map(|review| review.date));
        }
        starts.push(numbers.len());
        let mut by_number: Vec<_> = numbers.iter().enumerate().map(|(position, number)| (*number, position)).collect();
        by_number.sort_unstable();
        let mut open =
            Self { realm, view, starts, numbers, dates, by_number, spaces: store.spaces()?, overrides: Vec::new() };
        for event in store.overrides(realm)? {
            if let Some(position) = store.review_no(&event.review)?.and_then(|number| open.position(number)) {
                open.overrides.push((position, event));
            }
        }
        Ok(open)
    }

    pub fn businesses(&self) -> usize {
        self.view.businesses.len()
    }

    pub fn reviews(&self) -> usize {
        self.numbers.len()
    }

    /// The positions of a business's first K reviews, fewer if it has fewer.
    pub fn first(&self, business: usize, k: u32) -> Range<usize> {
        let (start, end) = (self.starts[business], self.starts[business + 1]);
        start..end.min(start.saturating_add(usize::try_from(k).unwrap_or(usize::MAX)))
    }

    /// The place of the business with this id.
    pub fn business(&self, id: &BusinessId) -> Result<usize, ApiError> {
        let found = self.view.businesses.iter().position(|business| business.id == *id);
        found.ok_or_else(|| ApiError::not_found(format!("The dataset {} has no business {id}.", self.view.info.name)))
    }

    /// The business that a position belongs to.
    pub fn business_of(&self, position: usize) -> usize {
        self.starts.partition_point(|start| *start <= position) - 1
    }

    pub fn number(&self, position: usize) -> ReviewNo {
        self.numbers[position]
    }

    pub fn date(&self, position: usize) -> Option<Date> {
        self.dates[position]
    }

    /// Where a review stands; `None`: not in this dataset.
    pub fn position(&self, number: ReviewNo) -> Option<usize> {
        let at = self.by_number.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(self.by_number[at].1)
    }

    /// Where a review of this dataset stands.
    pub fn position_of(&self, store: &Store, review: &str) -> Result<usize, ApiError> {
        let number = store.review_no(&ReviewId::from(review))?;
        number
            .and_then(|number| self.position(number))
            .ok_or_else(|| ApiError::not_found(format!("The dataset {} has no review {review}.", self.view.info.name)))
    }

    /// (review, position) in the order of review numbers, the order in which votes are stored.
    pub(crate) fn by_number(&self) -> &[(ReviewNo, usize)] {
        &self.by_number
    }

    /// The space with the votes on this topic's present schema, if there are any.
    pub fn space(&self, topic: &TopicId, schema: &Schema) -> Option<&Space> {
        let hash = schema.term_hash();
        self.spaces.iter().find(|space| space.realm == self.realm && space.topic == *topic && space.term_hash == hash)
    }

    /// Every space of the topic in this realm, older schemas included.
    pub fn spaces(&self, topic: &TopicId) -> impl Iterator<Item = &Space> {
        self.spaces.iter().filter(move |space| space.realm == self.realm && space.topic == *topic)
    }

    /// One correction per corrected position, later ones over earlier ones field by field, and those that do not fit.
    pub fn corrections(&self, topic: &TopicId, schema: &Schema) -> (BTreeMap<usize, Correction>, Vec<UnfitOverride>) {
        let (mut corrections, mut unfit) = (BTreeMap::<usize, Correction>::new(), Vec::new());
        for (position, event) in self.overrides.iter().filter(|(_, event)| event.topic == *topic) {
            let OverrideKind::Set { corrected, .. } = &event.kind else { continue };
            match resolve(schema, corrected.iter().map(|(field, value)| (field.as_str(), value))) {
                Ok(correction) => corrections.entry(*position).or_default().add(correction),
                Err(problem) => unfit.push(UnfitOverride {
                    number: event.number,
                    topic: topic.clone(),
                    review: event.review.clone(),
                    problem,
                }),
            }
        }
        (corrections, unfit)
    }

    /// The ids of these positions' reviews, read in one view of the store.
    pub fn review_ids(
        &self,
        store: &Store,
        positions: impl IntoIterator<Item = usize>,
    ) -> Result<BTreeMap<usize, ReviewId>, StoreError> {
        let mut ids = BTreeMap::new();
        self.each_review(store, positions, |position, row| {
            ids.insert(position, row.id);
        })?;
        Ok(ids)
    }

    /// Reads the reviews at these positions, text and all.
    pub fn each_review(
        &self,
        store: &Store,
        positions: impl IntoIterator<Item = usize>,
        mut each: impl FnMut(usize, ReviewRow),
    ) -> Result<(), StoreError> {
        let numbers = positions.into_iter().map(|position| self.numbers[position]);
        store.each_review::<StoreError>(numbers, |number, row| {
            if let Some(position) = self.position(number) {
                each(position, row);
            }
            Ok(())
        })
    }
}
