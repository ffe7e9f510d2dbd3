//! Aggregators, gold, recommendation and calibration on votes whose truth is known.

use super::super::advice::advise;
use super::super::aggregate::{Aggregator, Posteriors, majority, weighted_majority};
use super::super::best_single::{accuracies, agreement_with, best_single};
use super::super::calibrated::{anchored, calibrated};
use super::super::calibration::{Scored, expected_calibration_error, fit_power, sharpened};
use super::super::dawid_skene::{EmOptions, dawid_skene};
use super::super::evaluate::{EvalOptions, accuracy, eval, wilson};
use super::super::fit::{Unsupervised, folds};
use super::super::gold::Gold;
use super::super::matrix::{Judge, VoteMatrix};
use super::super::one_coin::one_coin;
use super::super::recommend::{Evidence, normal_below};
use super::super::stacked::{HeldOut, exponents};
use super::{gold_of, matrix_of, simulated, table};
use crate::prng::Prng;

fn percent(posteriors: &Posteriors, gold: &Gold) -> f64 {
    let credit = |gold: &super::super::gold::GoldLabel| posteriors.credit(gold.item as usize, usize::from(gold.label));
    100.0 * gold.labels().iter().map(credit).sum::<f64>() / gold.len() as f64
}

/// One judge right 92 times of 100, and three that copy one weak judge most of the time.
fn strong_and_copies(n_items: usize, seed: u64) -> (VoteMatrix, Gold) {
    let mut prng = Prng::new(seed);
    let mut votes = Vec::new();
    let mut truths = Vec::new();
    let judged = |right: bool, truth: u16| Some(if right { truth } else { 1 - truth });
    for _ in 0..n_items {
        let truth = prng.below(2) as u16;
        truths.push(truth);
        let weak = prng.next_f64() < 0.6;
        let mut row = vec![judged(prng.next_f64() < 0.92, truth)];
        for _ in 0..3 {
            let right = if prng.next_f64() < 0.9 { weak } else { !weak };
            row.push(judged(right, truth));
        }
        votes.push(row);
    }
    let matrix = table(2, &votes);
    let gold = gold_of(&matrix, (0u32..).zip(truths));
    (matrix, gold)
}

#[test]
fn ties_split_evenly() {
    let matrix = table(3, &[vec![Some(0), Some(1)], vec![Some(2), None]]);
    let posteriors = majority(&matrix);
    assert_eq!([0, 1, 2].map(|label| posteriors.credit(0, label)), [0.5, 0.5, 0.0]);
    assert_eq!(posteriors.top(0), 0);
    assert_eq!(posteriors.credit(1, 2), 1.0);
}

#[test]
fn weights_count_as_in_the_domain_example() {
    // Weights 3, 2, 2, 2 and five of 1; mild (0) by the second judge, moderate (1) by all others.
    let weights = [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    let judge = |weight| Judge { weight, ..Judge::named("j") };
    let mut row = vec![Some(1); 9];
    row[1] = Some(0);
    let matrix = matrix_of(2, weights.map(judge).to_vec(), &[row]);
    assert!((weighted_majority(&matrix).of(0)[1] - 12.0 / 14.0).abs() < 1e-12);
}

#[test]
fn dawid_skene_learns_who_is_right() {
    let (matrix, gold) = simulated(3000, &[0.92, 0.7, 0.7, 0.65, 0.65], 2, 3);
    let learned = dawid_skene(&matrix, EmOptions::default());
    assert!(percent(&learned.posteriors, &gold) > percent(&majority(&matrix), &gold) + 5.0);
    let right = |judge: usize| learned.confusions.row(judge, 0)[0];
    assert!((right(0) - 0.92).abs() < 0.05 && (right(1) - 0.7).abs() < 0.05);
    let coin = one_coin(&matrix, EmOptions::default());
    assert!((coin.accuracies[0] - 0.92).abs() < 0.05, "{:?}", coin.accuracies);
}

#[test]
fn a_judge_that_always_errs_is_turned_around_by_gold() {
    let (matrix, gold) = simulated(300, &[0.0, 0.6, 0.6], 2, 4);
    let sample = gold.retain(|position, _| position < 60);
    let rest = gold.retain(|position, _| position >= 60);
    let learned = calibrated(&matrix, &sample);
    assert!(percent(&learned.posteriors, &rest) > 95.0);
    assert!(learned.posteriors.of(299).iter().all(|p| p.is_finite()));
}

#[test]
fn gold_moves_anchored_dawid_skene_and_stays_fixed() {
    let (matrix, gold) = simulated(200, &[0.7, 0.7, 0.7], 3, 5);
    let start = majority(&matrix);
    let fit = anchored(&matrix, &gold.retain(|position, _| position < 30), &start);
    for gold in &gold.labels()[..30] {
        assert_eq!(fit.posteriors.of(gold.item as usize)[usize::from(gold.label)], 1.0);
    }
}

#[test]
fn the_best_model_answers_and_the_next_best_stands_in() {
    let (full, gold) = strong_and_copies(300, 6);
    let votes: Vec<Vec<Option<u16>>> = (0..300)
        .map(|item| {
            let mut row: Vec<Option<u16>> = full.votes(item).map(|v| Some(v.1 as u16)).collect();
            if item >= 290 {
                row[0] = None;
            }
            row
        })
        .collect();
    let answers = table(2, &votes).by_model();
    let sample = gold.retain(|position, _| position < 40);
    let agreement = agreement_with(&answers, &majority(&answers));
    let ranked = accuracies(&answers, &sample, &agreement);
    let posteriors = best_single(&answers, &ranked);
    for (item, row) in votes.iter().enumerate().take(290) {
        assert_eq!(Some(posteriors.top(item) as u16), row[0]);
    }
    assert!(posteriors.confidence(299) > 0.5);
}

#[test]
fn runs_of_a_model_answer_together_and_ties_stay_ties() {
    let run = |name: &str| Judge { model: "m".to_owned(), ..Judge::named(name) };
    let judges = vec![run("m/1"), run("m/2"), run("m/3"), Judge::named("n")];
    let votes = [vec![Some(1), Some(1), Some(0), Some(0)], vec![Some(1), Some(0), None, Some(1)]];
    let answers = matrix_of(2, judges, &votes).by_model();
    assert_eq!(answers.votes(0).collect::<Vec<_>>(), [(0, 1), (1, 0)]);
    assert_eq!(answers.votes(1).collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 1)]);
}

