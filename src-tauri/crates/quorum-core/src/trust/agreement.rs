//! How much judges agree: Krippendorff's alpha, Fleiss' kappa, pairwise agreement, and the
//! consistency of a model with itself.
//!
//! All take votes as they are, missing ones included. A figure that the votes do not define is
//! `None`, never NaN. Deliberately not here: whether agreeing judges are right (`dependence`,
//! `evaluate`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::matrix::VoteMatrix;

/// How far apart two labels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Labels are equal or not.
    Nominal,
    /// Labels are ordered as in the matrix; distance counts the votes between them.
    Ordinal,
}

/// Krippendorff's alpha: 1 − observed disagreement ÷ disagreement by chance. 1 is full agreement, 0
/// is chance, below 0 is systematic disagreement. `None` without two votes on an item, or where all
/// comparable votes have one label.
///
/// Krippendorff 2011, "Computing Krippendorff's alpha-reliability", by the coincidence matrix.
pub fn krippendorff_alpha(matrix: &VoteMatrix, scale: Scale) -> Option<f64> {
    let n_labels = matrix.n_labels();
    let mut coincidences = vec![0.0; n_labels * n_labels];
    let mut counts = vec![0.0; n_labels];
    for item in 0..matrix.n_items() {
        let n_votes = matrix.n_votes_of_item(item);
        if n_votes < 2 {
            continue;
        }
        matrix.count_labels(item, &mut counts);
        for (a, &n_a) in counts.iter().enumerate().filter(|(_, n)| **n > 0.0) {
            for (b, &n_b) in counts.iter().enumerate() {
                let pairs = if a == b { n_a * (n_a - 1.0) } else { n_a * n_b };
                coincidences[a * n_labels + b] += pairs / (n_votes - 1) as f64;
            }
        }
    }
    let totals: Vec<f64> = coincidences.chunks_exact(n_labels).map(|row| row.iter().sum()).collect();
    let total: f64 = totals.iter().sum();
    let (mut observed, mut by_chance) = (0.0, 0.0);
    for a in 0..n_labels {
        for b in 0..n_labels {
            let distance = squared_distance(&totals, a, b, scale);
            observed += coincidences[a * n_labels + b] * distance;
            by_chance += totals[a] * totals[b] * distance;
        }
    }
    (by_chance > 0.0).then(|| 1.0 - observed * (total - 1.0) / by_chance)
}

fn squared_distance(totals: &[f64], a: usize, b: usize, scale: Scale) -> f64 {
    let (low, high) = (a.min(b), a.max(b));
    match scale {
        _ if low == high => 0.0,
        Scale::Nominal => 1.0,
        Scale::Ordinal => {
            let between: f64 = totals[low..=high].iter().sum();
            (between - (totals[low] + totals[high]) / 2.0).powi(2)
        }
    }
}

/// Fleiss' kappa: (observed agreement − agreement by chance) ÷ (1 − agreement by chance).
///
/// Fleiss 1971, "Measuring nominal scale agreement among many raters". Where items have different
/// numbers of votes, the generalisation of Gwet 2014 (Handbook of Inter-Rater Reliability, 4th
/// edition, ch. 2): observed agreement over items with two votes or more, label shares averaged over
/// all items with a vote. With equal numbers it is Fleiss' own. `None` where chance agreement is 1.
pub fn fleiss_kappa(matrix: &VoteMatrix) -> Option<f64> {
    let mut counts = vec![0.0; matrix.n_labels()];
    let mut shares = vec![0.0; matrix.n_labels()];
    let (mut agreement, mut n_compared, mut n_voted) = (0.0, 0.0, 0.0);
    for item in 0..matrix.n_items() {
        let n_votes = matrix.n_votes_of_item(item) as f64;
        if n_votes == 0.0 {
            continue;
        }
        matrix.count_labels(item, &mut counts);
        n_voted += 1.0;
        for (share, n) in shares.iter_mut().zip(&counts) {
            *share += n / n_votes;
        }
        if n_votes >= 2.0 {
            n_compared += 1.0;
            let agreeing: f64 = counts.iter().map(|n| n * (n - 1.0)).sum();
            agreement += agreeing / (n_votes * (n_votes - 1.0));
        }
    }
    if n_compared == 0.0 {
        return None;
    }
    let observed = agreement / n_compared;
    let by_chance: f64 = shares.iter().map(|s| (s / n_voted).powi(2)).sum();
    (by_chance < 1.0 - 1e-12).then(|| (observed - by_chance) / (1.0 - by_chance))
}

/// Share of vote pairs on the same item that agree, over all pairs. `None` without a pair.
pub fn pairwise_agreement(matrix: &VoteMatrix) -> Option<f64> {
    let mut counts = vec![0.0; matrix.n_labels()];
    let (mut agreeing, mut pairs) = (0.0, 0.0);
    for item in 0..matrix.n_items() {
        matrix.count_labels(item, &mut counts);
        agreeing += counts.iter().map(|n| n * (n - 1.0)).sum::<f64>();
        let n_votes = matrix.n_votes_of_item(item) as f64;
        pairs += n_votes * (n_votes - 1.0);
    }
    (pairs > 0.0).then(|| agreeing / pairs)
}

