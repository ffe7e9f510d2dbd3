//! Labelling: drawing a sample of reviews, handing them out one by one without a word of the votes, and keeping the answers.

use std::collections::BTreeMap;

use quorum_core::{
    ids::ReviewId,
    manifest::Realm,
    topic::Topic,
    trust::{
        aggregate::{Posteriors, weighted_majority},
        sample::{self, SIZE_MAX, SIZE_MIN},
    },
};
use quorum_store::{DrawnReview, GoldEvent, GoldKind, Store};

use super::{
    gold::{GoldAnswers, held},
    questions::{Asked, Question, main_field},
};
use crate::{
    Quorum,
    business::day,
    coverage::count,
    dto::{
        error::ApiError,
        trust::{GoldLabelRequest, LabelSession, LabelTask, TrustQuery},
    },
    judgments::Judgments,
    open_dataset::OpenDataset,
    results::{ks_of, topic_of},
    topics::field_summary,
    verdicts::last_ensemble,
};

impl Quorum {
    /// The newest sample of a topic on a dataset.
    pub fn label_session(&self, query: &TrustQuery) -> Result<LabelSession, ApiError> {
        let catalog = self.catalog();
        session(self.store(), self.realm()?, topic_of(&catalog, &query.topic)?, query)
    }

    /// Draws a sample of 20 to 60 reviews that have no label yet. Samples drawn before keep their labels.
    pub fn gold_draw(&self, query: &TrustQuery, size: u32, who: &str) -> Result<LabelSession, ApiError> {
        let (store, realm, catalog) = (self.store(), self.realm()?, self.catalog());
        let topic = topic_of(&catalog, &query.topic)?;
        ks_of(query.k, None)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if !(SIZE_MIN..=SIZE_MAX).contains(&size) {
            return Err(ApiError::invalid(format!("A sample has {SIZE_MIN} to {SIZE_MAX} reviews.")));
        }
        let dataset = OpenDataset::open(store, realm, &query.dataset.as_str().into())?;
        let ensemble = last_ensemble(store, realm, &topic.id)?;
        let judgments = Judgments::load(store, &dataset, topic, &ensemble)?;
        let gold = GoldAnswers::load(store, &dataset, topic)?;
        let (consensus, population) = population(&dataset, &judgments, topic, &gold, query.k);
        if population.is_empty() {
            return Err(ApiError::invalid(
                "There is no review to draw: none within K has all its votes and no label yet.",
            )
            .action("Get the missing votes first, or raise K."));
        }
        let draws =
            trail(store, realm, topic)?.iter().filter(|event| matches!(event.kind, GoldKind::Drawn { .. })).count();
        let seed = count(draws + 1);
        let candidates: Vec<u32> = (0..count(population.len())).collect();
        let drawn = sample::draw(&consensus, &candidates, size, u64::from(seed));
        let positions = drawn.iter().map(|one| population[one.item as usize]);
        let ids = dataset.review_ids(store, positions)?;
        let reviews = drawn.iter().filter_map(|one| {
            let review = ids.get(&population[one.item as usize])?.clone();
            Some(DrawnReview { review, weight: one.weight })
        });
        let kind = GoldKind::Drawn {
            dataset: query.dataset.as_str().into(),
            k: query.k,
            seed,
            population: count(population.len()),
            reviews: reviews.collect(),
        };
        self.add_gold(realm, topic, who, kind)?;
        session(store, realm, topic, query)
    }

    /// Keeps what a person says a drawn review is; labelling it again replaces the answer and keeps the old one in the trail.
    pub fn gold_label(&self, request: &GoldLabelRequest, who: &str) -> Result<LabelSession, ApiError> {
        let (store, realm, catalog) = (self.store(), self.realm()?, self.catalog());
        let topic = topic_of(&catalog, &request.query.topic)?;
        let trail = trail(store, realm, topic)?;
        let drawn = newest_draw(&trail, topic, &request.query)
            .filter(|drawn| drawn.number == request.draw)
            .ok_or_else(|| ApiError::not_found(format!("There is no open sample {} of {}.", request.draw, topic.id)))?;
        let review = ReviewId::from(request.review_id.as_str());
        if !drawn.reviews.iter().any(|one| one.review == review) {
            return Err(ApiError::invalid(format!("Review {review} is not in sample {}.", drawn.number))
                .safe("No label was kept.")
                .action("Label what the sample hands out: a review of one's own choice has no known chance."));
        }
        if !request.relevant && !request.values.is_empty() {
            return Err(ApiError::invalid("A review that is not relevant has no values."));
        }
        let mut values = BTreeMap::new();
        for given in &request.values {
            let known = topic
                .schema
                .field(&given.field)
                .ok_or_else(|| ApiError::invalid(format!("The topic {} has no field {}.", topic.id, given.field)))?;
            if known.1.value(&given.value).is_none() {
                let ids: Vec<&str> = known.1.term.values.iter().map(|value| value.id.as_str()).collect();
                return Err(ApiError::invalid(format!("The field {} has no value {}.", given.field, given.value))
                    .safe("No label was kept.")
                    .action(format!("Values: {}.", ids.join(", "))));
            }
            values.insert(given.field.clone(), given.value.clone());
        }
        let kind = GoldKind::Labelled { draw: drawn.number, review, relevant: request.relevant, values };
        self.add_gold(realm, topic, who, kind)?;
        session(store, realm, topic, &request.query)
    }