#[test]
fn folds_are_equal_and_seeded() {
    let split = folds(23, 5, 9);
    for fold in 0..5 {
        let n = split.iter().filter(|f| **f == fold).count();
        assert!(n == 4 || n == 5);
    }
    assert_eq!(split, folds(23, 5, 9));
    assert_ne!(split, folds(23, 5, 10));
}

#[test]
fn cross_fitting_does_not_see_the_label_it_predicts() {
    // Votes are noise, so nothing can be learned: an aggregator that saw its own label would beat
    // one half.
    let (matrix, gold) = simulated(400, &[0.5; 8], 2, 8);
    let sample = gold.retain(|position, _| position < 60);
    let before = Unsupervised::fit(&matrix, EmOptions::default()).cross_fit(&sample, 1);
    // Turning one label around may not move the prediction of that item, by any aggregator.
    let turned = gold_of(
        &matrix,
        sample.labels().iter().map(|gold| match gold.item {
            17 => (17, 1 - gold.label),
            item => (item, gold.label),
        }),
    );
    let after = Unsupervised::fit(&matrix, EmOptions::default()).cross_fit(&turned, 1);
    assert_eq!(before[17], after[17]);
    assert_ne!(before, after, "the label must matter to other items");
}

#[test]
fn recommends_what_follows_the_strong_judge_where_it_meets_copies() {
    let (matrix, gold) = strong_and_copies(400, 21);
    let sample = gold.retain(|position, _| position < 60);
    let report = eval(&matrix, &sample, EvalOptions::default());
    let recommended = report.recommendation.aggregator;
    assert!(matches!(recommended, Aggregator::Stacked | Aggregator::BestSingle), "{recommended:?}");
    assert_eq!(report.recommendation.evidence, Evidence::Clear);
    let unsupervised = Unsupervised::fit(&matrix, EmOptions::default());
    let learned = unsupervised.learn(&sample, 1);
    let rest = gold.retain(|position, _| position >= 60);
    let of = |aggregator| percent(unsupervised.posteriors_with(&learned, aggregator), &rest);
    assert!(of(recommended) > of(Aggregator::BestSingle) - 1.5);
    assert!(of(recommended) > of(Aggregator::Majority) + 15.0);
    assert!(report.models[0].model == "judge 0", "{:?}", report.models);
}

#[test]
fn too_little_gold_keeps_the_default_and_says_so() {
    let (matrix, gold) = simulated(200, &[0.9, 0.6, 0.6], 2, 31);
    for n in [0, 1, 4, 5, 19] {
        let report = eval(&matrix, &gold.retain(|p, _| p < n), EvalOptions::default());
        assert_eq!(report.recommendation.aggregator, Aggregator::WeightedMajority);
        assert_eq!(report.recommendation.evidence, Evidence::TooThin);
        assert!(report.recommendation.words[0].contains("too thin"));
        let expected = match n {
            0 => 0,
            1..5 => 4,
            _ => 8,
        };
        assert_eq!(report.aggregators.len(), expected);
    }
}

