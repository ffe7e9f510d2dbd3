//! A topic's votes settled by an aggregator, with a chance for every answer. Weighted majority's consensus is
//! [`crate::judgments`]' own; here are its chances.
//!
//! Ties go where weighted majority's go: a review to relevant, a field to the value that stands first. A field without a
//! valid vote stays unset with every aggregator.

use std::sync::Arc;

use quorum_core::{
    overrides::RELEVANCE_FIELD,
    tally::{Consensus, FieldConsensus},
    topic::Topic,
    trust::{
        aggregate::{Aggregator, Posteriors},
        dawid_skene::EmOptions,
        evaluate::LEARN_MIN,
        fit::posteriors_of,
    },
};
use rayon::prelude::*;

use super::{
    aggregator::Applied,
    gold::GoldAnswers,
    questions::{Asked, Question, RELEVANT},
    shelf::{Basis, Shelf},
};
use crate::judgments::Judgments;

/// Decides folds wherever something learns from gold, so that the same votes and labels always settle alike.
pub const SEED: u64 = 1;

/// Two probabilities closer than this are a tie.
const TIE: f64 = 1e-9;

/// Every question of a topic with what an aggregator makes of its votes.
#[derive(Debug)]
pub struct Settled {
    pub applied: Applied,
    /// Relevance first, then the fields.
    questions: Vec<(Question, Posteriors)>,
}

static SETTLED: Shelf<(Basis, Aggregator), Settled> = Shelf::new();

impl Settled {
    /// What an aggregator makes of the votes, from memory where they are the same as before.
    pub fn of(judgments: &Judgments, topic: &Topic, gold: &GoldAnswers, aggregator: Aggregator) -> Arc<Self> {
        // Without gold nothing follows from it, so another label does not make it new.
        let none = GoldAnswers::default();
        let gold = if aggregator.needs_gold() { gold } else { &none };
        let key = (Basis::new(judgments, topic, gold), aggregator);
        SETTLED.get(key, || Self::new(judgments, topic, gold, aggregator))
    }

    fn new(judgments: &Judgments, topic: &Topic, gold: &GoldAnswers, aggregator: Aggregator) -> Self {
        let settle = |asked: Asked| {
            let question = Question::new(judgments, asked);
            let labels = gold.of(&question);
            let is_kept = aggregator.needs_gold() && labels.len() < LEARN_MIN;
            let used = if is_kept { Aggregator::WeightedMajority } else { aggregator };
            let posteriors = posteriors_of(&question.matrix, &labels, used, EmOptions::default(), SEED);
            (question, posteriors, is_kept)
        };
        let settled: Vec<_> = Asked::all(topic).into_par_iter().map(settle).collect();
        let name = |asked: Asked| asked.field().map_or(RELEVANCE_FIELD, |field| &topic.schema.fields()[field].name);
        let kept =
            settled.iter().filter(|(.., is_kept)| *is_kept).map(|(question, ..)| name(question.asked).to_owned());
        let applied = Applied { aggregator, kept: kept.collect() };
        let questions = settled.into_iter().map(|(question, posteriors, _)| (question, posteriors)).collect();
        Self { applied, questions }
    }

    /// The probabilities of a question's answers for one review; `None` without a vote on it.
    pub fn chances(&self, asked: Asked, position: usize) -> Option<&[f64]> {
        let place = asked.field().map_or(0, |field| field + 1);
        let (question, posteriors) = &self.questions[place];
        question.item(position).map(|item| posteriors.of(item))
    }

    /// How many questions there are, relevance first.
    pub fn questions(&self) -> usize {
        self.questions.len()
    }

    /// Puts what this aggregator says into a consensus that was counted by weighted majority.
    pub fn settle(&self, position: usize, consensus: &mut Consensus) {
        let relevance = self.chances(Asked::Relevance, position).map_or(0.0, |chances| chances[RELEVANT]);
        consensus.relevant = consensus.votes > 0 && relevance >= 0.5 - TIE;
        consensus.relevance_confidence = if consensus.votes > 0 { relevance.max(1.0 - relevance) } else { 0.0 };
        consensus.relevance_tied = consensus.votes > 0 && (relevance - 0.5).abs() < TIE;
        if consensus.relevant {
            self.settle_fields(position, consensus);
        } else {
            consensus.fields.fill(FieldConsensus::default());
        }
    }

    /// The fields alone, whatever the votes made of relevance.
    pub fn settle_fields(&self, position: usize, consensus: &mut Consensus) {
        for (at, field) in consensus.fields.iter_mut().enumerate() {
            *field = self.chances(Asked::Field(at), position).map_or_else(FieldConsensus::default, settled_field);
        }
    }
}

fn settled_field(chances: &[f64]) -> FieldConsensus {
    let confidence = chances.iter().copied().fold(0.0, f64::max);
    let mut likeliest = (0..=u8::MAX).zip(chances).filter(|(_, chance)| **chance >= confidence - TIE);
    let value = likeliest.next().map(|(value, _)| value);
    FieldConsensus { value, confidence, tied: likeliest.next().is_some(), overridden: false }
}
