//! What was worked out of a topic's votes, kept until other votes, labels or terms come.
//!
//! Nothing is ever invalidated: what stands here is looked up by everything that it follows from, votes and gold labels
//! included, compared in full. Comparing a megabyte of votes takes less than a millisecond; learning from them takes seconds.
//! Deliberately not here: consensus and verdicts, which are computed whenever someone looks.

use std::sync::{Arc, Mutex, PoisonError};

use quorum_core::{ensemble::Ensemble, schema::Schema, tally::Panel, topic::Topic};

use super::{gold::GoldAnswers, questions::is_ordered};
use crate::judgments::{Judgments, VoteTable};

/// Everything that a topic's posteriors follow from but for the aggregator.
#[derive(Clone, Debug, PartialEq)]
pub struct Basis {
    votes: Arc<VoteTable>,
    panel: Panel,
    ensemble: Ensemble,
    schema: Schema,
    gold: GoldAnswers,
    /// Fields whose values have an order; that is said by policies.
    ordered: Vec<bool>,
}

impl Basis {
    pub fn new(judgments: &Judgments, topic: &Topic, gold: &GoldAnswers) -> Self {
        Self {
            votes: judgments.votes(),
            panel: judgments.panel().clone(),
            ensemble: judgments.ensemble().clone(),
            schema: judgments.schema().clone(),
            gold: gold.clone(),
            ordered: (0..topic.schema.fields().len()).map(|field| is_ordered(topic, field)).collect(),
        }
    }
}

/// How many topics are kept: a person goes back and forth between few.
const KEPT_MAX: usize = 4;

/// The results that were asked for last, newest first.
#[derive(Debug)]
pub struct Shelf<K, T>(Mutex<Vec<(K, Arc<T>)>>);

impl<K: PartialEq, T> Shelf<K, T> {
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// What is kept for `key`, made now where there is none. Two who ask at once may both make it; both make the same.
    pub fn get(&self, key: K, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(known) = self.find(&key) {
            return known;
        }
        let made = Arc::new(make());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(0, (key, Arc::clone(&made)));
        kept.truncate(KEPT_MAX);
        made
    }

    fn find(&self, key: &K) -> Option<Arc<T>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(known, _)| known == key)?;
        kept[..=place].rotate_right(1);
        Some(Arc::clone(&kept[0].1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_is_made_once_and_the_oldest_goes() {
        let shelf: Shelf<usize, usize> = Shelf::new();
        let mut made = Vec::new();
        for key in [0, 0, 1, 2, 3, 0, 4, 1] {
            assert_eq!(
                *shelf.get(key, || {
                    made.push(key);
                    10 * key
                }),
                10 * key
            );
        }
        // 0 was looked at again before 4 came, so 1 had to go.
        assert_eq!(made, [0, 1, 2, 3, 4, 1]);
    }
}
