//! A request is in at most one batch that may still be answered, and one that is answered is in none: the store itself refuses.

use quorum_core::{
    ensemble::Ensemble,
    manifest::{BatchState, ManifestId},
};
use quorum_store::{NewBatch, NewManifest, Store, StoreError};

use crate::data::{batch, failure, id, ingest, memory, of, plan, space, vote};

/// How many requests of a new run are taken; 0 when it was stored.
fn taken(store: &Store, new: NewManifest) -> usize {
    match store.create_manifest(new) {
        Ok(_) => 0,
        Err(StoreError::Taken { requests }) => requests,
        Err(error) => panic!("{error}"),
    }
}

fn may_extend(store: &Store, new: Vec<NewBatch>) -> bool {
    store.extend_manifest(ManifestId(1), &[], new, |_, _| true).expect("looked at").is_some()
}

#[test]
fn what_any_batch_holds_enters_no_other() {
    let store = memory();
    let space = space(&store);
    store.intern_model(&"gpt-5-nano".into()).expect("numbered");
    store.create_manifest(plan(space, vec![batch(1..=3, 1)])).expect("created");
    assert_eq!(taken(&store, plan(space, vec![batch(2..=5, 1)])), 2);
    assert_eq!(taken(&store, plan(space, vec![batch(6..=6, 1), batch(6..=6, 2)])), 1, "twice in one plan");
    assert_eq!(store.manifests().expect("list").len(), 1, "nothing of it was stored");
    assert!(!may_extend(&store, vec![batch(3..=4, 1)]), "by a round of the same run neither");
    for state in
        [BatchState::Uploaded, BatchState::Creating, BatchState::InProgress, BatchState::Ready, BatchState::Missing]
    {
        store.change_batch(id(1, 1), |batch| batch.state = state).expect("changed");
        assert!(!may_extend(&store, vec![batch(1..=1, 1)]), "{state:?}");
    }
    // Another run number, another model and another space are other questions.
    assert!(may_extend(&store, vec![of("gpt-5-mini", batch(1..=3, 1))]));
    assert_eq!(taken(&store, plan(space + 1, vec![batch(1..=3, 1)])), 0);
    store.change_batch(id(1, 1), |batch| batch.state = BatchState::Failed).expect("changed");
    assert!(may_extend(&store, vec![batch(1..=3, 1)]), "a refused batch holds nothing");
}

#[test]
fn what_is_answered_is_in_no_new_batch() {
    let store = memory();
    let space = space(&store);
    store.intern_model(&"gpt-5-nano".into()).expect("numbered");
    store.create_manifest(plan(space, vec![batch(1..=2, 1)])).expect("created");
    let failed = vec![(batch(2..=2, 1).requests[0], failure("x"))];
    store.ingest(ingest(id(1, 1), space, vec![vote(1, 1, 1, 1)], failed)).expect("ingested");
    assert!(!may_extend(&store, vec![batch(1..=2, 1)]));
    assert!(may_extend(&store, vec![batch(2..=2, 1)]));
}

#[test]
fn a_model_answers_for_the_one_whose_place_it_took() {
    let store = memory();
    let space = space(&store);
    for model in ["gpt-5-nano", "gpt-6-luna"] {
        store.intern_model(&model.into()).expect("numbered");
    }
    store.create_manifest(plan(space, vec![batch(1..=2, 1)])).expect("created");
    let failures = batch(1..=2, 1).requests.into_iter().map(|request| (request, failure("x"))).collect();
    store.ingest(ingest(id(1, 1), space, vec![], failures)).expect("ingested");
    let luna = |reviews| {
        let mut new = plan(space, vec![of("gpt-6-luna", batch(reviews, 1))]);
        new.manifest.ensemble = Ensemble::read("gpt-5-mini:1:2,gpt-6-luna=gpt-5-nano:3").expect("an ensemble");
        new
    };
    assert_eq!(taken(&store, luna(1..=1)), 0);
    // While the later run's model is asked, and when it has answered.
    assert!(!may_extend(&store, vec![batch(1..=1, 1)]));
    store.ingest(ingest(id(2, 1), space, vec![vote(1, 2, 1, 1)], vec![])).expect("ingested");
    assert!(!may_extend(&store, vec![batch(1..=1, 1)]));
    assert!(may_extend(&store, vec![batch(2..=2, 1)]));
    assert_eq!(taken(&store, luna(2..=2)), 1, "the other way round as well");
}
