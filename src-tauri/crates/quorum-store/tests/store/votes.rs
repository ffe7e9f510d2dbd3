//! Votes, spaces and models.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Barrier,
    thread,
};

use proptest::prelude::*;
use quorum_core::{
    manifest::Realm,
    schema::Schema,
    votes::{ModelNo, ReviewNo, Vote, VoteRef, decode, encode},
};
use quorum_store::{NewVote, Store, StoreError, testing::contents};

use crate::data::{FIELDS, memory, schema, space, vote};

fn all(store: &Store, space: u32) -> BTreeMap<u32, Vec<Vote>> {
    let mut rows = BTreeMap::new();
    store
        .each_votes(space, |review, row| {
            rows.insert(review.0, row.iter().map(VoteRef::to_owned).collect());
        })
        .expect("votes");
    rows
}

fn add(store: &Store, space: u32, votes: Vec<NewVote>) -> (u32, u32) {
    let merged = store.add_votes(space, FIELDS, votes).expect("added");
    (merged.added, merged.known)
}

#[test]
fn votes_are_a_set_and_the_first_of_each_stays() {
    let store = memory();
    let space = space(&store);
    assert_eq!(add(&store, space, vec![vote(5, 2, 1, 1), vote(3, 1, 2, 1), vote(3, 1, 1, 2)]), (3, 0));
    assert_eq!(add(&store, space, vec![vote(3, 1, 1, 3), vote(3, 2, 9, 0), vote(3, 2, 9, 1)]), (1, 2));
    let rows = all(&store, space);
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), [3, 5]);
    let of = |review: u32| rows[&review].iter().map(|vote| (vote.model.0, vote.run, vote.codes[0])).collect::<Vec<_>>();
    assert_eq!(of(3), [(1, 1, 2), (1, 2, 1), (2, 9, 0)]);
    assert!(store.votes_of(space, ReviewNo(5), |row| row.contains(ModelNo(2), 1)).expect("read"));
    assert_eq!(store.votes_of(space, ReviewNo(4), |row| row.len()).expect("read"), 0);
    assert_eq!(store.votes_stored(space).expect("count"), 4);
}

#[test]
fn a_space_counts_how_often_its_votes_changed() {
    let store = memory();
    let (ours, schema) = (space(&store), schema());
    let other = store.intern_space(Realm::Live, &"T2".into(), &schema.term_hash(), &schema).expect("a space").number;
    let changes = || {
        let spaces = store.spaces().expect("list");
        [ours, other].map(|number| spaces.iter().find(|space| space.number == number).expect("it is there").changes)
    };
    assert_eq!(changes(), [0, 0]);
    add(&store, ours, vec![vote(5, 2, 1, 1), vote(3, 1, 2, 1)]);
    assert_eq!(changes(), [1, 0]);
    add(&store, ours, vec![vote(5, 2, 1, 2)]);
    assert_eq!(changes(), [1, 0], "it was known");
    store.add_votes(ours, FIELDS + 1, vec![vote(6, 2, 1, 1)]).expect_err("another width");
    assert_eq!(changes(), [1, 0], "what failed changed nothing");
    add(&store, ours, vec![vote(5, 2, 1, 2), vote(5, 2, 2, 2)]);
    add(&store, other, vec![vote(5, 2, 1, 2)]);
    assert_eq!(changes(), [2, 1]);
}

#[test]
fn a_scan_stays_within_its_space() {
    let store = memory();
    let schema = schema();
    let spaces: Vec<u32> = ["T1", "T2", "T3"]
        .map(|topic| {
            store.intern_space(Realm::Live, &topic.into(), &schema.term_hash(), &schema).expect("a space").number
        })
        .to_vec();
    for (space, review) in spaces.iter().zip([u32::MAX, 0, 1]) {
        add(&store, *space, vec![vote(review, 1, 1, 1)]);
    }
    assert_eq!(all(&store, spaces[0]).into_keys().collect::<Vec<_>>(), [u32::MAX]);
    assert_eq!(all(&store, spaces[1]).into_keys().collect::<Vec<_>>(), [0]);
    assert_eq!(all(&store, spaces[2]).into_keys().collect::<Vec<_>>(), [1]);
}

