//! The probability of each verdict, from the posteriors of the items it counts.
//!
//! Items are independent given the votes. A verdict is a function of what was seen so far (a count,
//! a score, a set of counts) that one item after the other moves on; equal states are merged, so the
//! result is exact as long as states are few (the Poisson binomial and the convolution of scores are
//! special cases: Wang 1993, Statistica Sinica 3; Hong 2013, Computational Statistics and Data
//! Analysis 59). Where they are too many, it is a seeded simulation with its standard error.
//! Deliberately not here: any policy.

use std::collections::BTreeMap;

use serde::Serialize;

use super::prng::Prng;

/// How items lead to a verdict.
pub trait VerdictModel {
    /// What has to be known of the items seen so far. Merge all that cannot change the verdict any
    /// more, such as a count above its threshold.
    type State: Ord + Clone;

    fn start(&self) -> Self::State;
    /// The state after `item` turned out to be `category`.
    fn step(&self, state: &Self::State, item: usize, category: usize) -> Self::State;
    /// The verdict, in `0..n_verdicts`.
    fn verdict(&self, state: &Self::State) -> usize;
    fn n_verdicts(&self) -> usize;
}

/// How probabilities were computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Exact,
    Simulated { draws: usize },
}

/// Probability of every verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certainty {
    pub probabilities: Vec<f64>,
    /// Standard error per verdict; 0 where exact.
    pub standard_errors: Vec<f64>,
    pub method: Method,
}

impl Certainty {
    /// The most probable verdict; the first where several tie.
    pub fn verdict(&self) -> usize {
        let highest = self.confidence();
        let found = self.probabilities.iter().position(|&p| p >= highest);
        found.unwrap_or(0)
    }

    /// The probability of the most probable verdict.
    pub fn confidence(&self) -> f64 {
        self.probabilities.iter().copied().fold(0.0, f64::max)
    }
}

/// When to give up on exactness, and how to simulate then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CertaintyOptions {
    pub states_max: usize,
    pub draws: usize,
    pub seed: u64,
    /// Items that cannot move the verdict's probability by more than this are left out of [`impacts`].
    pub movement_min: f64,
}

impl Default for CertaintyOptions {
    fn default() -> Self {
        Self { states_max: 20_000, draws: 20_000, seed: 1, movement_min: IMPACT_MIN }
    }
}

/// Probability of every verdict. `items` holds a row of category probabilities an item; rows sum to
/// 1.
pub fn certainty<M: VerdictModel>(model: &M, items: &[Vec<f64>], options: CertaintyOptions) -> Certainty {
    match exact(model, items, options.states_max) {
        Some(probabilities) => {
            Certainty { standard_errors: vec![0.0; probabilities.len()], probabilities, method: Method::Exact }
        }
        None => simulated(model, items, options),
    }
}

/// Exact probabilities, or `None` beyond `states_max` states.
pub fn exact<M: VerdictModel>(model: &M, items: &[Vec<f64>], states_max: usize) -> Option<Vec<f64>> {
    let mut states = BTreeMap::from([(model.start(), 1.0)]);
    for (item, row) in items.iter().enumerate() {
        let mut next = BTreeMap::new();
        for (state, p_state) in &states {
            for (category, &p) in row.iter().enumerate().filter(|(_, p)| **p > 0.0) {
                let after = model.step(state, item, category);
                *next.entry(after).or_insert(0.0) += p_state * p;
            }
        }
        if next.len() > states_max {
            return None;
        }
        states = next;
    }
    let mut probabilities = vec![0.0; model.n_verdicts()];
    for (state, p) in &states {
        probabilities[model.verdict(state)] += p;
    }
    Some(probabilities)
}

fn simulated<M: VerdictModel>(model: &M, items: &[Vec<f64>], options: CertaintyOptions) -> Certainty {
    let mut prng = Prng::new(options.seed);
    let draws = options.draws.max(1);
    let mut counts = vec![0usize; model.n_verdicts()];
    for _ in 0..draws {
        let mut state = model.start();
        for (item, row) in items.iter().enumerate() {
            state = model.step(&state, item, prng.categorical(row));
        }
        counts[model.verdict(&state)] += 1;
    }
    let n = draws as f64;
    let shares: Vec<f64> = counts.iter().map(|&count| count as f64 / n).collect();
    Certainty {
        // One draw more of each outcome, so that a verdict never drawn has an error above 0.
        standard_errors: (counts.iter())
            .map(|&count| (count as f64 + 1.0) / (n + 2.0))
            .map(|p| (p * (1.0 - p) / n).sqrt())
            .collect(),
        probabilities: shares,
        method: Method::Simulated { draws },
    }
}

