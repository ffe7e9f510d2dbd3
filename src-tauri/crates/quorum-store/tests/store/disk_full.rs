//! A disk that is full at any write.

use std::collections::BTreeSet;

use quorum_store::{
    Store, StoreError,
    testing::{FrozenBackend, Loss, contents},
};

use crate::script::{SCRIPT, expected, open};

/// Blocks that the store takes up after the whole script.
fn blocks_taken() -> usize {
    let disk = FrozenBackend::new();
    let store = open(&disk).expect("a store");
    for (name, act) in SCRIPT {
        act(&store).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    disk.blocks()
}

fn is_full(error: &StoreError) -> bool {
    matches!(error, StoreError::DiskFull { .. })
}

#[test]
fn a_full_disk_is_said_and_costs_only_the_action_in_progress() {
    let expected = expected();
    let state_of = |store: &Store, room: usize| {
        let found = contents(store).unwrap_or_else(|error| panic!("reading with {room} blocks: {error:?}"));
        expected.iter().position(|state| *state == found).unwrap_or_else(|| panic!("half an action with {room} blocks"))
    };
    let all = blocks_taken();
    let mut actions_failed = BTreeSet::new();
    for room in 0..all {
        let disk = FrozenBackend::new();
        disk.fill_after(room);
        let store = match open(&disk) {
            Ok(store) => store,
            Err(error) => {
                assert!(is_full(&error), "opening with {room} blocks: {error:?}");
                disk.free();
                assert_eq!(state_of(&open(&disk).expect("opened"), room), 0);
                continue;
            }
        };
        let first = SCRIPT.iter().enumerate().find_map(|(at, (_, act))| act(&store).err().map(|error| (at, error)));
        let Some((failed, error)) = first else { panic!("{room} of {all} blocks cannot be enough") };
        let name = SCRIPT[failed].0;
        actions_failed.insert(failed);
        assert!(is_full(&error), "{name} with {room} blocks: {error:?}");

        // All that was answered with Ok is there: here while the disk is still full, and after a restart.
        let state = state_of(&store, room);
        assert!(state == failed || state == failed + 1, "{name} with {room} blocks: state {state}, not {failed}");
        let image = FrozenBackend::from_image(disk.image(Loss::Nothing));
        assert_eq!(state_of(&Store::open_with_backend(image).expect("opened"), room), state);

        // Once there is room it goes on without a restart.
        disk.free();
        for (name, act) in &SCRIPT[state..] {
            act(&store).unwrap_or_else(|error| panic!("{name} after {room} blocks: {error:?}"));
        }
        assert_eq!(state_of(&store, room), SCRIPT.len());
    }
    assert!(actions_failed.len() >= 8, "the disk filled up in many actions: {actions_failed:?}");
}

#[test]
fn a_disk_that_takes_no_write_at_all_costs_only_the_action_in_progress() {
    let expected = expected();
    let disk = FrozenBackend::new();
    let store = open(&disk).expect("a store");
    for (name, act) in SCRIPT {
        act(&store).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    let mut actions_failed = BTreeSet::new();
    for write in (1..=disk.writes()).step_by(3) {
        let disk = FrozenBackend::new();
        disk.fill_at_write(write);
        let mut state = 0;
        if let Ok(store) = open(&disk) {
            // A write that redb can do without may fail unnoticed; then the next action finds the disk full.
            let first = SCRIPT.iter().enumerate().find_map(|(at, (_, act))| act(&store).err().map(|error| (at, error)));
            let Some((failed, error)) = first else { continue };
            assert!(is_full(&error), "{} at write {write}: {error:?}", SCRIPT[failed].0);
            actions_failed.insert(failed);
            let again = SCRIPT[failed].1(&store).expect_err("the disk is still full");
            assert!(is_full(&again), "{} at write {write}, again: {again:?}", SCRIPT[failed].0);
            state = failed;
        }
        for loss in [Loss::Nothing, Loss::Everything] {
            let restarted = open(&FrozenBackend::from_image(disk.image(loss))).expect("opened");
            let found = contents(&restarted).expect("contents");
            let is_there = expected[state] == found || expected.get(state + 1) == Some(&found);
            assert!(is_there, "write {write} with {loss:?}: not what was there before action {state}, nor after it");
        }
        disk.free();
        let healed = contents(&open(&disk).expect("opened")).expect("contents");
        assert!(expected[state] == healed || expected.get(state + 1) == Some(&healed), "write {write}");
    }
    assert_eq!(actions_failed.len(), SCRIPT.len(), "every action was hit");
}

#[test]
fn reading_goes_on_while_a_large_change_finds_no_room() {
    let disk = FrozenBackend::new();
    let store = open(&disk).expect("a store");
    let (filled, _) = SCRIPT.split_at(13);
    for (name, act) in filled {
        act(&store).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    let before = contents(&store).expect("contents");
    disk.fill_after(0);
    let large = vec![("large.yaml".to_owned(), "x".repeat(4 * 1024 * 1024))];
    for _ in 0..3 {
        assert!(is_full(&store.change_catalog(&large, &[]).expect_err("the disk is full")));
        assert_eq!(contents(&store).expect("contents"), before);
    }
    disk.free();
    store.change_catalog(&large, &[]).expect("there is room again");
}
