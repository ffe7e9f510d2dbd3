//! The review queue: the labels that need a person, most at stake first.
//!
//! A label needs a person when its votes tie, when too many gave no valid value, or when too little speaks for its value, and no
//! person has spoken yet. What speaks for a value is what the topic's aggregator says: the weight of the votes by weighted
//! majority, a chance by the others. What hangs on it is found by judging its business again with every other value that some vote gave; where the
//! votes gave no answer, with every value there is. The order by value is [`crate::trust::queue_by_value`]'s.

use std::collections::{BTreeMap, BTreeSet};

use quorum_catalog::Catalog;
use quorum_core::{
    ids::{DatasetName, ReviewId},
    manifest::Realm,
    topic::Topic,
    trust::queue::QueueEntry,
};
use quorum_store::Store;
use rayon::prelude::*;

use crate::{
    Quorum,
    agreement::whole,
    coverage::count,
    dto::{
        business::ReviewQuery,
        error::ApiError,
        queue::{
            Doubt, LabelDetail, LabelOutcome, LabelQuery, QueueLabel, QueueOrder, QueueOutlook, QueueQuery, ReviewQueue,
        },
    },
    judgments::Judgments,
    labels::About,
    open_dataset::OpenDataset,
    results::{ks_of, topic_of},
    review::detail_of,
    stakes::Stakes,
    topics::policy_summary,
    trust::{queue_by_value, shown},
    verdicts::last_ensemble,
};

/// A label below this share of the weight needs a person. The results mark the same ones.
pub const UNSURE_BELOW: f64 = 0.67;

/// Two chances closer than this, of the whole, are a tie.
const TIE: f64 = 1e-9;

/// A label that needs a person, before ids are looked up.
struct Found {
    position: usize,
    about: About,
    value: Option<u8>,
    rival: Option<u8>,
    doubt: Doubt,
    confidence: Option<f64>,
    verdicts: u32,
    expected_changes: Option<f64>,
}

pub fn queue_list(store: &Store, catalog: &Catalog, realm: Realm, query: &QueueQuery) -> Result<ReviewQueue, ApiError> {
    let topic = topic_of(catalog, &query.topic)?;
    ks_of(query.k, None)?;
    let dataset = OpenDataset::open(store, realm, &DatasetName::from(query.dataset.as_str()))?;
    let judgments = Judgments::load(store, &dataset, topic, &last_ensemble(store, realm, &topic.id)?)?;
    let k = [query.k];
    let stakes = Stakes::new(&dataset, &judgments, topic, &k);
    let mut found: Vec<Found> = (0..dataset.businesses())
        .into_par_iter()
        .flat_map_iter(|business| labels_of(&dataset, &judgments, &stakes, business, query.k))
        .collect();
    let outlook = match query.order {
        QueueOrder::Verdicts => {
            found.sort_by(by_verdicts);
            None
        }
        QueueOrder::Value => {
            let queue = queue_by_value(store, &dataset, &judgments, topic, query.k)?;
            order_by_value(&mut found, &queue.entries, &judgments, &stakes, &dataset);
            Some(QueueOutlook { expected_wrong: queue.expected_wrong, stop: queue.stop.is_some(), words: queue.words })
        }
    };
    let ids = dataset.review_ids(store, found.iter().map(|label| label.position))?;
    let labels = found.iter().map(|label| {
        let facts = &dataset.view.businesses[dataset.business_of(label.position)];
        let id_of = |value: u8| label.about.value_id(&judgments, value).to_owned();
        QueueLabel {
            review_id: ids.get(&label.position).map_or_else(String::new, ReviewId::to_string),
            business: facts.id.to_string(),
            business_name: facts.name.clone(),
            field: label.about.name(&judgments).to_owned(),
            value: label.value.map(id_of),
            rival: label.rival.map(id_of),
            doubt: label.doubt,
            confidence: label.confidence,
            verdicts: label.verdicts,
            expected_changes: label.expected_changes,
        }
    });
    Ok(ReviewQueue {
        query: query.clone(),
        labels: labels.collect(),
        deciding: count(found.iter().filter(|label| label.verdicts > 0).count()),
        unsure_below: UNSURE_BELOW,
        applied: shown(&judgments.applied()),
        outlook,
    })
}

