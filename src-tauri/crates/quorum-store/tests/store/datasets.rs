//! Datasets and reviews: what an import keeps, reports and leaves alone.

use quorum_core::{date::Date, ids::DatasetName, manifest::ManifestId, prompt, tokens, votes::ReviewNo};
use quorum_store::{ImportReport, PreparedBusiness, PreparedReview, ReviewRow, Store, StoreError, testing::contents};

use crate::data::{AT, batch, business, memory, plan, prepared, review, space};

fn import(store: &Store, name: &str, businesses: Vec<PreparedBusiness>) -> ImportReport {
    store.import_dataset(&name.into(), "a.jsonl", AT, prepared(businesses)).expect("imported")
}

#[test]
fn a_dataset_comes_back_as_it_went_in() {
    let store = memory();
    let bare = ReviewRow { id: "r3".into(), text: String::new(), stars: None, date: None, useful: Some(7) };
    let early = ReviewRow { date: Some(Date::from_epoch_days(-3)), ..bare.clone() };
    let bare = PreparedReview { row: bare, tokens: 0, bytes: 2 };
    let early = PreparedReview { row: ReviewRow { id: "r4".into(), ..early }, tokens: 1, bytes: 2 };
    let businesses = vec![
        business(1, "b1", vec![review("r1", "nüts ☕"), review("r2", "fine")]),
        business(2, "b2", vec![]),
        business(3, "b3", vec![bare, early]),
    ];
    let report = import(&store, "d", businesses.clone());
    assert_eq!(report, ImportReport { businesses: 3, reviews: 4, ..ImportReport::default() });

    let view = store.dataset(&"d".into()).expect("view");
    assert_eq!((view.info.businesses, view.info.reviews, view.info.imported_at), (3, 4, AT));
    assert_eq!((view.info.source.as_str(), view.info.name.as_str()), ("a.jsonl", "d"));
    for (row, prepared) in view.businesses.iter().zip(&businesses) {
        assert_eq!((&row.id, &row.name, &row.categories), (&prepared.id, &prepared.name, &prepared.categories));
        assert_eq!(row.reviews.len(), prepared.reviews.len());
        for (fact, prepared) in row.reviews.iter().zip(&prepared.reviews) {
            assert_eq!((fact.tokens, fact.bytes, fact.date), (prepared.tokens, prepared.bytes, prepared.row.date));
            assert_eq!(store.review(fact.number).expect("read").as_ref(), Some(&prepared.row));
            assert_eq!(store.review_no(&prepared.row.id).expect("read"), Some(fact.number));
        }
    }
    assert_eq!(store.reviews_stored().expect("count"), 4);
    let mut seen = Vec::new();
    let numbers = [ReviewNo(3), ReviewNo(99), ReviewNo(1)];
    store
        .each_review::<StoreError>(numbers, |number, row| {
            seen.push((number.0, row.id.as_str().to_owned()));
            Ok(())
        })
        .expect("read");
    assert_eq!(seen, [(3, "r3".to_owned()), (1, "r1".to_owned())]);
    let mut texts = Vec::new();
    store
        .each_text::<StoreError>(numbers, |number, text| {
            texts.push(number);
            assert_eq!(store.review(number)?.map(|row| row.text), Some(text.to_owned()));
            Ok(())
        })
        .expect("read");
    assert_eq!(texts, [ReviewNo(3), ReviewNo(1)]);
}

