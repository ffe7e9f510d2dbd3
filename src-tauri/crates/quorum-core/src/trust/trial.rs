//! A rehearsal on a set whose truth is known: what a small gold sample would have led to.
//!
//! Draws a sample many times, lets the aggregators learn from it, and scores them on the other items
//! only. Deliberately not here: anything for a project in use, where the truth is not known.

use serde::Serialize;

use super::aggregate::Aggregator;
use super::dawid_skene::EmOptions;
use super::evaluate::score;
use super::fit::Unsupervised;
use super::gold::Gold;
use super::matrix::VoteMatrix;
use super::recommend::recommend;
use crate::prng::Prng;

/// How a trial runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialOptions {
    pub em: EmOptions,
    pub n_gold: usize,
    pub draws: usize,
    pub seed: u64,
}

impl Default for TrialOptions {
    fn default() -> Self {
        Self { em: EmOptions::default(), n_gold: 40, draws: 200, seed: 1 }
    }
}

/// Mean accuracies over the draws, in percent, on items outside the sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialReport {
    pub n_gold: usize,
    pub draws: usize,
    pub aggregators: Vec<(Aggregator, f64)>,
    /// Mean accuracy of whatever each draw's recommendation named.
    pub recommended_percent: f64,
    /// The aggregator with the best mean, and how far the recommended falls short of it.
    pub best: Aggregator,
    pub shortfall: f64,
    /// How often each aggregator was recommended.
    pub recommended: Vec<(Aggregator, usize)>,
}

/// Runs the trial; `None` where no item is left outside the sample.
pub fn trial(matrix: &VoteMatrix, truth: &Gold, options: TrialOptions) -> Option<TrialReport> {
    if truth.len() <= options.n_gold || options.draws == 0 {
        return None;
    }
    let unsupervised = Unsupervised::fit(matrix, options.em);
    let mut sums = [0.0; Aggregator::ALL.len()];
    let mut counts = [0usize; Aggregator::ALL.len()];
    let mut recommended_sum = 0.0;
    for draw in 0..options.draws {
        let seed = options.seed.wrapping_add(draw as u64);
        let mut order: Vec<usize> = (0..truth.len()).collect();
        Prng::new(seed).shuffle_first(&mut order, options.n_gold);
        let mut in_sample = vec![false; truth.len()];
        (order[..options.n_gold].iter()).for_each(|&position| in_sample[position] = true);
        let sample = truth.retain(|position, _| in_sample[position]);
        let others = truth.retain(|position, _| !in_sample[position]);
        let learned = unsupervised.learn(&sample, seed);
        let choice = recommend(&score(&unsupervised, &sample, seed), unsupervised.n_models()).aggregator;
        for (place, aggregator) in Aggregator::ALL.into_iter().enumerate() {
            let posteriors = unsupervised.posteriors_with(&learned, aggregator);
            let credit = |gold: &super::gold::GoldLabel| posteriors.credit(gold.item as usize, usize::from(gold.label));
            let right: f64 = others.labels().iter().map(credit).sum();
            let percent = 100.0 * right / others.len() as f64;
            sums[place] += percent;
            if aggregator == choice {
                recommended_sum += percent;
                counts[place] += 1;
            }
        }
    }
    let draws = options.draws as f64;
    let aggregators: Vec<(Aggregator, f64)> =
        (Aggregator::ALL.into_iter().zip(sums)).map(|(aggregator, sum)| (aggregator, sum / draws)).collect();
    let (best, best_percent) =
        (aggregators.iter().copied()).reduce(|best, one| if one.1 > best.1 { one } else { best })?;
    let recommended_percent = recommended_sum / draws;
    Some(TrialReport {
        n_gold: options.n_gold,
        draws: options.draws,
        aggregators,
        recommended_percent,
        best,
        shortfall: best_percent - recommended_percent,
        recommended: (Aggregator::ALL.into_iter().zip(counts)).filter(|(_, count)| *count > 0).collect(),
    })
}
