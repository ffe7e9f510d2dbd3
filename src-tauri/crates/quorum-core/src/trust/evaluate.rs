//! How good judges and aggregators are on gold labels, and the whole report about one matrix.
//!
//! Everything that learns from gold is scored on labels it has not seen (`fit`). Deliberately not
//! here: drawing the labels (`sample`).

use serde::Serialize;

use super::aggregate::{Aggregator, credit};
use super::agreement::{
    ModelConsistency, Scale, fleiss_kappa, krippendorff_alpha, pairwise_agreement, self_consistency,
};
use super::best_single::ModelAccuracy;
use super::calibration::{Scored, cross_sharpened, expected_calibration_error, fit_power, log_loss};
use super::dawid_skene::EmOptions;
use super::dependence::{EffectiveVotes, effective_votes};
use super::fit::{FOLDS, Unsupervised};
use super::gold::Gold;
use super::matrix::VoteMatrix;
use super::recommend::{Recommendation, recommend};
use super::words;

/// How an evaluation runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvalOptions {
    pub em: EmOptions,
    /// Decides the folds of cross-fitting.
    pub seed: u64,
    /// Whether the labels are ordered as in the matrix.
    pub ordinal: bool,
}

impl Default for EvalOptions {
    fn default() -> Self {
        Self { em: EmOptions::default(), seed: 1, ordinal: false }
    }
}

/// A share of right answers with its 95 % interval, all in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    pub percent: f64,
    pub low_percent: f64,
    pub high_percent: f64,
    /// Gold items it rests on.
    pub n: usize,
}

/// Accuracy from (sampling weight, credit in [0, 1]) pairs; `None` without any.
///
/// The weighted mean (Hájek), with the interval of Wilson 1927 at Kish's effective sample size
/// (Σw)² ÷ Σw².
pub fn accuracy(credits: impl Iterator<Item = (f64, f64)>) -> Option<Accuracy> {
    let (mut n, mut weights, mut squares, mut right) = (0, 0.0, 0.0, 0.0);
    for (weight, credit) in credits {
        n += 1;
        weights += weight;
        squares += weight * weight;
        right += weight * credit;
    }
    if n == 0 {
        return None;
    }
    let (low, high) = wilson(right / weights, weights * weights / squares);
    Some(Accuracy { percent: 100.0 * right / weights, low_percent: 100.0 * low, high_percent: 100.0 * high, n })
}

/// The 95 % score interval of a share (Wilson 1927, JASA 22).
pub fn wilson(share: f64, n: f64) -> (f64, f64) {
    let z2 = 1.959_964f64.powi(2);
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = (z2 * (share * (1.0 - share) / n + z2 / (4.0 * n * n))).sqrt() / (1.0 + z2 / n);
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// A mean difference on the same items, with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub mean: f64,
    pub error: f64,
}

/// The weighted mean of (sampling weight, difference of credit) pairs. Its variance counts one item
/// that differs more than were seen, so that few labels without a difference do not look certain.
/// `None` without any.
pub fn paired_difference(differences: &[(f64, f64)]) -> Option<Difference> {
    let total: f64 = differences.iter().map(|(weight, _)| weight).sum();
    if total <= 0.0 {
        return None;
    }
    let mean = differences.iter().map(|(w, d)| w * d).sum::<f64>() / total;
    let squares: f64 = (differences.iter()).map(|(w, d)| (w * (d - mean)).powi(2)).sum();
    let typical = total / differences.len() as f64;
    Some(Difference { mean, error: (squares + typical * typical).sqrt() / total })
}

/// One judge on gold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgeScore {
    pub judge: String,
    /// `None` where the judge voted on no gold item.
    pub accuracy: Option<Accuracy>,
}

/// One aggregator on gold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AggregatorScore {
    pub aggregator: Aggregator,
    pub name: &'static str,
    /// Whether it was scored by cross-fitting, since it learns from gold.
    pub cross_fitted: bool,
    pub accuracy: Accuracy,
    pub log_loss: f64,
    /// Expected calibration error of its probabilities as they are.
    pub ece_raw_percent: f64,
    /// The same after temperature scaling by the labels of the other folds.
    pub ece_calibrated_percent: f64,
    /// The power learned from all gold labels, to be used on items without gold.
    pub power: f64,
}

/// How much judges agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgreementReport {
    pub alpha_nominal: Option<f64>,
    /// Only where labels are ordered.
    pub alpha_ordinal: Option<f64>,
    pub fleiss_kappa: Option<f64>,
    pub pairwise: Option<f64>,
    pub effective_votes: Option<EffectiveVotes>,
    pub consistency: Vec<ModelConsistency>,
    /// The figures in words, and what cannot be known.
    pub words: Vec<String>,
}

/// Everything that can be said about one matrix of votes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvalReport {
    pub n_items: usize,
    pub n_judges: usize,
    pub n_labels: usize,
    pub n_votes: usize,
    pub n_gold: usize,
    pub agreement: AgreementReport,
    pub judges: Vec<JudgeScore>,
    /// In the order of [`Aggregator::ALL`]; those that learn are absent below five gold labels, all
    /// without gold.
    pub aggregators: Vec<AggregatorScore>,
    /// Models ranked by what gold says, best first; empty without gold.
    pub models: Vec<ModelAccuracy>,
    pub recommendation: Recommendation,
}

