//! Best single model: the answers of the one model that is most often right.
//!
//! A model answers what most of its runs say. On an item that the best one did not judge, the next
//! best that did answers. It beats every vote where one strong judge meets several weak ones that
//! err alike.

use serde::Serialize;

use super::aggregate::Posteriors;
use super::gold::Gold;
use super::matrix::VoteMatrix;

/// How often a model is right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelAccuracy {
    pub model: String,
    /// Estimate: gold labels, with `AGREEMENT_STRENGTH` labels' worth of agreement with the others.
    pub accuracy: f64,
    /// Gold items that the model judged.
    pub n_gold: usize,
}

/// Agreement with the consensus counts as this many gold labels, so that judges without any are
/// ranked too.
const AGREEMENT_STRENGTH: f64 = 2.0;

/// How often each model of `answers` (from [`VoteMatrix::by_model`]) is expected to be right by a
/// consensus: a first guess that needs no gold.
pub fn agreement_with(answers: &VoteMatrix, consensus: &Posteriors) -> Vec<f64> {
    let mut agreed = vec![1.0; answers.n_judges()];
    let mut judged = vec![2.0; answers.n_judges()];
    for item in 0..answers.n_items() {
        for (model, label, share) in answers_of(answers, item) {
            agreed[model] += share * consensus.of(item)[label];
            judged[model] += share;
        }
    }
    agreed.iter().zip(&judged).map(|(a, n)| a / n).collect()
}

/// The votes of an item with the share each has of its model's answer.
fn answers_of(answers: &VoteMatrix, item: usize) -> impl Iterator<Item = (usize, usize, f64)> {
    let votes = answers.votes(item);
    votes.clone().map(move |(model, label)| {
        let tied = votes.clone().filter(|vote| vote.0 == model).count();
        (model, label, 1.0 / tied as f64)
    })
}

/// Accuracy of every model from gold labels, with `agreement` as a weak first guess.
pub fn accuracies(answers: &VoteMatrix, gold: &Gold, agreement: &[f64]) -> Vec<ModelAccuracy> {
    let mut right: Vec<f64> = agreement.iter().map(|a| a * AGREEMENT_STRENGTH).collect();
    let mut judged = vec![0.0; answers.n_judges()];
    for gold in gold.labels() {
        for (model, label, share) in answers_of(answers, gold.item as usize) {
            judged[model] += share;
            if label == usize::from(gold.label) {
                right[model] += share;
            }
        }
    }
    (answers.judges().iter().zip(right.iter().zip(&judged)))
        .map(|(judge, (right, judged))| ModelAccuracy {
            model: judge.model.clone(),
            accuracy: right / (judged + AGREEMENT_STRENGTH),
            n_gold: judged.round() as usize,
        })
        .collect()
}

/// Each item's label by the most accurate model that judged it, as sure as that model is accurate.
pub fn best_single(answers: &VoteMatrix, accuracies: &[ModelAccuracy]) -> Posteriors {
    let n_labels = answers.n_labels();
    let mut posteriors = Posteriors::uniform(answers.n_items(), n_labels);
    let accuracy = |model: usize| accuracies[model].accuracy;
    let mut row = vec![0.0; n_labels];
    for item in 0..answers.n_items() {
        let by_accuracy = |a: &usize, b: &usize| accuracy(*a).total_cmp(&accuracy(*b)).then(b.cmp(a));
        let Some(best) = answers.votes(item).map(|vote| vote.0).max_by(by_accuracy) else {
            continue;
        };
        let right = accuracy(best).min(0.999).max(1.0 / n_labels as f64);
        let wrong = (1.0 - right) / (n_labels.max(2) - 1) as f64;
        row.fill(wrong);
        for (model, label, share) in answers_of(answers, item) {
            if model == best {
                row[label] += share * (right - wrong);
            }
        }
        posteriors.set(item, &row);
    }
    posteriors
}
