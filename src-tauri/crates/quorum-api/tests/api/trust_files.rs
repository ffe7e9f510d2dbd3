//! Votes of files, evaluated as `quorumctl trust eval` does it.

use std::fs;

use quorum_api::{
    dto::error::{ApiError, ErrorCode},
    trust::{VoteFiles, VoteFilesQuery},
};
use quorum_core::trust::{aggregate::Aggregator, recommend::Evidence};
use tempfile::TempDir;

/// Six items: `good` is always right, `copy` and `shadow` err together on the last two, `late` votes once.
const VOTES: &str = "item,worker,label\n\
    1,m/good,x\n1,m/copy,x\n1,m/shadow,x\n2,m/good,y\n2,m/copy,y\n2,m/shadow,y\n3,m/good,x\n3,m/copy,x\n3,m/shadow,x\n\
    4,m/good,y\n4,m/copy,y\n4,m/shadow,y\n5,m/good,x\n5,m/copy,y\n5,m/shadow,y\n6,m/good,y\n6,m/copy,x\n6,m/shadow,x\n\
    6,late,y\n";
const TRUTH: &str = "item,truth\n1,x\n2,y\n3,x\n4,y\n5,x\n6,y\n7,x\n";

struct Files {
    folder: TempDir,
}

impl Files {
    fn new(votes: &str, truth: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("label.csv"), votes).expect("written");
        fs::write(folder.path().join("truth.csv"), truth).expect("written");
        Self { folder }
    }

    fn query(&self) -> VoteFilesQuery {
        VoteFilesQuery {
            votes: self.folder.path().join("label.csv"),
            gold: Some(self.folder.path().join("truth.csv")),
            seed: 1,
            ..VoteFilesQuery::default()
        }
    }

    fn refused(&self) -> ApiError {
        VoteFiles::evaluate(&self.query()).map(drop).expect_err("it must be refused")
    }
}

fn percent(found: &VoteFiles, wanted: Aggregator) -> f64 {
    let score = found.report.aggregators.iter().find(|score| score.aggregator == wanted);
    score.expect("scored").accuracy.percent
}

#[test]
fn a_small_file_has_the_figures_that_a_pencil_gives() {
    let files = Files::new(VOTES, TRUTH);
    let found = VoteFiles::evaluate(&files.query()).expect("well formed");
    assert_eq!((found.report.n_items, found.report.n_votes, found.report.n_gold), (6, 19, 6));
    assert_eq!((found.gold_without_votes, found.repeated_votes), (1, 0));
    // Right on four items, wrong on the fifth, a tie on the sixth.
    assert!((percent(&found, Aggregator::Majority) - 100.0 * 4.5 / 6.0).abs() < 1e-9);
    // Pairs: 4 × 3 agree, then 1 of 3, then 2 of 6.
    let pairwise = found.figures().into_iter().find(|figure| figure.name == "pairwise agreement").expect("a figure");
    assert!((pairwise.value.expect("defined") - 15.0 / 21.0).abs() < 1e-12);
    assert!(pairwise.words.contains("71 times out of 100"), "{}", pairwise.words);
    // Three runs of one model, as their names say, and a worker without a slash.
    assert_eq!(found.report.models.len(), 2);
    assert_eq!(found.report.recommendation.evidence, Evidence::TooThin);
    assert!(found.report.recommendation.words[0].contains("6 gold labels are too thin"));
    let alone = VoteFiles::evaluate(&VoteFilesQuery { workers_alone: true, ..files.query() }).expect("well formed");
    assert_eq!(alone.report.models.len(), 4);
    let without = VoteFiles::evaluate(&VoteFilesQuery { gold: None, ..files.query() }).expect("gold is optional");
    assert!(without.report.aggregators.is_empty() && without.report.agreement.pairwise.is_some());
}

#[test]
fn what_is_wrong_is_named_with_file_and_line() {
    let detail = |votes: &str, truth: &str| {
        let error = Files::new(votes, truth).refused();
        assert_eq!((error.code, error.safe.as_deref()), (ErrorCode::FileFormat, Some("Nothing was stored.")));
        error.detail.expect("details")
    };
    assert!(detail("item,label\na,b\n", TRUTH).contains("label.csv:1: no column \"worker\""));
    assert!(detail("item,worker,label\na,w,\n", TRUTH).contains("label.csv:2: column \"label\" is missing or empty"));
    assert!(detail("", TRUTH).contains("label.csv:1: no header"));
    assert!(detail(VOTES, "item,truth\n1,x\n1,y\n").contains("truth.csv:3: column \"truth\" says"));
    let files = Files::new(VOTES, TRUTH);
    fs::write(files.folder.path().join("label.csv"), b"item,worker,label\na,\xff,b\n").expect("written");
    assert!(files.refused().detail.expect("details").contains("label.csv:2: not UTF-8"));
    let missing = VoteFilesQuery { votes: "/nowhere/label.csv".into(), ..VoteFilesQuery::default() };
    assert_eq!(VoteFiles::evaluate(&missing).map(drop).expect_err("missing").code, ErrorCode::FileUnreadable);
    let files = Files::new(VOTES, TRUTH);
    let nobody = VoteFilesQuery { workers: vec!["m/god".to_owned()], ..files.query() };
    assert_eq!(VoteFiles::evaluate(&nobody).map(drop).expect_err("unknown").code, ErrorCode::NotFound);
    let trial = VoteFilesQuery { trial: Some((40, 10)), ..files.query() };
    let error = VoteFiles::evaluate(&trial).map(drop).expect_err("too few labels");
    assert!(error.message.contains("more than 40 gold labels; there are 6"), "{}", error.message);
}

#[test]
fn public_sets_have_their_published_accuracies() {
    let Some(folder) = quorum_outside::needed("data/votes") else { return };
    for (name, majority, dawid_skene) in [("bluebird", 75.9, 89.8), ("CF", 88.2, 83.0)] {
        let file = |file: &str| folder.join(name).join(file);
        let query = VoteFilesQuery {
            votes: file("label.csv"),
            gold: Some(file("truth.csv")),
            seed: 1,
            ..VoteFilesQuery::default()
        };
        let found = VoteFiles::evaluate(&query).expect("well formed");
        assert!((percent(&found, Aggregator::Majority) - majority).abs() < 1.0, "{name}");
        assert!((percent(&found, Aggregator::DawidSkene) - dawid_skene).abs() < 1.0, "{name}");
        let words = found.report.recommendation.words.join(" ");
        assert_eq!(words.contains("Dawid–Skene loses here"), name == "CF", "{name}: {words}");
    }
}
