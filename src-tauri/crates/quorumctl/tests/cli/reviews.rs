//! Corrections: what they change, and that nothing of them is lost.

use serde_json::{Value, json};

use crate::program::Data;

const REVIEW: &str = "sample-lotus-bowl-01";

fn verdict_incidents(data: &Data) -> Vec<String> {
    let out = data.beside("out");
    let wish = ["verdicts", "--dataset", "sample", "--policy", "G1_allergy_V2", "--k", "10", "--out"];
    let done = data.json(&[&wish[..], &[out.to_str().expect("a path")]].concat()).done();
    let file = std::fs::read(done["results"][0]["file"].as_str().expect("a file")).expect("a file");
    let file: Value = serde_json::from_slice(&file).expect("JSON");
    let incidents = &file["restaurants"]["sample-lotus-bowl"]["ground_truth"]["incidents"];
    let incidents = incidents.as_array().expect("incidents").iter();
    incidents.filter_map(|incident| Some(incident["review_id"].as_str()?.to_owned())).collect()
}

#[test]
fn a_correction_is_set_listed_exported_imported_and_undone() {
    let data = Data::with_votes();
    let before = verdict_incidents(&data);
    assert!(!before.contains(&REVIEW.to_owned()));
    let set = [
        "override",
        "set",
        "G1_allergy",
        REVIEW,
        "incident_severity=severe",
        "account_type=firsthand",
        "is_relevant=true",
    ];
    let done = data.json(&[&set[..], &["--reason", "read it again"]].concat()).done();
    let held = &done["overrides"][0];
    assert_eq!(
        held["corrected"],
        json!({"incident_severity": "severe", "account_type": "firsthand", "is_relevant": true})
    );
    assert_eq!((&held["reason"], &held["business_id"]), (&"read it again".into(), &"sample-lotus-bowl".into()));
    assert!(held["original"].get("incident_severity").is_some(), "{held}");
    assert!(verdict_incidents(&data).contains(&REVIEW.to_owned()));

    let file = data.beside("corrections.json");
    let file = file.to_str().expect("a path");
    assert_eq!(data.json(&["override", "export", file]).done()["exported"], 1);
    let id = held["id"].to_string();
    assert_eq!(data.json(&["override", "undo", &id, "--reason", "no"]).done()["overrides"], json!([]));
    assert_eq!(verdict_incidents(&data), before);
    let trail = data.json(&["override", "list", "--trail"]).done()["trail"].as_array().expect("a trail").clone();
    assert_eq!((trail.len(), &trail[1]["undoes"]), (2, &held["id"]));

    let imported = data.json(&["override", "import", file]).done();
    assert_eq!((&imported["imported"], imported["overrides"].as_array().map(Vec::len)), (&1.into(), Some(1)));
    let again = data.json(&["override", "import", file]).done();
    assert_eq!((&again["imported"], &again["known"]), (&0.into(), &1.into()));
    assert!(verdict_incidents(&data).contains(&REVIEW.to_owned()));
}

#[test]
fn what_cannot_be_corrected_is_refused_and_changes_nothing() {
    let data = Data::with_votes();
    let set = |topic: &str, review: &str, field: &str| {
        data.json(&["override", "set", topic, review, field, "--reason", "why"])
    };
    set("G9_none", REVIEW, "incident_severity=mild").refused(1, &["no topic G9_none"]);
    set("G1_allergy", "nobody", "incident_severity=mild").refused(1, &["no review nobody"]);
    set("G1_allergy", REVIEW, "incident_severity=awful").refused(1, &["`awful`", "none, mild, moderate, severe"]);
    set("G1_allergy", REVIEW, "mood=bad").refused(1, &["no field `mood`", "incident_severity"]);
    data.json(&["override", "set", "G1_allergy", REVIEW, "incident_severity=mild", "--reason", " "])
        .refused(1, &["needs a reason"]);
    data.json(&["override", "undo", "7"]).refused(1, &["no correction 7"]);
    for (file, words) in [
        ("[]", "an object of topics"),
        ("{\"G1_allergy\": {}}", "expected a list"),
        ("{\"G1_allergy\": [{\"review_id\": \"r\"}]}", "entry 1"),
        ("{\"G1_allergy\": [", "line 1"),
    ] {
        let file = data.file("bad.json", file);
        data.json(&["override", "import", &file])
            .refused(1, &["no file of corrections", "Nothing was imported", words]);
    }
    assert_eq!(data.json(&["override", "list"]).done(), json!({"overrides": []}));
}