/// What an item could do to the verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Impact {
    pub item: usize,
    /// Probability that labelling the item changes the most probable verdict.
    pub flip: f64,
    /// Expected gain in the probability that the most probable verdict is right.
    pub gain: f64,
    /// Expected size of the move of the current verdict's probability, in either direction. Above 0
    /// also where two labels are needed to change anything.
    pub movement: f64,
}

/// Below this an impact is rounding.
const IMPACT_MIN: f64 = 1e-9;

/// What labelling each single item could do, those that can do anything, largest flip first.
pub fn impacts<M: VerdictModel>(model: &M, items: &[Vec<f64>], options: CertaintyOptions) -> Vec<Impact> {
    let now = certainty(model, items, options);
    let (verdict, confidence) = (now.verdict(), now.confidence());
    // The same bound holds for the verdict as for an item's label below.
    if 2.0 * (1.0 - confidence) <= options.movement_min {
        return Vec::new();
    }
    let mut items = items.to_vec();
    let mut found = Vec::new();
    for item in 0..items.len() {
        // A label moves the probability by no more than twice the chance that it is not the most likely one: the likely
        // label by 1 − p in p cases, the others by at most 1 in 1 − p.
        let likely = items[item].iter().copied().fold(0.0, f64::max);
        if 2.0 * (1.0 - likely) <= options.movement_min {
            continue;
        }
        let row = items[item].clone();
        let mut impact = Impact { item, flip: 0.0, gain: -confidence, movement: 0.0 };
        for (category, &p) in row.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            items[item] = vec![0.0; row.len()];
            items[item][category] = 1.0;
            let then = certainty(model, &items, options);
            if then.probabilities[verdict] + IMPACT_MIN < then.confidence() {
                impact.flip += p;
            }
            impact.gain += p * then.confidence();
            impact.movement += p * (then.probabilities[verdict] - confidence).abs();
        }
        items[item] = row;
        impact.gain = impact.gain.max(0.0);
        if impact.movement > options.movement_min {
            found.push(impact);
        }
    }
    found.sort_by(|a, b| (b.flip.total_cmp(&a.flip)).then(b.movement.total_cmp(&a.movement)).then(a.item.cmp(&b.item)));
    found
}

/// Distribution of how many of independent events happen: index is the count (Poisson binomial).
pub fn count_distribution(probabilities: &[f64]) -> Vec<f64> {
    let mut distribution = vec![1.0];
    for p in probabilities {
        distribution.push(0.0);
        for count in (0..distribution.len()).rev() {
            let from_below = if count > 0 { distribution[count - 1] * p } else { 0.0 };
            distribution[count] = distribution[count] * (1.0 - p) + from_below;
        }
    }
    distribution
}

/// Probability that at least `threshold` of independent events happen.
pub fn at_least(probabilities: &[f64], threshold: usize) -> f64 {
    let distribution = count_distribution(probabilities);
    let from = threshold.min(distribution.len());
    distribution[from..].iter().sum::<f64>().min(1.0)
}

/// Distribution of a sum of independent whole-number scores, each given as (score, probability)
/// pairs: probability by sum.
pub fn score_distribution(items: &[Vec<(i64, f64)>]) -> BTreeMap<i64, f64> {
    let mut sums = BTreeMap::from([(0, 1.0)]);
    for item in items {
        let mut next = BTreeMap::new();
        for (sum, p_sum) in &sums {
            for (score, p) in item.iter().filter(|(_, p)| *p > 0.0) {
                *next.entry(sum + score).or_insert(0.0) += p_sum * p;
            }
        }
        sums = next;
    }
    sums
}

/// How many businesses have a verdict: as stated, and as expected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct VerdictCount {
    /// Businesses whose most probable verdict this is.
    pub stated: usize,
    /// Sum of its probabilities: the count without the bias of rounding each to its most probable.
    pub expected: f64,
    /// 95 % interval, from the exact distribution of the count.
    pub low: usize,
    pub high: usize,
}

/// Counts per verdict over businesses that are independent of each other.
pub fn verdict_counts(certainties: &[Certainty], n_verdicts: usize) -> Vec<VerdictCount> {
    (0..n_verdicts)
        .map(|verdict| {
            let probability = |one: &Certainty| one.probabilities.get(verdict).copied();
            let probabilities: Vec<f64> = certainties.iter().filter_map(probability).collect();
            let distribution = count_distribution(&probabilities);
            let quantile = |q: f64| {
                let mut below = 0.0;
                let reached = distribution.iter().position(|p| {
                    below += p;
                    below >= q
                });
                reached.unwrap_or(probabilities.len())
            };
            VerdictCount {
                stated: certainties.iter().filter(|one| one.verdict() == verdict).count(),
                expected: probabilities.iter().sum(),
                low: quantile(0.025),
                high: quantile(0.975),
            }
        })
        .collect()
}
