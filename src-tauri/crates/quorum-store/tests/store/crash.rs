//! Crashes at every sync of the disk, with the writes since the last sync lost, torn or kept.

use quorum_store::{
    Store,
    testing::{FrozenBackend, Integrity, Loss, contents},
};

use crate::script::{SCRIPT, expected, open};

/// The script on a fresh disk; how many operations the disk had done when the store was made, and after each action.
fn run() -> (FrozenBackend, Vec<usize>) {
    let disk = FrozenBackend::new();
    let store = open(&disk).expect("a store");
    let mut done = vec![disk.operations()];
    for (name, act) in SCRIPT {
        act(&store).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        done.push(disk.operations());
    }
    (disk, done)
}

#[test]
fn after_a_crash_every_finished_action_is_there_and_the_one_in_progress_whole_or_not_at_all() {
    let expected = expected();
    let (disk, done) = run();
    let syncs = disk.sync_points();
    assert!(syncs.len() > SCRIPT.len(), "every action reaches the disk: {} syncs", syncs.len());
    let (mut images, mut whole) = (0, 0);
    for sync in syncs.into_iter().filter(|sync| *sync >= done[0]) {
        let losses = [Loss::Nothing, Loss::Everything].into_iter().chain((1..=6).map(|seed| Loss::Some { seed }));
        // Right before the sync, and right after.
        for (at, loss) in losses.flat_map(|loss| [(sync, loss), (sync + 1, loss)]) {
            let finished = done.iter().rposition(|operations| *operations <= at).expect("the store was made");
            let image = FrozenBackend::from_image(disk.image_at(at, loss));
            let name = SCRIPT.get(finished).map_or("the end", |(name, _)| name);
            let mut store = Store::open_with_backend(image)
                .unwrap_or_else(|error| panic!("crash at operation {at} in {name:?} with {loss:?}: {error:?}"));
            let found = contents(&store).expect("contents");
            let state = expected.iter().position(|state| *state == found);
            let is_allowed = state == Some(finished) || state == Some(finished + 1);
            assert!(is_allowed, "crash at operation {at} in {name:?} with {loss:?}: state {state:?}, not {finished}");
            assert_eq!(store.check().expect("checked"), Integrity::Sound, "crash at operation {at} with {loss:?}");
            images += 1;
            whole += u32::from(state == Some(finished + 1));
        }
    }
    assert!(images >= 16 * SCRIPT.len(), "{images} images");
    assert!(whole > 0, "some crash came after the commit and before the answer");
}

#[test]
fn a_disk_that_stops_at_any_sync_fails_the_action_and_a_restart_goes_on() {
    let expected = expected();
    let (disk, _) = run();
    for stop in 1..=disk.syncs() {
        let disk = FrozenBackend::new();
        disk.freeze_at_sync(stop);
        let Ok(store) = open(&disk) else { continue };
        let failed = SCRIPT.iter().position(|(_, act)| act(&store).is_err());
        let Some(failed) = failed else { continue };
        assert!(disk.is_frozen());
        drop(store);
        let restarted = open(&FrozenBackend::from_image(disk.image(Loss::Some { seed: stop as u64 }))).expect("opened");
        let state = expected.iter().position(|state| *state == contents(&restarted).expect("contents"));
        let state = state.unwrap_or_else(|| panic!("stopped at sync {stop}: half an action is there"));
        assert!(state == failed || state == failed + 1, "stopped at sync {stop}: state {state}, not {failed}");
        for (name, act) in &SCRIPT[state..] {
            act(&restarted).unwrap_or_else(|error| panic!("stopped at sync {stop}, then {name}: {error:?}"));
        }
        assert_eq!(contents(&restarted).expect("contents"), expected[SCRIPT.len()]);
    }
}
