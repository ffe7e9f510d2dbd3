//! The review queue by value: which review, looked at by a person, is expected to change most verdicts of a topic.

use quorum_core::{
    topic::Topic,
    trust::queue::{MOVEMENT_MIN, Queue, Unit, queue},
};
use quorum_store::Store;

use super::{
    certainty::{Likelihoods, weigh_topic},
    gold::GoldAnswers,
};
use crate::{
    Quorum,
    coverage::count,
    dto::{
        error::ApiError,
        trust::{TrustQuery, ValueEntry, ValueQueue},
    },
    judgments::Judgments,
    open_dataset::OpenDataset,
    results::{ks_of, topic_of},
    verdicts::last_ensemble,
};

/// Verdicts that may be wrong before another look is not worth it.
pub const WRONG_MAX: f64 = 0.5;

/// Orders the reviews within K; an entry's `review` is a position in the dataset. Reviews that cannot matter are not in it, and
/// it says when to stop.
pub fn queue_by_value(
    store: &Store,
    dataset: &OpenDataset,
    judgments: &Judgments,
    topic: &Topic,
    k: u32,
) -> Result<Queue, ApiError> {
    let gold = GoldAnswers::load(store, dataset, topic)?;
    let likelihoods = Likelihoods::new(judgments, topic, &gold);
    let weighed = weigh_topic(dataset, &likelihoods, topic, k, MOVEMENT_MIN);
    let units: Vec<Unit<'_>> = weighed
        .values()
        .flatten()
        .map(|one| Unit { certainty: &one.certainty, impacts: &one.impacts, reviews: &one.positions })
        .collect();
    Ok(queue(&units, WRONG_MAX))
}

impl Quorum {
    /// [`queue_by_value`] of a topic on a dataset, with names.
    pub fn value_queue(&self, query: &TrustQuery) -> Result<ValueQueue, ApiError> {
        let (store, realm, catalog) = (self.store(), self.realm()?, self.catalog());
        let topic = topic_of(&catalog, &query.topic)?;
        ks_of(query.k, None)?;
        let dataset = OpenDataset::open(store, realm, &query.dataset.as_str().into())?;
        let judgments = Judgments::load(store, &dataset, topic, &last_ensemble(store, realm, &topic.id)?)?;
        let queue = queue_by_value(store, &dataset, &judgments, topic, query.k)?;
        let ids = dataset.review_ids(store, queue.entries.iter().map(|entry| entry.review))?;
        let entries = queue.entries.iter().filter_map(|entry| {
            let business = dataset.business_of(entry.review);
            Some(ValueEntry {
                business: dataset.view.businesses[business].name.clone(),
                position: count(entry.review - dataset.first(business, 1).start + 1),
                review_id: ids.get(&entry.review)?.to_string(),
                expected_changes: entry.expected_changes,
            })
        });
        let entries = entries.collect();
        Ok(ValueQueue { entries, expected_wrong: queue.expected_wrong, stop: queue.stop.is_some(), words: queue.words })
    }
}
