//! Import and export of the predecessor's vote cache.

use std::{fs, path::PathBuf};

use quorum_api::{
    dto::error::{ApiError, ErrorCode},
    vote_cache::{ImportOptions, VotesImport, votes_export, votes_import},
};
use quorum_core::{
    manifest::Realm,
    votes::{Vote, decode},
};

use crate::world::{AT, Random, World, review_id};

const TOPIC: &str = "G1_allergy";

fn import_with(world: &World, bytes: &[u8], assume_current: bool) -> Result<VotesImport, ApiError> {
    let path = world.folder.path().join("policy_cache.json");
    fs::write(&path, bytes).expect("a file");
    let options = ImportOptions { realm: Realm::Live, assume_current, at: AT };
    votes_import(&world.store, &world.catalog, options, &path)
}

fn import(world: &World, text: &str) -> VotesImport {
    import_with(world, text.as_bytes(), false).expect("an import")
}

fn hash() -> String {
    World::new(&[]).topic(TOPIC).schema.term_hash().to_string()
}

fn metadata() -> String {
    format!(r#""_metadata": {{"{TOPIC}": {{"term_hash": "{}", "created_at": "2025-01-01"}}}}"#, hash())
}

fn entry(review: usize, model: &str, run: u32, severity: &str) -> String {
    format!(
        r#""{TOPIC}::{}::{model}::run{run}": {{"account_type": "firsthand", "incident_severity": "{severity}",
        "is_relevant": true, "_model": "{model}", "_run": {run}, "_extracted_at": "2025-03-01T12:00:00"}}"#,
        review_id(0, review)
    )
}

/// Every vote that is stored, by space.
fn stored(world: &World) -> Vec<(String, u32, Vec<Vote>)> {
    let mut all = Vec::new();
    for space in world.store.spaces().expect("spaces") {
        let each = |review: quorum_core::votes::ReviewNo, row: quorum_core::votes::VoteRow<'_>| {
            all.push((space.term_hash.to_string(), review.0, row.iter().map(|vote| vote.to_owned()).collect()));
        };
        world.store.each_votes(space.number, each).expect("votes");
    }
    all
}

/// The severity that the one stored vote of a (review, model) gives.
fn severity(world: &World, review: usize) -> Vec<Option<String>> {
    let topic = world.topic(TOPIC);
    let space = world.store.space(Realm::Live, &topic.id, &topic.schema.term_hash()).expect("spaces").expect("a space");
    let (at, field) = topic.schema.field("incident_severity").expect("a field");
    let read = |row: quorum_core::votes::VoteRow<'_>| {
        let value = |codes: &[u8]| decode(&topic.schema, codes)[at].map(|value| field.value_id(value).to_owned());
        row.iter().map(|vote| value(vote.codes)).collect()
    };
    world.store.votes_of(space.number, world.number(0, review), read).expect("votes")
}

#[test]
fn votes_come_in_with_model_run_and_time() {
    let world = World::new(&[2]);
    let text = format!(
        "{{{}, \"raw\": {{{}, {}}}, \"aggregated\": {{\"x\": [1, \"}}\"]}}}}",
        metadata(),
        entry(0, "m", 3, "severe"),
        entry(1, "m", 1, "odd")
    );
    let done = import(&world, &text);
    let expected = VotesImport { entries: 2, imported: 2, ..VotesImport::default() };
    let fields = world.topic(TOPIC).schema.fields().len() as u64;
    assert_eq!(done, VotesImport { abstentions: 2 * (fields - 2) + 1, ..expected });
    assert_eq!(severity(&world, 0), [Some("severe".to_owned())]);
    assert_eq!(severity(&world, 1), [None], "a value that the term does not have is an abstention");
    let (_, _, votes) = &stored(&world)[0];
    assert!(votes[0].imported && votes[0].relevant);
    assert_eq!(votes[0].at, 1_740_830_400, "2025-03-01T12:00:00 UTC");
    let again = import(&world, &text);
    assert_eq!((again.imported, again.known), (0, 2));
}

#[test]
fn metadata_may_stand_last_and_relevance_be_spelled_the_old_way() {
    let world = World::new(&[2]);
    let old = entry(0, "m", 1, "mild").replace("is_relevant", "is_allergy_related");
    let done = import(&world, &format!("\u{feff}{{\"raw\": {{{old}}}, \"aggregated\": null, {}}}", metadata()));
    assert_eq!((done.imported, done.skipped, done.truncated), (1, 0, false));
}