/// Learned aggregators need this many gold labels to be cross-fitted at all.
pub const LEARN_MIN: usize = 5;

/// Evaluates votes against gold.
pub fn eval(matrix: &VoteMatrix, gold: &Gold, options: EvalOptions) -> EvalReport {
    let unsupervised = Unsupervised::fit(matrix, options.em);
    eval_scored(&unsupervised, gold, &score(&unsupervised, gold, options.seed), options)
}

/// The same from what was fitted and scored before.
pub fn eval_scored(
    unsupervised: &Unsupervised<'_>,
    gold: &Gold,
    held_out: &HeldOutScores,
    options: EvalOptions,
) -> EvalReport {
    let matrix = unsupervised.matrix();
    let aggregators = (held_out.iter())
        .filter_map(|(aggregator, scored)| aggregator_score(*aggregator, scored, options.seed))
        .collect();
    let mut models = if gold.is_empty() { Vec::new() } else { unsupervised.accuracies(gold) };
    models.sort_by(|a, b| b.accuracy.total_cmp(&a.accuracy));
    EvalReport {
        n_items: matrix.n_items(),
        n_judges: matrix.n_judges(),
        n_labels: matrix.n_labels(),
        n_votes: matrix.n_votes(),
        n_gold: gold.len(),
        agreement: agreement(matrix, gold, options.ordinal),
        judges: judge_scores(matrix, gold),
        aggregators,
        models,
        recommendation: recommend(held_out, unsupervised.n_models()),
    }
}

/// Predictions for every gold item by aggregators that have not seen its label.
pub type HeldOutScores = Vec<(Aggregator, Vec<Scored>)>;

/// Scores every aggregator that the gold allows.
pub fn score(unsupervised: &Unsupervised<'_>, gold: &Gold, seed: u64) -> HeldOutScores {
    let scored = |gold: &super::gold::GoldLabel, probabilities: Vec<f64>| Scored {
        probabilities,
        label: usize::from(gold.label),
        weight: gold.weight,
    };
    if gold.is_empty() {
        return Vec::new();
    }
    if gold.len() < LEARN_MIN {
        return (Aggregator::ALL.into_iter())
            .filter_map(|aggregator| Some((aggregator, unsupervised.posteriors(aggregator)?)))
            .map(|(aggregator, posteriors)| {
                let row = |gold| posteriors.of(gold).to_vec();
                let all = gold.labels().iter().map(|gold| scored(gold, row(gold.item as usize)));
                (aggregator, all.collect())
            })
            .collect();
    }
    let predictions = unsupervised.cross_fit(gold, seed);
    (Aggregator::ALL.into_iter().enumerate())
        .map(|(place, aggregator)| {
            let both = gold.labels().iter().zip(&predictions);
            let all = both.map(|(gold, rows)| scored(gold, rows[place].clone()));
            (aggregator, all.collect())
        })
        .collect()
}

fn aggregator_score(aggregator: Aggregator, scored: &[Scored], seed: u64) -> Option<AggregatorScore> {
    let credits = scored.iter().map(|one| (one.weight, credit(&one.probabilities, one.label)));
    let calibrated = cross_sharpened(scored, FOLDS, seed);
    Some(AggregatorScore {
        aggregator,
        name: aggregator.name(),
        cross_fitted: aggregator.needs_gold(),
        accuracy: accuracy(credits)?,
        log_loss: log_loss(scored)?,
        ece_raw_percent: 100.0 * expected_calibration_error(scored)?,
        ece_calibrated_percent: 100.0 * expected_calibration_error(&calibrated)?,
        power: fit_power(&scored.iter().collect::<Vec<_>>()),
    })
}

/// Every judge's accuracy on gold; [`VoteMatrix::by_model`] gives that of models.
pub fn judge_scores(matrix: &VoteMatrix, gold: &Gold) -> Vec<JudgeScore> {
    let mut credits: Vec<Vec<(f64, f64)>> = vec![Vec::new(); matrix.n_judges()];
    for gold in gold.labels() {
        for (judge, label) in matrix.votes(gold.item as usize) {
            let right = f64::from(u8::from(label == usize::from(gold.label)));
            credits[judge].push((gold.weight, right));
        }
    }
    (matrix.judges().iter().zip(credits))
        .map(|(judge, credits)| JudgeScore { judge: judge.name.clone(), accuracy: accuracy(credits.into_iter()) })
        .collect()
}

fn agreement(matrix: &VoteMatrix, gold: &Gold, ordinal: bool) -> AgreementReport {
    let mut report = AgreementReport {
        alpha_nominal: krippendorff_alpha(matrix, Scale::Nominal),
        alpha_ordinal: if ordinal { krippendorff_alpha(matrix, Scale::Ordinal) } else { None },
        fleiss_kappa: fleiss_kappa(matrix),
        pairwise: pairwise_agreement(matrix),
        effective_votes: effective_votes(matrix, gold),
        consistency: self_consistency(matrix),
        words: Vec::new(),
    };
    report.words = words::agreement(matrix, &report);
    report
}
