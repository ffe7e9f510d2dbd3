//! Manifests, batches, requests, failures and the ingest of what a batch brought.

use quorum_core::{
    manifest::{Batch, BatchState, Manifest, ManifestId, Outcome, Trouble, TroubleKind},
    models::Usage,
    plan::Request,
    votes::ReviewNo,
};
use quorum_store::{
    FailedRequest, Ingested, Store, StoreError,
    testing::{FrozenBackend, contents},
};

use crate::data::{AT, batch, failure, id, ingest, memory, plan, space, vote};

fn request(review: u32, run: u8) -> Request {
    Request { review: ReviewNo(review), run }
}

#[test]
fn a_plan_comes_back_as_it_went_in() {
    let store = memory();
    let space = space(&store);
    let batches = vec![batch(1..=3, 2), batch(1..=1, 0), batch(u32::MAX..=u32::MAX, 9)];
    let manifest = store.create_manifest(plan(space, batches.clone())).expect("created");
    assert_eq!(manifest.id, ManifestId(1));
    assert_eq!(store.manifest(manifest.id).expect("read"), manifest);
    assert_eq!(store.manifests().expect("list"), std::slice::from_ref(&manifest));
    let stored = store.batches(manifest.id).expect("list");
    assert_eq!(stored.iter().map(|batch| batch.id).collect::<Vec<_>>(), [id(1, 1), id(1, 2), id(1, 3)]);
    for (stored, new) in stored.iter().zip(&batches) {
        assert_eq!(store.requests(stored.id).expect("requests"), new.requests);
        assert_eq!(store.batch(stored.id).expect("read"), *stored);
        assert_eq!((stored.requests, stored.state), (new.batch.requests, BatchState::Planned));
    }
}

#[test]
fn further_rounds_are_numbered_on_and_change_the_manifest_with_them() {
    let store = memory();
    let space = space(&store);
    let first = store.create_manifest(plan(space, vec![batch(1..=1, 1)])).expect("created");
    let second = store.create_manifest(plan(space, vec![batch(2..=2, 1)])).expect("created");
    let next = || vec![batch(3..=3, 1), batch(4..=4, 1)];
    let refused = store.extend_manifest(first.id, &[], next(), |manifest, _| {
        manifest.round = 7;
        false
    });
    assert_eq!(refused.expect("looked at"), None);
    assert_eq!((store.manifest(first.id).expect("read").round, store.all_batches().expect("list").len()), (0, 2));
    let extended = store.extend_manifest(first.id, &[], next(), |manifest, _| {
        manifest.round = 1;
        true
    });
    assert!(extended.expect("extended").is_some());
    let numbers = |manifest| {
        store
            .batches(manifest)
            .expect("list")
            .iter()
            .map(|batch| (batch.id.manifest, batch.id.number))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(first.id), [(first.id, 1), (first.id, 2), (first.id, 3)]);
    assert_eq!(numbers(second.id), [(second.id, 1)]);
    assert_eq!(store.manifest(first.id).expect("read").round, 1);
    assert_eq!(store.requests(id(1, 3)).expect("requests"), [request(4, 1)]);
    assert_eq!(store.all_batches().expect("list").len(), 4);
}

#[test]
fn a_round_closes_the_batches_whose_place_it_takes_together_with_adding_its_own() {
    let store = memory();
    let space = space(&store);
    let manifest = store.create_manifest(plan(space, vec![batch(1..=2, 1)])).expect("created");
    let admit = |manifest: &mut Manifest, closed: &[Batch]| {
        manifest.round = 1;
        closed.iter().all(|batch| batch.state == BatchState::Missing)
    };
    let resend = |store: &Store| store.extend_manifest(manifest.id, &[id(1, 1)], vec![batch(1..=2, 1)], admit);
    assert_eq!(resend(&store).expect("looked at"), None, "it is not missing");
    store.change_batch(id(1, 1), |batch| batch.state = BatchState::Missing).expect("changed");
    assert_eq!(resend(&store).expect("extended").map(|manifest| manifest.round), Some(1));
    let states: Vec<BatchState> = store.batches(manifest.id).expect("list").iter().map(|batch| batch.state).collect();
    assert_eq!(states, [BatchState::Cancelled, BatchState::Planned]);
}

#[test]
fn a_batch_is_replaced_only_where_it_is_as_it_was_seen() {
    let store = memory();
    let space = space(&store);
    store.create_manifest(plan(space, vec![batch(1..=2, 1)])).expect("created");
    let seen = store.batch(id(1, 1)).expect("read");
    let uploading = Batch { state: BatchState::Uploading, ..seen.clone() };
    store.change_batch(id(1, 1), |batch| batch.cancel_requested = true).expect("the user's wish");
    let stored = store.replace_batch(&seen, uploading.clone()).expect("replaced").expect("only the wish was new");
    assert!(stored.cancel_requested, "the wish is kept");
    assert_eq!(stored.state, BatchState::Uploading);
    assert_eq!(store.replace_batch(&seen, uploading).expect("looked at"), None, "it moved on meanwhile");
}