#[test]
fn votes_of_another_width_or_space_are_refused_and_leave_nothing() {
    let store = memory();
    let space = space(&store);
    let before = contents(&store).expect("contents");
    let refused = store.add_votes(space, FIELDS + 1, vec![vote(1, 1, 1, 1)]);
    assert!(matches!(refused, Err(StoreError::FieldCount { fields: FIELDS, given: 3, .. })), "{refused:?}");
    let mut narrow = vote(1, 1, 1, 1);
    narrow.vote.codes.pop();
    let refused = store.add_votes(space, FIELDS, vec![vote(1, 1, 1, 1), narrow]);
    assert!(matches!(refused, Err(StoreError::FieldCount { given: 1, .. })), "{refused:?}");
    let refused = store.add_votes(77, FIELDS, vec![vote(1, 1, 1, 1)]);
    assert!(matches!(refused, Err(StoreError::NoSpace(77))), "{refused:?}");
    assert_eq!(contents(&store).expect("contents"), before);
}

#[test]
fn a_space_is_one_per_realm_topic_and_hash() {
    let store = memory();
    let (topic, schema) = ("G1_allergy".into(), schema());
    let intern = |realm, hash: &str| store.intern_space(realm, &topic, &hash.into(), &schema).expect("a space").number;
    assert_eq!(intern(Realm::Live, "a"), 1);
    assert_eq!(intern(Realm::Sandbox, "a"), 2);
    assert_eq!(intern(Realm::Live, "b"), 3);
    assert_eq!(intern(Realm::Live, "a"), 1);
    assert_eq!(store.spaces().expect("list").len(), 3);
    let found = store.space(Realm::Sandbox, &topic, &"a".into()).expect("read").expect("known");
    assert_eq!((found.number, found.topic), (2, topic.clone()));
    assert!(store.space(Realm::Sandbox, &topic, &"b".into()).expect("read").is_none());
}

#[test]
fn stale_votes_stay_readable_by_the_schema_of_their_space() {
    let store = memory();
    let old = schema();
    let values = [Some(2), None];
    let space = space(&store);
    let codes = encode(&old, &values);
    let new = NewVote { vote: Vote { codes, ..vote(1, 1, 1, 0).vote }, review: ReviewNo(1) };
    store.add_votes(space, FIELDS, vec![new]).expect("added");
    // The catalog has moved on; only the store still knows these fields.
    let kept: Schema = store.spaces().expect("list").remove(0).schema();
    let read = store
        .votes_of(space, ReviewNo(1), |row| row.iter().next().map(|vote| decode(&kept, vote.codes)).expect("one vote"));
    assert_eq!(read.expect("read"), values);
    let name = |schema: &Schema, field: usize, value: u8| {
        let field = &schema.fields()[field];
        (field.name.clone(), field.value_id(value).to_owned())
    };
    assert_eq!(name(&kept, 0, 2), ("severity".to_owned(), "severe".to_owned()));
    assert_eq!(name(&kept, 0, 2), name(&old, 0, 2));
}