#[test]
fn damaged_entries_are_skipped_and_counted() {
    let world = World::new(&[9]);
    let no_relevance = entry(1, "m", 1, "mild").replace("is_relevant", "relevance");
    let no_run = entry(2, "m", 1, "mild").replace("::run1", "::1");
    let run_zero = entry(3, "m", 0, "mild");
    let broken = entry(4, "m", 1, "mild").replace("true,", "true true,");
    let list = format!("\"{TOPIC}::x::m::run1\": [{{\"is_relevant\": true}}]");
    let word = format!("\"{TOPIC}::y::m::run1\": null, \"{TOPIC}::z::m::run1\":, 17, \"no colon\"");
    let parts =
        [entry(0, "m", 1, "mild"), no_relevance, no_run, run_zero, broken, list, word, entry(5, "m", 1, "mild")];
    let done = import(&world, &format!("{{{}, \"raw\": {{{}}}}}", metadata(), parts.join(",\n")));
    assert_eq!((done.imported, done.truncated), (2, false), "{done:?}");
    assert_eq!((done.entries, done.skipped), (11, 9), "{done:?}");
    let not_utf8 = [
        format!("{{{}, \"raw\": {{", metadata()).into_bytes(),
        entry(6, "m\u{1}", 1, "mild").replace('\u{1}', "@").into_bytes(),
        b"}}".to_vec(),
    ]
    .concat();
    let not_utf8: Vec<u8> = not_utf8.into_iter().map(|byte| if byte == b'@' { 0xff } else { byte }).collect();
    let done = import_with(&world, &not_utf8, false).expect("an import");
    assert_eq!((done.entries, done.skipped), (1, 1));
}

#[test]
fn of_equal_keys_the_last_wins() {
    let world = World::new(&[2]);
    let bad_last = entry(1, "m", 1, "mild").replace("is_relevant", "relevance");
    let parts = [
        entry(0, "m", 1, "mild"),
        entry(1, "m", 1, "severe"),
        entry(0, "m", 1, "moderate"),
        entry(0, "m", 1, "severe"),
        bad_last,
    ];
    let done = import(&world, &format!("{{{}, \"raw\": {{{}}}}}", metadata(), parts.join(",")));
    assert_eq!((done.entries, done.imported, done.duplicates, done.skipped), (5, 2, 2, 1));
    assert_eq!(severity(&world, 0), [Some("severe".to_owned())]);
    assert_eq!(severity(&world, 1), [Some("severe".to_owned())], "of usable ones");
}

#[test]
fn votes_on_other_terms_are_stale_readable_and_apart() {
    let world = World::new(&[3]);
    let old = |review, colour: &str| {
        format!(
            r#""{TOPIC}::{}::m::run1": {{"colour": "{colour}", "loud": true, "is_relevant": true}}"#,
            review_id(0, review)
        )
    };
    let file = |parts: &[String]| {
        format!(
            r#"{{"raw": {{{}}}, "_metadata": {{"{TOPIC}": {{"term_hash": "00000000deadbeef"}}}}}}"#,
            parts.join(",")
        )
    };
    let done = import(&world, &file(&[old(0, "red"), old(1, "blue")]));
    assert_eq!((done.imported, done.stale.len(), done.abstentions), (2, 1, 0));
    assert_eq!((done.stale[0].term_hash.as_str(), done.stale[0].votes), ("00000000deadbeef", 2));
    let topic = world.topic(TOPIC);
    assert!(world.store.space(Realm::Live, &topic.id, &topic.schema.term_hash()).expect("spaces").is_none());
    let space =
        world.store.space(Realm::Live, &topic.id, &"00000000deadbeef".into()).expect("spaces").expect("a space");
    let fields: Vec<(&str, Vec<&str>)> = space
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.values.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(fields, [("colour", vec!["blue", "red"]), ("loud", vec!["true"])]);
    // A second file with a value that the first did not have: an abstention, never another value.
    let done = import(&world, &file(&[old(2, "green")]));
    assert_eq!((done.imported, done.abstentions), (1, 1));
}

#[test]
fn a_topic_without_a_hash_asks_and_stores_nothing() {
    let world = World::new(&[1]);
    let text =
        format!("{{\"raw\": {{{}, \"Z9_mystery::r::m::run1\": {{\"is_relevant\": true}}}}}}", entry(0, "m", 1, "mild"));
    let error = import_with(&world, text.as_bytes(), false).expect_err("a question");
    assert_eq!(error.code, ErrorCode::InvalidInput);
    assert!(error.message.contains(TOPIC) && error.action.expect("an action").contains("--assume-current"));
    assert!(stored(&world).is_empty() && world.store.spaces().expect("spaces").is_empty());
    let done = import_with(&world, text.as_bytes(), true).expect("an import");
    assert_eq!((done.imported, done.skipped, done.stale.len()), (1, 1, 0));
    assert_eq!(done.unknown_topics, ["Z9_mystery"]);
}

#[test]
fn what_is_no_cache_is_refused_with_the_reason() {
    let world = World::new(&[1]);
    let list = format!("[{{{}}}]", metadata());
    let cases: [(&[u8], &str); 7] = [
        (b"", "empty"),
        (list.as_bytes(), "a list"),
        (b"\xff\xfe{\0", "not UTF-8"),
        (b"\x1f\x8b\x08", "something else"),
        (b"hello", "something else"),
        (b"{\"raw\": [1, 2]}", "no object"),
        (b"{\"votes\": {}}", "no member `raw`"),
    ];
    for (bytes, words) in cases {
        let error = import_with(&world, bytes, true).expect_err(words);
        assert_eq!(error.code, ErrorCode::FileFormat);
        assert!(error.detail.as_ref().is_some_and(|detail| detail.contains(words)), "{words}: {error:?}");
    }
    let options = ImportOptions { realm: Realm::Live, assume_current: false, at: AT };
    let none = votes_import(&world.store, &world.catalog, options, &PathBuf::from("/nowhere/cache.json"));
    assert_eq!(none.expect_err("no file").code, ErrorCode::FileUnreadable);
}

