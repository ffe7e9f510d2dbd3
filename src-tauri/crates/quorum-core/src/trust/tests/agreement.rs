//! Agreement against values of public packages, and the effective number of votes.

use super::super::aggregate::credit;
use super::super::agreement::*;
use super::super::dependence::{Reference, effective_votes};
use super::super::gold::Gold;
use super::super::matrix::{Judge, Vote, VoteMatrix};
use super::{gold_of, matrix_of, simulated, table};
use crate::prng::Prng;

/// `fixtures/agreement.json` names the packages, their versions and how it was made.
fn fixture() -> Vec<serde_json::Value> {
    let text = include_str!("../fixtures/agreement.json");
    let value: serde_json::Value = serde_json::from_str(text).expect("the fixture is JSON");
    value["cases"].as_array().expect("cases are a list").clone()
}

fn votes(case: &serde_json::Value) -> Vec<Vec<Option<u16>>> {
    let rows = case["votes"].as_array().expect("votes are rows");
    let vote = |vote: &serde_json::Value| vote.as_u64().map(|label| label as u16);
    let row = |row: &serde_json::Value| row.as_array().expect("a row").iter().map(vote).collect();
    rows.iter().map(row).collect()
}

#[test]
fn alpha_and_kappa_equal_those_of_public_packages() {
    let cases = fixture();
    assert!(cases.len() >= 6);
    for case in cases {
        let n_labels = case["n_labels"].as_u64().expect("a number") as usize;
        let matrix = table(n_labels, &votes(&case));
        for (key, ours) in [
            ("alpha_nominal", krippendorff_alpha(&matrix, Scale::Nominal)),
            ("alpha_ordinal", krippendorff_alpha(&matrix, Scale::Ordinal)),
            ("fleiss_kappa", fleiss_kappa(&matrix)),
        ] {
            let theirs = case[key].as_f64().expect("a number");
            let ours = ours.expect("every case defines every figure");
            assert!((ours - theirs).abs() < 1e-9, "{} {key}: {ours} is not {theirs}", case["name"]);
        }
    }
}

#[test]
fn pairwise_agreement_counts_pairs() {
    let matrix = table(2, &[vec![Some(0), Some(0), Some(1)], vec![Some(1), None, Some(1)]]);
    // Pairs: one of three agrees on the first item, one of one on the second.
    assert!((pairwise_agreement(&matrix).expect("pairs") - 0.5).abs() < 1e-12);
    let confusion = &confusions(&matrix)[1];
    assert_eq!((confusion.a.as_str(), confusion.b.as_str()), ("judge 0", "judge 2"));
    assert_eq!(confusion.counts, [[0, 1], [0, 1]]);
    assert_eq!(confusion.agreement, Some(0.5));
}

#[test]
fn runs_of_a_model_are_held_against_each_other_only() {
    let run = |name: &str, model: &str| Judge { name: name.to_owned(), model: model.to_owned(), weight: 1.0 };
    let judges = vec![run("a/1", "a"), run("b/1", "b"), run("a/2", "a"), run("a/3", "a")];
    let matrix =
        matrix_of(2, judges, &[vec![Some(0), Some(1), Some(0), Some(1)], vec![Some(1), Some(0), Some(1), None]]);
    let models = self_consistency(&matrix);
    assert_eq!(models.len(), 1, "b has one run and no consistency");
    assert_eq!((models[0].model.as_str(), models[0].n_runs, models[0].n_pairs), ("a", 3, 4));
    assert_eq!(models[0].agreement, Some(0.5));
    assert_eq!(models[0].runs[2].agreement, Some(0.0));
}

#[test]
fn self_consistency_equals_counting_every_pair() {
    let mut prng = Prng::new(21);
    let judges: Vec<Judge> =
        (0..12).map(|at| Judge { name: format!("{at}"), model: format!("m{}", at % 5), weight: 1.0 }).collect();
    // Some votes are missing, and some judges vote twice on an item.
    let mut votes = Vec::new();
    for (item, judge) in (0..60).flat_map(|item| (0..14).map(move |at| (item, at % 12))) {
        if prng.below(4) > 0 {
            votes.push(Vote { item, judge, label: prng.below(3) as u16 });
        }
    }
    let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
    let matrix = VoteMatrix::new(60, judges.clone(), labels, &votes).expect("codes are in range");
    let found = self_consistency(&matrix);
    assert_eq!(found.len(), 5);
    for run in found.iter().flat_map(|model| &model.runs) {
        let judge = judges.iter().position(|judge| judge.name == run.judge).expect("a judge");
        let (mut pairs, mut same) = (0, 0);
        for own in votes.iter().filter(|vote| vote.judge as usize == judge) {
            for other in votes.iter().filter(|vote| vote.item == own.item && vote.judge != own.judge) {
                if judges[other.judge as usize].model == judges[judge].model {
                    pairs += 1;
                    same += u32::from(other.label == own.label);
                }
            }
        }
        assert_eq!(run.n_pairs, pairs);
        assert!((run.agreement.expect("they meet") - f64::from(same) / pairs as f64).abs() < 1e-12);
    }
}