/// Runs `act` on eight threads that start at once.
fn at_once<T: Send>(act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (barrier, act) = (Barrier::new(8), &act);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    act(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn a_space_made_from_a_file_takes_on_the_terms_once_they_are_known() {
    let store = memory();
    let known = schema();
    let (topic, hash) = ("T".into(), known.term_hash());
    // The file had no vote for "severe", and none at all on the account.
    let mut severity = known.fields()[0].term.clone();
    severity.values.truncate(2);
    let guessed = Schema::new([severity]);
    let made = store.intern_space(Realm::Live, &topic, &hash, &guessed).expect("a space");
    let coded = |review: u32, value: u8| NewVote {
        review: ReviewNo(review),
        vote: Vote { codes: encode(&guessed, &[Some(value)]), ..vote(review, 1, 1, 0).vote },
    };
    let count = 10_000;
    store
        .add_votes(made.number, 1, (0..count).map(|review| coded(review, u8::from(review % 3 == 0))).collect())
        .expect("added");
    let guess = store.intern_space(Realm::Live, &topic, &hash, &guessed).expect("the space");
    assert_eq!((&guess.fields, guess.changes), (&made.fields, 1), "a guess widens nothing");

    let space = store.intern_space(Realm::Live, &topic, &hash, &known).expect("the space");
    assert_eq!((space.number, space.changes), (made.number, 2), "its votes were written anew");
    assert!(space.has_codes_of(&known) && !made.has_codes_of(&known));
    for (review, votes) in all(&store, space.number) {
        let expected = vec![Some(u8::from(review % 3 == 0)), None];
        assert_eq!(decode(&known, &votes[0].codes), expected, "review {review}");
    }
    assert_eq!(store.votes_stored(space.number).expect("count"), u64::from(count));
    assert_eq!(store.intern_space(Realm::Live, &topic, &hash, &guessed).expect("the space"), space);
}

#[test]
fn names_interned_at_once_get_one_number() {
    let store = memory();
    let schema = schema();
    let given = at_once(|_| {
        let models: Vec<ModelNo> =
            (0..20).map(|n| store.intern_model(&format!("m{n}").as_str().into()).expect("a number")).collect();
        let space = store.intern_space(Realm::Live, &"T".into(), &"h".into(), &schema).expect("a space").number;
        let reviews = store.intern_reviews(&["r1".into(), "r2".into()]).expect("numbers");
        (models, space, reviews, store.key(|| "k".to_owned()).expect("a key"))
    });
    assert_eq!(given.iter().collect::<Vec<_>>(), vec![&given[0]; 8]);
    let numbers: BTreeSet<ModelNo> = given[0].0.iter().copied().collect();
    assert_eq!(numbers.len(), 20);
    assert_eq!(store.models().len(), 20);
    assert_eq!(store.spaces().expect("list").len(), 1);
    assert_eq!(store.model_no(&"m7".into()), Some(given[0].0[7]));
    assert_eq!(store.model_no(&"m99".into()), None);
}

#[test]
fn the_first_key_stays() {
    let store = memory();
    assert_eq!(store.key(|| "one".to_owned()).expect("a key"), "one");
    assert_eq!(store.key(|| "two".to_owned()).expect("a key"), "one");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whether rows are swept or grown in place, the result is the set union that keeps the first.
    #[test]
    fn any_order_of_adding_is_a_set_union(
        rounds in prop::collection::vec(
            prop::collection::vec((0_u32..60, 0_u16..3, 1_u8..4, 0_u8..4), 0..80), 1..5),
    ) {
        let store = memory();
        let space = space(&store);
        let mut expected: BTreeMap<u32, BTreeMap<(u16, u8), u8>> = BTreeMap::new();
        for round in &rounds {
            let mut count = 0;
            for (review, model, run, code) in round {
                expected.entry(*review).or_default().entry((*model, *run)).or_insert_with(|| { count += 1; *code });
            }
            let votes: Vec<NewVote> =
                round.iter().map(|(review, model, run, code)| vote(*review, *model, *run, *code)).collect();
            prop_assert_eq!(add(&store, space, votes).0, count);
        }
        let got: BTreeMap<u32, BTreeMap<(u16, u8), u8>> = all(&store, space)
            .into_iter()
            .map(|(review, votes)| (review, votes.iter().map(|v| ((v.model.0, v.run), v.codes[0])).collect()))
            .collect();
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn a_few_votes_among_many_rows_change_only_those() {
    let store = memory();
    let space = space(&store);
    add(&store, space, (0..6_000).map(|review| vote(review, 1, 1, 1)).collect());
    let before = all(&store, space);
    assert_eq!(add(&store, space, vec![vote(5, 1, 2, 2), vote(5_990, 1, 1, 3), vote(5_999, 9, 1, 2)]), (2, 1));
    let mut expected = before;
    expected.get_mut(&5).expect("row").push(vote(5, 1, 2, 2).vote);
    expected.get_mut(&5_999).expect("row").push(vote(5_999, 9, 1, 2).vote);
    assert_eq!(all(&store, space), expected);
    // A sweep over several stretches.
    assert_eq!(add(&store, space, (0..6_000).map(|review| vote(review, 1, 2, 1)).collect()), (5_999, 1));
    assert_eq!(store.votes_stored(space).expect("count"), 12_001);
}
