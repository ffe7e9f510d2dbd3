//! Ground-truth files against the format of `domain.md`.

use std::{fs, path::Path};

use quorum_api::{
    dto::error::ErrorCode,
    ground_truth::{GroundTruthFile, export},
    verdicts::{VerdictsRequest, expand_policies},
};
use quorum_core::manifest::Realm;
use serde_json::{Value, json};

use crate::world::{Cast, DATASET, PANEL, Random, World};

const COMPUTED_AT: &str = "2026-11-22T10:00:00Z";

fn write(world: &World, policies: &[&str], k: u32, dir: &Path, at: &str) -> Vec<GroundTruthFile> {
    let request = VerdictsRequest {
        dataset: DATASET.into(),
        policies: expand_policies(&world.catalog, policies).expect("policies"),
        ks: vec![k],
        ensemble: None,
        partial: false,
    };
    export(&world.store, &world.catalog, Realm::Live, &request, dir, at).expect("files").0
}

/// One vote a (model, run) of the ensemble, all the same.
fn agree(world: &World, business: usize, review: usize, values: &[(&str, &str)]) {
    let topic = world.topic("G1_allergy");
    let given = topic.schema.fields().iter().map(|field| {
        let (_, value) = values.iter().find(|(name, _)| *name == field.name)?;
        Some(field.value(value).expect("a value"))
    });
    let given: Vec<Option<u8>> = given.collect();
    let seats = PANEL.iter().flat_map(|(model, runs, _)| (1..=*runs).map(move |run| (*model, run)));
    let votes: Vec<Cast> =
        seats.map(|(model, run)| Cast { model, run, relevant: true, values: given.clone() }).collect();
    world.cast(topic, world.number(business, review), &votes);
}

fn allergic() -> World {
    let world = World::new(&[3, 1]);
    agree(&world, 0, 0, &[("account_type", "firsthand"), ("incident_severity", "severe")]);
    agree(&world, 0, 1, &[("account_type", "firsthand"), ("incident_severity", "none")]);
    world
}

#[test]
fn a_points_policy_is_written_key_by_key_as_the_format_says() {
    let world = allergic();
    let dir = world.folder.path().join("out/deep");
    let files = write(&world, &["G1_allergy_V2"], 2, &dir, COMPUTED_AT);
    assert_eq!(files[0].path, dir.join("G1_allergy_V2_K2_groundtruth.json"));
    let text = fs::read_to_string(&files[0].path).expect("a file");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let points = |file: &Value| file["restaurants"]["b0"]["ground_truth"]["incidents"][0]["base_points"].clone();
    let score = file["restaurants"]["b0"]["ground_truth"]["score"].as_i64().expect("a score");
    let base = points(&file).as_i64().expect("points");
    let cuisine = file["restaurants"]["b0"]["ground_truth"]["cuisine_modifier"].as_i64().expect("points");
    assert!(base > 0 && cuisine > 0 && score == base + cuisine, "a Thai place with one severe incident: {score}");
    let label = file["restaurants"]["b0"]["ground_truth"]["incidents"][0]["severity_label"].clone();
    let verdict = file["restaurants"]["b0"]["ground_truth"]["verdict"].clone();
    let mut distribution = json!({"Low Risk": 0, "High Risk": 0, "Critical Risk": 0});
    distribution[verdict.as_str().expect("a verdict")] = 1.into();
    let expected = json!({
        "policy_id": "G1_allergy_V2", "topic": "G1_allergy", "domain": "allergy", "k": 2,
        "aggregator": "weighted_majority",
        "computed_at": COMPUTED_AT, "has_scoring": true, "provisional": true,
        "restaurants": {
            "b0": {
                "name": "Business \"0\"", "categories": "Thai, Restaurants", "n_reviews": 2, "n_judgments": 2,
                "ground_truth": {
                    "verdict": verdict, "score": score, "n_incidents": 1,
                    "incidents": [{
                        "review_id": "b0::r0", "severity_field": "incident_severity", "severity_value": "severe",
                        "severity_label": label, "base_points": base, "modifiers": [], "total_points": base,
                        "recency_weight": 1.0, "weighted_points": base,
                    }],
                    "cuisine_modifier": cuisine, "policy_id": "G1_allergy_V2",
                },
            },
            "b1": {
                "name": "Business \"1\"", "categories": "Bakeries", "n_reviews": 1, "n_judgments": 0,
                "provisional": true,
                "ground_truth": {
                    "verdict": null, "n_incidents": 0, "incidents": [], "cuisine_modifier": 0,
                    "policy_id": "G1_allergy_V2",
                },
            },
        },
        "summary": {
            "total_restaurants": 2, "verdict_distribution": distribution, "missing_judgments": 1, "provisional": true,
        },
    });
    assert_eq!(file, expected);
    let order = [
        "\"policy_id\"",
        "\"topic\"",
        "\"domain\"",
        "\"k\"",
        "\"has_scoring\"",
        "\"b0\"",
        "\"review_id\"",
        "\"modifiers\"",
        "\"weighted_points\"",
        "\"cuisine_modifier\"",
        "\"b1\"",
        "\"summary\"",
        "\"Low Risk\"",
        "\"Critical Risk\"",
        "\"missing_judgments\"",
    ];
    // Both businesses have most of these keys: each is looked for behind the one before it.
    let mut rest = text.as_str();
    for key in order {
        rest = &rest[rest.find(key).unwrap_or_else(|| panic!("{key} is not where the format has it: {text}"))..];
    }
}

