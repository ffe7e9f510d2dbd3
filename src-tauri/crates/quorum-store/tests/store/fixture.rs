//! One store file of every released version, read whole by this one.
//!
//! The files are kept without the zeros that redb leaves in them: runs of `offset u32 BE · length u32 BE · bytes` after the
//! file's length (u32 BE). A release adds a file and never changes one; `QUORUM_FIXTURE=<path>` writes a new one.

use std::fs;

use quorum_core::{
    date::Date,
    manifest::{BatchState, Cause, ManifestId, Realm},
    votes::{ReviewNo, decode},
};
use quorum_store::{OverrideKind, Store, StoreError, StoreFile, testing::contents};

use crate::{
    data::{AT, id, schema},
    script::SCRIPT,
};

const RELEASED: &[(&str, &[u8])] = &[("0.1", include_bytes!("../fixtures/store-0.1"))];

/// Zeros in a row that are left out.
const GAP_BYTES: usize = 16;

fn pack(file: &[u8]) -> Vec<u8> {
    let number = |at: usize| u32::try_from(at).expect("a small file").to_be_bytes();
    let mut packed = number(file.len()).to_vec();
    let mut at = 0;
    while let Some(start) = file[at..].iter().position(|byte| *byte != 0).map(|skip| at + skip) {
        let gap = file[start..].windows(GAP_BYTES).position(|bytes| bytes.iter().all(|byte| *byte == 0));
        at = gap.map_or(file.len(), |length| start + length);
        packed.extend([number(start), number(at - start)].concat());
        packed.extend(&file[start..at]);
    }
    packed
}

fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut rest = packed;
    let number = |rest: &mut &[u8]| {
        let (bytes, behind) = rest.split_first_chunk::<4>().expect("a whole fixture");
        *rest = behind;
        u32::from_be_bytes(*bytes) as usize
    };
    let mut file = vec![0; number(&mut rest)];
    while !rest.is_empty() {
        let (start, length) = (number(&mut rest), number(&mut rest));
        file[start..start + length].copy_from_slice(&rest[..length]);
        rest = &rest[length..];
    }
    file
}

fn write_fixture() -> Vec<u8> {
    let store = crate::data::memory();
    for (name, act) in SCRIPT {
        act(&store).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    // A backup has no pages left over from earlier actions.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("copy.redb");
    store.backup(&path).expect("copied");
    fs::read(&path).expect("read")
}

#[test]
fn packing_leaves_nothing_out() {
    let file = write_fixture();
    assert!(unpack(&pack(&file)) == file);
    if let Some(path) = std::env::var_os("QUORUM_FIXTURE") {
        fs::write(path, pack(&file)).expect("written");
    }
}

#[test]
fn a_store_file_of_every_released_version_is_read_whole() {
    for (version, packed) in RELEASED {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("quorum.redb");
        let file = unpack(packed);
        fs::write(&path, &file).expect("written");
        let held = Store::verify_file(&path).unwrap_or_else(|error| panic!("{version}: {error:?}"));
        assert!(fs::read(&path).expect("read") == file, "verifying {version} changed the file");
        assert_eq!(held.store_key.as_deref(), Some("store-key"), "{version}");
        assert_eq!((held.datasets, held.reviews, held.votes), (1, 90, 251), "{version}");
        assert_eq!((held.manifests, held.batches, held.overrides), (1, 3, 3), "{version}");
        assert_eq!(held.schema_version, 1, "{version}");
        read_whole(&Store::open(&path).unwrap_or_else(|error| panic!("{version}: {error:?}")));
        let migrated = Store::verify_file(&path).unwrap_or_else(|error| panic!("{version}, migrated: {error:?}"));
        assert_eq!(StoreFile { schema_version: 1, bytes: held.bytes, ..migrated }, held, "{version}");
        let mut store = Store::open(&path).unwrap_or_else(|error| panic!("{version}, again: {error:?}"));
        store.check().unwrap_or_else(|error| panic!("{version}: {error:?}"));
    }
}

/// A few changed bytes anywhere (a bad sector, another program) end in an error, never in a panic or in wrong contents.
#[test]
fn a_file_with_changed_bytes_is_found_by_verifying() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("quorum.redb");
    let (_, packed) = RELEASED[0];
    let file = unpack(packed);
    fs::write(&path, &file).expect("written");
    let whole = contents(&Store::open(&path).expect("opened")).expect("contents");
    let filled: Vec<usize> = (0..file.len()).filter(|at| file[*at] != 0).collect();
    let mut damaged = 0;
    for place in (0..filled.len()).step_by(filled.len() / 150) {
        let mut changed = file.clone();
        changed[filled[place]] ^= 0x24;
        fs::write(&path, &changed).expect("written");
        match Store::verify_file(&path) {
            Err(StoreError::Corrupt { .. } | StoreError::NotAStore { .. }) => damaged += 1,
            // A byte that nothing refers to.
            Ok(_) => assert_eq!(contents(&Store::open(&path).expect("opened")).expect("contents"), whole),
            Err(error) => panic!("byte {}: {error:?}", filled[place]),
        }
        // Opening checks less; it may let the file in, but must come back.
        drop(Store::open(&path));
    }
    assert!(damaged > 40, "{damaged} of 150 changes were found");
}