/// How often the runs of one model give the same answer to the same item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelConsistency {
    pub model: String,
    pub n_runs: usize,
    /// Pairs of runs on the same item.
    pub n_pairs: u64,
    /// Share of those pairs that agree; `None` where runs never meet on an item.
    pub agreement: Option<f64>,
    pub runs: Vec<RunConsistency>,
}

/// How often one run agrees with the other runs of its model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunConsistency {
    pub judge: String,
    pub n_pairs: u64,
    pub agreement: Option<f64>,
}

/// Self-consistency of every model that has two runs or more, in order of first mention.
pub fn self_consistency(matrix: &VoteMatrix) -> Vec<ModelConsistency> {
    let judges = matrix.judges();
    let mut runs_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (code, judge) in judges.iter().enumerate() {
        runs_of.entry(&judge.model).or_default().push(code);
    }
    runs_of.retain(|_, runs| runs.len() > 1);
    let mut model_of: Vec<Option<usize>> = vec![None; judges.len()];
    for (model, runs) in runs_of.values().enumerate() {
        runs.iter().for_each(|run| model_of[*run] = Some(model));
    }
    let mut pairs = vec![(0u64, 0u64); judges.len()];
    let n_labels = matrix.n_labels();
    // On one item: votes by model, and by model and label.
    let mut votes = vec![0u64; runs_of.len()];
    let mut counts = vec![0u64; runs_of.len() * n_labels];
    let mut row: Vec<(usize, usize, usize)> = Vec::new();
    for item in 0..if runs_of.is_empty() { 0 } else { matrix.n_items() } {
        row.clear();
        row.extend(matrix.votes(item).filter_map(|(judge, label)| Some((judge, model_of[judge]?, label))));
        for (_, model, label) in &row {
            votes[*model] += 1;
            counts[model * n_labels + label] += 1;
        }
        for own in row.chunk_by(|a, b| a.0 == b.0) {
            for (judge, model, label) in own {
                // A judge that voted twice is not held against itself.
                let alike = own.iter().filter(|vote| vote.2 == *label).count();
                pairs[*judge].0 += votes[*model] - own.len() as u64;
                pairs[*judge].1 += counts[model * n_labels + label] - alike as u64;
            }
        }
        for (_, model, label) in &row {
            votes[*model] = 0;
            counts[model * n_labels + label] = 0;
        }
    }
    let share = |(n, agreeing): (u64, u64)| (n > 0).then(|| agreeing as f64 / n as f64);
    let mut models: Vec<(usize, ModelConsistency)> = runs_of
        .into_iter()
        .map(|(model, runs)| {
            let sum = |sum: (u64, u64), run: &usize| (sum.0 + pairs[*run].0, sum.1 + pairs[*run].1);
            let both_ways = runs.iter().fold((0, 0), sum);
            let one_run = |&run: &usize| RunConsistency {
                judge: judges[run].name.clone(),
                n_pairs: pairs[run].0,
                agreement: share(pairs[run]),
            };
            let consistency = ModelConsistency {
                model: model.to_owned(),
                n_runs: runs.len(),
                n_pairs: both_ways.0 / 2,
                agreement: share(both_ways),
                runs: runs.iter().map(one_run).collect(),
            };
            (runs[0], consistency)
        })
        .collect();
    models.sort_by_key(|(first_run, _)| *first_run);
    models.into_iter().map(|(_, consistency)| consistency).collect()
}

/// How two judges' answers to the same items meet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confusion {
    pub a: String,
    pub b: String,
    /// Items where `a` says the row's label and `b` the column's, in label order.
    pub counts: Vec<Vec<u64>>,
    /// Share on the diagonal; `None` where the two never meet.
    pub agreement: Option<f64>,
}

/// Confusion between every two judges of a matrix, [`VoteMatrix::by_model`]'s for models. Meant for
/// a handful of judges: the result grows with their square.
pub fn confusions(matrix: &VoteMatrix) -> Vec<Confusion> {
    let (n_judges, n_labels) = (matrix.n_judges(), matrix.n_labels());
    let empty = || vec![vec![0u64; n_labels]; n_labels];
    let mut counts: BTreeMap<(usize, usize), Vec<Vec<u64>>> = BTreeMap::new();
    for a in 0..n_judges {
        for b in a + 1..n_judges {
            counts.insert((a, b), empty());
        }
    }
    for item in 0..matrix.n_items() {
        for (a, label_a) in matrix.votes(item) {
            for (b, label_b) in matrix.votes(item) {
                if let Some(counts) = counts.get_mut(&(a, b)) {
                    counts[label_a][label_b] += 1;
                }
            }
        }
    }
    let name = |judge: usize| matrix.judges()[judge].name.clone();
    counts
        .into_iter()
        .map(|((a, b), counts)| {
            let total: u64 = counts.iter().flatten().sum();
            let same: u64 = (0..n_labels).map(|label| counts[label][label]).sum();
            Confusion { a: name(a), b: name(b), agreement: (total > 0).then(|| same as f64 / total as f64), counts }
        })
        .collect()
}
