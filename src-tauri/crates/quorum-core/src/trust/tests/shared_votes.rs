//! The figures on public vote sets, where their folder is present.
//!
//! By their names the sets are those of Zheng, Li, Li, Shan and Cheng 2017 ("Truth inference in crowdsourcing: is
//! the problem solved?", VLDB 10) and of Zeng, Yu, Gao, Meng, Goyal and Chen 2023 (LLMBar). They are
//! not part of this repository: [`quorum_outside`] finds them, or says that a test was skipped.

use super::super::aggregate::{Aggregator, Posteriors};
use super::super::csv::{Source, VoteFile, read};
use super::super::dawid_skene::EmOptions;
use super::super::evaluate::{EvalOptions, eval};
use super::super::fit::Unsupervised;
use super::super::gold::Gold;
use super::super::matrix::VoteMatrix;
use super::super::trial::{TrialOptions, trial};

fn set(name: &str) -> Option<VoteFile> {
    let folder = quorum_outside::needed("data/votes")?.join(name);
    let text = |file: &str| {
        let path = folder.join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let (votes, truth) = (text("label.csv"), text("truth.csv"));
    let source = |file, text| Source { file, text };
    let votes = source("label.csv", votes.as_str());
    let truth = source("truth.csv", truth.as_str());
    Some(read(votes, Some(truth), true).expect("the set is well formed"))
}

/// GPT-4 with one prompt, ChatGPT with three.
fn four_judges(file: &VoteFile) -> VoteMatrix {
    let names = ["GPT-4/Vanilla", "ChatGPT/Vanilla", "ChatGPT/Vanilla_1shot", "ChatGPT/Vanilla_2shot"];
    let judges = file.matrix.judges().to_vec();
    let panel = file.matrix.retain_judges(|judge| names.contains(&judges[judge].name.as_str()));
    assert_eq!(panel.votes(0).len(), 4);
    panel
}

fn percent(posteriors: &Posteriors, gold: &Gold) -> f64 {
    let credits = gold.labels().iter().map(|gold| posteriors.credit(gold.item as usize, usize::from(gold.label)));
    100.0 * credits.sum::<f64>() / gold.len() as f64
}

#[test]
fn majority_and_dawid_skene_have_the_published_accuracies() {
    for (name, majority, dawid_skene) in [
        ("rte", 89.7, 92.8),
        ("bluebird", 75.9, 89.8),
        ("CF", 88.2, 83.0),
        ("MS", 70.4, 76.9),
        ("d_sentiment", 93.4, 96.0),
    ] {
        let Some(file) = set(name) else { return };
        let fits = Unsupervised::fit(&file.matrix, EmOptions::default());
        for (aggregator, expected) in [(Aggregator::Majority, majority), (Aggregator::DawidSkene, dawid_skene)] {
            let posteriors = fits.posteriors(aggregator).expect("needs no gold");
            let found = percent(posteriors, &file.gold);
            assert!((found - expected).abs() < 0.1, "{name} {aggregator:?}: {found}");
        }
    }
}

#[test]
fn the_report_warns_of_dawid_skene_where_it_loses() {
    let Some(file) = set("CF") else { return };
    let report = eval(&file.matrix, &file.gold, EvalOptions::default());
    let words = report.recommendation.words.join(" ");
    assert!(words.contains("Dawid–Skene loses here: -5.2 points"), "{words}");
    assert_ne!(report.recommendation.aggregator, Aggregator::DawidSkene);
}

#[test]
fn probabilities_are_better_calibrated_than_raw_dawid_skene() {
    for name in ["rte", "bluebird", "CF", "MS", "d_sentiment", "llm_natural"] {
        let Some(file) = set(name) else { return };
        let report = eval(&file.matrix, &file.gold, EvalOptions::default());
        let of = |wanted| {
            let found = report.aggregators.iter().find(|score| score.aggregator == wanted);
            found.expect("all are scored").clone()
        };
        let raw = of(Aggregator::DawidSkene).ece_raw_percent;
        let tempered = of(Aggregator::DawidSkene).ece_calibrated_percent;
        let blend = of(Aggregator::Stacked).ece_raw_percent;
        assert!(tempered < raw, "{name}: {tempered} is not below {raw}");
        assert!(blend < raw, "{name}: {blend} is not below {raw}");
    }
}

/// 200 draws of the large sets take minutes without optimisation, so a plain test run takes fewer of
/// those; the bound is the same.
const DRAWS_LARGE: usize = if cfg!(debug_assertions) { 10 } else { 200 };
const DRAWS_SMALL: usize = if cfg!(debug_assertions) { 60 } else { 200 };

fn shortfall_is_small(name: &str, matrix: &VoteMatrix, gold: &Gold) {
    let draws = if gold.len() > 200 { DRAWS_LARGE } else { DRAWS_SMALL };
    let options = TrialOptions { draws, ..TrialOptions::default() };
    let report = trial(matrix, gold, options).expect("items are left outside the sample");
    assert_eq!((report.n_gold, report.draws), (40, draws));
    assert!(report.shortfall < 1.5, "{name}: {report:?}");
}

#[test]
fn forty_labels_recommend_close_to_the_best_on_crowds() {
    for name in ["rte", "bluebird", "MS", "d_sentiment"] {
        let Some(file) = set(name) else { return };
        shortfall_is_small(name, &file.matrix, &file.gold);
    }
}

#[test]
fn forty_labels_recommend_close_to_the_best_on_language_models() {
    let Some(file) = set("llm_natural") else { return };
    assert_eq!(file.matrix.n_judges(), 28);
    shortfall_is_small("28 judges", &file.matrix, &file.gold);
    shortfall_is_small("4 judges", &four_judges(&file), &file.gold);
}