/// The correlation of two votes' errors by looking at every pair, as [`effective_votes`] is defined.
fn pair_by_pair(matrix: &VoteMatrix, error: impl Fn(usize, &[usize], usize) -> Option<f64>) -> f64 {
    let (mut errors, mut n) = (vec![0.0; matrix.n_judges()], vec![0.0; matrix.n_judges()]);
    for item in 0..matrix.n_items() {
        for (judge, label) in matrix.votes(item) {
            if let Some(error) = error(item, &[label], label) {
                errors[judge] += error;
                n[judge] += 1.0;
            }
        }
    }
    let overall = errors.iter().sum::<f64>() / n.iter().sum::<f64>();
    let rate: Vec<f64> = errors.iter().zip(&n).map(|(errors, n)| (errors + 4.0 * overall) / (n + 4.0)).collect();
    let deviation = |judge: usize| (rate[judge] * (1.0 - rate[judge])).sqrt();
    let (mut covariance, mut scale) = (0.0, 0.0);
    for item in 0..matrix.n_items() {
        let votes: Vec<(usize, usize)> = matrix.votes(item).collect();
        for (place, (a, label_a)) in votes.iter().enumerate() {
            for (b, label_b) in &votes[place + 1..] {
                let without = [*label_a, *label_b];
                if let Some((x, y)) = error(item, &without, *label_a).zip(error(item, &without, *label_b)) {
                    covariance += (x - rate[*a]) * (y - rate[*b]);
                    scale += deviation(*a) * deviation(*b);
                }
            }
        }
    }
    (covariance / scale).clamp(0.0, 1.0)
}

#[test]
fn error_correlation_equals_that_of_every_pair_of_votes() {
    // Judges 2 to 4 are copies of judge 1, so that errors correlate.
    let (one, truth) = simulated(300, &[0.7, 0.6, 0.8, 0.9], 4, 31);
    let row = |item: usize| {
        let votes: Vec<Option<u16>> = one.votes(item).map(|vote| Some(vote.1 as u16)).collect();
        let copies = [votes[1]; 3];
        let all = votes.into_iter().chain(copies);
        all.enumerate().map(|(judge, vote)| vote.filter(|_| !(item + judge).is_multiple_of(5))).collect()
    };
    let matrix = table(4, &(0..300).map(row).collect::<Vec<_>>());
    let gold = gold_of(&matrix, truth.labels().iter().take(120).map(|gold| (gold.item, gold.label)));
    let by_gold = pair_by_pair(&matrix, |item, _, label| {
        let gold = gold.labels().iter().find(|gold| gold.item as usize == item)?;
        Some(f64::from(u8::from(label != usize::from(gold.label))))
    });
    let found = effective_votes(&matrix, &gold).expect("votes meet");
    assert!(by_gold > 0.1 && (found.error_correlation - by_gold).abs() < 1e-9, "{found:?} is not {by_gold}");
    let by_others = pair_by_pair(&matrix, |item, without, label| {
        let mut counts = vec![0.0; 4];
        matrix.count_labels(item, &mut counts);
        without.iter().for_each(|label| counts[*label] -= 1.0);
        (matrix.n_votes_of_item(item) > 2).then(|| 1.0 - credit(&counts, label))
    });
    let found = effective_votes(&matrix, &Gold::default()).expect("votes meet");
    assert!(by_others > 0.1 && (found.error_correlation - by_others).abs() < 1e-9, "{found:?} is not {by_others}");
}

#[test]
fn copies_are_worth_one_vote_and_independent_judges_are_worth_all() {
    let (matrix, gold) = simulated(2000, &[0.8; 6], 2, 11);
    let independent = effective_votes(&matrix, &gold).expect("votes meet");
    assert_eq!(independent.reference, Reference::Gold);
    assert!(independent.effective > 5.5, "{independent:?}");

    let (one, truth) = simulated(2000, &[0.8], 2, 12);
    let copied: Vec<Vec<Option<u16>>> = (0..2000)
        .map(|item| {
            let label = one.votes(item).next().map(|vote| vote.1 as u16);
            vec![label; 6]
        })
        .collect();
    let copies = table(2, &copied);
    let gold = gold_of(&copies, truth.labels().iter().map(|gold| (gold.item, gold.label)));
    let same = effective_votes(&copies, &gold).expect("votes meet");
    assert!((same.effective - 1.0).abs() < 0.01, "{same:?}");
}

#[test]
fn without_gold_the_other_judges_are_the_reference() {
    let (matrix, _) = simulated(2000, &[0.8; 7], 2, 13);
    let votes = effective_votes(&matrix, &Gold::default()).expect("votes meet");
    assert_eq!(votes.reference, Reference::OtherJudges);
    assert!(votes.effective > 4.0 && votes.effective <= 7.0, "{votes:?}");
}

#[test]
fn an_item_with_a_hundred_thousand_votes_is_no_matter() {
    let n = 100_000_u32;
    let judges = (0..n).map(|at| Judge { name: format!("{at}"), model: format!("m{}", at % 2), weight: 1.0 });
    let votes: Vec<Vote> = (0..n).map(|judge| Vote { item: 0, judge, label: (judge % 3) as u16 }).collect();
    let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
    let matrix = VoteMatrix::new(1, judges.collect(), labels, &votes).expect("codes are in range");
    let worth = effective_votes(&matrix, &Gold::default()).expect("votes meet");
    assert_eq!(worth.n_pairs, u64::from(n) * u64::from(n - 1) / 2);
    assert_eq!(self_consistency(&matrix).iter().map(|model| model.n_pairs).sum::<u64>(), 2_499_950_000);
}
