//! What every aggregator gives: a probability per item and label. Also majority, weighted or not.
//!
//! Deliberately not here: aggregators that learn (`dawid_skene`, `one_coin`, `calibrated`,
//! `best_single`, `stacked`).

use serde::{Deserialize, Serialize};

use super::matrix::VoteMatrix;

/// How votes of an item become one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregator {
    Majority,
    WeightedMajority,
    BestSingle,
    DawidSkene,
    OneCoin,
    Calibrated,
    Anchored,
    Stacked,
}

impl Aggregator {
    pub const ALL: [Self; 8] = [
        Self::Majority,
        Self::WeightedMajority,
        Self::BestSingle,
        Self::DawidSkene,
        Self::OneCoin,
        Self::Calibrated,
        Self::Anchored,
        Self::Stacked,
    ];

    /// The name in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Majority => "majority",
            Self::WeightedMajority => "weighted majority",
            Self::BestSingle => "best single model",
            Self::DawidSkene => "Dawid–Skene",
            Self::OneCoin => "one-coin Dawid–Skene",
            Self::Calibrated => "calibrated weights",
            Self::Anchored => "gold-anchored Dawid–Skene",
            Self::Stacked => "learned blend",
        }
    }

    /// Whether it learns from gold labels, and so may only be scored on items it did not see.
    pub fn needs_gold(self) -> bool {
        matches!(self, Self::BestSingle | Self::Calibrated | Self::Anchored | Self::Stacked)
    }
}

/// A probability per item and label, each item's summing to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Posteriors {
    n_labels: usize,
    values: Vec<f64>,
}

/// Two probabilities closer than this are a tie.
const TIE: f64 = 1e-9;

impl Posteriors {
    /// Every label equally likely on every item.
    pub fn uniform(n_items: usize, n_labels: usize) -> Self {
        Self { n_labels, values: vec![1.0 / n_labels as f64; n_items * n_labels] }
    }

    pub fn n_items(&self) -> usize {
        self.values.len() / self.n_labels
    }

    pub fn n_labels(&self) -> usize {
        self.n_labels
    }

    /// The probabilities of an item's labels.
    pub fn of(&self, item: usize) -> &[f64] {
        &self.values[item * self.n_labels..(item + 1) * self.n_labels]
    }

    pub(super) fn of_mut(&mut self, item: usize) -> &mut [f64] {
        &mut self.values[item * self.n_labels..(item + 1) * self.n_labels]
    }

    /// Sets an item's probabilities from weights that need not sum to 1.
    pub fn set(&mut self, item: usize, weights: &[f64]) {
        let row = self.of_mut(item);
        row.copy_from_slice(weights);
        normalise(row);
    }

    /// The most probable label; the first of them where several tie.
    pub fn top(&self, item: usize) -> usize {
        let best = self.confidence(item);
        let tied = |&p: &f64| p >= best - TIE;
        self.of(item).iter().position(tied).unwrap_or(0)
    }

    /// The highest probability of an item.
    pub fn confidence(&self, item: usize) -> f64 {
        self.of(item).iter().copied().fold(0.0, f64::max)
    }

    /// 1 where `label` alone is the most probable, 1/n where it ties with n − 1 others, else 0.
    pub fn credit(&self, item: usize, label: usize) -> f64 {
        credit(self.of(item), label)
    }
}

/// 1 where `label` alone has the highest value, 1/n where it ties with n − 1 others, else 0.
pub fn credit(row: &[f64], label: usize) -> f64 {
    let best = row.iter().copied().fold(0.0, f64::max);
    if row[label] < best - TIE {
        return 0.0;
    }
    1.0 / row.iter().filter(|&&p| p >= best - TIE).count() as f64
}

/// Majority: a label's probability is its share of the item's votes. An item without votes is
/// uniform.
pub fn majority(matrix: &VoteMatrix) -> Posteriors {
    shares(matrix, |_| 1.0)
}

/// Weighted majority: as majority, with every judge's configured weight.
pub fn weighted_majority(matrix: &VoteMatrix) -> Posteriors {
    shares(matrix, |judge| matrix.judges()[judge].weight)
}

fn shares(matrix: &VoteMatrix, weight: impl Fn(usize) -> f64) -> Posteriors {
    let mut posteriors = Posteriors::uniform(matrix.n_items(), matrix.n_labels());
    for item in 0..matrix.n_items() {
        if matrix.n_votes_of_item(item) == 0 {
            continue;
        }
        let row = posteriors.of_mut(item);
        row.fill(0.0);
        for (judge, label) in matrix.votes(item) {
            row[label] += weight(judge);
        }
        normalise(row);
    }
    posteriors
}

/// Scales to a sum of 1; uniform where the sum is 0 or not finite.
pub(super) fn normalise(row: &mut [f64]) {
    let sum: f64 = row.iter().sum();
    if sum > 0.0 && sum.is_finite() {
        row.iter_mut().for_each(|p| *p /= sum);
    } else {
        row.fill(1.0 / row.len() as f64);
    }
}

/// Turns log-probabilities, up to a constant, into probabilities; safe for very small ones.
pub(super) fn softmax(row: &mut [f64]) {
    let best = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|p| *p = (*p - best).exp());
    normalise(row);
}
