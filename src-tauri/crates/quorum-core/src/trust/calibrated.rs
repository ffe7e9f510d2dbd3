//! Calibrated weights: log-odds weights by judge and class, learned from gold labels with priors.
//!
//! Every judge has a confusion matrix, as in Dawid–Skene, but estimated from gold labels, and
//! shrunk in two steps so that a few labels are enough: a judge's accuracy towards the accuracy of
//! all judges, and its confusion matrix towards the pooled one moved to that accuracy (partial
//! pooling, as in Paun, Carpenter, Chamberlain, Hovy, Kruschwitz and Poesio 2018, "Comparing
//! Bayesian models of annotation", TACL 6). *Anchored* Dawid–Skene is the same model with the
//! unlabelled items taken in by expectation maximisation, the gold items held fixed (Nigam,
//! McCallum, Thrun and Mitchell 2000, "Text classification from labeled and unlabeled documents
//! using EM", Machine Learning 39).

use super::aggregate::{Posteriors, normalise};
use super::dawid_skene::{Confusions, expect};
use super::gold::Gold;
use super::matrix::VoteMatrix;

/// Before any vote is seen, judges are right this often, with the weight of two votes.
const ACCURACY_GUESS: f64 = 0.7;
const ACCURACY_GUESS_STRENGTH: f64 = 2.0;

/// What was learned about judges, and what follows for the items.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    pub posteriors: Posteriors,
    pub confusions: Confusions,
    pub prevalence: Vec<f64>,
}

/// Weights from the gold labels alone. Gold items are predicted from their votes like all others,
/// so callers score them only with a fit that left them out.
pub fn calibrated(matrix: &VoteMatrix, gold: &Gold) -> Calibrated {
    let mut counts = Counts::new(matrix);
    for gold in gold.labels() {
        let truth = usize::from(gold.label);
        counts.prevalence[truth] += 1.0;
        for (judge, label) in matrix.votes(gold.item as usize) {
            counts.confusions.row_mut(judge, truth)[label] += 1.0;
        }
    }
    let strengths = Strengths::learn(&counts);
    let (confusions, prevalence) = counts.shrink(strengths);
    let mut posteriors = Posteriors::uniform(matrix.n_items(), matrix.n_labels());
    let fixed = vec![false; matrix.n_items()];
    expect(matrix, &confusions, &prevalence, &fixed, &mut posteriors);
    Calibrated { posteriors, confusions, prevalence }
}

/// Weights from gold labels and all unlabelled votes, by expectation maximisation from `start`.
/// Without gold it is Dawid–Skene with pooled priors. Gold items come out at their gold label.
pub fn anchored(matrix: &VoteMatrix, gold: &Gold, start: &Posteriors) -> Calibrated {
    let mut posteriors = start.clone();
    let mut is_gold = vec![false; matrix.n_items()];
    for gold in gold.labels() {
        is_gold[gold.item as usize] = true;
        let row = posteriors.of_mut(gold.item as usize);
        row.fill(0.0);
        row[usize::from(gold.label)] = 1.0;
    }
    let mut confusions = Confusions::filled(matrix.n_judges(), matrix.n_labels(), 0.0);
    let mut prevalence = vec![0.0; matrix.n_labels()];
    let mut strengths = Strengths::GUESS;
    for round in 0..ITERATIONS_MAX {
        let mut counts = Counts::new(matrix);
        for item in 0..matrix.n_items() {
            if matrix.n_votes_of_item(item) > 0 {
                counts.add(matrix, item, posteriors.of(item));
            }
        }
        if round % STRENGTHS_EVERY == 0 {
            strengths = Strengths::learn(&counts);
        }
        (confusions, prevalence) = counts.shrink(strengths);
        let change = expect(matrix, &confusions, &prevalence, &is_gold, &mut posteriors);
        if change < CHANGE_MIN {
            break;
        }
    }
    Calibrated { posteriors, confusions, prevalence }
}

const ITERATIONS_MAX: usize = 30;
/// Stop when no probability moves more than this.
const CHANGE_MIN: f64 = 3e-3;

/// Votes by judge, truth and answer.
struct Counts {
    confusions: Confusions,
    prevalence: Vec<f64>,
}

impl Counts {
    fn new(matrix: &VoteMatrix) -> Self {
        Self {
            confusions: Confusions::filled(matrix.n_judges(), matrix.n_labels(), 0.0),
            // One item of every label, so that a label without gold stays possible.
            prevalence: vec![1.0; matrix.n_labels()],
        }
    }

    fn add(&mut self, matrix: &VoteMatrix, item: usize, truth: &[f64]) {
        for (share, p) in self.prevalence.iter_mut().zip(truth) {
            *share += p;
        }
        self.confusions.add_votes(matrix, item, truth);
    }

