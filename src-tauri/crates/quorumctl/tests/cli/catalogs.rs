//! Catalogs of a person's own, and what is wrong with some.

use serde_json::Value;

use crate::program::Data;

#[test]
fn the_bundled_catalog_is_whole() {
    let data = Data::new();
    let done = data.json(&["catalog", "check"]).done();
    let topics = done["topics"].as_array().expect("topics");
    let policies: usize = topics.iter().filter_map(|topic| Some(topic["policies"].as_array()?.len())).sum();
    assert_eq!((topics.len(), policies), (18, 72));
    let problems = done["problems"].as_array().expect("problems");
    assert!(problems.iter().all(|problem| problem["severity"] == "note"), "{problems:?}");
    for problem in problems {
        assert!(problem["file"].is_string() && problem["line"].is_u64() && problem["message"].is_string());
    }
    let shown = data.json(&["catalog", "show", "G1_allergy"]).done();
    let terms = shown["topics"][0]["terms"].as_array().expect("terms");
    assert!(terms.iter().any(|term| term["field"] == "incident_severity"));
    data.json(&["catalog", "show", "G1_nothing"]).refused(1, &["no topic \"G1_nothing\"", "G1_allergy"]);
}

/// A small topic of one's own, in files.
fn own(data: &Data) -> String {
    data.file("own/terms/parking.yaml", TERMS);
    data.file("own/policies/G7/parking/V0.yaml", POLICY);
    data.beside("own").to_str().expect("a path").to_owned()
}

const TERMS: &str = "PARKING:
  name: Parking
  type: enum
  description: How parking went.
  values:
    - {id: easy, label: Easy, description: A place was free., cues: [easy parking]}
    - {id: hard, label: Hard, description: No place was to be had., cues: [nowhere to park]}
  default: easy
";

const POLICY: &str = "policy_id: G7_parking_V0
version: 1
overview: {title: Parking, purpose: Whether one can park., incident_definition: Hard parking.}
normative:
  terms: [{ref: 'parking:PARKING'}]
  decision:
    verdicts: [Good, Bad]
    ordered: true
    rules:
      - verdict: Bad
        label: often hard
        logic: ANY
        conditions: [{text: twice, type: count_threshold, filter: {parking: hard}, min_count: 2}]
      - {verdict: Good, label: else, default: true}
";

#[test]
fn a_catalog_of_ones_own_is_added_used_and_removed() {
    let data = Data::with_sample();
    let folder = own(&data);
    let checked = data.json(&["catalog", "check", &folder]).done();
    let errors =
        checked["problems"].as_array().expect("problems").iter().filter(|problem| problem["severity"] == "error");
    assert_eq!(errors.count(), 0, "{checked}");
    data.json(&["plan", "--dataset", "sample", "--topic", "G7_parking", "--k", "1"]).refused(1, &["no topic"]);
    let added = data.json(&["catalog", "add", &folder]).done();
    assert_eq!(added["topics"].as_array().map(Vec::len), Some(19));
    assert_eq!(data.extract("G7_parking", 2).done()["ingested"], 96);
    let done = data.json(&["verdicts", "--dataset", "sample", "--topic", "G7_parking", "--k", "2"]).done();
    let counted: u64 =
        done["results"][0]["distribution"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(counted, 12);
    assert_eq!(data.json(&["catalog", "remove"]).done()["removed"], 2);
    assert_eq!(data.json(&["catalog", "list"]).done()["topics"].as_array().map(Vec::len), Some(18));
    // The votes outlive the topic.
    assert_eq!(data.votes("G7_parking").as_object().map(serde_json::Map::len), Some(96));
}

#[test]
fn a_changed_term_tells_which_votes_go_stale_and_what_asking_again_costs() {
    let data = Data::with_sample();
    let folder = own(&data);
    data.json(&["catalog", "add", &folder]).done();
    assert_eq!(data.extract("G7_parking", 3).done()["ingested"], 144);
    let votes = data.votes("G7_parking");
    let told = |args: &[&str]| {
        let done = data.json(&[&["catalog", "impact"], args, &["--dataset", "sample"]].concat()).done();
        done["topics"].as_array().expect("topics").clone()
    };
    assert_eq!((told(&[]).len(), told(&[&folder]).len()), (0, 0), "nothing has changed yet");

    data.file("own/terms/parking.yaml", TERMS.replace("No place was to be had.", "No place within a mile."));
    let coming = told(&[&folder]);
    assert_eq!((coming.len(), &coming[0]["topic"], &coming[0]["votes_stale"]), (1, &"G7_parking".into(), &144.into()));
    assert!(coming[0]["requests"].as_u64() >= Some(144) && coming[0]["usd"].as_f64() > Some(0.0), "{coming:?}");
    data.json(&["catalog", "add", &folder]).done();
    let now = told(&[]);
    assert_eq!((&now[0]["votes_stale"], &now[0]["k"], &now[0]["requests"]), (&144.into(), &3.into(), &144.into()));
    assert_eq!(data.votes("G7_parking"), votes, "the old votes stay readable");

    data.file("own/terms/parking.yaml", TERMS);
    data.json(&["catalog", "add", &folder]).done();
    assert!(told(&[]).is_empty(), "the old terms have their votes again");
}

/// Refused by `check` and by `add`, and nothing was added.
#[track_caller]
fn refused(files: &[(&str, Vec<u8>)], words: &[&str]) {
    let data = Data::new();
    for (path, bytes) in files {
        data.file(&format!("own/{path}"), bytes);
    }
    let folder = data.beside("own");
    let folder = folder.to_str().expect("a path");
    let checked = data.run(&["catalog", "check", folder]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    for word in words {
        assert!(checked.out.contains(word), "no {word:?} in {checked:?}");
    }
    data.json(&["catalog", "add", folder]).refused(1, &[words, &["Nothing was added"]].concat());
    assert_eq!(data.json(&["catalog", "list"]).done()["topics"].as_array().map(Vec::len), Some(18));
}

fn with(terms: &str, policy: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![("terms/parking.yaml", terms.as_bytes().to_vec()), ("policies/G7/parking/V0.yaml", policy.as_bytes().to_vec())]
}

#[test]
fn broken_catalogs_are_refused_with_file_and_line() {
    refused(
        &with(TERMS, &POLICY.replace("parking:PARKING'", "parking:NOWHERE'")),
        &["policies/G7/parking/V0.yaml:5:", "NOWHERE"],
    );
    refused(&with(TERMS, &POLICY.replace("version: 1", "extends: G7_parking_V0")), &["V0.yaml:2:", "extends"]);
    refused(&with("PARKING: [", POLICY), &["terms/parking.yaml:"]);
    refused(&with(&format!("{TERMS}{TERMS}"), POLICY), &["terms/parking.yaml:9:", "PARKING"]);
    let mut latin = with(TERMS, POLICY);
    latin[0].1.push(0xe9);
    refused(&latin, &["terms/parking.yaml:9:1", "UTF-8"]);
}

#[test]
fn huge_and_explosive_yaml_is_refused() {
    let mut large = with(TERMS, POLICY);
    large.push(("terms/large.yaml", vec![b'#'; 50_000_000]));
    refused(&large, &["terms/large.yaml", "bytes"]);
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
    }
    refused(&with(&format!("{TERMS}{bomb}"), POLICY), &["terms/parking.yaml"]);
    refused(&with(&"[".repeat(100_000), POLICY), &["terms/parking.yaml"]);
    let data = Data::new();
    data.json(&["catalog", "check", "/nowhere"]).refused(1, &["/nowhere"]);
}
