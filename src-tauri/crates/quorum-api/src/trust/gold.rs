//! Gold labels of a dataset's reviews, resolved from the trail: which hold, and what each weighs.
//!
//! Where samples were drawn several times, [`pooled`] says what each label stands for.

use std::collections::{BTreeMap, BTreeSet};

use quorum_core::{
    ids::ReviewId,
    topic::Topic,
    trust::{
        Gold, GoldLabel,
        sample::{Pooled, pooled},
    },
};
use quorum_store::{GoldEvent, GoldKind, Store, StoreError};

use super::questions::Question;
use crate::{coverage::count, open_dataset::OpenDataset};

/// What a person said a review is.
#[derive(Clone, Debug, PartialEq)]
pub struct GoldAnswer {
    pub relevant: bool,
    /// In field order; `None`: left open.
    pub values: Vec<Option<u8>>,
    /// How many reviews it stands for.
    pub weight: f64,
}

/// The gold of one topic on one dataset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoldAnswers {
    pub by_position: BTreeMap<usize, GoldAnswer>,
    /// Labelled reviews of the topic on terms that are not the present ones.
    pub stale: u32,
}

impl GoldAnswers {
    pub fn load(store: &Store, dataset: &OpenDataset, topic: &Topic) -> Result<Self, StoreError> {
        let trail = store.gold_trail()?;
        let hash = topic.schema.term_hash();
        let ours = |event: &&GoldEvent| event.realm == dataset.realm && event.topic == topic.id;
        let held = held(trail.iter().filter(ours));
        let mut answers = Self::default();
        let mut stale = BTreeSet::new();
        // What every label that counts was drawn with.
        let mut drawn: BTreeMap<usize, Draw> = BTreeMap::new();
        for label in held {
            if *label.term_hash != hash {
                stale.insert(label.review.clone());
                continue;
            }
            let number = store.review_no(label.review)?;
            let Some(position) = number.and_then(|number| dataset.position(number)) else { continue };
            let values = topic.schema.fields().iter();
            let values = values.map(|field| field.value(label.values.get(&field.name)?)).collect();
            answers.by_position.insert(position, GoldAnswer { relevant: label.relevant, values, weight: 1.0 });
            drawn.insert(position, label.draw);
        }
        let samples: BTreeMap<u32, u32> = drawn.values().map(|draw| (draw.number, draw.population)).collect();
        let populations: Vec<usize> = samples.values().map(|population| *population as usize).collect();
        let sample = |draw: &Draw| samples.range(..draw.number).count();
        let labels: Vec<Pooled> =
            drawn.values().map(|draw| Pooled { sample: sample(draw), weight: draw.weight }).collect();
        for (answer, weight) in answers.by_position.values_mut().zip(pooled(&labels, &populations)) {
            answer.weight = weight;
        }
        answers.stale = count(stale.len());
        Ok(answers)
    }

    pub fn len(&self) -> usize {
        self.by_position.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_position.is_empty()
    }

    /// The labels that answer a question, on items that have votes on it.
    pub fn of(&self, question: &Question) -> Gold {
        let labels = self.by_position.iter().filter_map(|(position, answer)| {
            let value = question.asked.field().and_then(|field| answer.values[field]);
            let code = question.asked.code(answer.relevant, value)?;
            Some(GoldLabel {
                item: u32::try_from(question.item(*position)?).expect("the store numbers reviews in 32 bits"),
                label: u16::try_from(code).expect("a term has at most 255 values"),
                weight: answer.weight,
            })
        });
        Gold::new(&question.matrix, labels.collect()).expect("each review has one label, of the schema's values")
    }
}

/// A label that holds.
pub(super) struct Held<'a> {
    pub number: u32,
    pub term_hash: &'a quorum_core::ids::TermHash,
    pub draw: Draw,
    pub review: &'a ReviewId,
    pub relevant: bool,
    pub values: &'a BTreeMap<String, String>,
}

/// How a label's review was drawn.
#[derive(Clone, Copy)]
pub(super) struct Draw {
    /// The sample.
    pub number: u32,
    /// Reviews that the sample was drawn from.
    population: u32,
    /// How many of them this one stands for.
    weight: f64,
}

/// The labels that hold, oldest first: not taken back, and a review's last.
pub(super) fn held<'a>(events: impl Iterator<Item = &'a GoldEvent> + Clone) -> Vec<Held<'a>> {
    let undone: BTreeSet<u32> = events
        .clone()
        .filter_map(|event| match event.kind {
            GoldKind::Undone { undoes } => Some(undoes),
            _ => None,
        })
        .collect();
    let mut draws: BTreeMap<(u32, &ReviewId), Draw> = BTreeMap::new();
    let mut held: BTreeMap<&ReviewId, Held<'a>> = BTreeMap::new();
    for event in events {
        match &event.kind {
            GoldKind::Drawn { reviews, population, .. } => {
                let draw = |weight| Draw { number: event.number, population: *population, weight };
                draws.extend(reviews.iter().map(|drawn| ((event.number, &drawn.review), draw(drawn.weight))));
            }
            GoldKind::Labelled { draw, review, relevant, values } if !undone.contains(&event.number) => {
                // A label without its draw cannot be weighed; the store's writer makes none.
                let Some(draw) = draws.get(&(*draw, review)) else { continue };
                let label = Held {
                    number: event.number,
                    term_hash: &event.term_hash,
                    draw: *draw,
                    review,
                    relevant: *relevant,
                    values,
                };
                held.insert(review, label);
            }
            GoldKind::Labelled { .. } | GoldKind::Undone { .. } => {}
        }
    }
    let mut held: Vec<_> = held.into_values().collect();
    held.sort_by_key(|label| label.number);
    held
}
