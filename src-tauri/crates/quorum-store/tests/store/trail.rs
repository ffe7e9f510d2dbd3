//! What is only ever appended (corrections, activity), and small named things (settings, catalog files).

use quorum_core::manifest::Realm;
use quorum_store::{
    Activity, GoldKind, OverrideEvent, OverrideKind, Store, StoreError,
    testing::{FrozenBackend, contents},
};

use crate::data::{AT, activity, correction, drawn, gold, labelled, memory};

#[test]
fn corrections_form_a_trail_and_undoing_is_an_entry_too() {
    let disk = FrozenBackend::new();
    let store = Store::open_with_backend(disk.clone()).expect("a store");
    let live = OverrideEvent { realm: Realm::Live, ..correction("r9", "mild") };
    let stored = store.add_overrides(vec![correction("r1", "mild"), correction("r1", "severe"), live]).expect("added");
    assert_eq!(stored.iter().map(|event| event.number).collect::<Vec<_>>(), [1, 2, 3]);
    store.undo_override(2, "misread", AT + 5).expect("undone");
    let holding = |realm| store.overrides(realm).expect("list").iter().map(|event| event.number).collect::<Vec<_>>();
    assert_eq!((holding(Realm::Sandbox), holding(Realm::Live)), (vec![1], vec![3]));

    let trail = store.override_trail().expect("trail");
    assert_eq!(trail[..3], stored);
    let undo = &trail[3];
    assert_eq!((undo.number, undo.at, undo.reason.as_str()), (4, AT + 5, "misread"));
    assert_eq!((&undo.kind, undo.review.as_str()), (&OverrideKind::Undo { undoes: 2 }, "r1"));

    let (rows, operations) = (contents(&store).expect("contents"), disk.operations());
    store.undo_override(2, "again", AT + 9).expect("undone before");
    assert_eq!((contents(&store).expect("contents"), disk.operations()), (rows, operations));
    assert!(matches!(store.undo_override(4, "an undo cannot be undone", AT), Err(StoreError::NoOverride(4))));
    assert!(matches!(store.undo_override(77, "never was", AT), Err(StoreError::NoOverride(77))));
}

#[test]
fn gold_is_a_trail_of_draws_labels_and_labels_taken_back() {
    let store = memory();
    let draw = store.add_gold(drawn(&["r1", "r2"])).expect("drawn");
    let label = store.add_gold(labelled(draw.number, "r2", "mild")).expect("labelled");
    let undone = store.add_gold(gold(GoldKind::Undone { undoes: label.number })).expect("taken back");
    assert_eq!([draw.number, label.number, undone.number], [1, 2, 3]);
    assert_eq!(store.gold_trail().expect("trail"), [draw, label, undone]);
}

#[test]
fn activity_is_read_newest_first() {
    let store = memory();
    for title in ["one", "two", "three"] {
        store.log(activity(title)).expect("logged");
    }
    let newest = store.activity(2).expect("read");
    assert_eq!(newest, [Activity { number: 3, ..activity("three") }, Activity { number: 2, ..activity("two") }]);
    assert_eq!(store.activity(10).expect("read").len(), 3);
}

#[test]
fn settings_are_missing_or_what_was_set() {
    let store = memory();
    assert_eq!(store.setting::<u32>("batch_requests_max").expect("read"), None);
    store.set_setting("batch_requests_max", &40_000_u32).expect("set");
    store.set_setting("batch_requests_max", &50_000_u32).expect("set");
    store.set_setting("names", &["a", "ü"]).expect("set");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let raise =
                || (0..20).for_each(|_| store.change_setting("count", |count: &mut u32| *count += 1).expect("set"));
            scope.spawn(raise);
        }
    });
    assert_eq!(store.setting("count").expect("read"), Some(160_u32), "no change is lost to another");
    assert_eq!(store.setting::<u32>("batch_requests_max").expect("read"), Some(50_000));
    assert_eq!(store.setting::<Vec<String>>("names").expect("read"), Some(vec!["a".to_owned(), "ü".to_owned()]));
    let wrong = store.setting::<u32>("names");
    assert!(matches!(&wrong, Err(StoreError::Row { table: "settings_v1", key, .. }) if key == "names"), "{wrong:?}");
}

#[test]
fn catalog_files_change_together() {
    let store = memory();
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    store.change_catalog(&[file("b.yaml", "b: 1"), file("a.yaml", "a: 1")], &[]).expect("changed");
    store.change_catalog(&[file("c.yaml", "c: 1"), file("a.yaml", "a: 2")], &["b.yaml".to_owned()]).expect("changed");
    assert_eq!(store.catalog_files().expect("list"), [file("a.yaml", "a: 2"), file("c.yaml", "c: 1")]);
}