/// Every table, through the methods that the product reads it with.
fn read_whole(store: &Store) {
    let view = store.dataset(&"d".into()).expect("the dataset");
    assert_eq!((view.info.source.as_str(), view.info.reviews), ("b.jsonl", 90));
    let [business] = view.businesses.as_slice() else { panic!("one business: {:?}", view.businesses) };
    assert_eq!((business.id.as_str(), business.name.as_str()), ("b1", "Café b1"));
    for fact in &business.reviews {
        let row = store.review(fact.number).expect("read").expect("a review");
        assert_eq!(store.review_no(&row.id).expect("read"), Some(fact.number));
        assert_eq!((row.stars, row.useful, row.date), (Some(4.5), None, Date::read("2019-12-15")));
        assert_eq!((fact.tokens, fact.bytes, fact.date), (12, 34, row.date));
        let is_first = fact.number.0 <= 70;
        assert_eq!(row.text.starts_with("The waiter"), is_first, "the earlier text stays: {}", row.id);
    }

    let space = store.space(Realm::Sandbox, &"G1_allergy".into(), &schema().term_hash());
    let space = space.expect("read").expect("the space");
    let mut votes = 0;
    store
        .each_votes(space.number, |review, row| {
            for vote in row.iter() {
                votes += 1;
                let severity = if vote.model.0 == 2 { 1 } else { 2 + u8::from(review == ReviewNo(61)) };
                assert_eq!((vote.codes, vote.at, vote.relevant), ([severity, 1].as_slice(), AT, true));
                assert!(decode(&space.schema(), vote.codes)[0].is_some());
            }
        })
        .expect("votes");
    assert_eq!(votes, 251);
    assert_eq!(store.models().into_values().map(|model| model.to_string()).collect::<Vec<_>>(), ["gpt-5-nano"]);

    let manifest = store.manifest(ManifestId(1)).expect("the manifest");
    assert_eq!((manifest.round, manifest.finished_at, manifest.k), (1, Some(AT), 25));
    assert_eq!(store.manifests().expect("list"), [manifest]);
    let batches = store.batches(ManifestId(1)).expect("batches");
    let counts: Vec<_> = batches.iter().map(|batch| (batch.requests, batch.votes, batch.failed, batch.state)).collect();
    let ingested = BatchState::Ingested;
    assert_eq!(counts, [(210, 180, 10, ingested), (70, 70, 0, ingested), (10, 1, 0, ingested)]);
    assert_eq!(store.requests(id(1, 1)).expect("requests").len(), 210);
    let failures = store.failures(ManifestId(1)).expect("failures");
    assert!(failures.iter().all(|failed| failed.failure.cause == Cause::Temporary && failed.batch == id(1, 1)));
    assert_eq!((failures.len(), store.usage().expect("ledger").len()), (10, 3));

    let holding = store.overrides(Realm::Sandbox).expect("corrections");
    assert_eq!(holding.iter().map(|event| event.review.as_str()).collect::<Vec<_>>(), ["r2"]);
    assert!(matches!(store.override_trail().expect("trail")[2].kind, OverrideKind::Undo { undoes: 1 }));
    assert_eq!(store.activity(9).expect("activity")[0].title, "3 batches done");
    assert_eq!(store.setting::<u32>("batch_requests_max").expect("read"), Some(40_000));
    assert_eq!(store.catalog_files().expect("files"), [("a.yaml".to_owned(), "a: 1\n".repeat(1_000))]);
    let empty: Vec<String> = contents(store)
        .expect("contents")
        .into_iter()
        // Made by a later version.
        .filter(|(name, rows)| rows.is_empty() && name != "gold_v1")
        .map(|(name, _)| name)
        .collect();
    assert!(empty.is_empty(), "the file has no row of {empty:?}");
}
