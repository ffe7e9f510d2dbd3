//! Copies of the open store.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use quorum_store::{Store, StoreError, testing::contents};

use crate::data::{activity, batch, business, correction, plan, prepared, review, space, vote};

fn filled(path: &std::path::Path) -> Store {
    let store = Store::open(path).expect("made");
    store.key(|| "store-key".to_owned()).expect("a key");
    let space = space(&store);
    store
        .import_dataset(&"d".into(), "a.jsonl", 1, prepared(vec![business(1, "b1", vec![review("r1", "text")])]))
        .expect("imported");
    store.create_manifest(plan(space, vec![batch(1..=3, 2), batch(4..=4, 1)])).expect("created");
    store.add_votes(space, 2, (0..300).flat_map(|n| [vote(n, 1, 1, 1), vote(n, 1, 2, 0)]).collect()).expect("added");
    store.add_overrides(vec![correction("r1", "mild")]).expect("added");
    store
}

#[test]
fn a_backup_is_a_whole_store_with_the_same_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, to) = (folder.path().join("quorum.redb"), folder.path().join("copy.redb"));
    let store = filled(&path);
    fs::write(folder.path().join("copy.redb.part"), b"left by a crash").expect("written");
    let copy = store.backup(&to).expect("copied");
    assert_eq!(copy, Store::verify_file(&to).expect("sound"));
    assert_eq!((copy.schema_version, copy.store_key.as_deref()), (3, Some("store-key")));
    assert_eq!((copy.datasets, copy.reviews, copy.votes), (1, 1, 600));
    assert_eq!((copy.manifests, copy.batches, copy.overrides), (1, 2, 1));
    assert_eq!(copy.bytes, fs::metadata(&to).expect("a file").len());
    assert!(!folder.path().join("copy.redb.part").exists());

    let rows = contents(&store).expect("contents");
    store.log(activity("after the copy")).expect("logged");
    assert_eq!(contents(&Store::open(&to).expect("opened")).expect("contents"), rows);
    // A later backup takes the place of the earlier one.
    store.backup(&to).expect("copied again");
    let copied = Store::open(&to).expect("opened");
    assert_eq!(contents(&copied).expect("contents"), contents(&store).expect("contents"));
}

#[test]
fn a_backup_that_fails_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("quorum.redb");
    let store = filled(&path);
    let onto_itself = store.backup(&folder.path().join(".").join("quorum.redb"));
    assert!(matches!(onto_itself, Err(StoreError::BackupOntoItself { .. })), "{onto_itself:?}");
    let nowhere = store.backup(&folder.path().join("missing/copy.redb"));
    assert!(matches!(nowhere, Err(StoreError::Open { .. })), "{nowhere:?}");
    let onto_a_folder = folder.path().join("folder");
    fs::create_dir(&onto_a_folder).expect("made");
    let refused = store.backup(&onto_a_folder);
    assert!(matches!(refused, Err(StoreError::Copy { .. })), "{refused:?}");
    assert!(onto_a_folder.is_dir() && !folder.path().join("folder.part").exists());
    store.log(activity("still works")).expect("logged");
}

#[test]
fn a_backup_shows_one_moment_while_others_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = filled(&folder.path().join("quorum.redb"));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..200 {
                // Two rows in one action: a copy has both or none.
                store
                    .add_overrides(vec![correction(&format!("a{n}"), "x"), correction(&format!("b{n}"), "x")])
                    .expect("added");
            }
        });
        let to = folder.path().join("copy.redb");
        while !writer.is_finished() {
            let copy = store.backup(&to).expect("copied");
            assert_eq!(copy.overrides % 2, 1, "one was there before, then pairs");
        }
    });
}

#[test]
fn while_a_backup_is_put_in_place_nobody_opens_the_store_and_one_is_always_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, copy) = (folder.path().join("quorum.redb"), folder.path().join("copy.redb"));
    let store = Store::open(&path).expect("made");
    store.log(activity("in the backup")).expect("logged");
    store.backup(&copy).expect("a backup");
    store.log(activity("since")).expect("logged");
    drop(store);
    let is_over = AtomicBool::new(false);
    let absences = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut absences = 0_u32;
            while !is_over.load(Ordering::Relaxed) {
                absences += u32::from(!path.exists());
            }
            absences
        });
        for number in 1..=20 {
            let kept = folder.path().join(format!("kept-{number}.redb"));
            let intrude = |part: &Store| -> Result<(), StoreError> {
                let opened = Store::open(&path).expect_err("it is about to be moved away");
                assert!(matches!(opened, StoreError::InUse { .. }), "{opened:?}");
                part.log(activity("changed on the way")).map(drop)
            };
            let (found, was_there) = Store::restore(&copy, &path, &kept, intrude).expect("restored");
            assert!(was_there && found.datasets == 0);
        }
        is_over.store(true, Ordering::Relaxed);
        watch.join().expect("it only looks")
    });
    assert_eq!(absences, 0, "a program that found no store would have made an empty one");
    let titles = |path: &Path| -> Vec<String> {
        let store = Store::open(path).expect("a store");
        store.activity(9).expect("the log").into_iter().map(|activity| activity.title).collect()
    };
    assert_eq!(titles(&path).len(), 2);
    assert_eq!(titles(&folder.path().join("kept-1.redb")).len(), 2, "what was there, with what came since");
    assert!(titles(&path) != titles(&folder.path().join("kept-1.redb")));
}

#[test]
fn a_backup_that_cannot_be_prepared_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, copy) = (folder.path().join("quorum.redb"), folder.path().join("copy.redb"));
    Store::open(&path).expect("made").backup(&copy).expect("a backup");
    let before = fs::read(&path).expect("a store");
    let refuse = |_: &Store| Err(StoreError::TooMany("reviews"));
    let kept = folder.path().join("kept.redb");
    Store::restore(&copy, &path, &kept, refuse).expect_err("not prepared");
    assert_eq!(fs::read(&path).expect("a store"), before);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("a file").file_name()).collect();
    names.sort();
    assert_eq!(names, ["copy.redb", "quorum.redb"], "and leaves nothing behind");
}