#[test]
fn a_review_that_stands_twice_counts_once_at_its_first_place() {
    let store = memory();
    let report = import(
        &store,
        "d",
        vec![
            business(1, "b1", vec![review("r1", "first"), review("r1", "second")]),
            business(4, "b2", vec![review("r1", "third"), review("r2", "other")]),
        ],
    );
    assert_eq!((report.reviews, report.duplicates, report.replaced), (2, 2, None));
    assert_eq!(report.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 4]);
    assert!(report.problems[0].message.contains("r1"), "{:?}", report.problems[0]);
    let view = store.dataset(&"d".into()).expect("view");
    assert_eq!(view.businesses.iter().map(|row| row.reviews.len()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(store.review(ReviewNo(1)).expect("read").expect("stored").text, "first");
}

#[test]
fn a_known_review_keeps_its_text_and_a_different_one_is_reported() {
    let store = memory();
    import(&store, "d", vec![business(1, "b1", vec![review("r1", "abc"), review("r2", "same")])]);
    let report = import(
        &store,
        "other",
        vec![business(9, "b1", vec![review("r1", "xyz"), review("r2", "same"), review("r3", "new")])],
    );
    assert_eq!((report.reviews, report.duplicates), (3, 0));
    let [problem] = report.problems.as_slice() else { panic!("one problem: {:?}", report.problems) };
    assert_eq!(problem.line, 9);
    assert!(problem.message.contains("another text"), "{}", problem.message);
    // What is sent is the earlier text, so that is what it costs.
    let facts = &store.dataset(&"other".into()).expect("view").businesses[0].reviews;
    let sizes: Vec<_> = facts.iter().map(|fact| (fact.tokens, fact.bytes)).collect();
    let given = (review("r1", "").tokens, review("r1", "").bytes);
    assert_eq!(sizes, [(tokens::review("abc"), prompt::sent_bytes("abc")), given, given]);
    assert_eq!(store.review(ReviewNo(1)).expect("read").expect("stored").text, "abc");
    let numbers: Vec<u32> =
        store.dataset(&"other".into()).expect("view").businesses[0].reviews.iter().map(|fact| fact.number.0).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn a_review_whose_vote_came_first_gets_its_text_from_the_import() {
    let store = memory();
    let numbers = store.intern_reviews(&["r1".into(), "r2".into(), "r1".into()]).expect("interned");
    assert_eq!(numbers, [ReviewNo(1), ReviewNo(2), ReviewNo(1)]);
    assert_eq!(store.review(ReviewNo(2)).expect("read"), None);
    let report = import(&store, "d", vec![business(1, "b1", vec![review("r2", "text"), review("r3", "new")])]);
    assert_eq!((report.reviews, report.problems.len()), (2, 0));
    assert_eq!(store.review(ReviewNo(2)).expect("read").expect("stored").text, "text");
    assert_eq!(store.review_no(&"r3".into()).expect("read"), Some(ReviewNo(3)));
    assert_eq!(store.review_ids().expect("ids").len(), 3);
}

#[test]
fn a_dataset_of_the_same_name_is_replaced_whole() {
    let store = memory();
    import(&store, "d", vec![business(1, "b1", vec![review("r1", "x")]), business(2, "b2", vec![review("r2", "y")])]);
    import(&store, "kept", vec![business(1, "b9", vec![review("r1", "x")])]);
    let report = import(&store, "d", vec![business(1, "b3", vec![review("r3", "z")])]);
    let replaced = report.replaced.expect("the one before");
    assert_eq!((replaced.name.as_str(), replaced.businesses, replaced.removed_at), ("d", 2, Some(AT)));
    let names: Vec<String> = store.datasets().expect("list").iter().map(|info| info.name.to_string()).collect();
    assert_eq!(names, ["kept", "d"]);
    let view = store.dataset(&"d".into()).expect("view");
    assert_eq!(view.businesses.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["b3"]);
    assert_eq!(store.dataset(&"kept".into()).expect("view").businesses.len(), 1);
    // Votes hang on reviews, so those of the old dataset stay.
    assert!(store.review(ReviewNo(2)).expect("read").is_some());
}

#[test]
fn an_import_that_fails_midway_leaves_nothing() {
    let store = memory();
    import(&store, "d", vec![business(1, "b1", vec![review("r1", "x")])]);
    let before = contents(&store).expect("contents");
    let broken = [
        Ok(business(1, "b2", vec![review("r2", "new")])),
        Err(StoreError::TooMany("lines in this test")),
        Ok(business(3, "b3", vec![])),
    ];
    let failed = store.import_dataset(&"d".into(), "b.jsonl", AT, broken);
    assert!(matches!(failed, Err(StoreError::TooMany("lines in this test"))), "{failed:?}");
    assert_eq!(contents(&store).expect("contents"), before);
}

#[test]
fn a_removed_dataset_is_out_of_sight_until_it_is_put_back() {
    let store = memory();
    import(&store, "d", vec![business(1, "b1", vec![review("r1", "x"), review("r2", "y")])]);
    let name = DatasetName::from("d");
    let before = (contents(&store).expect("contents"), store.dataset(&name).expect("view"));
    let removed = store.remove_dataset(&name, AT + 5).expect("removed");
    assert_eq!((removed.removed_at, removed.reviews), (Some(AT + 5), 2));
    assert!(matches!(store.dataset(&name), Err(StoreError::NoDataset(missing)) if missing == name));
    assert!(matches!(store.remove_dataset(&name, AT + 6), Err(StoreError::NoDataset(_))));
    assert!(store.datasets().expect("list").is_empty());
    assert_eq!(store.removed_datasets().expect("list"), std::slice::from_ref(&removed));
    assert_eq!(store.reviews_stored().expect("count"), 2);

    let back = store.restore_dataset(removed.number, AT + 7).expect("put back");
    assert_eq!((back.number, back.removed_at), (removed.number, None));
    assert_eq!(contents(&store).expect("contents"), before.0);
    assert_eq!(store.dataset(&name).expect("view").businesses, before.1.businesses);
    assert!(matches!(store.restore_dataset(removed.number, AT + 8), Err(StoreError::NotRemoved(_))));
    assert!(matches!(store.restore_dataset(99, AT + 8), Err(StoreError::NotRemoved(99))));
}

#[test]
fn putting_back_a_replaced_dataset_replaces_its_successor_in_turn() {
    let store = memory();
    import(&store, "d", vec![business(1, "old", vec![review("r1", "x")])]);
    let first = import(&store, "d", vec![business(1, "new", vec![review("r2", "y")])]).replaced.expect("the old one");
    let ids = |store: &Store| -> Vec<String> {
        let view = store.dataset(&"d".into()).expect("view");
        view.businesses.iter().map(|row| row.id.to_string()).collect()
    };
    assert_eq!(ids(&store), ["new"]);
    store.restore_dataset(first.number, AT + 1).expect("put back");
    assert_eq!(ids(&store), ["old"]);
    let [second] = store.removed_datasets().expect("list").try_into().expect("one is out of sight");
    store.restore_dataset(second.number, AT + 2).expect("and forth");
    assert_eq!(ids(&store), ["new"]);
    assert_eq!(store.datasets().expect("list").len(), 1);

    import(&store, "d", vec![business(1, "newest", vec![])]);
    let kept: Vec<u32> = store.removed_datasets().expect("list").iter().map(|info| info.number).collect();
    assert_eq!(kept, [second.number], "only the last of a name is kept");
    assert_eq!(contents(&store).expect("contents")["businesses_v1"].len(), 2);
}

#[test]
fn purging_forgets_what_was_removed_before_and_leaves_reviews() {
    let store = memory();
    for (name, review_id) in [("early", "r1"), ("late", "r2"), ("there", "r3")] {
        import(&store, name, vec![business(1, "b1", vec![review(review_id, "x")])]);
    }
    store.remove_dataset(&"early".into(), AT).expect("removed");
    store.remove_dataset(&"late".into(), AT + 10).expect("removed");
    let before = contents(&store).expect("contents");
    assert_eq!(store.purge_datasets(AT).expect("purged"), 0);
    assert_eq!(contents(&store).expect("contents"), before);
    assert_eq!(store.purge_datasets(AT + 10).expect("purged"), 1);
    let names: Vec<String> = store.removed_datasets().expect("list").iter().map(|info| info.name.to_string()).collect();
    assert_eq!(names, ["late"]);
    assert_eq!(contents(&store).expect("contents")["businesses_v1"].len(), 2);
    assert_eq!(store.reviews_stored().expect("count"), 3);
}

#[test]
fn problems_are_kept_up_to_a_limit_and_counted_beyond() {
    let store = memory();
    let twice = (0..1_500).flat_map(|n| [review(&format!("r{n}"), "x"), review(&format!("r{n}"), "x")]).collect();
    let report = import(&store, "d", vec![business(1, "b1", twice)]);
    assert_eq!((report.reviews, report.duplicates, report.problems.len()), (1_500, 1_500, 1_000));
}

#[test]
fn a_dataset_in_use_may_grow_but_not_lose_a_review() {
    let store = memory();
    let (one, two) = (review("r1", "a"), review("r2", "b"));
    import(&store, "d", vec![business(1, "b1", vec![one.clone(), two.clone()])]);
    store.create_manifest(plan(space(&store), vec![batch(1..=2, 1)])).expect("a run");
    let before = contents(&store).expect("read");
    let replace = |businesses: Vec<PreparedBusiness>| {
        store.import_dataset::<StoreError>(&"d".into(), "b.jsonl", AT, prepared(businesses))
    };
    let refused = replace(vec![business(1, "b1", vec![one.clone(), review("r3", "c")])]);
    assert!(matches!(refused, Err(StoreError::ReviewsNeeded { lacking: 1, .. })), "{refused:?}");
    assert_eq!(contents(&store).expect("read"), before);
    let report = replace(vec![business(1, "b0", vec![review("r3", "c"), two]), business(2, "b1", vec![one])]);
    assert!(report.is_ok_and(|report| report.replaced.is_some() && report.reviews == 3));
    store.change_manifest(ManifestId(1), |manifest| manifest.finished_at = Some(AT)).expect("finished");
    replace(vec![business(1, "b1", vec![review("r9", "z")])]).expect("nobody needs them any more");
}

#[test]
fn a_dataset_in_use_is_neither_removed_nor_exchanged_for_another() {
    let store = memory();
    let name = DatasetName::from("d");
    import(&store, "d", vec![business(1, "old", vec![review("r1", "x")])]);
    let old = import(&store, "d", vec![business(1, "new", vec![review("r2", "y")])]).replaced.expect("the old one");
    store.create_manifest(plan(space(&store), vec![batch(1..=1, 1)])).expect("a run");
    let before = contents(&store).expect("read");
    assert!(matches!(store.remove_dataset(&name, AT), Err(StoreError::DatasetInUse(used)) if used == name));
    assert!(matches!(store.restore_dataset(old.number, AT), Err(StoreError::DatasetInUse(used)) if used == name));
    assert_eq!(contents(&store).expect("read"), before);
    store.change_manifest(ManifestId(1), |manifest| manifest.finished_at = Some(AT)).expect("finished");
    store.restore_dataset(old.number, AT).expect("put back");
    store.remove_dataset(&name, AT).expect("removed");
}
