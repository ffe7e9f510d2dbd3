//! Datasets that cannot be used as they are, names that nobody knows, and a second program on the same data.

use std::io::{BufRead, BufReader};

use serde_json::json;

use crate::program::{Data, sample};

fn business(id: &str, reviews: &[&str]) -> String {
    let reviews: Vec<_> = reviews
        .iter()
        .map(|review| json!({"review_id": review, "text": "Nice.", "stars": 4, "date": "2024-01-02 03:04:05"}))
        .collect();
    json!({"business_id": id, "business": {"business_id": id, "name": id, "categories": "Bars"}, "reviews": reviews})
        .to_string()
}

#[test]
fn broken_lines_are_left_out_counted_and_named() {
    let data = Data::new();
    let good = business("b1", &["r1", "r2"]);
    let no_id =
        json!({"business_id": "b5", "business": {"name": "No review id"}, "reviews": [{"text": "Nice."}]}).to_string();
    let lines = [
        good.as_str(),
        "{\"business_id\": \"b2\", \"reviews\": [",
        "{\"business\": {\"name\": \"Nobody\"}, \"reviews\": []}",
        &business("b4", &["r3", "r1", "r4"]),
        &no_id,
    ];
    let file = data.file("some.jsonl", lines.join("\n"));
    let ended = data.json(&["dataset", "import", &file]);
    let done = ended.done();
    assert_eq!((&done["name"], &done["reviews"]), (&"some".into(), &4.into()), "{ended:?}");
    assert!(done["skipped"].as_u64() >= Some(4), "{ended:?}");
    for words in ["line 2", "line 3", "line 4", "r1", "line 5"] {
        assert!(ended.err.contains(words), "no {words:?} in {ended:?}");
    }
}

#[test]
fn files_without_any_business_are_refused_whole() {
    let data = Data::new();
    let wide: Vec<u8> = business("b", &["r"]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut latin = business("b", &["r"]).into_bytes();
    latin[20] = 0xe9;
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("wide", [vec![0xff, 0xfe], wide].concat()),
        ("latin", latin),
        ("page", b"<html></html>".to_vec()),
        ("zeros", vec![0; 100_000]),
    ] {
        let file = data.file(name, bytes);
        data.json(&["dataset", "import", &file]).refused(1, &[name, "JSON Lines", "Nothing"]);
    }
    let folder = data.path();
    data.json(&["dataset", "import", folder.to_str().expect("a path")]).refused(1, &["it is a folder"]);
    data.json(&["dataset", "import", "/nowhere.jsonl"]).refused(1, &["/nowhere.jsonl", "No such file"]);
    assert_eq!(data.json(&["dataset", "list"]).done(), json!({"datasets": [], "removed": []}));
}

#[test]
fn the_same_name_again_replaces_the_dataset_says_so_and_keeps_the_votes() {
    let data = Data::with_votes();
    let votes = data.votes("G1_allergy");
    let file = data.file("other.jsonl", business("b1", &["r1"]));
    let ended = data.json(&["dataset", "import", &file, "--name", "sample"]);
    assert_eq!((&ended.done()["replaced"], ended.err.contains("is replaced")), (&true.into(), true), "{ended:?}");
    let listed = data.json(&["dataset", "list"]).done();
    assert_eq!(listed["datasets"], json!([{"name": "sample", "businesses": 1, "reviews": 1}]));
    assert_eq!(listed["removed"], json!([{"name": "sample", "businesses": 12, "reviews": 300}]));
    let again = data.json(&["dataset", "import", sample().to_str().expect("a path"), "--name", "sample"]).done();
    assert_eq!(again["reviews"], 300);
    assert_eq!(data.votes("G1_allergy"), votes);
    let stats = ["votes", "stats", "--dataset", "sample", "--topic", "G1_allergy", "--k", "10"];
    assert_eq!(data.json(&stats).done()["complete"], 120);
}

#[test]
fn a_dataset_that_a_live_run_asks_about_is_not_replaced_by_another() {
    let data = Data::with_sample();
    let sandbox = crate::providers::Sandbox::start(&data, &["--speed", "1"]);
    let wish = ["extract", "--dataset", "sample", "--topic", "G1_allergy", "--k", "1", "--yes"];
    data.json(&[&["--provider", &sandbox.address()], &wish[..]].concat()).done();
    let listed = data.json(&["dataset", "list"]).done();
    let file = data.file("other.jsonl", business("b1", &["r1"]));
    let words = ["live run", "300 of its reviews are not in", "the dataset is as it was", "another name"];
    data.json(&["dataset", "import", &file, "--name", "sample"]).refused(1, &words);
    assert_eq!(data.json(&["dataset", "list"]).done(), listed);
    // The same reviews again harm nobody.
    data.json(&["dataset", "import", sample().to_str().expect("a path"), "--name", "sample"]).done();
    data.json(&["cancel", "1"]).done();
}

#[test]
fn names_that_nobody_knows_are_refused_with_those_that_are() {
    let data = Data::with_sample();
    let plan = |dataset: &str, topic: &str| data.json(&["plan", "--dataset", dataset, "--topic", topic, "--k", "1"]);
    plan("sample", "G1_allergies").refused(1, &["no topic \"G1_allergies\"", "G1_allergy"]);
    plan("samples", "G1_allergy").refused(1, &["no dataset \"samples\""]);
    let verdicts = |policy: &str| data.json(&["verdicts", "--dataset", "sample", "--policy", policy, "--k", "1"]);
    verdicts("G1_allergy_V9").refused(1, &["G1_allergy_V9", "catalog list"]);
    for command in ["status", "retry", "cancel"] {
        data.json(&[command, "9"]).refused(1, &["no run 9"]);
    }
    let stats = ["votes", "stats", "--topic", "G1_allergy", "--k", "1", "--dataset"];
    data.json(&[&stats[..], &["nothing"]].concat()).refused(1, &["no dataset \"nothing\""]);
}

#[test]
fn files_that_cannot_be_written_are_refused() {
    let data = Data::with_votes();
    let file = data.file("a-file", "x");
    let wish = ["verdicts", "--dataset", "sample", "--policy", "G1_allergy_V0", "--k", "1", "--out"];
    data.json(&[&wish[..], &[&format!("{file}/below")]].concat()).refused(1, &["a-file", "cannot be written"]);
    data.json(&["override", "export", &format!("{file}/x.json")]).refused(1, &["cannot be written"]);
    let inside = Data::new();
    std::fs::write(inside.path(), "a file where the folder should be").expect("a file");
    inside.json(&["dataset", "list"]).refused(1, &[]);
}

#[test]
fn a_second_program_is_told_that_the_data_is_open() {
    let data = Data::with_sample();
    let address = crate::providers::Sandbox::start(&data, &["--speed", "1"]);
    // A batch takes a minute there: the first program waits for as long as the test wants.
    let wish = ["extract", "--dataset", "sample", "--topic", "G1_allergy", "--k", "1", "--yes", "--wait"];
    let mut first = data.spawn(&[&["--provider", &address.address()], &wish[..]].concat());
    let mut told = String::new();
    // Its first words come after it has opened the store.
    BufReader::new(first.stderr.take().expect("stderr")).read_line(&mut told).expect("a line");
    assert!(told.contains("12 reviews"), "{told}");
    data.json(&["status"]).refused(1, &["Another Quorum has this data open", "Nothing was changed"]);
    first.kill().expect("killed");
    first.wait().expect("dead");
    assert_eq!(data.json(&["status"]).code, Some(0));
}
