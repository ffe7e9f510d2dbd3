//! What is opened, what is refused, and that a refused file keeps every byte.

use std::{fs, path::Path};

use quorum_store::{
    Store, StoreError,
    testing::{FrozenBackend, Integrity, Loss, contents},
};
use redb::{Database, ReadableDatabase, TableDefinition};
use tempfile::TempDir;

use crate::data::{activity, space, vote};

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Opening fails with `expected`, and the file keeps every byte.
fn refused(path: &Path, expected: impl Fn(&StoreError) -> bool) {
    let before = fs::read(path).ok();
    let opened = Store::open(path).expect_err("it must be refused");
    assert!(expected(&opened), "{opened:?}");
    let verified = Store::verify_file(path).expect_err("it must be refused");
    assert!(expected(&verified), "{verified:?}");
    assert!(fs::read(path).ok() == before, "the refused file changed");
}

fn is_not_a_store(error: &StoreError) -> bool {
    matches!(error, StoreError::NotAStore { .. })
}

fn set_version(path: &Path, version: &[u8]) {
    let db = Database::open(path).expect("a redb file");
    let write = db.begin_write().expect("a transaction");
    write.open_table(META).expect("meta").insert("schema_version", version).expect("written");
    write.commit().expect("committed");
}

#[test]
fn a_store_is_made_with_its_folders_and_opened_again() {
    let folder = folder();
    let path = folder.path().join("a/b/quorum.redb");
    let store = Store::open(&path).expect("made");
    store.log(activity("one")).expect("logged");
    assert_eq!(store.path(), path);
    let rows = contents(&store).expect("contents");
    drop(store);
    let mut store = Store::open(&path).expect("opened");
    assert_eq!(contents(&store).expect("contents"), rows);
    assert_eq!(store.check().expect("checked"), Integrity::Sound);
    assert_eq!(contents(&store).expect("contents"), rows);
}

#[test]
fn a_store_is_open_once() {
    let folder = folder();
    let path = folder.path().join("quorum.redb");
    let store = Store::open(&path).expect("made");
    let second = Store::open(&path).expect_err("it is open");
    assert!(matches!(&second, StoreError::InUse { path: named } if *named == path), "{second:?}");
    assert!(matches!(Store::verify_file(&path), Err(StoreError::InUse { .. })));
    store.log(activity("still works")).expect("logged");
    drop(store);
    assert_eq!(Store::open(&path).expect("free again").activity(5).expect("read").len(), 1);
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let folder = folder();
    let path = folder.path().join("quorum.redb");
    drop(Store::open(&path).expect("made"));
    set_version(&path, &4_u32.to_be_bytes());
    refused(&path, |error| matches!(error, StoreError::Newer { found: 4, known: 3, .. }));
}

#[test]
fn a_newer_file_that_a_crash_left_behind_is_not_even_repaired() {
    let folder = folder();
    let path = folder.path().join("quorum.redb");
    drop(Store::open(&path).expect("made"));
    set_version(&path, &9_u32.to_be_bytes());
    let disk = FrozenBackend::from_image(fs::read(&path).expect("read"));
    let db = Database::builder().create_with_backend(disk.clone()).expect("opened");
    let write = db.begin_write().expect("a transaction");
    write.open_table(META).expect("meta").insert("later", b"x".as_slice()).expect("written");
    write.commit().expect("committed");
    let crashed = disk.image(Loss::Everything);
    drop(db);
    fs::write(&path, crashed).expect("written");
    refused(&path, |error| matches!(error, StoreError::Newer { found: 9, .. }));
}

#[test]
fn what_is_no_store_is_refused_and_not_touched() {
    let folder = folder();
    for (name, bytes) in [
        ("short", b"hi".to_vec()),
        ("text", b"{\"business_id\": \"b\"}\n".repeat(1_000)),
        ("zeros and more", [vec![0; 4_096], b"data".to_vec()].concat()),
        ("large zeros", vec![0; 5 * 1024 * 1024]),
        ("sqlite", [b"SQLite format 3\0".to_vec(), vec![0; 8_000]].concat()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        refused(&path, is_not_a_store);
    }
    refused(folder.path(), is_not_a_store);
}

#[test]
fn a_redb_file_of_another_program_is_refused_and_not_touched() {
    let folder = folder();
    let path = folder.path().join("other.redb");
    let db = Database::create(&path).expect("made");
    let write = db.begin_write().expect("a transaction");
    let table = TableDefinition::<u32, u32>::new("theirs");
    write.open_table(table).expect("a table").insert(1, 2).expect("written");
    write.commit().expect("committed");
    drop(db);
    refused(&path, is_not_a_store);
    // Nor one that has a `meta` table of its own.
    let db = Database::open(&path).expect("opened");
    let write = db.begin_write().expect("a transaction");
    write.open_table(TableDefinition::<u32, u32>::new("meta")).expect("a table").insert(1, 2).expect("written");
    write.commit().expect("committed");
    drop(db);
    refused(&path, is_not_a_store);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = folder();
    let path = folder.path().join("quorum.redb");
    fs::write(&path, b"").expect("written");
    assert!(is_not_a_store(&Store::verify_file(&path).expect_err("nothing is in it")));
    assert_eq!(fs::read(&path).expect("read"), b"");
    Store::open(&path).expect("made").log(activity("one")).expect("logged");
    assert_eq!(Store::verify_file(&path).expect("sound").schema_version, 3);
}

#[test]
fn a_file_that_cannot_be_opened_says_so() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, b"x").expect("written");
    let under_a_file = Store::open(&file.join("quorum.redb"));
    assert!(matches!(under_a_file, Err(StoreError::Folder { .. })), "{under_a_file:?}");
    let missing = Store::verify_file(&folder.path().join("missing"));
    assert!(matches!(missing, Err(StoreError::Open { .. })), "{missing:?}");
}

