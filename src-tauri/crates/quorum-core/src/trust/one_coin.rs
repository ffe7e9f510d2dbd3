//! One-coin Dawid–Skene: every judge has one accuracy, and errs to every wrong label alike.
//!
//! The Dawid–Skene model with one parameter a judge (Zhang, Chen, Zhou and Jordan 2014, "Spectral
//! methods meet EM"). It needs far fewer votes a judge than full confusion matrices.

use super::aggregate::{Posteriors, majority, softmax};
use super::dawid_skene::EmOptions;
use super::matrix::VoteMatrix;

/// What one-coin Dawid–Skene learned.
#[derive(Debug, Clone, PartialEq)]
pub struct OneCoin {
    pub posteriors: Posteriors,
    /// Estimated accuracy per judge.
    pub accuracies: Vec<f64>,
}

/// Runs the expectation maximisation from majority. All labels are equally likely beforehand.
pub fn one_coin(matrix: &VoteMatrix, options: EmOptions) -> OneCoin {
    let n_labels = matrix.n_labels();
    let mut posteriors = majority(matrix);
    let mut accuracies = vec![0.5; matrix.n_judges()];
    let mut row = vec![0.0; n_labels];
    for _ in 0..options.iterations_max {
        let mut right = vec![options.smoothing; matrix.n_judges()];
        let mut votes = vec![options.smoothing * n_labels as f64; matrix.n_judges()];
        for item in 0..matrix.n_items() {
            for (judge, label) in matrix.votes(item) {
                right[judge] += posteriors.of(item)[label];
                votes[judge] += 1.0;
            }
        }
        for (accuracy, (right, votes)) in accuracies.iter_mut().zip(right.iter().zip(&votes)) {
            *accuracy = right / votes;
        }
        let weights: Vec<f64> = accuracies.iter().map(|&a| log_odds(a, n_labels)).collect();
        let mut change: f64 = 0.0;
        for item in 0..matrix.n_items() {
            row.fill(0.0);
            for (judge, label) in matrix.votes(item) {
                row[label] += weights[judge];
            }
            softmax(&mut row);
            for (new, old) in row.iter().zip(posteriors.of(item)) {
                change = change.max((new - old).abs());
            }
            posteriors.of_mut(item).copy_from_slice(&row);
        }
        if change < 1e-10 {
            break;
        }
    }
    OneCoin { posteriors, accuracies }
}

/// ln(accuracy × (L − 1) / (1 − accuracy)): the weight of a judge's vote (Nitzan and Paroush 1982).
pub(super) fn log_odds(accuracy: f64, n_labels: usize) -> f64 {
    let accuracy = accuracy.clamp(1e-6, 1.0 - 1e-6);
    let wrong = (n_labels.max(2) - 1) as f64;
    (accuracy * wrong / (1.0 - accuracy)).ln()
}
