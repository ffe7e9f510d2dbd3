//! How many businesses have a verdict, when each has it with a probability.

use serde::Serialize;

use super::Certainty;

/// How many businesses have a verdict: as stated, and as expected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct VerdictCount {
    /// Businesses whose most probable verdict this is.
    pub stated: usize,
    /// Sum of its probabilities: the count without the bias of rounding each to its most probable.
    pub expected: f64,
    /// 95 % interval, from the distribution of the count.
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
            VerdictCount {
                stated: certainties.iter().filter(|one| one.verdict() == verdict).count(),
                // The sum of nothing is −0.
                expected: probabilities.iter().sum::<f64>() + 0.0,
                low: distribution.quantile(0.025),
                high: distribution.quantile(0.975),
            }
        })
        .collect()
}

/// The distribution of how many of independent events happen (Poisson binomial), where it is above [`CHANCE_MIN`].
#[derive(Debug, Clone, PartialEq)]
pub struct CountDistribution {
    /// The count that the first chance is of.
    pub from: usize,
    pub chances: Vec<f64>,
}

/// Counts less likely than this are left out; 20,000 of them after each of 20,000 events are less than 1e-9 together.
const CHANCE_MIN: f64 = 1e-18;

/// Events that are nearly certain either way cost nothing, and of the others only the counts that may come out.
pub fn count_distribution(probabilities: &[f64]) -> CountDistribution {
    let (mut from, mut chances) = (0, vec![1.0]);
    for p in probabilities {
        // From the highest count down: each has what it had without the event, and what the one below had with it.
        chances.push(0.0);
        for count in (0..chances.len()).rev() {
            let from_below = if count > 0 { chances[count - 1] * p } else { 0.0 };
            chances[count] = chances[count] * (1.0 - p) + from_below;
        }
        while chances.last().is_some_and(|chance| *chance < CHANCE_MIN) {
            chances.pop();
        }
        let unlikely = chances.iter().take_while(|chance| **chance < CHANCE_MIN).count();
        chances.drain(..unlikely);
        from += unlikely;
    }
    CountDistribution { from, chances }
}

impl CountDistribution {
    /// The lowest count that is not exceeded with this probability.
    pub fn quantile(&self, q: f64) -> usize {
        let mut below = 0.0;
        let reached = self.chances.iter().position(|p| {
            below += p;
            below >= q
        });
        self.from + reached.unwrap_or(self.chances.len().saturating_sub(1))
    }
}
