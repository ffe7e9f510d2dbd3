//! All aggregators of one matrix: those without gold fitted once, those with gold refitted as often
//! as cross-fitting needs.
//!
//! Cross-fitting: gold is split into folds, and the labels of a fold are predicted by aggregators
//! that learned from the other folds only, the exponents of the blend included. Deliberately not
//! here: scores and choices (`evaluate`, `recommend`).

use super::aggregate::{Aggregator, Posteriors, majority, weighted_majority};
use super::best_single::{ModelAccuracy, accuracies, agreement_with, best_single};
use super::calibrated::{Calibrated, anchored, calibrated};
use super::dawid_skene::{EmOptions, dawid_skene};
use super::gold::Gold;
use super::matrix::VoteMatrix;
use super::one_coin::one_coin;
use super::stacked::{BLENDED, HeldOut, exponents, stacked};
use crate::prng::Prng;

/// Folds of cross-fitting, at most one a gold label.
pub const FOLDS: usize = 5;
/// Folds inside which the blend's exponents are learned for use. More of them make better exponents and
/// cost more fits; the fits that only serve to score take [`FOLDS`], and large matrices, where a fit takes
/// seconds, two.
const BLEND_FOLDS: usize = 10;
const BLEND_FOLDS_LARGE: usize = 2;
const LARGE_VOTES: usize = 1_000_000;

/// One aggregator's posteriors, those that learn from gold fitted to all of it.
pub fn posteriors_of(
    matrix: &VoteMatrix,
    gold: &Gold,
    aggregator: Aggregator,
    options: EmOptions,
    seed: u64,
) -> Posteriors {
    match aggregator {
        Aggregator::Majority => majority(matrix),
        Aggregator::WeightedMajority => weighted_majority(matrix),
        Aggregator::DawidSkene => dawid_skene(matrix, options).posteriors,
        Aggregator::OneCoin => one_coin(matrix, options).posteriors,
        Aggregator::BestSingle | Aggregator::Calibrated | Aggregator::Anchored | Aggregator::Stacked => {
            let unsupervised = Unsupervised::fit(matrix, options);
            let learned = unsupervised.learn(gold, seed);
            unsupervised.posteriors_with(&learned, aggregator).clone()
        }
    }
}

/// What can be learned from the votes without gold labels.
#[derive(Debug, Clone)]
pub struct Unsupervised<'a> {
    matrix: &'a VoteMatrix,
    answers: VoteMatrix,
    agreement: Vec<f64>,
    /// Dawid–Skene with pooled priors and no gold: where anchored Dawid–Skene starts.
    unanchored: Posteriors,
    majority: Posteriors,
    weighted_majority: Posteriors,
    dawid_skene: Posteriors,
    one_coin: Posteriors,
}

impl<'a> Unsupervised<'a> {
    pub fn fit(matrix: &'a VoteMatrix, options: EmOptions) -> Self {
        let one_coin = one_coin(matrix, options).posteriors;
        let answers = matrix.by_model();
        Self {
            agreement: agreement_with(&answers, &one_coin),
            answers,
            unanchored: anchored(matrix, &Gold::default(), &one_coin).posteriors,
            majority: majority(matrix),
            weighted_majority: weighted_majority(matrix),
            dawid_skene: dawid_skene(matrix, options).posteriors,
            one_coin,
            matrix,
        }
    }