    /// How often the judges are right altogether, as a share of their votes.
    fn accuracy(&self) -> f64 {
        let (right, votes) = (self.judges()).fold((0.0, 0.0), |sum, (right, votes)| (sum.0 + right, sum.1 + votes));
        (right + ACCURACY_GUESS_STRENGTH * ACCURACY_GUESS) / (votes + ACCURACY_GUESS_STRENGTH)
    }

    /// Right votes and votes of every judge.
    fn judges(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let n_labels = self.prevalence.len();
        (0..self.confusions.n_judges()).map(move |judge| {
            (0..n_labels).fold((0.0, 0.0), |(right, votes), truth| {
                let row = self.confusions.row(judge, truth);
                (right + row[truth], votes + row.iter().sum::<f64>())
            })
        })
    }

    /// The confusion matrix of all judges together, one row a truth: counts, then with its prior.
    fn pooled(&self) -> Vec<f64> {
        let n_labels = self.prevalence.len();
        let mut pooled = vec![0.0; n_labels * n_labels];
        for judge in 0..self.confusions.n_judges() {
            for truth in 0..n_labels {
                let row = &mut pooled[truth * n_labels..(truth + 1) * n_labels];
                row.iter_mut().zip(self.confusions.row(judge, truth)).for_each(|(sum, n)| *sum += n);
            }
        }
        pooled
    }

    /// A judge's expected confusion row: the pooled one moved to the judge's accuracy.
    fn expected_row(pooled: &[f64], truth: usize, shift: f64, expected: &mut [f64]) {
        let pooled_right = pooled[truth];
        let right = 1.0 / (1.0 + (-(logit(pooled_right) + shift)).exp());
        let spread = (1.0 - right) / (1.0 - pooled_right).max(1e-12);
        for (answer, p) in expected.iter_mut().enumerate() {
            *p = if answer == truth { right } else { pooled[answer] * spread };
        }
    }

    fn pooled_with_prior(&self, accuracy: f64, strength: f64) -> Vec<f64> {
        let n_labels = self.prevalence.len();
        let mut pooled = self.pooled();
        for (truth, row) in pooled.chunks_exact_mut(n_labels).enumerate() {
            for (answer, n) in row.iter_mut().enumerate() {
                *n += strength * spread_evenly(accuracy, n_labels, answer == truth);
            }
            normalise(row);
        }
        pooled
    }

    /// Confusion matrices with both steps of shrinkage, and the share of each label.
    fn shrink(mut self, strengths: Strengths) -> (Confusions, Vec<f64>) {
        let n_labels = self.prevalence.len();
        normalise(&mut self.prevalence);
        let accuracy = self.accuracy();
        let pooled = self.pooled_with_prior(accuracy, strengths.pooled);
        let judges: Vec<(f64, f64)> = self.judges().collect();
        let mut expected = vec![0.0; n_labels];
        for (judge, (right, votes)) in judges.into_iter().enumerate() {
            let own = (right + strengths.judge * accuracy) / (votes + strengths.judge);
            let shift = logit(own) - logit(accuracy);
            for truth in 0..n_labels {
                Self::expected_row(&pooled[truth * n_labels..(truth + 1) * n_labels], truth, shift, &mut expected);
                let row = self.confusions.row_mut(judge, truth);
                for (n, p) in row.iter_mut().zip(&expected) {
                    *n += strengths.class * p;
                }
                normalise(row);
            }
        }
        (self.confusions, self.prevalence)
    }
}

/// P(answer) of a judge of this accuracy who errs to every wrong label alike.
fn spread_evenly(accuracy: f64, n_labels: usize, is_right: bool) -> f64 {
    if is_right { accuracy } else { (1.0 - accuracy) / (n_labels.max(2) - 1) as f64 }
}

/// How many votes each prior is worth, learned from how much the judges differ (empirical Bayes): judges
/// that are all alike are pooled nearly whole, and few votes a cell count for little.
#[derive(Debug, Clone, Copy)]
struct Strengths {
    /// Of the accuracy of all judges, for a judge's.
    judge: f64,
    /// Of the expected confusion row, for every row of a judge.
    class: f64,
    /// Of an even spread of errors, for every row of the pooled matrix.
    pooled: f64,
}

impl Strengths {
    const GUESS: Self = Self { judge: 4.0, class: 2.0, pooled: 4.0 };
    const TRIED: [f64; 9] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

