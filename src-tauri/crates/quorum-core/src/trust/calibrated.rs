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

/// Votes' worth of the pooled accuracy that every judge starts with.
const JUDGE_STRENGTH: f64 = 4.0;
/// Votes' worth of the expected confusion row that every row of a judge starts with.
const CLASS_STRENGTH: f64 = 2.0;
/// Votes' worth of an even spread of errors in every row of the pooled confusion matrix.
const POOLED_STRENGTH: f64 = 4.0;
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
    let (confusions, prevalence) = counts.shrink(matrix);
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
    for _ in 0..ITERATIONS_MAX {
        let mut counts = Counts::new(matrix);
        for item in 0..matrix.n_items() {
            if matrix.n_votes_of_item(item) > 0 {
                counts.add(matrix, item, posteriors.of(item));
            }
        }
        (confusions, prevalence) = counts.shrink(matrix);
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

    /// Confusion matrices with both steps of shrinkage, and the share of each label.
    fn shrink(mut self, matrix: &VoteMatrix) -> (Confusions, Vec<f64>) {
        let (n_judges, n_labels) = (matrix.n_judges(), matrix.n_labels());
        normalise(&mut self.prevalence);
        let mut pooled = vec![0.0; n_labels * n_labels];
        let mut right = vec![0.0; n_judges];
        let mut votes = vec![0.0; n_judges];
        for judge in 0..n_judges {
            for truth in 0..n_labels {
                let row = self.confusions.row(judge, truth);
                right[judge] += row[truth];
                for (answer, n) in row.iter().enumerate() {
                    votes[judge] += n;
                    pooled[truth * n_labels + answer] += n;
                }
            }
        }
        let n_right: f64 = right.iter().sum();
        let n_votes: f64 = votes.iter().sum();
        let accuracy = (n_right + ACCURACY_GUESS_STRENGTH * ACCURACY_GUESS) / (n_votes + ACCURACY_GUESS_STRENGTH);
        let error = (1.0 - accuracy) / (n_labels.max(2) - 1) as f64;
        for (truth, row) in pooled.chunks_exact_mut(n_labels).enumerate() {
            for (answer, n) in row.iter_mut().enumerate() {
                *n += POOLED_STRENGTH * if answer == truth { accuracy } else { error };
            }
            normalise(row);
        }
        let mut expected = vec![0.0; n_labels];
        for judge in 0..n_judges {
            let own = (right[judge] + JUDGE_STRENGTH * accuracy) / (votes[judge] + JUDGE_STRENGTH);
            let shift = logit(own) - logit(accuracy);
            for truth in 0..n_labels {
                let pooled_row = &pooled[truth * n_labels..(truth + 1) * n_labels];
                let pooled_right = pooled_row[truth];
                let right = 1.0 / (1.0 + (-(logit(pooled_right) + shift)).exp());
                let spread = (1.0 - right) / (1.0 - pooled_right).max(1e-12);
                for (answer, p) in expected.iter_mut().enumerate() {
                    *p = if answer == truth { right } else { pooled_row[answer] * spread };
                }
                let row = self.confusions.row_mut(judge, truth);
                for (n, p) in row.iter_mut().zip(&expected) {
                    *n += CLASS_STRENGTH * p;
                }
                normalise(row);
            }
        }
        (self.confusions, self.prevalence)
    }
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-9, 1.0 - 1e-9);
    (p / (1.0 - p)).ln()
}
