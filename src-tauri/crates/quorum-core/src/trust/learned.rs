//! What was learned of judges, as one number each: for people, who set weights as numbers.
//!
//! Aggregators use more than this, namely which labels a judge mixes up. Deliberately not here: learning
//! it ([`super::calibrated`]).

use super::calibrated::Calibrated;
use super::matrix::VoteMatrix;

/// A judge as calibrated weights see it.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedJudge {
    pub judge: String,
    /// The weight that weighted majority gives it.
    pub configured: f64,
    /// How often it is expected to be right, over labels as common as they are in gold.
    pub right: f64,
    /// Its log-odds weight (Nitzan and Paroush 1982), all scaled so that their sizes sum to that of the configured weights.
    /// Below 0 its vote speaks against what it says.
    pub weight: f64,
}

/// A judge is never taken to be more certain than this.
const RIGHT_MAX: f64 = 0.9999;

/// Every judge of the matrix that `calibrated` was learned on.
pub fn learned_judges(matrix: &VoteMatrix, calibrated: &Calibrated) -> Vec<LearnedJudge> {
    let n_labels = matrix.n_labels();
    let right = |judge: usize| -> f64 {
        let share = |(truth, prevalence): (usize, &f64)| prevalence * calibrated.confusions.row(judge, truth)[truth];
        calibrated.prevalence.iter().enumerate().map(share).sum()
    };
    // With more labels than two a wrong vote is one of several, so that a right one says more.
    let log_odds = |right: f64| {
        let right = right.clamp(1.0 - RIGHT_MAX, RIGHT_MAX);
        (right / (1.0 - right) * (n_labels.max(2) - 1) as f64).ln()
    };
    let judges = matrix.judges();
    let configured: f64 = judges.iter().map(|judge| judge.weight).sum();
    let learned: f64 = (0..judges.len()).map(|judge| log_odds(right(judge)).abs()).sum();
    let scale = if learned > 1e-9 { configured / learned } else { 0.0 };
    let of = |(code, judge): (usize, &super::matrix::Judge)| LearnedJudge {
        judge: judge.name.clone(),
        configured: judge.weight,
        right: right(code),
        weight: log_odds(right(code)) * scale,
    };
    judges.iter().enumerate().map(of).collect()
}
