//! What a store goes through in its life, one action after the other, for the tests that interrupt it anywhere.

use quorum_core::{
    manifest::{Batch, BatchState, Manifest, ManifestId, Outcome},
    plan::Request,
    votes::ReviewNo,
};
use quorum_store::{
    Store, StoreError,
    testing::{Contents, FrozenBackend, contents},
};

use crate::data::{
    AT, activity, batch, business, correction, drawn, failure, id, ingest, labelled, of, plan, prepared, review,
    schema, vote,
};

/// One action, one transaction.
pub type Action = (&'static str, fn(&Store) -> Result<(), StoreError>);

const SPACE: u32 = 1;

pub const SCRIPT: &[Action] = &[
    ("key", |store| store.key(|| "store-key".to_owned()).map(drop)),
    ("setting", |store| store.set_setting("batch_requests_max", &40_000_u32)),
    ("import", |store| {
        let text = "The waiter knew what was in it. ".repeat(5);
        let reviews = |from: u32| (from..from + 40).map(|n| review(&format!("r{n}"), &text)).collect();
        let businesses = vec![business(1, "b1", reviews(0)), business(2, "b2", reviews(30))];
        store.import_dataset(&"d".into(), "a.jsonl", AT, prepared(businesses)).map(drop)
    }),
    ("model", |store| store.intern_model(&"gpt-5-nano".into()).map(drop)),
    ("space", |store| {
        let schema = schema();
        let realm = quorum_core::manifest::Realm::Sandbox;
        store.intern_space(realm, &"G1_allergy".into(), &schema.term_hash(), &schema).map(drop)
    }),
    ("create", |store| {
        store.create_manifest(plan(SPACE, vec![batch(1..=70, 3), of("gpt-5-mini", batch(1..=70, 1))])).map(drop)
    }),
    ("intend upload", |store| advance(store, 1, BatchState::Uploading)),
    ("uploaded", |store| advance(store, 1, BatchState::Uploaded)),
    ("intend creation", |store| advance(store, 1, BatchState::Creating)),
    ("created", |store| advance(store, 1, BatchState::Validating)),
    ("in progress", |store| advance(store, 1, BatchState::InProgress)),
    ("ready", |store| advance(store, 1, BatchState::Ready)),
    ("ingest", |store| {
        let votes = (1..=60).flat_map(|n| (1..=3).map(move |run| vote(n, 1, run, 2))).collect();
        let failures = (61..=70).map(|n| (Request { review: ReviewNo(n), run: 1 }, failure("expired"))).collect();
        store.ingest(ingest(id(1, 1), SPACE, votes, failures)).map(drop)
    }),
    ("further round", |store| {
        let admit = |manifest: &mut Manifest, _: &[Batch]| {
            manifest.round = 1;
            true
        };
        store.extend_manifest(ManifestId(1), &[], vec![batch(61..=70, 1)], admit).map(drop)
    }),
    ("ingest the second", |store| {
        let votes = (1..=70).map(|n| vote(n, 2, 1, 1)).collect();
        store.ingest(ingest(id(1, 2), SPACE, votes, vec![])).map(drop)
    }),
    ("ingest the third", |store| store.ingest(ingest(id(1, 3), SPACE, vec![vote(61, 1, 1, 3)], vec![])).map(drop)),
    ("correct", |store| store.add_overrides(vec![correction("r1", "mild"), correction("r2", "severe")]).map(drop)),
    ("undo", |store| store.undo_override(1, "misread", AT)),
    ("draw a gold sample", |store| store.add_gold(drawn(&["r3", "r4"])).map(drop)),
    ("label", |store| store.add_gold(labelled(1, "r4", "severe")).map(drop)),
    ("log", |store| store.log(activity("3 batches done")).map(drop)),
    ("replace the dataset", |store| {
        let reviews = (0..90).map(|n| review(&format!("r{n}"), "another text")).collect();
        store.import_dataset(&"d".into(), "b.jsonl", AT, prepared(vec![business(1, "b1", reviews)])).map(drop)
    }),
    ("catalog", |store| store.change_catalog(&[("a.yaml".to_owned(), "a: 1\n".repeat(1_000))], &[])),
    ("finish", |store| store.change_manifest(ManifestId(1), |manifest| manifest.finished_at = Some(AT)).map(drop)),
    ("plan another", |store| store.create_manifest(plan(SPACE, vec![batch(91..=180, 1)])).map(drop)),
];

fn advance(store: &Store, number: u32, state: BatchState) -> Result<(), StoreError> {
    store
        .change_batch(id(1, number), |batch| {
            batch.state = state;
            batch.input_file = Some("file-1".to_owned());
            batch.outcome = (state == BatchState::Ready).then_some(Outcome::Completed);
        })
        .map(drop)
}

/// What the store holds before the first action, and after each.
pub fn expected() -> Vec<Contents> {
    let store = crate::data::memory();
    let mut states = vec![contents(&store).expect("contents")];
    for (name, act) in SCRIPT {
        act(&store).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        states.push(contents(&store).expect("contents"));
    }
    states
}

pub fn open(disk: &FrozenBackend) -> Result<Store, StoreError> {
    let disk = disk.clone();
    Store::open_with_backends(move || disk.clone())
}