#[test]
fn a_truncated_store_is_damaged_and_not_touched() {
    let folder = folder();
    let path = folder.path().join("quorum.redb");
    drop(Store::open(&path).expect("made"));
    let whole = fs::read(&path).expect("read");
    for len in [whole.len() - 1, whole.len() / 2, 4_096, 320] {
        fs::write(&path, &whole[..len]).expect("written");
        refused(&path, |error| matches!(error, StoreError::Corrupt { .. }));
    }
}

#[test]
fn a_changed_page_is_found_by_the_check() {
    let disk = FrozenBackend::new();
    let store = Store::open_with_backend(disk.clone()).expect("a store");
    let space = space(&store);
    store.add_votes(space, 2, (0..500).map(|review| vote(review, 1, 1, 3)).collect()).expect("added");
    drop(store);
    let mut image = disk.bytes();
    // A vote's time, 1,790,000,000, in big-endian.
    let at = image.windows(4).rposition(|bytes| bytes == crate::data::AT.to_be_bytes()).expect("a vote");
    image[at] ^= 0x40;
    let folder = folder();
    let path = folder.path().join("quorum.redb");
    fs::write(&path, &image).expect("written");
    let found = Store::verify_file(&path);
    assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{found:?}");
    assert!(fs::read(&path).expect("read") == image, "the file changed");
    let mut store = Store::open(&path).expect("opened: only a whole check reads every page");
    let checked = store.check();
    assert!(matches!(checked, Err(StoreError::Corrupt { .. })), "{checked:?}");
}

#[test]
fn a_first_opening_cut_short_at_any_point_is_no_loss() {
    let disk = FrozenBackend::new();
    drop(Store::open_with_backend(disk.clone()).expect("a store"));
    let empty = contents(&crate::data::memory()).expect("contents");
    for at in 0..=disk.operations() {
        for loss in [Loss::Nothing, Loss::Everything, Loss::Some { seed: 1 }, Loss::Some { seed: 2 }] {
            let image = disk.image_at(at, loss);
            let store = Store::open_with_backend(FrozenBackend::from_image(image))
                .unwrap_or_else(|error| panic!("crash before operation {at} with {loss:?}: {error:?}"));
            assert_eq!(contents(&store).expect("contents"), empty);
        }
    }
}

#[test]
fn a_foreign_view_sees_all_tables() {
    let folder = folder();
    let path = folder.path().join("quorum.redb");
    let store = Store::open(&path).expect("made");
    let held = contents(&store).expect("contents");
    drop(store);
    let db = Database::open(&path).expect("opened");
    let tables: Vec<String> = db
        .begin_read()
        .expect("a view")
        .list_tables()
        .expect("tables")
        .map(|table| redb::TableHandle::name(&table).to_owned())
        .collect();
    assert_eq!(tables, held.into_keys().collect::<Vec<_>>());
}

#[test]
fn after_a_sudden_end_the_file_is_walked_through_once_and_after_a_rest_not_at_all() {
    let disk = FrozenBackend::new();
    let opened = |image: Vec<u8>| {
        let disk = FrozenBackend::from_image(image);
        (Store::open_with_backend(disk.clone()).expect("opened"), disk)
    };
    let store = Store::open_with_backend(disk.clone()).expect("a store");
    space(&store);
    let (next, killed_again) = opened(disk.bytes());
    assert!(next.was_walked().expect("read"), "its end closed nothing");
    let (next, _) = opened(killed_again.bytes());
    assert!(!next.was_walked().expect("read"), "the opening before left it at rest");

    store.intern_model(&"another".into()).expect("written");
    store.rest().expect("at rest");
    let (next, _) = opened(disk.bytes());
    assert!(!next.was_walked().expect("read"));
    assert!(next.model_no(&"another".into()).is_some());
}
