//! Learned blend: five aggregators that make different mistakes, multiplied with exponents that make
//! held-out gold labels most likely.
//!
//! A logarithmic opinion pool fitted by stacking (Wolpert 1992, "Stacked generalization", Neural
//! Networks 5; Genest and Zidek 1986 on the pool). Which of them is best differs between sets: judges
//! that err alike favour the best single model, many independent ones favour Dawid–Skene, judges who
//! are all about equal favour majority and one-coin. The exponents are non-negative and shrunk towards
//! equal ones that sum to 1.

use super::aggregate::{Aggregator, Posteriors, normalise, softmax};

/// What is blended.
pub const BLENDED: [Aggregator; 5] =
    [Aggregator::Majority, Aggregator::BestSingle, Aggregator::Calibrated, Aggregator::OneCoin, Aggregator::Anchored];

/// Log-probabilities are cut here: no aggregator may claim more than 10,000 to 1.
pub(super) const PROBABILITY_MIN: f64 = 1e-4;
/// Strength of the pull towards equal exponents (the precision of a normal prior).
const PULL: f64 = 3.0;
const STEPS_MAX: usize = 200;

/// One item's predictions, one row of label probabilities an aggregator, and its gold label.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    pub predictions: Vec<Vec<f64>>,
    pub label: usize,
}

/// Exponents, one an aggregator, that maximise the penalised likelihood of the held-out labels.
/// Projected gradient ascent with step halving; the objective is concave, so the result is unique.
pub fn exponents(n_aggregators: usize, held_out: &[HeldOut]) -> Vec<f64> {
    let equal = 1.0 / n_aggregators as f64;
    let mut weights = vec![equal; n_aggregators];
    let logs: Vec<(Vec<Vec<f64>>, usize)> = held_out
        .iter()
        .map(|one| {
            let predictions = one.predictions.iter();
            (predictions.map(|row| log_row(row)).collect(), one.label)
        })
        .collect();
    let mut step = 0.1 / (held_out.len().max(1) as f64);
    let (mut value, mut slope) = objective(&logs, &weights, equal);
    for _ in 0..STEPS_MAX {
        let tried: Vec<f64> = (weights.iter().zip(&slope)).map(|(w, s)| (w + step * s).max(0.0)).collect();
        let (tried_value, tried_slope) = objective(&logs, &tried, equal);
        if tried_value < value {
            step *= 0.5;
            continue;
        }
        let gain = tried_value - value;
        (weights, value, slope) = (tried, tried_value, tried_slope);
        step *= 1.5;
        if gain < 1e-9 {
            break;
        }
    }
    weights
}

fn objective(logs: &[(Vec<Vec<f64>>, usize)], weights: &[f64], equal: f64) -> (f64, Vec<f64>) {
    let pulled = weights.iter().map(|w| w - equal);
    let mut value: f64 = -0.5 * PULL * pulled.clone().map(|d| d * d).sum::<f64>();
    let mut slope: Vec<f64> = pulled.map(|d| -PULL * d).collect();
    for (rows, label) in logs {
        let blended = blend(rows, weights);
        value += blended[*label].max(f64::MIN_POSITIVE).ln();
        for (slope, row) in slope.iter_mut().zip(rows) {
            let expected: f64 = row.iter().zip(&blended).map(|(log, p)| log * p).sum();
            *slope += row[*label] - expected;
        }
    }
    (value, slope)
}

fn log_row(row: &[f64]) -> Vec<f64> {
    row.iter().map(|p| p.max(PROBABILITY_MIN).ln()).collect()
}

fn blend(log_rows: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let mut row = vec![0.0; log_rows[0].len()];
    for (logs, weight) in log_rows.iter().zip(weights) {
        for (sum, log) in row.iter_mut().zip(logs) {
            *sum += weight * log;
        }
    }
    softmax(&mut row);
    row
}

/// One item's blended probabilities.
pub fn blended(predictions: &[&[f64]], exponents: &[f64]) -> Vec<f64> {
    let logs: Vec<Vec<f64>> = predictions.iter().map(|row| log_row(row)).collect();
    let mut row = blend(&logs, exponents);
    normalise(&mut row);
    row
}

/// All items' blended probabilities.
pub fn stacked(parts: &[&Posteriors], exponents: &[f64]) -> Posteriors {
    let mut posteriors = Posteriors::uniform(parts[0].n_items(), parts[0].n_labels());
    for item in 0..posteriors.n_items() {
        let rows: Vec<&[f64]> = parts.iter().map(|part| part.of(item)).collect();
        posteriors.set(item, &blended(&rows, exponents));
    }
    posteriors
}
