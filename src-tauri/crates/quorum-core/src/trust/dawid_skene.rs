//! Dawid–Skene: every judge has a confusion matrix, learned together with the true labels by
//! expectation maximisation (Dawid and Skene 1979, Applied Statistics 28(1), 20–28).
//!
//! Started from majority, with additive smoothing. Deliberately not here: gold labels.

use super::aggregate::{Posteriors, majority, normalise, softmax};
use super::matrix::VoteMatrix;

/// How the expectation maximisation runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmOptions {
    pub iterations_max: usize,
    /// Pseudo-votes added to every cell of every confusion matrix.
    pub smoothing: f64,
}

impl Default for EmOptions {
    fn default() -> Self {
        Self { iterations_max: 100, smoothing: 0.01 }
    }
}

/// P(judge says column | truth is row), for every judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusions {
    n_labels: usize,
    values: Vec<f64>,
}

impl Confusions {
    pub(super) fn filled(n_judges: usize, n_labels: usize, value: f64) -> Self {
        Self { n_labels, values: vec![value; n_judges * n_labels * n_labels] }
    }

    pub(super) fn n_judges(&self) -> usize {
        self.values.len() / (self.n_labels * self.n_labels)
    }

    /// The answers' probabilities of `judge` where the truth is `truth`.
    pub fn row(&self, judge: usize, truth: usize) -> &[f64] {
        let start = (judge * self.n_labels + truth) * self.n_labels;
        &self.values[start..start + self.n_labels]
    }

    pub(super) fn row_mut(&mut self, judge: usize, truth: usize) -> &mut [f64] {
        let start = (judge * self.n_labels + truth) * self.n_labels;
        &mut self.values[start..start + self.n_labels]
    }

    /// Counts the votes of an item whose truth has the given probabilities.
    pub(super) fn add_votes(&mut self, matrix: &VoteMatrix, item: usize, truth: &[f64]) {
        for (judge, answer) in matrix.votes(item) {
            let start = judge * self.n_labels * self.n_labels + answer;
            let cells = self.values[start..].iter_mut().step_by(self.n_labels);
            for (cell, p) in cells.zip(truth) {
                *cell += p;
            }
        }
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.values.chunks_exact_mut(self.n_labels)
    }
}

/// What Dawid–Skene learned.
#[derive(Debug, Clone, PartialEq)]
pub struct DawidSkene {
    pub posteriors: Posteriors,
    pub confusions: Confusions,
    /// Estimated share of each label among the items.
    pub prevalence: Vec<f64>,
}

/// Runs the expectation maximisation.
pub fn dawid_skene(matrix: &VoteMatrix, options: EmOptions) -> DawidSkene {
    let n_labels = matrix.n_labels();
    let mut posteriors = majority(matrix);
    let mut confusions = Confusions::filled(matrix.n_judges(), n_labels, 0.0);
    let mut prevalence = vec![0.0; n_labels];
    let none_fixed = vec![false; matrix.n_items()];
    for _ in 0..options.iterations_max {
        maximise(matrix, &posteriors, options.smoothing, &mut confusions, &mut prevalence);
        let change = expect(matrix, &confusions, &prevalence, &none_fixed, &mut posteriors);
        if change < 1e-10 {
            break;
        }
    }
    DawidSkene { posteriors, confusions, prevalence }
}

fn maximise(
    matrix: &VoteMatrix,
    posteriors: &Posteriors,
    smoothing: f64,
    confusions: &mut Confusions,
    prevalence: &mut [f64],
) {
    confusions.rows_mut().for_each(|row| row.fill(smoothing));
    prevalence.fill(smoothing);
    for item in 0..matrix.n_items() {
        if matrix.n_votes_of_item(item) == 0 {
            continue;
        }
        let row = posteriors.of(item);
        for (share, &p) in prevalence.iter_mut().zip(row) {
            *share += p;
        }
        confusions.add_votes(matrix, item, row);
    }
    confusions.rows_mut().for_each(normalise);
    normalise(prevalence);
}

/// Sets the posteriors of the items that are not `fixed`; gives the largest change of any of them.
pub(super) fn expect(
    matrix: &VoteMatrix,
    confusions: &Confusions,
    prevalence: &[f64],
    fixed: &[bool],
    posteriors: &mut Posteriors,
) -> f64 {
    let n_labels = prevalence.len();
    let log_prevalence: Vec<f64> = prevalence.iter().map(|p| p.max(f64::MIN_POSITIVE).ln()).collect();
    // Logarithms by judge and answer, so that the inner loop only adds neighbours.
    let mut log_by_answer = vec![0.0; matrix.n_judges() * n_labels * n_labels];
    for judge in 0..matrix.n_judges() {
        for truth in 0..n_labels {
            for (answer, &p) in confusions.row(judge, truth).iter().enumerate() {
                log_by_answer[(judge * n_labels + answer) * n_labels + truth] = p.max(f64::MIN_POSITIVE).ln();
            }
        }
    }
    let mut change: f64 = 0.0;
    let mut row = vec![0.0; n_labels];
    for (item, _) in fixed.iter().enumerate().filter(|(_, fixed)| !**fixed) {
        row.copy_from_slice(&log_prevalence);
        for (judge, answer) in matrix.votes(item) {
            let start = (judge * n_labels + answer) * n_labels;
            for (log, add) in row.iter_mut().zip(&log_by_answer[start..start + n_labels]) {
                *log += add;
            }
        }
        softmax(&mut row);
        for (new, old) in row.iter().zip(posteriors.of(item)) {
            change = change.max((new - old).abs());
        }
        posteriors.of_mut(item).copy_from_slice(&row);
    }
    change
}