    /// Takes the newest label of the newest sample back.
    pub fn gold_undo(&self, query: &TrustQuery, who: &str) -> Result<LabelSession, ApiError> {
        let (store, realm, catalog) = (self.store(), self.realm()?, self.catalog());
        let topic = topic_of(&catalog, &query.topic)?;
        let trail = trail(store, realm, topic)?;
        let draw = newest_draw(&trail, topic, query).map(|drawn| drawn.number);
        let last =
            held(trail.iter()).into_iter().rfind(|label| Some(label.draw.number) == draw).map(|label| label.number);
        let undoes = last.ok_or_else(|| ApiError::invalid("There is no label to take back."))?;
        self.add_gold(realm, topic, who, GoldKind::Undone { undoes })?;
        session(store, realm, topic, query)
    }

    fn add_gold(&self, realm: Realm, topic: &Topic, who: &str, kind: GoldKind) -> Result<GoldEvent, ApiError> {
        Ok(self.store().add_gold(GoldEvent {
            number: 0,
            at: self.now(),
            who: who.to_owned(),
            realm,
            topic: topic.id.clone(),
            term_hash: topic.schema.term_hash(),
            kind,
        })?)
    }
}

/// Who labels, as the system knows the person.
pub fn person() -> String {
    let names = ["USER", "USERNAME", "LOGNAME"];
    let found = names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    found.unwrap_or_else(|| "unknown".to_owned())
}

fn trail(store: &Store, realm: Realm, topic: &Topic) -> Result<Vec<GoldEvent>, ApiError> {
    let mut trail = store.gold_trail()?;
    trail.retain(|event| event.realm == realm && event.topic == topic.id);
    Ok(trail)
}

struct Draw<'a> {
    number: u32,
    reviews: &'a [DrawnReview],
}

/// The newest sample on the topic's present terms.
fn newest_draw<'a>(trail: &'a [GoldEvent], topic: &Topic, query: &TrustQuery) -> Option<Draw<'a>> {
    let hash = topic.schema.term_hash();
    trail.iter().rev().filter(|event| event.term_hash == hash).find_map(|event| match &event.kind {
        GoldKind::Drawn { dataset, reviews, .. } if dataset.as_str() == query.dataset => {
            Some(Draw { number: event.number, reviews })
        }
        _ => None,
    })
}

fn session(store: &Store, realm: Realm, topic: &Topic, query: &TrustQuery) -> Result<LabelSession, ApiError> {
    let trail = trail(store, realm, topic)?;
    let fields = topic.schema.fields().iter().map(field_summary).collect();
    let Some(drawn) = newest_draw(&trail, topic, query) else {
        return Ok(LabelSession { draw: None, total: 0, labelled: 0, next: None, fields });
    };
    let held = held(trail.iter());
    let is_labelled =
        |one: &&DrawnReview| held.iter().any(|label| label.draw.number == drawn.number && *label.review == one.review);
    let next = drawn.reviews.iter().find(|one| !is_labelled(one));
    Ok(LabelSession {
        draw: Some(drawn.number),
        total: count(drawn.reviews.len()),
        labelled: count(drawn.reviews.iter().filter(is_labelled).count()),
        next: next.map(|one| task(store, realm, query, &one.review)).transpose()?,
        fields,
    })
}

fn task(store: &Store, realm: Realm, query: &TrustQuery, review: &ReviewId) -> Result<LabelTask, ApiError> {
    let dataset = OpenDataset::open(store, realm, &query.dataset.as_str().into())?;
    let gone = || ApiError::not_found(format!("The dataset {} no longer has review {review}.", query.dataset));
    let number = store.review_no(review)?.ok_or_else(gone)?;
    let position = dataset.position(number).ok_or_else(gone)?;
    let row = store.review(number)?.ok_or_else(gone)?;
    let business = &dataset.view.businesses[dataset.business_of(position)];
    Ok(LabelTask {
        review_id: review.to_string(),
        business: business.name.clone(),
        date: row.date.map(day),
        text: row.text,
    })
}

/// The reviews to draw from, and what the votes predict of each: relevance and the topic's main field as one answer.
fn population(
    dataset: &OpenDataset,
    judgments: &Judgments,
    topic: &Topic,
    gold: &GoldAnswers,
    k: u32,
) -> (Posteriors, Vec<usize>) {
    let asked = main_field(topic).map_or(Asked::Relevance, Asked::Both);
    let question = Question::new(judgments, asked);
    let predicted = weighted_majority(&question.matrix);
    let within = (0..dataset.businesses()).flat_map(|business| dataset.first(business, k));
    let usable = |position: &usize| judgments.is_used(*position, false) && !gold.by_position.contains_key(position);
    let drawable: Vec<(usize, usize)> =
        within.filter(usable).filter_map(|position| Some((position, question.item(position)?))).collect();
    let mut consensus = Posteriors::uniform(drawable.len(), question.matrix.n_labels());
    for (at, (_, item)) in drawable.iter().enumerate() {
        consensus.set(at, predicted.of(*item));
    }
    (consensus, drawable.into_iter().map(|(position, _)| position).collect())
}
