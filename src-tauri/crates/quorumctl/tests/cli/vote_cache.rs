//! The predecessor's vote cache through the command line.

use std::fs;

use quorum_core::prng::Prng;
use serde_json::{Value, json};

use crate::program::Data;

/// The votes of the shared fixture as a file.
fn exported(data: &Data) -> Vec<u8> {
    let path = data.beside("cache.json");
    let done = data.json(&["votes", "export", "G1_allergy", path.to_str().expect("a path")]).done();
    assert_eq!(done["entries"], 480);
    fs::read(path).expect("a file")
}

#[test]
fn an_export_imports_to_the_same_votes_and_verdicts() {
    let data = Data::with_votes();
    let file = data.file("cache.json", exported(&data));
    let other = Data::with_sample();
    let done = other.json(&["votes", "import", &file]).done();
    let expected = json!({"entries": 480, "imported": 480, "known": 0, "duplicates": 0, "skipped": 0, "salvaged": 0,
        "truncated": false, "abstentions": done["abstentions"], "stale": [], "unknown_topics": []});
    assert_eq!(done, expected);
    assert_eq!(other.votes("G1_allergy"), data.votes("G1_allergy"));
    let verdicts = ["verdicts", "--dataset", "sample", "--topic", "G1_allergy", "--k", "10"];
    assert_eq!(other.json(&verdicts).done(), data.json(&verdicts).done());
    let again = other.json(&["votes", "import", &file]).done();
    assert_eq!((&again["imported"], &again["known"]), (&0.into(), &480.into()));
}

#[test]
fn a_file_cut_at_50_random_places_gives_every_whole_vote() {
    let made = Data::with_votes();
    let cache = exported(&made);
    let text = String::from_utf8(cache.clone()).expect("UTF-8");
    // One vote a line: a vote is whole from the brace that ends its line on.
    let mut ends = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let vote = line.trim_end_matches(['\n', ',']);
        if vote.starts_with("\"G1_allergy::") {
            ends.push(at + vote.len());
        }
        at += line.len();
    }
    assert_eq!(ends.len(), 480);
    let head = text.find("\"raw\": {").expect("votes") + "\"raw\": {".len();
    let mut prng = Prng::new(5);
    for _ in 0..50 {
        let cut = head + usize::try_from(prng.next_u64()).expect("64 bits") % (cache.len() - head);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let data = Data::new();
        let file = data.file("cache.json", &cache[..cut]);
        let done = data.json(&["votes", "import", &file]).done();
        let told = ["entries", "imported", "salvaged"].map(|key| done[key].as_u64());
        assert_eq!(told, [Some(whole as u64); 3], "cut at {cut}: {done}");
        assert_eq!((&done["truncated"], &done["skipped"]), (&true.into(), &0.into()), "cut at {cut}");
    }
}

#[test]
fn votes_on_other_terms_are_stale_and_votes_on_unsaid_terms_ask() {
    let made = Data::with_votes();
    let text = String::from_utf8(exported(&made)).expect("UTF-8");
    let cache: Value = serde_json::from_str(&text).expect("JSON");
    let hash = cache["_metadata"]["G1_allergy"]["term_hash"].as_str().expect("a hash");

    let data = Data::with_sample();
    let stale = data.file("stale.json", text.replace(hash, "0123456789abcdef"));
    let done = data.json(&["votes", "import", &stale]).done();
    assert_eq!(done["stale"], json!([{"topic": "G1_allergy", "term_hash": "0123456789abcdef", "votes": 480}]));
    let stats = ["votes", "stats", "--dataset", "sample", "--topic", "G1_allergy", "--k", "10"];
    let told = data.json(&stats).done();
    assert_eq!(
        (&told["complete"], &told["stale"]),
        (&0.into(), &json!([{"term_hash": "0123456789abcdef", "votes": 480}]))
    );

    let unsaid = data.file(
        "unsaid.json",
        text.replace(&format!("\"term_hash\":\"{hash}\""), "\"of\":1")
            .replace(&format!("\"term_hash\": \"{hash}\""), "\"of\": 1"),
    );
    data.json(&["votes", "import", &unsaid]).refused(3, &["G1_allergy", "Nothing was imported", "--assume-current"]);
    assert_eq!(data.json(&stats).done()["complete"], 0);
    let done = data.json(&["votes", "import", &unsaid, "--assume-current"]).done();
    assert_eq!((&done["imported"], &data.json(&stats).done()["complete"]), (&480.into(), &120.into()));
}

#[test]
fn what_is_no_cache_is_refused_and_damaged_votes_are_counted() {
    let data = Data::with_sample();
    for (name, bytes, words) in [
        ("list", &b"[1, 2]"[..], "found a list"),
        ("empty", b"", "is empty"),
        ("latin", b"\xe9t\xe9", "not UTF-8"),
        ("wide", b"\xff\xfe{\0", "not UTF-8"),
        ("other", b"{\"a\": 1}", "no member `raw`"),
        ("page", b"<html>", "something else"),
    ] {
        let file = data.file(name, bytes);
        data.json(&["votes", "import", &file]).refused(1, &["no vote cache", "Nothing was imported", words]);
    }
    data.json(&["votes", "import", "/nowhere/cache.json"]).refused(1, &["/nowhere/cache.json", "cannot be read"]);
    data.json(&["votes", "export", "G1_allergy", "/nowhere/cache.json"]).refused(1, &["has no votes"]);
    assert_eq!(
        data.json(&["votes", "stats", "--dataset", "sample", "--topic", "G1_allergy", "--k", "1"]).done()["complete"],
        0
    );

    // Equal keys: the last wins. A vote that is not UTF-8, has no relevance or no run is left out.
    let vote = |severity: &str| format!("{{\"incident_severity\": \"{severity}\", \"is_allergy_related\": true}}");
    let mut cache = b"{\"raw\": {".to_vec();
    for (key, vote) in [
        ("G1_allergy::r1::m::run1", vote("mild")),
        ("G1_allergy::r1::m::run2", vote("none")),
        ("G1_allergy::r1::m::run1", vote("severe")),
        ("G1_allergy::r1::m::run3", "{\"incident_severity\": \"mild\"}".to_owned()),
        ("G1_allergy::r1::m", vote("mild")),
        ("G9_none::r1::m::run1", vote("mild")),
    ] {
        cache.extend_from_slice(format!("\"{key}\": {vote}, ").as_bytes());
    }
    cache.extend_from_slice(b"\"G1_allergy::r1::m::run4\": {\"incident_severity\": \"\xff\", \"is_relevant\": true}}}");
    let file = data.file("damaged.json", cache);
    let done = data.json(&["votes", "import", &file, "--assume-current"]).done();
    let told = ["entries", "imported", "duplicates", "skipped"].map(|key| done[key].as_u64().expect("a count"));
    assert_eq!(told, [7, 2, 1, 4], "{done}");
    assert_eq!(done["unknown_topics"], json!(["G9_none"]));
    assert_eq!(data.votes("G1_allergy")["G1_allergy::r1::m::run1"]["incident_severity"], "severe");
}
