//! The review queue: which labels are in it, what hangs on them, and what a person's word does.

use std::collections::BTreeSet;

use quorum_api::{
    decisions::{decide, trail},
    dto::{
        overrides::{OverrideEntryKind, OverrideRequest},
        queue::{Doubt, LabelQuery, QueueLabel, QueueOrder, QueueQuery, ReviewQueue},
        results::ResultsQuery,
    },
    overrides::override_undo,
    queue::{UNSURE_BELOW, queue_label, queue_list},
    results::results_overview,
};
use quorum_core::{manifest::Realm, topic::Topic};

use crate::world::{AT, Cast, DATASET, PANEL, Random, World, settle};

const TOPIC: &str = "G1_allergy";
const REVIEWS: [usize; 3] = [14, 0, 9];
const K: u32 = 10;

fn world() -> (World, Vec<Vec<Vec<Cast>>>) {
    let world = World::new(&REVIEWS);
    let cast = world.cast_at_random(world.topic(TOPIC), &REVIEWS, &mut Random::new(5));
    (world, cast)
}

fn queue(world: &World) -> ReviewQueue {
    let query = QueueQuery { dataset: DATASET.into(), topic: TOPIC.into(), k: K, order: QueueOrder::Verdicts };
    queue_list(&world.store, &world.catalog, Realm::Live, &query).expect("a queue")
}

fn request(label: &QueueLabel, value: &str, reason: Option<&str>) -> OverrideRequest {
    OverrideRequest {
        dataset: DATASET.into(),
        topic: TOPIC.into(),
        k: K,
        review_id: label.review_id.clone(),
        field: label.field.clone(),
        value: value.to_owned(),
        reason: reason.map(str::to_owned),
    }
}

/// The verdicts of a business, one a policy, as the results page has them.
fn verdicts(world: &World, business: &str) -> Vec<Option<u32>> {
    let query = ResultsQuery { dataset: DATASET.into(), topic: TOPIC.into(), k: K, compare_k: None };
    let page = results_overview(&world.store, &world.catalog, Realm::Live, &query).expect("a page");
    let row = page.rows.into_iter().find(|row| row.business == business).expect("the business");
    row.verdicts.into_iter().map(|cell| cell.verdict_index).collect()
}

/// The weight of each value of a label by the plain way, and of the votes that were asked.
fn weights(topic: &Topic, votes: &[Cast], field: &str) -> (Vec<(String, u32)>, u32) {
    let seat = |vote: &Cast| PANEL.iter().find(|(model, runs, _)| *model == vote.model && vote.run <= *runs);
    let mut by_value: Vec<(String, u32)> = match topic.schema.field(field) {
        Some((_, known)) => known.term.values.iter().map(|value| (value.id.clone(), 0)).collect(),
        None => vec![("true".to_owned(), 0), ("false".to_owned(), 0)],
    };
    let mut asked = 0;
    for (vote, (_, _, weight)) in votes.iter().filter_map(|vote| Some((vote, seat(vote)?))) {
        let given = match topic.schema.field(field) {
            Some(_) if !vote.relevant => continue,
            Some((at, known)) => vote.values[at].map(|value| known.value_id(value).to_owned()),
            None => Some(vote.relevant.to_string()),
        };
        asked += weight;
        if let Some((_, sum)) = by_value.iter_mut().find(|(value, _)| Some(value) == given.as_ref()) {
            *sum += weight;
        }
    }
    (by_value, asked)
}

