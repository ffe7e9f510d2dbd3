//! Votes that say little or nothing: figures stay finite, and the words say what cannot be known.

use super::super::aggregate::Aggregator;
use super::super::certainty::{CertaintyOptions, certainty};
use super::super::csv::{Source, read};
use super::super::evaluate::{EvalOptions, EvalReport, eval};
use super::super::gold::{Gold, GoldLabel};
use super::super::matrix::{Judge, MatrixError, Vote, VoteMatrix};
use super::certainty::AtLeast;
use super::{gold_of, simulated, table};

/// Every number in a report as JSON is finite: serde_json writes NaN and infinity as null, so a
/// required number that became null fails to be one.
fn check(report: &EvalReport) {
    for score in &report.aggregators {
        let numbers = [
            score.accuracy.percent,
            score.accuracy.low_percent,
            score.accuracy.high_percent,
            score.log_loss,
            score.ece_raw_percent,
            score.ece_calibrated_percent,
            score.power,
        ];
        assert!(numbers.iter().all(|n| n.is_finite()), "{score:?}");
    }
    for comparison in &report.recommendation.comparisons {
        let numbers = [comparison.difference, comparison.low, comparison.high, comparison.better];
        assert!(numbers.iter().all(|n| n.is_finite()), "{comparison:?}");
    }
    let agreement = &report.agreement;
    let figures = [
        agreement.alpha_nominal,
        agreement.alpha_ordinal,
        agreement.fleiss_kappa,
        agreement.pairwise,
        agreement.effective_votes.map(|votes| votes.effective),
    ];
    assert!(figures.iter().flatten().all(|n| n.is_finite()), "{agreement:?}");
    assert!(!agreement.words.is_empty() && !report.recommendation.words.is_empty());
}

fn ordinal() -> EvalOptions {
    EvalOptions { ordinal: true, ..EvalOptions::default() }
}

#[test]
fn one_worker() {
    let (matrix, gold) = simulated(60, &[0.8], 3, 1);
    let report = eval(&matrix, &gold, ordinal());
    check(&report);
    assert_eq!(report.agreement.alpha_nominal, None);
    assert!(report.agreement.words.iter().any(|w| w.contains("cannot be known")));
    let accuracy = |place: usize| report.aggregators[place].accuracy.percent;
    assert_eq!(accuracy(0), accuracy(1));
}

#[test]
fn one_class() {
    let matrix = table(1, &vec![vec![Some(0); 4]; 30]);
    let gold = gold_of(&matrix, (0..30).map(|item| (item, 0)));
    let report = eval(&matrix, &gold, ordinal());
    check(&report);
    assert_eq!(report.agreement.alpha_nominal, None);
    assert_eq!(report.aggregators[7].accuracy.percent, 100.0);
    assert!(report.agreement.words.iter().any(|w| w.contains("same label")));
}

#[test]
fn one_class_voted_of_two() {
    let matrix = table(2, &vec![vec![Some(1); 3]; 30]);
    let gold = gold_of(&matrix, (0..30).map(|item| (item, u16::from(item % 3 > 0))));
    check(&eval(&matrix, &gold, ordinal()));
}

#[test]
fn all_missing() {
    let matrix = table(2, &vec![vec![None; 3]; 30]);
    let gold = gold_of(&matrix, (0..30).map(|item| (item, u16::from(item % 2 == 0))));
    let report = eval(&matrix, &gold, ordinal());
    check(&report);
    assert_eq!(report.aggregators[0].accuracy.percent, 50.0);
    assert_eq!(report.agreement.words, ["There are no votes, so nothing can be said."]);
    check(&eval(&table(2, &[]), &Gold::default(), ordinal()));
}

#[test]
fn an_item_with_one_vote_and_one_with_none() {
    let mut votes = vec![vec![Some(0), Some(0), Some(1)]; 30];
    votes[3] = vec![Some(1), None, None];
    votes[4] = vec![None; 3];
    let matrix = table(2, &votes);
    let gold = gold_of(&matrix, (0..30).map(|item| (item, 0)));
    let report = eval(&matrix, &gold, ordinal());
    check(&report);
    assert!(report.agreement.words[0].starts_with("1 items have no vote"));
    assert!(report.agreement.words[1].starts_with("1 items have a single vote"));
}

#[test]
fn a_worker_who_always_errs() {
    let (matrix, gold) = simulated(120, &[0.0, 0.8, 0.8, 0.8], 2, 2);
    let report = eval(&matrix, &gold, ordinal());
    check(&report);
    let judge = report.judges[0].accuracy.expect("voted on gold");
    assert_eq!((judge.percent, judge.low_percent), (0.0, 0.0));
    let percent = |wanted| {
        let found = report.aggregators.iter().find(|score| score.aggregator == wanted);
        found.expect("scored").accuracy.percent
    };
    assert!(percent(Aggregator::Calibrated) > 95.0, "turned around, that worker is perfect");
    assert!(percent(Aggregator::Calibrated) > percent(Aggregator::Majority));
}

#[test]
fn codes_out_of_range_are_named() {
    let judges = || vec![Judge::named("a")];
    let labels = || vec!["x".to_owned(), "y".to_owned()];
    let vote = |item, judge, label| [Vote { item, judge, label }];
    let build = |vote: &[Vote]| VoteMatrix::new(2, judges(), labels(), vote);
    assert_eq!(
        build(&vote(0, 0, 2)).map(|_| ()).map_err(|e| e.to_string()),
        Err("vote 0 has label 2, but there are 2 labels".to_owned())
    );
    assert!(matches!(build(&vote(0, 1, 0)), Err(MatrixError::JudgeOutOfRange { .. })));
    assert!(matches!(build(&vote(2, 0, 0)), Err(MatrixError::ItemOutOfRange { .. })));
    assert_eq!(VoteMatrix::new(1, judges(), vec![], &[]), Err(MatrixError::NoLabels));
    let bad = vec![Judge { weight: f64::NAN, ..Judge::named("a") }];
    assert!(matches!(VoteMatrix::new(1, bad, labels(), &[]), Err(MatrixError::BadWeight { .. })));
    let matrix = build(&[]).expect("no votes are votes");
    let gold = |item, label, weight| Gold::new(&matrix, vec![GoldLabel { item, label, weight }]);
    assert!(matches!(gold(2, 0, 1.0), Err(MatrixError::GoldItemOutOfRange { .. })));
    assert!(matches!(gold(0, 2, 1.0), Err(MatrixError::GoldLabelOutOfRange { .. })));
    assert!(matches!(gold(0, 0, 0.0), Err(MatrixError::GoldBadWeight { .. })));
    let twice = GoldLabel { item: 1, label: 0, weight: 1.0 };
    assert_eq!(Gold::new(&matrix, vec![twice, twice]), Err(MatrixError::GoldRepeated { item: 1 }));
}

#[test]
fn gold_without_any_vote_on_it_is_counted_apart() {
    let votes = Source { file: "label.csv", text: "item,worker,label\na,w,0\n" };
    let gold = Source { file: "truth.csv", text: "item,truth\na,0\nb,1\n" };
    let file = read(votes, Some(gold), false).expect("both are well formed");
    assert_eq!((file.gold.len(), file.gold_without_votes), (1, 1));
    assert_eq!(file.matrix.labels(), ["0", "1"]);
    check(&eval(&file.matrix, &file.gold, ordinal()));
}

#[test]
fn no_items_have_a_certain_verdict() {
    let none = certainty(&AtLeast(1), &[], CertaintyOptions::default());
    assert_eq!((none.verdict(), none.confidence()), (0, 1.0));
}
