//! Gold labels: what a person said some items are, with the weight each has for all items.
//!
//! Deliberately not here: which items to label (`sample`).

use serde::Serialize;

use super::matrix::{MatrixError, VoteMatrix};

/// One gold label: what a person said an item is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GoldLabel {
    pub item: u32,
    pub label: u16,
    /// Inverse inclusion probability: how many items of the population this one stands for. 1 where
    /// all items have the same chance.
    pub weight: f64,
}

/// Gold labels of some items, sorted by item, at most one an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gold {
    labels: Vec<GoldLabel>,
}

impl Gold {
    /// Checks the labels against the matrix they are about.
    pub fn new(matrix: &VoteMatrix, mut labels: Vec<GoldLabel>) -> Result<Self, MatrixError> {
        labels.sort_by_key(|gold| gold.item);
        for gold in &labels {
            if gold.item as usize >= matrix.n_items() {
                return Err(MatrixError::GoldItemOutOfRange { item: gold.item, n_items: matrix.n_items() });
            }
            if usize::from(gold.label) >= matrix.n_labels() {
                return Err(MatrixError::GoldLabelOutOfRange {
                    item: gold.item,
                    label: gold.label,
                    n_labels: matrix.n_labels(),
                });
            }
            if !(gold.weight.is_finite() && gold.weight > 0.0) {
                return Err(MatrixError::GoldBadWeight { item: gold.item, weight: gold.weight });
            }
        }
        if let Some(pair) = labels.windows(2).find(|w| w[0].item == w[1].item) {
            return Err(MatrixError::GoldRepeated { item: pair[0].item });
        }
        Ok(Self { labels })
    }

    pub fn labels(&self) -> &[GoldLabel] {
        &self.labels
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The gold labels at the positions that `keep` says yes to.
    pub fn retain(&self, keep: impl Fn(usize, &GoldLabel) -> bool) -> Self {
        let labels = self.labels.iter().enumerate();
        Self { labels: labels.filter(|(position, gold)| keep(*position, gold)).map(|(_, gold)| *gold).collect() }
    }
}