#[test]
fn exponents_prefer_what_predicts() {
    let mut prng = Prng::new(2);
    let held_out: Vec<HeldOut> = (0..60)
        .map(|_| {
            let label = prng.below(2);
            let good = if prng.next_f64() < 0.9 { label } else { 1 - label };
            let noise = prng.below(2);
            let row = |top: usize| if top == 0 { vec![0.9, 0.1] } else { vec![0.1, 0.9] };
            HeldOut { predictions: vec![row(good), row(noise)], label }
        })
        .collect();
    let weights = exponents(2, &held_out);
    assert!(weights[0] > 0.7 && weights[1] < 0.25, "{weights:?}");
    assert_eq!(exponents(3, &[]), vec![1.0 / 3.0; 3]);
}

#[test]
fn sharpening_undoes_overconfidence() {
    let mut prng = Prng::new(12);
    let scored: Vec<Scored> = (0..600)
        .map(|_| Scored { probabilities: vec![0.99, 0.01], label: usize::from(prng.next_f64() > 0.8), weight: 1.0 })
        .collect();
    let power = fit_power(&scored.iter().collect::<Vec<_>>());
    let row = sharpened(&[0.99, 0.01], power);
    assert!((row[0] - 0.8).abs() < 0.03, "{row:?}");
    let raw = expected_calibration_error(&scored).expect("predictions");
    assert!((raw - 0.19).abs() < 0.03, "{raw}");
}

#[test]
fn expected_calibration_error_by_hand() {
    let one = |p: f64, label| Scored { probabilities: vec![p, 1.0 - p], label, weight: 1.0 };
    // Two at 0.9, one right: |0.9 - 0.5| by 2/4. Two at 0.6, both right: |0.6 - 1| by 2/4.
    let scored = [one(0.9, 0), one(0.9, 1), one(0.6, 0), one(0.6, 0)];
    let error = expected_calibration_error(&scored).expect("predictions");
    assert!((error - 0.4).abs() < 1e-12);
    assert_eq!(expected_calibration_error(&[]), None);
}

#[test]
fn intervals_by_hand() {
    // Wilson 1927 for 8 of 10, as statsmodels' proportion_confint(8, 10, method="wilson") gives.
    let (low, high) = wilson(0.8, 10.0);
    assert!((low - 0.490_162_47).abs() < 1e-6 && (high - 0.943_317_8).abs() < 1e-6);
    let weighted = accuracy([(3.0, 1.0), (1.0, 0.0)].into_iter()).expect("pairs");
    assert!((weighted.percent - 75.0).abs() < 1e-12);
    assert!((normal_below(1.959_964) - 0.975).abs() < 1e-6);
    assert!((normal_below(-1.0) - 0.158_655_25).abs() < 1e-6);
}

#[test]
fn advice_tells_a_copy_from_a_help() {
    // The judge right most often decides; two judges copy a third exactly.
    let (full, gold) = simulated(400, &[0.9, 0.75, 0.75], 2, 41);
    let votes: Vec<Vec<Option<u16>>> = (0..400)
        .map(|item| {
            let row: Vec<Option<u16>> = full.votes(item).map(|v| Some(v.1 as u16)).collect();
            vec![row[0], row[1], row[2], row[2]]
        })
        .collect();
    let mut judges: Vec<Judge> = (0..4).map(|j| Judge::named(format!("judge {j}"))).collect();
    judges[0].weight = 2.5;
    judges[3].weight = 0.2;
    let matrix = matrix_of(2, judges, &votes);
    let advice = advise(&matrix, &gold, &[4.0, 1.0, 1.0, 1.0]);
    assert_eq!(advice.runs[3].changed_percent, 0.0);
    assert!(advice.runs[3].words.starts_with("Adds nothing"), "{}", advice.runs[3].words);
    assert!(advice.runs[0].words.starts_with("Helps"), "{}", advice.runs[0].words);
    let usd: Vec<f64> = advice.alternatives.iter().map(|one| one.usd).collect();
    assert_eq!(usd[0], 7.0);
    assert_eq!(advice.alternatives.len(), 4);
    assert_eq!(advice.alternatives[3].judges, ["judge 0"]);
    assert_eq!(advice.alternatives[0].same_percent, 100.0);
    let blind = advise(&matrix, &Gold::default(), &[]);
    assert!(blind.runs[0].words.contains("cannot be known"));
}