/// Reviews in the order of their worth, with what of them is in doubt, or else their least sure label; behind them, in their
/// order, the labels in doubt whose review is not expected to change any verdict.
fn order_by_value(
    found: &mut Vec<Found>,
    entries: &[QueueEntry],
    judgments: &Judgments,
    stakes: &Stakes<'_>,
    dataset: &OpenDataset,
) {
    let places: BTreeMap<usize, usize> =
        entries.iter().enumerate().map(|(place, entry)| (entry.review, place)).collect();
    let listed: BTreeSet<usize> = found.iter().map(|label| label.position).collect();
    for entry in entries.iter().filter(|entry| !listed.contains(&entry.review)) {
        let Some(mut label) = least_sure(judgments, entry.review) else { continue };
        label.weigh(judgments, stakes, &stakes.now(dataset.business_of(entry.review)));
        found.push(label);
    }
    for label in found.iter_mut() {
        label.expected_changes =
            Some(places.get(&label.position).map_or(0.0, |place| entries[*place].expected_changes));
    }
    let place = |label: &Found| places.get(&label.position).copied().unwrap_or(usize::MAX);
    found.sort_by(|one, other| place(one).cmp(&place(other)).then(by_verdicts(one, other)));
}

/// More verdicts first, then the less sure; the rest in dataset order, which the sort keeps.
fn by_verdicts(one: &Found, other: &Found) -> std::cmp::Ordering {
    let sure = |label: &Found| label.confidence.unwrap_or(0.0);
    other.verdicts.cmp(&one.verdicts).then(sure(one).total_cmp(&sure(other)))
}

fn labels_of(dataset: &OpenDataset, judgments: &Judgments, stakes: &Stakes<'_>, business: usize, k: u32) -> Vec<Found> {
    let mut found = Vec::new();
    for position in dataset.first(business, k).filter(|position| judgments.is_used(*position, false)) {
        found.extend(open_labels(judgments, position).filter(|label| label.doubt != Doubt::Settled));
    }
    if found.is_empty() {
        return found;
    }
    let now = stakes.now(business);
    found.iter_mut().for_each(|label| label.weigh(judgments, stakes, &now));
    found
}

/// The labels of a review that no person has settled.
fn open_labels(judgments: &Judgments, position: usize) -> impl Iterator<Item = Found> + '_ {
    let consensus = judgments.consensus(position);
    // Only a relevant review has fields to look at.
    let fields = if consensus.relevant { judgments.schema().fields().len() } else { 0 };
    let relevance = (!judgments.is_relevance_settled(position)).then_some(About::Relevance);
    let all = relevance.into_iter().chain((0..fields).map(About::Field));
    all.filter_map(move |about| {
        let is_settled = matches!(about, About::Field(at) if consensus.fields[at].overridden);
        (!is_settled).then(|| label_of(judgments, position, about, about.settled(&consensus)))
    })
}

fn least_sure(judgments: &Judgments, position: usize) -> Option<Found> {
    let sure = |label: &Found| label.confidence.unwrap_or(0.0);
    open_labels(judgments, position).min_by(|one, other| sure(one).total_cmp(&sure(other)))
}

/// A label, and whether it needs a person.
fn label_of(judgments: &Judgments, position: usize, about: About, value: Option<u8>) -> Found {
    let weights = about.weights(judgments, position);
    let answered: f64 = weights.of.iter().sum();
    let support = about.support(judgments, position, &weights);
    let won = value.map_or(0.0, |value| support[usize::from(value)]);
    let others = (0..).zip(&support).filter(|(other, weight)| Some(*other) != value && **weight > 0.0);
    let rival = others.fold(None, |best: Option<(u8, f64)>, (other, weight)| match best {
        Some((_, most)) if most >= *weight => best,
        _ => Some((other, *weight)),
    });
    let is_tied = rival.is_some_and(|(_, weight)| weight >= won - TIE * answered);
    let doubt = if value.is_none() {
        Doubt::NoAnswer
    } else if is_tied {
        Doubt::Tie
    } else if won < UNSURE_BELOW * answered {
        Doubt::Unsure
    } else if won < UNSURE_BELOW * weights.asked {
        Doubt::NoAnswer
    } else {
        Doubt::Settled
    };
    let confidence = value.filter(|_| answered > 0.0).map(|_| won / answered);
    let rival = rival.map(|(value, _)| value);
    Found { position, about, value, rival, doubt, confidence, verdicts: 0, expected_changes: None }
}

