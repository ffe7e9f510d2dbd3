//! The review queue: the labels that need a person, most at stake first.
//!
//! A label needs a person when its votes tie, when too many gave no valid value, or when too little weight agrees, and no person
//! has spoken yet. What hangs on it is found by judging its business again with every other value that some vote gave; where the
//! votes gave no answer, with every value there is.

use quorum_catalog::Catalog;
use quorum_core::{
    ids::{DatasetName, ReviewId},
    manifest::Realm,
    topic::Topic,
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
        queue::{Doubt, LabelDetail, LabelOutcome, LabelQuery, QueueLabel, QueueOrder, QueueQuery, ReviewQueue},
    },
    judgments::Judgments,
    labels::Asked,
    open_dataset::OpenDataset,
    results::{ks_of, topic_of},
    review::detail_of,
    stakes::Stakes,
    topics::policy_summary,
    verdicts::last_ensemble,
};

/// A label below this share of the weight needs a person. The results mark the same ones.
pub const UNSURE_BELOW: f64 = 0.67;

/// A label that needs a person, before ids are looked up.
struct Found {
    position: usize,
    asked: Asked,
    value: Option<u8>,
    rival: Option<u8>,
    doubt: Doubt,
    confidence: Option<f64>,
    verdicts: u32,
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
    match query.order {
        QueueOrder::Verdicts => found.sort_by(by_verdicts),
    }
    let ids = dataset.review_ids(store, found.iter().map(|label| label.position))?;
    let labels = found.iter().map(|label| {
        let facts = &dataset.view.businesses[dataset.business_of(label.position)];
        let id_of = |value: u8| label.asked.value_id(&judgments, value).to_owned();
        QueueLabel {
            review_id: ids.get(&label.position).map_or_else(String::new, ReviewId::to_string),
            business: facts.id.to_string(),
            business_name: facts.name.clone(),
            field: label.asked.name(&judgments).to_owned(),
            value: label.value.map(id_of),
            rival: label.rival.map(id_of),
            doubt: label.doubt,
            confidence: label.confidence,
            verdicts: label.verdicts,
        }
    });
    Ok(ReviewQueue {
        query: query.clone(),
        labels: labels.collect(),
        deciding: count(found.iter().filter(|label| label.verdicts > 0).count()),
        unsure_below: UNSURE_BELOW,
    })
}

/// More verdicts first, then the less sure; the rest in dataset order, which the sort keeps.
fn by_verdicts(one: &Found, other: &Found) -> std::cmp::Ordering {
    let sure = |label: &Found| label.confidence.unwrap_or(0.0);
    other.verdicts.cmp(&one.verdicts).then(sure(one).total_cmp(&sure(other)))
}

fn labels_of(dataset: &OpenDataset, judgments: &Judgments, stakes: &Stakes<'_>, business: usize, k: u32) -> Vec<Found> {
    let mut found = Vec::new();
    for position in dataset.first(business, k).filter(|position| judgments.is_used(*position, false)) {
        let consensus = judgments.consensus(position);
        let fields = judgments.schema().fields().len();
        // Only a relevant review has fields to look at.
        let fields = (0..if consensus.relevant { fields } else { 0 }).filter(|at| !consensus.fields[*at].overridden);
        let relevance = (!judgments.is_relevance_settled(position)).then_some(Asked::Relevance);
        found.extend(relevance.into_iter().chain(fields.map(Asked::Field)).filter_map(|asked| {
            let value = asked.settled(&consensus);
            doubtful(judgments, position, asked, value)
        }));
    }
    if found.is_empty() {
        return found;
    }
    let now = stakes.now(business);
    for label in &mut found {
        let weights = label.asked.weights(judgments, label.position);
        let others = (0..label.asked.values(judgments)).filter(|value| {
            let is_plausible = label.doubt == Doubt::NoAnswer || weights.of[usize::from(*value)] > 0.0;
            is_plausible && Some(*value) != label.value
        });
        let mut flips = vec![false; now.len()];
        for value in others {
            let settled = judgments.consensus_with(label.position, label.asked.correction(value));
            let then = stakes.with(label.position, &settled);
            flips.iter_mut().zip(then.iter().zip(&now)).for_each(|(flips, (then, now))| *flips |= then != now);
        }
        label.verdicts = count(flips.iter().filter(|flips| **flips).count());
    }
    found
}

/// The label, if it needs a person.
fn doubtful(judgments: &Judgments, position: usize, asked: Asked, value: Option<u8>) -> Option<Found> {
    let weights = asked.weights(judgments, position);
    let answered: f64 = weights.of.iter().sum();
    let won = value.map_or(0.0, |value| weights.of[usize::from(value)]);
    let others = (0..).zip(&weights.of).filter(|(other, weight)| Some(*other) != value && **weight > 0.0);
    let rival = others.fold(None, |best: Option<(u8, f64)>, (other, weight)| match best {
        Some((_, most)) if most >= *weight => best,
        _ => Some((other, *weight)),
    });
    let is_tied = rival.is_some_and(|(_, weight)| weight >= won);
    let doubt = if value.is_none() {
        Doubt::NoAnswer
    } else if is_tied {
        Doubt::Tie
    } else if won < UNSURE_BELOW * answered {
        Doubt::Unsure
    } else if won < UNSURE_BELOW * weights.asked {
        Doubt::NoAnswer
    } else {
        return None;
    };
    let confidence = value.filter(|_| answered > 0.0).map(|_| won / answered);
    Some(Found { position, asked, value, rival: rival.map(|(value, _)| value), doubt, confidence, verdicts: 0 })
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
    let asked = Asked::named(judgments, &query.field)?;
    let position = dataset.position_of(store, &query.review_id)?;
    let missing = || ApiError::not_found(format!("There is no review {}.", query.review_id));
    let row = store.review(dataset.number(position))?.ok_or_else(missing)?;
    let review =
        ReviewQuery { dataset: query.dataset.clone(), topic: query.topic.clone(), review_id: query.review_id.clone() };
    let business = dataset.business_of(position);
    let k = [query.k];
    let stakes = Stakes::new(dataset, judgments, topic, &k);
    let weights = asked.weights(judgments, position);
    let outcomes = (0..asked.values(judgments)).map(|value| LabelOutcome {
        description: asked.description(judgments, value).to_owned(),
        weight: whole(weights.of[usize::from(value)]),
        verdicts: stakes.with(position, &judgments.consensus_with(position, asked.correction(value))),
    });
    let value = asked.settled(&judgments.consensus(position));
    Ok(LabelDetail {
        query: query.clone(),
        outcomes: outcomes.collect(),
        review: detail_of(dataset, judgments, position, row, &review),
        business_name: dataset.view.businesses[business].name.clone(),
        reviews: count(dataset.first(business, query.k).len()),
        field: asked.summary(judgments),
        value: value.map(|value| asked.value_id(judgments, value).to_owned()),
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