#[test]
fn exactly_the_doubtful_labels_are_in_the_queue() {
    let (world, cast) = world();
    let topic = world.topic(TOPIC);
    let mut doubtful = BTreeSet::new();
    for (business, reviews) in cast.iter().enumerate() {
        for (review, votes) in reviews.iter().take(K as usize).enumerate() {
            let settled = settle(topic, votes);
            if !settled.complete {
                continue;
            }
            let fields = topic.schema.fields().iter().map(|field| field.name.as_str()).filter(|_| settled.relevant);
            for field in fields.chain(["is_relevant"]) {
                let (weights, asked) = weights(topic, votes, field);
                let most = weights.iter().map(|(_, weight)| *weight).max().unwrap_or(0);
                let is_tied = weights.iter().filter(|(_, weight)| *weight == most).count() > 1;
                if is_tied || f64::from(most) < UNSURE_BELOW * f64::from(asked) {
                    doubtful.insert((format!("b{business}::r{review}"), field.to_owned()));
                }
            }
        }
    }
    let queue = queue(&world);
    let listed: BTreeSet<_> = queue.labels.iter().map(|label| (label.review_id.clone(), label.field.clone())).collect();
    assert_eq!(listed.len(), queue.labels.len(), "each once");
    assert_eq!(listed, doubtful);
    for doubt in [Doubt::Tie, Doubt::Unsure, Doubt::NoAnswer] {
        assert!(queue.labels.iter().any(|label| label.doubt == doubt), "{doubt:?} occurs");
    }
}

#[test]
fn what_hangs_on_a_label_is_what_correcting_it_does() {
    let (world, cast) = world();
    let topic = world.topic(TOPIC);
    let queue = queue(&world);
    assert!(queue.labels.is_sorted_by_key(|label| std::cmp::Reverse(label.verdicts)));
    assert_eq!(queue.deciding as usize, queue.labels.iter().filter(|label| label.verdicts > 0).count());
    assert!(queue.deciding > 0, "something is at stake");
    for label in &queue.labels {
        let before = verdicts(&world, &label.business);
        let (business, review) = label.review_id.split_once("::r").expect("an id");
        let votes =
            &cast[business[1..].parse::<usize>().expect("a number")][review.parse::<usize>().expect("a number")];
        let (weights, _) = weights(topic, votes, &label.field);
        let query = LabelQuery {
            dataset: DATASET.into(),
            topic: TOPIC.into(),
            k: K,
            review_id: label.review_id.clone(),
            field: label.field.clone(),
        };
        let detail = queue_label(&world.store, &world.catalog, Realm::Live, &query).expect("a label");
        assert_eq!((&detail.verdicts, &detail.value), (&before, &label.value));
        let mut flipped = BTreeSet::new();
        for ((value, weight), outcome) in weights.iter().zip(&detail.outcomes) {
            assert_eq!(outcome.weight, *weight);
            let request = request(label, value, Some("read it"));
            let receipt = decide(&world.store, &world.catalog, Realm::Live, &request, AT).expect("a correction");
            let after = verdicts(&world, &label.business);
            assert_eq!(outcome.verdicts, after, "{label:?} as {value}");
            let told: Vec<_> =
                receipt.flips.iter().map(|flip| (flip.policy.clone(), flip.before, flip.after)).collect();
            let real =
                topic.policies.iter().zip(before.iter().zip(&after)).filter(|(_, (before, after))| before != after);
            let real: Vec<_> = real.map(|(policy, (before, after))| (policy.id.to_string(), *before, *after)).collect();
            assert_eq!(told, real);
            assert_eq!(receipt.kept, label.value.as_ref() == Some(value));
            if *weight > 0 || label.doubt == Doubt::NoAnswer {
                flipped.extend(told.into_iter().map(|(policy, ..)| policy));
            }
            override_undo(&world.store, receipt.number, "", AT).expect("undone");
        }
        assert_eq!(label.verdicts as usize, flipped.len(), "{label:?}");
        assert_eq!(verdicts(&world, &label.business), before);
    }
}

