//! How many independent votes the votes are worth.
//!
//! Judges that err on the same items add little to each other. With n votes an item whose errors
//! correlate by ρ on average, the effective number is n ÷ (1 + (n − 1) ρ): the design effect of Kish
//! (1965, Survey Sampling), applied to errors as in Kuncheva and Whitaker 2003 ("Measures of
//! diversity in classifier ensembles", Machine Learning 51). Deliberately not here: which judge to
//! drop (`advice`).

use serde::Serialize;

use super::aggregate::credit;
use super::gold::Gold;
use super::matrix::VoteMatrix;

/// What a vote is held against to call it an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// Gold labels.
    Gold,
    /// The majority of the judges other than the two compared. Mistakes that all judges share stay
    /// unseen, and mistakes of the others count as shared ones, so this is a rough figure.
    OtherJudges,
}

/// The effective number of independent votes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EffectiveVotes {
    /// Mean number of votes on the items compared.
    pub votes_per_item: f64,
    /// Mean correlation of two judges' errors on the same item, in [0, 1]; a negative one counts as
    /// 0.
    pub error_correlation: f64,
    /// Between 1 and `votes_per_item`.
    pub effective: f64,
    pub reference: Reference,
    /// Pairs of votes that the correlation rests on.
    pub n_pairs: u64,
}

/// Below this many gold labels the other judges are the reference.
const GOLD_MIN: usize = 20;
/// Votes' worth of the overall error rate that every judge's own starts with.
const RATE_STRENGTH: f64 = 4.0;
/// Pairs of votes looked at with other judges as the reference; beyond it, evenly spaced items.
const PAIRS_MAX: u64 = 4_000_000;

/// Estimates it, against gold where there is enough. `None` without a pair of votes, without an
/// error, or, where there is no gold, without three votes on an item.
pub fn effective_votes(matrix: &VoteMatrix, gold: &Gold) -> Option<EffectiveVotes> {
    if gold.len() >= GOLD_MIN {
        let items = gold.labels().iter();
        let truths: Vec<(usize, usize)> = items.map(|gold| (gold.item as usize, usize::from(gold.label))).collect();
        let errors = |item: usize, truth: usize| -> Vec<(usize, f64)> {
            let votes = matrix.votes(item);
            votes.map(|(judge, label)| (judge, f64::from(u8::from(label != truth)))).collect()
        };
        let rates = error_rates(matrix, truths.iter().map(|&(item, truth)| errors(item, truth)));
        let mut sums = Sums::default();
        for &(item, truth) in &truths {
            let errors = errors(item, truth);
            sums.n_items += f64::from(u8::from(errors.len() > 1));
            sums.n_votes += if errors.len() > 1 { errors.len() as f64 } else { 0.0 };
            for (place, &(a, error_a)) in errors.iter().enumerate() {
                for &(b, error_b) in &errors[place + 1..] {
                    sums.add((error_a, rates[a]), (error_b, rates[b]));
                }
            }
        }
        return sums.effective(Reference::Gold);
    }
    let pairs_of = |item: usize| (matrix.n_votes_of_item(item) as u64).pow(2) / 2;
    let n_pairs: u64 = (0..matrix.n_items()).map(pairs_of).sum();
    let stride = (n_pairs / PAIRS_MAX + 1) as usize;
    let items = || (0..matrix.n_items()).step_by(stride).filter(|&i| matrix.n_votes_of_item(i) > 2);
    let mut counts = vec![0.0; matrix.n_labels()];
    let mut error_against = |item: usize, without: &[usize], label: usize| -> f64 {
        matrix.count_labels(item, &mut counts);
        without.iter().for_each(|&label| counts[label] -= 1.0);
        1.0 - credit(&counts, label)
    };
    let mut rows: Vec<Vec<(usize, f64)>> = Vec::new();
    for item in items() {
        let row = matrix.votes(item);
        rows.push(row.map(|(judge, label)| (judge, error_against(item, &[label], label))).collect());
    }
    let rates = error_rates(matrix, rows.into_iter());
    let mut sums = Sums::default();
    for item in items() {
        let votes: Vec<(usize, usize)> = matrix.votes(item).collect();
        sums.n_items += 1.0;
        sums.n_votes += votes.len() as f64;
        for (place, &(a, label_a)) in votes.iter().enumerate() {
            for &(b, label_b) in &votes[place + 1..] {
                let without = [label_a, label_b];
                let error_a = error_against(item, &without, label_a);
                let error_b = error_against(item, &without, label_b);
                sums.add((error_a, rates[a]), (error_b, rates[b]));
            }
        }
    }
    sums.effective(Reference::OtherJudges)
}

/// Every judge's error rate, shrunk to that of all.
fn error_rates(matrix: &VoteMatrix, rows: impl Iterator<Item = Vec<(usize, f64)>>) -> Vec<f64> {
    let mut errors = vec![0.0; matrix.n_judges()];
    let mut votes = vec![0.0; matrix.n_judges()];
    for (judge, error) in rows.flatten() {
        errors[judge] += error;
        votes[judge] += 1.0;
    }
    let overall = errors.iter().sum::<f64>() / votes.iter().sum::<f64>().max(1.0);
    (errors.iter().zip(&votes))
        .map(|(errors, votes)| (errors + RATE_STRENGTH * overall) / (votes + RATE_STRENGTH))
        .collect()
}

#[derive(Default)]
struct Sums {
    covariance: f64,
    scale: f64,
    n_pairs: u64,
    n_items: f64,
    n_votes: f64,
}

impl Sums {
    /// Adds a pair of (error, error rate of its judge).
    fn add(&mut self, a: (f64, f64), b: (f64, f64)) {
        let deviation = |rate: f64| (rate * (1.0 - rate)).max(0.0).sqrt();
        self.covariance += (a.0 - a.1) * (b.0 - b.1);
        self.scale += deviation(a.1) * deviation(b.1);
        self.n_pairs += 1;
    }

    fn effective(&self, reference: Reference) -> Option<EffectiveVotes> {
        if self.n_pairs == 0 || self.scale <= 1e-12 {
            return None;
        }
        let votes_per_item = self.n_votes / self.n_items;
        let error_correlation = (self.covariance / self.scale).clamp(0.0, 1.0);
        Some(EffectiveVotes {
            votes_per_item,
            error_correlation,
            effective: votes_per_item / (1.0 + (votes_per_item - 1.0) * error_correlation),
            reference,
            n_pairs: self.n_pairs,
        })
    }
}