    fn learn(counts: &Counts) -> Self {
        let n_labels = counts.prevalence.len();
        let accuracy = counts.accuracy();
        let judges: Vec<(f64, f64)> = counts.judges().collect();
        let judge = Self::likeliest(Self::GUESS.judge, |strength| {
            let of = |&(right, votes): &(f64, f64)| {
                let cells = [(right, accuracy), (votes - right, 1.0 - accuracy)];
                log_evidence(strength, cells.into_iter())
            };
            judges.iter().map(of).sum()
        });
        let pooled_counts = counts.pooled();
        let pooled = Self::likeliest(Self::GUESS.pooled, |strength| {
            let of = |(truth, row): (usize, &[f64])| {
                let cells = row.iter().enumerate();
                log_evidence(
                    strength,
                    cells.map(|(answer, n)| (*n, spread_evenly(accuracy, n_labels, answer == truth))),
                )
            };
            pooled_counts.chunks_exact(n_labels).enumerate().map(of).sum()
        });
        let pooled_matrix = counts.pooled_with_prior(accuracy, pooled);
        let class = Self::likeliest(Self::GUESS.class, |strength| {
            let mut expected = vec![0.0; n_labels];
            let mut sum = 0.0;
            for (at, (right, votes)) in judges.iter().enumerate() {
                let own = (right + judge * accuracy) / (votes + judge);
                let shift = logit(own) - logit(accuracy);
                for truth in 0..n_labels {
                    let row = &pooled_matrix[truth * n_labels..(truth + 1) * n_labels];
                    Counts::expected_row(row, truth, shift, &mut expected);
                    let cells = counts.confusions.row(at, truth).iter().zip(&expected);
                    sum += log_evidence(strength, cells.map(|(n, p)| (*n, *p)));
                }
            }
            sum
        });
        Self { judge, class, pooled }
    }

    fn likeliest(guess: f64, log_likelihood: impl Fn(f64) -> f64) -> f64 {
        let posterior = |&strength: &f64| {
            let away = (strength / guess).ln() / STRENGTH_SPREAD;
            log_likelihood(strength) - 0.5 * away * away
        };
        let tried = Self::TRIED.iter().map(|strength| (*strength, posterior(strength)));
        tried.reduce(|best, one| if one.1 > best.1 { one } else { best }).map_or(guess, |best| best.0)
    }
}

/// Standard deviation of ln(strength) around its guess, before votes are seen.
const STRENGTH_SPREAD: f64 = 1.5;
const STRENGTHS_EVERY: usize = 8;

/// The Dirichlet-multinomial log-likelihood of (count, prior mean) cells, up to a constant.
fn log_evidence(strength: f64, cells: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut total, mut sum) = (0.0, 0.0);
    for (n, p) in cells {
        total += n;
        if n > 1e-6 {
            let prior = (strength * p).max(1e-6);
            sum += ln_gamma(prior + n) - ln_gamma(prior);
        }
    }
    if total > 1e-6 { sum - (ln_gamma(strength + total) - ln_gamma(strength)) } else { 0.0 }
}

/// ln Γ(x) for x > 0: Stirling's series above 8, and the recurrence below it. Good to 1e-10.
fn ln_gamma(mut x: f64) -> f64 {
    let mut product = 1.0;
    while x < 8.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - product.ln()
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-9, 1.0 - 1e-9);
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::super::matrix::{Judge, Vote};
    use super::*;
    use crate::prng::Prng;

    #[test]
    fn ln_gamma_is_that_of_factorials_and_of_a_half() {
        let factorial = |n: u32| (1..=n).map(|k| f64::from(k).ln()).sum::<f64>();
        for n in [1, 2, 5, 10, 40, 170] {
            assert!((ln_gamma(f64::from(n) + 1.0) - factorial(n)).abs() < 1e-9, "{n}");
        }
        assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-10);
        // Γ(x) is 1/x − 0.5772… near 0.
        assert!((ln_gamma(1e-6) - (1e6f64 - 0.577_215_664_9).ln()).abs() < 1e-9);
    }

    /// Counts of judges of the given accuracies on 400 items of two labels, the truth being known.
    fn counts(accuracies: &[f64]) -> Counts {
        let mut prng = Prng::new(3);
        let judges = accuracies.iter().enumerate().map(|(n, _)| Judge::named(n.to_string())).collect();
        let votes: Vec<Vote> = (0..400)
            .flat_map(|item| (0..accuracies.len() as u32).map(move |judge| (item, judge)))
            .map(|(item, judge)| {
                let right = prng.next_f64() < accuracies[judge as usize];
                Vote { item, judge, label: if right { item % 2 } else { 1 - item % 2 } as u16 }
            })
            .collect();
        let labels = vec!["0".to_owned(), "1".to_owned()];
        let matrix = VoteMatrix::new(400, judges, labels, &votes).expect("codes are in range");
        let mut counts = Counts::new(&matrix);
        for item in 0..400 {
            counts.add(&matrix, item, if item % 2 == 0 { &[1.0, 0.0] } else { &[0.0, 1.0] });
        }
        counts
    }

    #[test]
    fn judges_that_are_alike_are_pooled_and_those_that_differ_are_not() {
        let alike = Strengths::learn(&counts(&[0.75; 8]));
        let different = Strengths::learn(&counts(&[0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.1]));
        assert!(alike.judge >= 32.0 && alike.class >= 32.0, "{alike:?}");
        assert!(different.judge <= 8.0, "{different:?}");
    }

    #[test]
    fn without_votes_the_guess_stays() {
        let none = Strengths::learn(&counts(&[]));
        assert_eq!((none.judge, none.class, none.pooled), (4.0, 2.0, 4.0));
    }
}