#[test]
fn a_decided_label_leaves_the_queue_and_the_trail_tells_all() {
    let (world, _) = world();
    let first = queue(&world);
    let label =
        first.labels.iter().find(|label| label.doubt == Doubt::Unsure && label.rival.is_some()).expect("unsure");
    let (value, rival) = (label.value.clone().expect("a value"), label.rival.clone().expect("a rival"));
    let decide = |value: &str, reason: Option<&str>| {
        decide(&world.store, &world.catalog, Realm::Live, &request(label, value, reason), AT)
    };
    decide(&rival, None).expect_err("a change needs a reason");
    decide("purple", Some("why")).expect_err("no such value");
    let kept = decide(&value, None).expect("kept without a reason");
    assert!(kept.kept && kept.flips.is_empty());
    let is_in = |queue: &ReviewQueue| {
        queue.labels.iter().any(|it| (&it.review_id, &it.field) == (&label.review_id, &label.field))
    };
    assert!(!is_in(&queue(&world)));
    override_undo(&world.store, kept.number, "a slip", AT).expect("undone");
    assert!(is_in(&queue(&world)));
    let changed = decide(&rival, Some(" the text says so ")).expect("changed");
    assert!(!changed.kept && !is_in(&queue(&world)));

    let entries = trail(&world.store, Realm::Live, DATASET, TOPIC).expect("a trail");
    let told: Vec<_> = entries.iter().map(|entry| (entry.kind, entry.holds, entry.reason.as_str())).collect();
    let expected = [
        (OverrideEntryKind::Changed, true, "the text says so"),
        (OverrideEntryKind::Undone, false, "a slip"),
        (OverrideEntryKind::Kept, false, "Looked at and kept"),
    ];
    assert_eq!(told, expected);
    assert_eq!(entries[0].business.as_deref(), Some(label.business_name.as_str()));
    assert_eq!((&entries[0].fields[0].voted, &entries[0].fields[0].value), (&Some(value), &rival));
    assert!(trail(&world.store, Realm::Sandbox, DATASET, TOPIC).expect("a trail").is_empty());
}

#[test]
fn by_value_the_review_that_is_worth_most_comes_first_and_nothing_in_doubt_is_lost() {
    let (world, _) = world();
    let query = QueueQuery { dataset: DATASET.into(), topic: TOPIC.into(), k: K, order: QueueOrder::Value };
    let by_value = queue_list(&world.store, &world.catalog, Realm::Live, &query).expect("a queue");
    let changes = |label: &QueueLabel| label.expected_changes.expect("told in this order");
    assert!(by_value.labels.is_sorted_by(|one, next| changes(one) >= changes(next)));
    assert!(changes(&by_value.labels[0]) > 0.0);
    let outlook = by_value.outlook.as_ref().expect("told in this order");
    assert!(
        !outlook.stop && outlook.expected_wrong > 0.5 && outlook.words.contains("expected to be wrong"),
        "{outlook:?}"
    );
    let names = |queue: &ReviewQueue, settled: bool| -> BTreeSet<_> {
        let listed = queue.labels.iter().filter(|label| settled || label.doubt != Doubt::Settled);
        listed.map(|label| (label.review_id.clone(), label.field.clone())).collect()
    };
    let by_verdicts = queue(&world);
    assert!(by_verdicts.outlook.is_none() && by_verdicts.labels.iter().all(|label| label.expected_changes.is_none()));
    assert_eq!(names(&by_value, false), names(&by_verdicts, true), "the same labels are in doubt");
    assert_eq!(by_value.applied.name, "weighted majority");

    // What a person has settled cannot change anything any more.
    let first = by_value.labels[0].clone();
    let mut value = first.value.clone().or(first.rival.clone()).expect("some vote gave a value");
    for field in [first.field.clone(), "is_relevant".to_owned()] {
        if field == "is_relevant" {
            value = "false".to_owned();
        }
        let request = OverrideRequest { field, ..request(&first, &value, Some("read")) };
        decide(&world.store, &world.catalog, Realm::Live, &request, AT).expect("decided");
    }
    let after = queue_list(&world.store, &world.catalog, Realm::Live, &query).expect("a queue");
    assert!(after.labels.iter().all(|label| label.review_id != first.review_id));
    assert!(after.outlook.expect("told in this order").expected_wrong < outlook.expected_wrong);
}