#[test]
fn a_file_cut_anywhere_gives_every_whole_entry() {
    let entries: Vec<String> =
        (0..40).map(|at| entry(at / 4, "m\\\"x", u32::try_from(at % 4).expect("small") + 1, "mild")).collect();
    let head = format!("{{{}, \"raw\": {{", metadata());
    let mut text = head.clone();
    let mut ends = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { ",\n  " });
        text.push_str(entry);
        ends.push(text.len());
    }
    text.push_str("}, \"aggregated\": {\"a\": 1}}");
    let mut random = Random::new(11);
    let mut cuts: Vec<usize> = (0..50).map(|_| head.len() + random.below(text.len() - head.len())).collect();
    cuts.extend(ends.iter().flat_map(|end| [*end - 1, *end, *end + 1]));
    for cut in cuts {
        let world = World::new(&[10]);
        let done = import_with(&world, &text.as_bytes()[..cut], false).expect("an import");
        let whole = ends.iter().filter(|end| **end <= cut).count() as u64;
        assert_eq!((done.imported, done.salvaged, done.entries), (whole, whole, whole), "cut at {cut}");
        assert!(done.truncated && done.skipped == 0);
        let votes: usize = stored(&world).iter().map(|(_, _, votes)| votes.len()).sum();
        assert_eq!(votes as u64, whole);
    }
    let done = import(&World::new(&[10]), &text);
    assert_eq!((done.imported, done.salvaged, done.truncated), (40, 0, false));
}

#[test]
fn an_export_imports_to_the_same_votes() {
    let reviews = [30, 7];
    let one = World::new(&reviews);
    let topic = one.topic(TOPIC).clone();
    let cast = one.cast_at_random(&topic, &reviews, &mut Random::new(5));
    let path = one.folder.path().join("votes.json");
    let done = votes_export(&one.store, &one.catalog, Realm::Live, &topic.id, &path, AT).expect("an export");
    let count: usize = cast.iter().flatten().map(Vec::len).sum();
    assert_eq!((done.entries, done.term_hash), (count as u64, topic.schema.term_hash().to_string()));
    let file: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
    assert_eq!(file["_metadata"][TOPIC]["model_config"]["gpt-5-nano"], 4);
    // The other store numbers models and reviews alike, so rows can be compared as they are, but for the mark.
    let other = World::new(&reviews);
    let options = ImportOptions { realm: Realm::Live, assume_current: false, at: 1 };
    for model in one.store.models().values() {
        other.store.intern_model(model).expect("a model");
    }
    let read = votes_import(&other.store, &other.catalog, options, &path).expect("an import");
    assert_eq!((read.imported, read.skipped, read.duplicates, read.stale.len()), (count as u64, 0, 0, 0));
    let mark = |(hash, review, votes): (String, u32, Vec<Vote>)| {
        (hash, review, votes.into_iter().map(|vote| Vote { imported: true, ..vote }).collect::<Vec<_>>())
    };
    let expected: Vec<_> = stored(&one).into_iter().map(mark).collect();
    assert_eq!(stored(&other), expected);
    let none = votes_export(&one.store, &one.catalog, Realm::Sandbox, &topic.id, &path, AT);
    assert_eq!(none.expect_err("no votes").code, ErrorCode::NotFound);
}

#[test]
fn votes_stay_readable_when_terms_that_nobody_knew_come_back() {
    // Imported while the catalog has no such topic, so that the space has only the values that the file used.
    let world = World::new(&[2]);
    let empty = quorum_catalog::Catalog::default();
    let path = world.folder.path().join("cache.json");
    fs::write(
        &path,
        format!("{{{}, \"raw\": {{{}, {}}}}}", metadata(), entry(0, "m", 1, "severe"), entry(1, "m", 1, "mild")),
    )
    .expect("a file");
    let options = ImportOptions { realm: Realm::Live, assume_current: false, at: AT };
    let done = votes_import(&world.store, &empty, options, &path).expect("an import");
    assert_eq!((done.imported, done.stale.len()), (2, 1));
    let dataset = quorum_api::open_dataset::OpenDataset::open(&world.store, Realm::Live, &"town".into()).expect("town");
    let topic = world.topic(TOPIC);
    let ensemble = quorum_core::ensemble::Ensemble::read("m:1").expect("an ensemble");
    let judgments =
        quorum_api::judgments::Judgments::load(&world.store, &dataset, topic, &ensemble).expect("judgments");
    let (at, field) = topic.schema.field("incident_severity").expect("a field");
    let value = |position: usize| judgments.values(position)[at].map(|value| field.value_id(value));
    assert_eq!((value(0), value(1)), (Some("severe"), Some("mild")));
}
