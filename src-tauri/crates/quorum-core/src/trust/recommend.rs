//! Which aggregator to use, and how sure that is.
//!
//! Weighted majority stays the default until there are 20 gold labels. From then on the learned
//! blend is recommended: picking the aggregator that does best on few labels picks one that was
//! lucky (the winner's curse: Cawley and Talbot 2010, JMLR 11), while a blend takes part of each; on
//! public and made votes it fell least short of the best of all. Of four to eight models, the best one
//! is recommended alone where it is right on held-out gold at least as often as the blend and likely
//! better than the default: it is simpler, and where models err alike the blend listens to them too
//! much. Where gold speaks against the choice, the default stays. Deliberately not here: changing anything; a person switches.

use serde::Serialize;

use super::aggregate::{Aggregator, credit};
use super::evaluate::{Difference, HeldOutScores, paired_difference};
use super::words;

/// How much gold says about the recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Fewer than 20 gold labels: the default stays.
    TooThin,
    /// The difference to weighted majority is within chance.
    Thin,
    /// The 95 % interval of the difference leaves out 0.
    Clear,
}

/// An aggregator against weighted majority, on the same gold labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub aggregator: Aggregator,
    /// Accuracy minus that of weighted majority, in percentage points, with its 95 % interval.
    pub difference: f64,
    pub low: f64,
    pub high: f64,
    /// Probability that it is better, by the normal approximation.
    pub better: f64,
}

impl Comparison {
    pub fn evidence(&self) -> Evidence {
        if self.low > 0.0 || self.high < 0.0 { Evidence::Clear } else { Evidence::Thin }
    }
}

/// What to use, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    pub aggregator: Aggregator,
    pub evidence: Evidence,
    pub n_gold: usize,
    /// Every other aggregator against weighted majority.
    pub comparisons: Vec<Comparison>,
    pub words: Vec<String>,
}

/// Gold labels below which nothing but the default is recommended.
pub const GOLD_MIN: usize = 20;
/// The choice is dropped where its probability of being better than weighted majority is below this.
const BETTER_MIN: f64 = 0.1;
/// With so many models the best one may be recommended alone. Two or three leave the blend little to get wrong, and of many some
/// look best by luck.
const MODELS_FEW: std::ops::RangeInclusive<usize> = 4..=8;
/// The best model is recommended alone only where it is better than weighted majority with this probability.
const SINGLE_BETTER_MIN: f64 = 0.7;

/// Every aggregator's (sampling weight, credit in [0, 1]) pairs, one a labelled unit, in the same order for all of them.
pub type HeldOutCredits = Vec<(Aggregator, Vec<(f64, f64)>)>;

/// Recommends from predictions on gold that have not seen it, made from votes of `n_models` models.
pub fn recommend(held_out: &HeldOutScores, n_models: usize) -> Recommendation {
    let held_out: HeldOutCredits = (held_out.iter())
        .map(|(aggregator, scored)| {
            let credits = scored.iter().map(|one| (one.weight, credit(&one.probabilities, one.label)));
            (*aggregator, credits.collect())
        })
        .collect();
    recommend_by_credits(&held_out, n_models)
}

/// The same where the labelled unit is more than one item, such as a review with several fields: its credit is the share of
/// its items that come out right, so that items which stand or fall together count once.
pub fn recommend_by_credits(held_out: &HeldOutCredits, n_models: usize) -> Recommendation {
    let of = |wanted| {
        let found = held_out.iter().find(|(aggregator, _)| *aggregator == wanted);
        found.map(|(_, credits)| credits.as_slice()).unwrap_or_default()
    };
    let default = of(Aggregator::WeightedMajority);
    let n_gold = default.len();
    let comparisons: Vec<Comparison> = (held_out.iter())
        .filter(|(aggregator, _)| *aggregator != Aggregator::WeightedMajority)
        .filter_map(|(aggregator, credits)| compare(*aggregator, credits, default))
        .collect();
    let of = |wanted| comparisons.iter().find(|comparison: &&Comparison| comparison.aggregator == wanted);
    let choice = of(Aggregator::Stacked).map(|blend| {
        let is_as_good =
            |single: &&Comparison| single.difference >= blend.difference - 1e-9 && single.better >= SINGLE_BETTER_MIN;
        of(Aggregator::BestSingle).filter(|_| MODELS_FEW.contains(&n_models)).filter(is_as_good).unwrap_or(blend)
    });
    let (aggregator, evidence) = match choice {
        Some(choice) if n_gold >= GOLD_MIN && choice.better >= BETTER_MIN => (choice.aggregator, choice.evidence()),
        Some(choice) if n_gold >= GOLD_MIN => (Aggregator::WeightedMajority, choice.evidence()),
        _ => (Aggregator::WeightedMajority, Evidence::TooThin),
    };
    let mut recommendation = Recommendation { aggregator, evidence, n_gold, comparisons, words: Vec::new() };
    recommendation.words = words::recommendation(&recommendation);
    recommendation
}

fn compare(aggregator: Aggregator, credits: &[(f64, f64)], default: &[(f64, f64)]) -> Option<Comparison> {
    let differences: Vec<(f64, f64)> = (credits.iter().zip(default)).map(|(a, b)| (a.0, a.1 - b.1)).collect();
    let Difference { mean, error } = paired_difference(&differences)?;
    Some(Comparison {
        aggregator,
        difference: 100.0 * mean,
        low: 100.0 * (mean - 1.959_964 * error),
        high: 100.0 * (mean + 1.959_964 * error),
        better: normal_below(mean / error),
    })
}

/// The standard normal distribution function, to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26).
pub fn normal_below(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let upper = 0.5 * poly * (-x * x).exp();
    if z >= 0.0 { 1.0 - upper } else { upper }
}
