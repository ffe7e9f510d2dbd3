//! Corrections: set, undo, import, export, and what they change.

use std::fs;

use quorum_api::{
    judgments::Judgments,
    open_dataset::OpenDataset,
    overrides::{NewOverride, override_list, override_set, override_undo, overrides_export, overrides_import},
};
use quorum_core::{ensemble::Ensemble, manifest::Realm};
use quorum_store::OverrideKind;
use serde_json::json;

use crate::world::{AT, Cast, World};

const TOPIC: &str = "G1_allergy";

fn world() -> World {
    let world = World::new(&[2]);
    let topic = world.topic(TOPIC);
    let fields = topic.schema.fields().len();
    let votes = [Cast { model: "m", run: 1, relevant: true, values: vec![Some(0); fields] }];
    world.cast(topic, world.number(0, 0), &votes);
    world
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
}

fn new<'a>(review: &'a str, corrected: &'a [(String, String)]) -> NewOverride<'a> {
    NewOverride { topic: TOPIC, review, corrected, reason: "read again", at: AT }
}

/// What the first review settles to: relevant, and its severity.
fn settled(world: &World) -> (bool, Option<String>) {
    let dataset = OpenDataset::open(&world.store, Realm::Live, &"town".into()).expect("a dataset");
    let topic = world.topic(TOPIC);
    let ensemble = Ensemble::read("m:1").expect("an ensemble");
    let judgments = Judgments::load(&world.store, &dataset, topic, &ensemble).expect("judgments");
    let (at, field) = topic.schema.field("incident_severity").expect("a field");
    let value = judgments.values(0)[at].map(|value| field.value_id(value).to_owned());
    assert_eq!(judgments.consensus(0).fields[at].value, judgments.values(0)[at]);
    (judgments.is_relevant(0), value)
}

#[test]
fn a_correction_holds_until_it_is_undone_and_the_trail_keeps_both() {
    let world = world();
    let voted = settled(&world);
    let severe = pairs(&[("incident_severity", "severe")]);
    let set = override_set(&world.store, &world.catalog, Realm::Live, new("b0::r0", &severe)).expect("set");
    assert_eq!(set.business.as_ref().map(ToString::to_string).as_deref(), Some("b0"));
    assert_eq!(settled(&world), (true, Some("severe".to_owned())));
    let not = pairs(&[("is_relevant", "false")]);
    let second = override_set(&world.store, &world.catalog, Realm::Live, new("b0::r0", &not)).expect("set");
    assert_eq!(settled(&world), (false, None), "the later one wins");
    let mild = pairs(&[("incident_severity", "mild")]);
    override_set(&world.store, &world.catalog, Realm::Live, new("b0::r0", &mild)).expect("set");
    assert_eq!(settled(&world), (true, Some("mild".to_owned())), "naming a severity makes it relevant again");
    let third = override_list(&world.store, Realm::Live).expect("a list").pop().expect("the third");
    for number in [third.number, second.number, set.number, set.number] {
        override_undo(&world.store, number, "a mistake", AT).expect("undone");
    }
    assert_eq!(settled(&world), voted);
    assert_eq!(world.store.override_trail().expect("a trail").len(), 6, "undoing twice is one entry");
    assert!(override_list(&world.store, Realm::Live).expect("a list").is_empty());
}

#[test]
fn what_does_not_fit_is_refused() {
    let world = world();
    let refused = |review: &str, corrected: &[(&str, &str)], reason: &str| {
        let corrected = pairs(corrected);
        let new = NewOverride { reason, ..new(review, &corrected) };
        override_set(&world.store, &world.catalog, Realm::Live, new).is_err()
    };
    assert!(refused("b0::r0", &[("incident_severity", "huge")], "why"));
    assert!(refused("b0::r0", &[("colour", "red")], "why"));
    assert!(refused("b0::r9", &[("incident_severity", "mild")], "why"));
    assert!(refused("b0::r0", &[], "why"));
    assert!(refused("b0::r0", &[("incident_severity", "mild")], " "));
    assert!(override_undo(&world.store, 1, "", AT).is_err());
    assert!(world.store.override_trail().expect("a trail").is_empty());
}

#[test]
fn files_come_in_once_and_go_out_the_same() {
    let world = world();
    let path = world.folder.path().join("overrides.json");
    let text = json!({
        "_comment": "by hand",
        TOPIC: [
            {"review_id": "b0::r0", "business_id": "b0", "original": {}, "corrected": {"incident_severity": "severe"}, "reason": "hospital"},
            {"review_id": "b0::r1", "corrected": {"incident_severity": "catastrophic"}, "reason": "old term"},
        ],
        "Z9_mystery": [{"review_id": "r", "corrected": {"a": "b"}, "reason": ""}],
    });
    fs::write(&path, text.to_string()).expect("a file");
    let done = overrides_import(&world.store, &world.catalog, Realm::Live, &path, AT).expect("an import");
    assert_eq!((done.imported, done.known, done.without_effect.len()), (3, 0, 2), "{done:?}");
    assert_eq!(settled(&world), (true, Some("severe".to_owned())));
    let dataset = OpenDataset::open(&world.store, Realm::Live, &"town".into()).expect("a dataset");
    let topic = world.topic(TOPIC);
    let judgments = Judgments::load(&world.store, &dataset, topic, &Ensemble::standard()).expect("judgments");
    assert_eq!(judgments.unfit.iter().map(|unfit| unfit.review.as_str()).collect::<Vec<_>>(), ["b0::r1"]);
    let again = overrides_import(&world.store, &world.catalog, Realm::Live, &path, AT).expect("an import");
    assert_eq!((again.imported, again.known), (0, 3));
    let out = world.folder.path().join("out.json");
    assert_eq!(overrides_export(&world.store, Realm::Live, &out).expect("an export"), 3);
    let other = self::world();
    overrides_import(&other.store, &other.catalog, Realm::Live, &out, AT).expect("an import");
    let corrected = |world: &World| -> Vec<_> {
        let held = override_list(&world.store, Realm::Live).expect("a list");
        held.into_iter()
            .map(|event| (event.topic, event.review, matches!(event.kind, OverrideKind::Set { .. }), event.reason))
            .collect()
    };
    assert_eq!(corrected(&other), corrected(&world));
    fs::write(&path, "{\"G1_allergy\": [{\"review_id\": \"r\"").expect("a file");
    assert!(overrides_import(&world.store, &world.catalog, Realm::Live, &path, AT).is_err());
}