    pub fn matrix(&self) -> &'a VoteMatrix {
        self.matrix
    }

    pub fn n_models(&self) -> usize {
        self.answers.n_judges()
    }

    /// Posteriors of an aggregator that needs no gold.
    pub fn posteriors(&self, aggregator: Aggregator) -> Option<&Posteriors> {
        match aggregator {
            Aggregator::Majority => Some(&self.majority),
            Aggregator::WeightedMajority => Some(&self.weighted_majority),
            Aggregator::DawidSkene => Some(&self.dawid_skene),
            Aggregator::OneCoin => Some(&self.one_coin),
            _ => None,
        }
    }

    /// Accuracy of every model from gold, in order of first mention.
    pub fn accuracies(&self, gold: &Gold) -> Vec<ModelAccuracy> {
        accuracies(&self.answers, gold, &self.agreement)
    }

    /// Learns from gold. `seed` decides the folds.
    pub fn learn(&self, gold: &Gold, seed: u64) -> Learned {
        self.learn_in(gold, self.blend_folds(BLEND_FOLDS), seed)
    }

    fn learn_in(&self, gold: &Gold, n_folds: usize, seed: u64) -> Learned {
        let parts = self.learn_parts(gold);
        let held_out: Vec<HeldOut> = self
            .held_out(gold, n_folds, seed, |rest| {
                let parts = self.learn_parts(rest);
                move |item| self.blended(&parts).map(|part| part.of(item).to_vec()).to_vec()
            })
            .into_iter()
            .zip(gold.labels())
            .map(|(predictions, gold)| HeldOut { predictions, label: usize::from(gold.label) })
            .collect();
        let exponents = exponents(BLENDED.len(), &held_out);
        let stacked = stacked(&self.blended(&parts), &exponents);
        Learned { parts, exponents, stacked }
    }

    /// Predictions of every aggregator for every gold item, in the order of [`Aggregator::ALL`],
    /// none of them having seen that item's gold label.
    pub fn cross_fit(&self, gold: &Gold, seed: u64) -> Vec<Vec<Vec<f64>>> {
        self.held_out(gold, FOLDS, seed, |rest| {
            // Other folds inside than outside, so that no inner fold repeats an outer one.
            let learned = self.learn_in(rest, self.blend_folds(FOLDS), seed.wrapping_add(1));
            move |item| {
                let of = |aggregator| self.posteriors_with(&learned, aggregator).of(item).to_vec();
                Aggregator::ALL.map(of).to_vec()
            }
        })
    }

    /// An aggregator's posteriors, from gold where it needs gold.
    pub fn posteriors_with<'b>(&'b self, learned: &'b Learned, aggregator: Aggregator) -> &'b Posteriors {
        match aggregator {
            Aggregator::Majority => &self.majority,
            Aggregator::WeightedMajority => &self.weighted_majority,
            Aggregator::DawidSkene => &self.dawid_skene,
            Aggregator::OneCoin => &self.one_coin,
            Aggregator::BestSingle => &learned.parts.best_single,
            Aggregator::Calibrated => &learned.parts.calibrated.posteriors,
            Aggregator::Anchored => &learned.parts.anchored,
            Aggregator::Stacked => &learned.stacked,
        }
    }

    /// The posteriors of [`BLENDED`].
    fn blended<'b>(&'b self, parts: &'b Parts) -> [&'b Posteriors; BLENDED.len()] {
        [&self.majority, &parts.best_single, &parts.calibrated.posteriors, &self.one_coin, &parts.anchored]
    }

    fn blend_folds(&self, wanted: usize) -> usize {
        if self.matrix.n_votes() > LARGE_VOTES { BLEND_FOLDS_LARGE } else { wanted }
    }

    fn learn_parts(&self, gold: &Gold) -> Parts {
        Parts {
            best_single: best_single(&self.answers, &self.accuracies(gold)),
            calibrated: calibrated(self.matrix, gold),
            anchored: anchored(self.matrix, gold, &self.unanchored).posteriors,
        }
    }

    /// For every gold label, in order, what `fit` on the other folds predicts of its item.
    fn held_out<T: Clone, P: Fn(usize) -> T>(
        &self,
        gold: &Gold,
        n_folds: usize,
        seed: u64,
        fit: impl Fn(&Gold) -> P,
    ) -> Vec<T> {
        let folds = folds(gold.len(), n_folds, seed);
        let mut predictions: Vec<Option<T>> = vec![None; gold.len()];
        for fold in 0..n_folds.min(gold.len()) {
            let predict = fit(&gold.retain(|position, _| folds[position] != fold));
            for (position, gold) in gold.labels().iter().enumerate() {
                if folds[position] == fold {
                    predictions[position] = Some(predict(gold.item as usize));
                }
            }
        }
        predictions.into_iter().flatten().collect()
    }
}

/// Which fold each of `n` belongs to: equal sizes, in random order.
pub fn folds(n: usize, n_folds: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    Prng::new(seed).shuffle_first(&mut order, n);
    let mut folds = vec![0; n];
    for (place, &position) in order.iter().enumerate() {
        folds[position] = place % n_folds.min(n).max(1);
    }
    folds
}

/// What gold taught.
#[derive(Debug, Clone)]
pub struct Learned {
    parts: Parts,
    exponents: Vec<f64>,
    stacked: Posteriors,
}

#[derive(Debug, Clone)]
struct Parts {
    best_single: Posteriors,
    calibrated: Calibrated,
    anchored: Posteriors,
}

impl Learned {
    /// What calibrated weights learned of the judges.
    pub fn calibrated(&self) -> &Calibrated {
        &self.parts.calibrated
    }

    /// Exponents in the blend, in the order of [`BLENDED`].
    pub fn exponents(&self) -> &[f64] {
        &self.exponents
    }
}