#[test]
fn a_change_is_read_changed_and_written_in_one_step() {
    let store = memory();
    let space = space(&store);
    store.create_manifest(plan(space, vec![batch(1..=1, 1)])).expect("created");
    let trouble =
        Trouble { kind: TroubleKind::QueueFull, words: "Limit: 2,000,000 enqueued tokens".to_owned(), at: AT };
    let changed = store
        .change_batch(id(1, 1), |batch| {
            batch.state = BatchState::Creating;
            batch.input_file = Some("file-1".to_owned());
            batch.outcome = Some(Outcome::Expired);
            batch.trouble = Some(trouble.clone());
        })
        .expect("changed");
    assert_eq!(store.batch(id(1, 1)).expect("read"), changed);
    assert_eq!(changed.trouble, Some(trouble));
    // No change of eight threads is lost.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    store.change_batch(id(1, 1), |batch| batch.attempts += 1).expect("changed");
                    store.change_manifest(ManifestId(1), |manifest| manifest.round += 1).expect("changed");
                }
            });
        }
    });
    assert_eq!(store.batch(id(1, 1)).expect("read").attempts, 40);
    assert_eq!(store.manifest(ManifestId(1)).expect("read").round, 40);
}

#[test]
fn what_is_not_there_is_said_by_its_number() {
    let store = memory();
    assert!(matches!(store.manifest(ManifestId(3)), Err(StoreError::NoManifest(ManifestId(3)))));
    assert!(matches!(store.change_manifest(ManifestId(3), |_| ()), Err(StoreError::NoManifest(_))));
    assert!(matches!(store.batch(id(3, 1)), Err(StoreError::NoBatch(missing)) if missing == id(3, 1)));
    assert!(matches!(store.requests(id(3, 1)), Err(StoreError::NoBatch(_))));
    assert!(matches!(store.change_batch(id(3, 1), |_| ()), Err(StoreError::NoBatch(_))));
    assert!(matches!(store.ingest(ingest(id(3, 1), 1, vec![], vec![])), Err(StoreError::NoBatch(_))));
}

#[test]
fn ingest_stores_votes_failures_usage_and_state_together() {
    let store = memory();
    let space = space(&store);
    store.create_manifest(plan(space, vec![batch(1..=3, 1), batch(4..=4, 1)])).expect("created");
    store.change_batch(id(1, 1), |batch| batch.retry_at = Some(AT)).expect("changed");
    let failures = vec![(request(3, 1), failure("The server had an error")), (request(2, 1), failure("again"))];
    let done = store.ingest(ingest(id(1, 1), space, vec![vote(2, 1, 1, 1), vote(1, 1, 1, 1)], failures));
    assert_eq!(done.expect("ingested"), Ingested::Now { votes: 2, known: 0, failed: 2 });
    let batch = store.batch(id(1, 1)).expect("read");
    assert_eq!((batch.state, batch.votes, batch.failed, batch.retry_at), (BatchState::Ingested, 2, 2, None));
    assert_eq!((batch.ingested_at, batch.usd, batch.usage.output), (Some(AT + 60), 0.25, 200));
    assert_eq!(store.votes_stored(space).expect("count"), 2);
    let failed = store.failures(ManifestId(1)).expect("failures");
    assert_eq!(
        failed,
        [
            FailedRequest { batch: id(1, 1), request: request(2, 1), failure: failure("again") },
            FailedRequest { batch: id(1, 1), request: request(3, 1), failure: failure("The server had an error") },
        ]
    );
    let usage = store.usage().expect("ledger");
    assert_eq!(usage.len(), 1);
    assert_eq!((usage[0].batch, usage[0].requests, usage[0].usd), (id(1, 1), 4, 0.25));
    assert_eq!(usage[0].usage, Usage { input: 1_000, cached: 300, written: 0, output: 200, reasoning: 100 });
}

#[test]
fn a_second_ingest_changes_no_byte() {
    let disk = FrozenBackend::new();
    let store = Store::open_with_backend(disk.clone()).expect("a store");
    let space = space(&store);
    store.create_manifest(plan(space, vec![batch(1..=2, 1)])).expect("created");
    let what = ingest(id(1, 1), space, vec![vote(1, 1, 1, 1)], vec![(request(2, 1), failure("x"))]);
    store.ingest(what.clone()).expect("ingested");
    let (rows, bytes, operations) = (contents(&store).expect("contents"), disk.bytes(), disk.operations());
    assert_eq!(store.ingest(what.clone()).expect("asked again"), Ingested::Before);
    // Nor does one that brings something else.
    let other = ingest(id(1, 1), space, vec![vote(2, 2, 2, 2)], vec![]);
    assert_eq!(store.ingest(other).expect("asked again"), Ingested::Before);
    assert_eq!(contents(&store).expect("contents"), rows);
    assert!(disk.bytes() == bytes, "the file changed");
    assert_eq!(disk.operations(), operations);
}

#[test]
fn an_ingest_that_cannot_be_kept_leaves_nothing() {
    let store = memory();
    let space = space(&store);
    store.create_manifest(plan(space, vec![batch(1..=2, 1)])).expect("created");
    let before = contents(&store).expect("contents");
    let mut wide = vote(2, 1, 1, 1);
    wide.vote.codes.push(0);
    let refused = store.ingest(ingest(id(1, 1), space, vec![wide], vec![(request(1, 1), failure("x"))]));
    assert!(matches!(refused, Err(StoreError::FieldCount { given: 3, .. })), "{refused:?}");
    assert_eq!(contents(&store).expect("contents"), before);
}
