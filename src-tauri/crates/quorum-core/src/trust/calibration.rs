//! Whether probabilities mean what they say, and how to make them.
//!
//! Expected calibration error: predictions are put into ten bins by their confidence; the error is
//! the mean distance between confidence and accuracy, weighted by bin size (Naeini, Cooper and
//! Hauskrecht 2015; Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural
//! networks"). Temperature scaling raises every probability to a power and normalises (Guo et al.
//! 2017): it changes how sure an aggregator is, never what it says.

use super::aggregate::{credit, softmax};
use super::fit::folds;
use super::stacked::PROBABILITY_MIN;

/// A prediction with the label that was right and the item's sampling weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub probabilities: Vec<f64>,
    pub label: usize,
    pub weight: f64,
}

const BINS: usize = 10;

/// Expected calibration error in [0, 1]; `None` without predictions.
pub fn expected_calibration_error(scored: &[Scored]) -> Option<f64> {
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    for one in scored {
        let confidence = one.probabilities.iter().copied().fold(0.0, f64::max);
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        bins[bin].0 += one.weight;
        bins[bin].1 += one.weight * confidence;
        bins[bin].2 += one.weight * credit(&one.probabilities, one.label);
    }
    let total: f64 = bins.iter().map(|bin| bin.0).sum();
    let distance: f64 = bins.iter().map(|bin| (bin.1 - bin.2).abs()).sum();
    (total > 0.0).then(|| distance / total)
}

/// Mean of −ln(probability of the right label), no probability counted below 0.0001.
pub fn log_loss(scored: &[Scored]) -> Option<f64> {
    let total: f64 = scored.iter().map(|one| one.weight).sum();
    let loss = |one: &Scored| -one.weight * one.probabilities[one.label].max(PROBABILITY_MIN).ln();
    // Where all is certain and right, every loss is −0.
    (total > 0.0).then(|| scored.iter().map(loss).sum::<f64>() / total + 0.0)
}

/// Probabilities raised to `power` and normalised. Power 1 keeps them but for the cut at 0.0001.
pub fn sharpened(probabilities: &[f64], power: f64) -> Vec<f64> {
    let mut row: Vec<f64> = probabilities.iter().map(|p| power * p.max(PROBABILITY_MIN).ln()).collect();
    softmax(&mut row);
    row
}

/// Precision of the normal prior on ln(power), centred on 0: few labels change little.
const POWER_PULL: f64 = 0.25;

/// The power that makes the labels most likely, between 1/50 and 3, by golden-section search.
pub fn fit_power(scored: &[&Scored]) -> f64 {
    let value = |log_power: f64| -> f64 {
        let fits = scored.iter().map(|one| {
            let row = sharpened(&one.probabilities, log_power.exp());
            one.weight * row[one.label].max(f64::MIN_POSITIVE).ln()
        });
        fits.sum::<f64>() - 0.5 * POWER_PULL * log_power * log_power
    };
    let ratio = (5.0f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.02f64.ln(), 3.0f64.ln());
    for _ in 0..40 {
        let inner_low = high - ratio * (high - low);
        let inner_high = low + ratio * (high - low);
        if value(inner_low) < value(inner_high) {
            low = inner_low;
        } else {
            high = inner_high;
        }
    }
    f64::midpoint(low, high).exp()
}

/// Every prediction with the power that the other folds' labels ask for.
pub fn cross_sharpened(scored: &[Scored], n_folds: usize, seed: u64) -> Vec<Scored> {
    let folds = folds(scored.len(), n_folds, seed);
    let mut sharp = scored.to_vec();
    for fold in 0..n_folds {
        let rest: Vec<&Scored> = (scored.iter().zip(&folds)).filter(|(_, f)| **f != fold).map(|(one, _)| one).collect();
        let power = fit_power(&rest);
        for (one, _) in sharp.iter_mut().zip(&folds).filter(|(_, f)| **f == fold) {
            one.probabilities = sharpened(&one.probabilities, power);
        }
    }
    sharp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_prediction_loses_nothing_and_not_minus_nothing() {
        let perfect = Scored { probabilities: vec![0.0, 1.0], label: 1, weight: 2.0 };
        let loss = log_loss(&[perfect]).expect("one prediction");
        assert!(loss == 0.0 && loss.is_sign_positive(), "{loss:?}");
    }
}