#[test]
fn a_rules_policy_names_its_rule_and_has_incidents_without_points() {
    let world = allergic();
    let files = write(&world, &["G1_allergy_V1"], 25, world.folder.path(), COMPUTED_AT);
    let text = fs::read_to_string(&files[0].path).expect("a file");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let truth = &file["restaurants"]["b0"]["ground_truth"];
    assert!(truth["matched_rule"].is_string() && truth.get("score").is_none());
    let incident = truth["incidents"][0].as_object().expect("an incident");
    let keys: Vec<&str> = incident.keys().map(String::as_str).collect();
    let mut expected = [
        "review_id",
        "severity_field",
        "severity_value",
        "severity_label",
        "base_points",
        "modifiers",
        "total_points",
        "recency_weight",
        "weighted_points",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!((&incident["base_points"], &incident["modifiers"]), (&Value::Null, &json!([])));
    assert_eq!(files[0].missing_judgments, 2);
}

#[test]
fn the_same_judgments_give_the_same_bytes_but_for_the_time() {
    let reviews = [40, 12, 30];
    let world = World::new(&reviews);
    let mut random = Random::new(3);
    for topic in world.catalog.topics().iter().take(3) {
        world.cast_at_random(topic, &reviews, &mut random);
    }
    let (one, other) = (world.folder.path().join("one"), world.folder.path().join("other"));
    let first = write(&world, &["all"], 25, &one, COMPUTED_AT);
    let second = write(&world, &["all"], 25, &other, "2027-01-01T00:00:00Z");
    assert_eq!(first.len(), 72);
    for (first, second) in first.iter().zip(&second) {
        let (one, other) =
            (fs::read_to_string(&first.path).expect("one"), fs::read_to_string(&second.path).expect("other"));
        assert_ne!(one, other);
        assert_eq!(one.replace(COMPUTED_AT, "2027-01-01T00:00:00Z"), other);
    }
    let names = fs::read_dir(&one).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    assert_eq!(names.filter(|name| !name.to_string_lossy().ends_with("_groundtruth.json")).count(), 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_one_error_with_its_path() {
    let world = allergic();
    let file = world.folder.path().join("file");
    fs::write(&file, "in the way").expect("a file");
    let dir = file.join("below");
    let request = VerdictsRequest {
        dataset: DATASET.into(),
        policies: expand_policies(&world.catalog, &["G1_allergy"]).expect("policies"),
        ks: vec![25],
        ensemble: None,
        partial: false,
    };
    let error = export(&world.store, &world.catalog, Realm::Live, &request, &dir, COMPUTED_AT).expect_err("an error");
    assert_eq!(error.code, ErrorCode::FileUnwritable);
    assert!(error.message.contains(&dir.display().to_string()));
}
#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let world = allergic();
    let dir = world.folder.path().join("out");
    // A folder stands where the file should.
    let target = dir.join("G1_allergy_V0_K25_groundtruth.json");
    fs::create_dir_all(target.join("full")).expect("a folder");
    let request = VerdictsRequest {
        dataset: DATASET.into(),
        policies: vec!["G1_allergy_V0".into()],
        ks: vec![25],
        ensemble: None,
        partial: false,
    };
    let error = export(&world.store, &world.catalog, Realm::Live, &request, &dir, COMPUTED_AT).expect_err("an error");
    assert!(error.message.contains("G1_allergy_V0_K25_groundtruth.json"));
    assert_eq!(fs::read_dir(&dir).expect("a folder").count(), 1, "no half-written file");
}
