//! Datasets that are removed, replaced and put back, and what runs on them have cost.

use serde_json::json;

use crate::program::Data;

const TOPIC: &str = "G1_allergy";

fn missing(data: &Data) -> u64 {
    let done = data.json(&["plan", "--dataset", "sample", "--topic", TOPIC, "--k", "10"]).done();
    done["missing_votes"].as_u64().expect("a count")
}

#[test]
fn a_removed_dataset_comes_back_with_all_that_was_paid_for() {
    let data = Data::with_votes();
    let votes = data.votes(TOPIC);
    assert_eq!(missing(&data), 0);
    let done = data.json(&["dataset", "remove", "sample"]).done();
    assert_eq!((&done["name"], &done["reviews"]), (&"sample".into(), &300.into()));
    let listed = data.json(&["dataset", "list"]).done();
    assert_eq!((&listed["datasets"], &listed["removed"][0]["name"]), (&json!([]), &"sample".into()));
    data.json(&["plan", "--dataset", "sample", "--topic", TOPIC, "--k", "10"])
        .refused(1, &["There is no dataset \"sample\""]);
    data.json(&["dataset", "remove", "sample"]).refused(1, &["There is no dataset \"sample\""]);
    assert_eq!(data.votes(TOPIC), votes, "removing a dataset touches no vote");

    assert_eq!(data.json(&["dataset", "restore", "sample"]).done()["businesses"], json!(12));
    assert_eq!(missing(&data), 0);
    data.json(&["dataset", "restore", "sample"]).refused(1, &["No dataset \"sample\" was removed"]);
}

#[test]
fn costs_are_told_by_day_and_run_and_the_sandboxs_are_play_money() {
    let data = Data::with_votes();
    let done = data.json(&["costs"]).done();
    assert_eq!((&done["sandbox"], &done["days"][0]["requests"]), (&true.into(), &480.into()));
    let usd = done["usd"].as_f64().expect("a sum");
    let models = done["days"][0]["usd"].as_object().expect("by model");
    assert!(usd > 0.0 && models.len() == 2, "{done}");
    let sum: f64 = models.values().filter_map(serde_json::Value::as_f64).sum();
    assert!((sum - usd).abs() < 1e-9, "{done}");
    assert!((done["runs"][0]["usd_spent"].as_f64().expect("a sum") - usd).abs() < 1e-9, "{done}");
    let said = data.run(&["costs"]);
    assert!(said.out.contains("of play money in all; nothing was charged"), "{said:?}");
    assert!(Data::new().run(&["costs"]).out.contains("no runs yet"));
}

#[test]
fn a_replaced_dataset_can_be_put_back_too() {
    let data = Data::with_sample();
    let review = json!({"review_id": "r1", "text": "Nice.", "stars": 4, "date": "2024-01-02 03:04:05"});
    let other = data.file(
        "other.jsonl",
        json!({"business_id": "b1", "business": {"name": "One"}, "reviews": [review]}).to_string(),
    );
    let ended = data.json(&["dataset", "import", &other, "--name", "sample"]);
    assert_eq!((&ended.done()["replaced"], &ended.done()["reviews"]), (&true.into(), &1.into()));
    assert!(ended.err.contains("dataset restore 'sample'"), "{ended:?}");
    assert_eq!(data.json(&["dataset", "restore", "sample"]).done()["reviews"], json!(300));
    // The one that took its place is what can be put back now.
    assert_eq!(data.json(&["dataset", "restore", "sample"]).done()["reviews"], json!(1));
}

#[test]
fn a_dataset_that_a_live_run_needs_is_not_removed() {
    let data = Data::with_sample();
    let sent =
        data.json(&["--provider", "sandbox", "extract", "--dataset", "sample", "--topic", TOPIC, "--k", "1", "--yes"]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    data.json(&["dataset", "remove", "sample"]).refused(1, &["A live run needs", "Nothing was removed.", "cancel it"]);
    assert_eq!(data.json(&["dataset", "list"]).done()["datasets"][0]["reviews"], json!(300));
}
