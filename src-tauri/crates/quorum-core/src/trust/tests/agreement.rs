//! Agreement against values of public packages, and the effective number of votes.

use super::super::agreement::*;
use super::super::dependence::{Reference, effective_votes};
use super::super::gold::Gold;
use super::super::matrix::Judge;
use super::{gold_of, matrix_of, simulated, table};

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