impl Found {
    /// Counts the verdicts that another plausible value flips; `now` are those of its business as it is.
    fn weigh(&mut self, judgments: &Judgments, stakes: &Stakes<'_>, now: &[Option<u32>]) {
        let weights = self.about.weights(judgments, self.position);
        let others = (0..self.about.values(judgments)).filter(|value| {
            let is_plausible = self.doubt == Doubt::NoAnswer || weights.of[usize::from(*value)] > 0.0;
            is_plausible && Some(*value) != self.value
        });
        let mut flips = vec![false; now.len()];
        for value in others {
            let settled = judgments.consensus_with(self.position, self.about.correction(value));
            let then = stakes.with(self.position, &settled);
            flips.iter_mut().zip(then.iter().zip(now)).for_each(|(flips, (then, now))| *flips |= then != now);
        }
        self.verdicts = count(flips.iter().filter(|flips| **flips).count());
    }
}

/// One label with its review, and what each value would make of the verdicts.
pub fn queue_label(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    query: &LabelQuery,
) -> Result<LabelDetail, ApiError> {
    let topic = topic_of(catalog, &query.topic)?;
    ks_of(query.k, None)?;
    let dataset = OpenDataset::open(store, realm, &DatasetName::from(query.dataset.as_str()))?;
    let judgments = Judgments::load(store, &dataset, topic, &last_ensemble(store, realm, &topic.id)?)?;
    label_detail(store, topic, &dataset, &judgments, query)
}

fn label_detail(
    store: &Store,
    topic: &Topic,
    dataset: &OpenDataset,
    judgments: &Judgments,
    query: &LabelQuery,
) -> Result<LabelDetail, ApiError> {
    let about = About::named(judgments, &query.field)?;
    let position = dataset.position_of(store, &query.review_id)?;
    let missing = || ApiError::not_found(format!("There is no review {}.", query.review_id));
    let row = store.review(dataset.number(position))?.ok_or_else(missing)?;
    let review =
        ReviewQuery { dataset: query.dataset.clone(), topic: query.topic.clone(), review_id: query.review_id.clone() };
    let business = dataset.business_of(position);
    let k = [query.k];
    let stakes = Stakes::new(dataset, judgments, topic, &k);
    let weights = about.weights(judgments, position);
    let outcomes = (0..about.values(judgments)).map(|value| LabelOutcome {
        description: about.description(judgments, value).to_owned(),
        weight: whole(weights.of[usize::from(value)]),
        verdicts: stakes.with(position, &judgments.consensus_with(position, about.correction(value))),
    });
    let value = about.settled(&judgments.consensus(position));
    Ok(LabelDetail {
        query: query.clone(),
        outcomes: outcomes.collect(),
        review: detail_of(dataset, judgments, position, row, &review),
        business_name: dataset.view.businesses[business].name.clone(),
        reviews: count(dataset.first(business, query.k).len()),
        field: about.summary(judgments),
        value: value.map(|value| about.value_id(judgments, value).to_owned()),
        verdicts: stakes.now(business),
        policies: topic.policies.iter().map(policy_summary).collect(),
    })
}

impl Quorum {
    pub fn queue_list(&self, query: &QueueQuery) -> Result<ReviewQueue, ApiError> {
        queue_list(self.store(), &self.catalog(), self.realm()?, query)
    }

    pub fn queue_label(&self, query: &LabelQuery) -> Result<LabelDetail, ApiError> {
        queue_label(self.store(), &self.catalog(), self.realm()?, query)
    }
}
