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
/// Work with other judges as the reference, in additions; beyond it, evenly spaced items are looked at.
const WORK_MAX: u64 = 100_000_000;

/// Estimates it, against gold where there is enough. `None` without a pair of votes, without an
/// error, or, where there is no gold, without three votes on an item.
///
/// No pair of votes is looked at by itself: whether a vote errs depends on its label and the other's alone, so that the sum over
/// all pairs of two labels is a product of sums.
pub fn effective_votes(matrix: &VoteMatrix, gold: &Gold) -> Option<EffectiveVotes> {
    if gold.len() >= GOLD_MIN { by_gold(matrix, gold) } else { by_other_judges(matrix) }
}

fn by_gold(matrix: &VoteMatrix, gold: &Gold) -> Option<EffectiveVotes> {
    let labels = || gold.labels().iter().map(|gold| (gold.item as usize, usize::from(gold.label)));
    let errs = |label: usize, truth: usize| f64::from(u8::from(label != truth));
    let mut rates = Rates::new(matrix);
    for (item, truth) in labels() {
        matrix.votes(item).for_each(|(judge, label)| rates.add(judge, errs(label, truth)));
    }
    let rates = rates.shrunk();
    let mut sums = Sums::default();
    for (item, truth) in labels().filter(|(item, _)| matrix.n_votes_of_item(*item) > 1) {
        let mut errors = Group::default();
        matrix.votes(item).for_each(|(judge, label)| errors.add(rates[judge] - errs(label, truth)));
        sums.add_item(matrix, item, &rates, errors.among(0.0));
    }
    sums.effective(Reference::Gold)
}

fn by_other_judges(matrix: &VoteMatrix) -> Option<EffectiveVotes> {
    let n_labels = matrix.n_labels();
    let work_of = |item: usize| {
        let n_votes = matrix.n_votes_of_item(item);
        (n_votes.min(n_labels).pow(2) * n_labels + n_votes) as u64
    };
    let work: u64 = (0..matrix.n_items()).map(work_of).sum();
    let stride = (work / WORK_MAX + 1) as usize;
    let items = || (0..matrix.n_items()).step_by(stride).filter(|&i| matrix.n_votes_of_item(i) > 2);
    let mut counts = vec![0.0; n_labels];
    let mut rates = Rates::new(matrix);
    for item in items() {
        matrix.count_labels(item, &mut counts);
        for (judge, label) in matrix.votes(item) {
            counts[label] -= 1.0;
            rates.add(judge, 1.0 - credit(&counts, label));
            counts[label] += 1.0;
        }
    }
    let rates = rates.shrunk();
    let mut sums = Sums::default();
    let mut groups = vec![Group::default(); n_labels];
    for item in items() {
        matrix.count_labels(item, &mut counts);
        groups.fill(Group::default());
        matrix.votes(item).for_each(|(judge, label)| groups[label].add(rates[judge]));
        let mut covariance = 0.0;
        let voted: Vec<usize> = (0..n_labels).filter(|label| counts[*label] > 0.0).collect();
        for (place, &a) in voted.iter().enumerate() {
            for &b in &voted[place..] {
                // The two votes compared do not judge themselves.
                counts[a] -= 1.0;
                counts[b] -= 1.0;
                let (error_a, error_b) = (1.0 - credit(&counts, a), 1.0 - credit(&counts, b));
                counts[a] += 1.0;
                counts[b] += 1.0;
                covariance +=
                    if a == b { groups[a].among(error_a) } else { groups[a].from(error_a) * groups[b].from(error_b) };
            }
        }
        sums.add_item(matrix, item, &rates, covariance);
    }
    sums.effective(Reference::OtherJudges)
}

/// Sums over some votes of an item: how many, their judges' error rates, and the squares of those.
#[derive(Clone, Copy, Default)]
struct Group {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Group {
    fn add(&mut self, rate: f64) {
        self.n += 1.0;
        self.sum += rate;
        self.squares += rate * rate;
    }

    /// The sum of error − rate, all votes having this error.
    fn from(&self, error: f64) -> f64 {
        self.n * error - self.sum
    }

    /// The sum, over all pairs of them, of the product of both votes' error − rate, all having this error.
    fn among(&self, error: f64) -> f64 {
        let squares = self.n * error * error - 2.0 * error * self.sum + self.squares;
        (self.from(error).powi(2) - squares) / 2.0
    }
}

/// Every judge's errors and votes.
struct Rates {
    errors: Vec<f64>,
    votes: Vec<f64>,
}

impl Rates {
    fn new(matrix: &VoteMatrix) -> Self {
        Self { errors: vec![0.0; matrix.n_judges()], votes: vec![0.0; matrix.n_judges()] }
    }

    fn add(&mut self, judge: usize, error: f64) {
        self.errors[judge] += error;
        self.votes[judge] += 1.0;
    }

    /// Every judge's error rate, shrunk to that of all.
    fn shrunk(&self) -> Vec<f64> {
        let overall = self.errors.iter().sum::<f64>() / self.votes.iter().sum::<f64>().max(1.0);
        (self.errors.iter().zip(&self.votes))
            .map(|(errors, votes)| (errors + RATE_STRENGTH * overall) / (votes + RATE_STRENGTH))
            .collect()
    }
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
    /// Adds the pairs of an item's votes, given the sum of their products of error − rate.
    fn add_item(&mut self, matrix: &VoteMatrix, item: usize, rates: &[f64], covariance: f64) {
        let mut deviations = Group::default();
        for (judge, _) in matrix.votes(item) {
            deviations.add((rates[judge] * (1.0 - rates[judge])).max(0.0).sqrt());
        }
        let n_votes = matrix.n_votes_of_item(item) as u64;
        self.covariance += covariance;
        self.scale += deviations.among(0.0);
        self.n_pairs += n_votes * (n_votes - 1) / 2;
        self.n_items += 1.0;
        self.n_votes += n_votes as f64;
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
