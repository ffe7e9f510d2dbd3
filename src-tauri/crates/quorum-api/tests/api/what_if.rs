//! What-if on an open program: moves agree with the verdicts, cost nothing, and can be saved.

use quorum_api::{
    OpenOptions, Quorum,
    dto::{
        results::ResultsQuery,
        what_if::{DiffKind, KnobChange, KnobKind, WhatIfOutcome, WhatIfQuery, WhatIfRequest},
    },
};
use quorum_catalog::builtin;
use quorum_core::manifest::Realm;

use crate::world::{DATASET, Random, World};

const TOPIC: &str = "G1_allergy";
const REVIEWS: [usize; 5] = [40, 0, 12, 60, 25];

/// An open program on a store with votes. A new program begins in the sandbox.
fn open() -> (tempfile::TempDir, Quorum) {
    let world = World::with_realm(&REVIEWS, Realm::Sandbox);
    let topic = world.topic(TOPIC).clone();
    world.cast_at_random(&topic, &REVIEWS, &mut Random::new(8));
    let folder = world.close();
    let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("a program");
    (folder, quorum)
}

fn query(policy: &str) -> WhatIfQuery {
    WhatIfQuery { dataset: DATASET.into(), topic: TOPIC.into(), policy: policy.into(), k: 25 }
}

fn request(policy: &str, changes: &[(&str, f64)]) -> WhatIfRequest {
    let changes = changes.iter().map(|(knob, value)| KnobChange { knob: (*knob).to_owned(), value: *value });
    WhatIfRequest { query: query(policy), changes: changes.collect() }
}

/// (verdict, score) of each business under one policy, as the results page has them.
fn verdicts(quorum: &Quorum, policy: &str) -> Vec<(Option<u32>, Option<i32>)> {
    let query = ResultsQuery { dataset: DATASET.into(), topic: TOPIC.into(), k: 25, compare_k: None };
    let page = quorum.results_overview(&query).expect("a page");
    let at = page.policies.iter().position(|it| it.summary.policy == policy).expect("the policy");
    page.rows.iter().map(|row| (row.verdicts[at].verdict_index, row.verdicts[at].score)).collect()
}

fn agrees(outcome: &WhatIfOutcome, before: &[(Option<u32>, Option<i32>)], after: &[(Option<u32>, Option<i32>)]) {
    let flips: Vec<_> =
        before.iter().zip(after).enumerate().filter(|(_, (before, after))| before.0 != after.0).collect();
    let told: Vec<_> = outcome.flips.iter().map(|flip| (flip.business.as_str(), flip.before, flip.after)).collect();
    let ids: Vec<String> = flips.iter().map(|(business, _)| format!("b{business}")).collect();
    let real: Vec<_> =
        flips.iter().zip(&ids).map(|((_, (before, after)), id)| (id.as_str(), before.0, after.0)).collect();
    assert_eq!(told, real);
    for (flip, (_, (before, after))) in outcome.flips.iter().zip(&flips) {
        assert_eq!((flip.score_before, flip.score), (before.1, after.1));
    }
    let tally = |verdicts: &[(Option<u32>, Option<i32>)], index: usize| {
        verdicts.iter().filter(|(verdict, _)| verdict.is_some_and(|it| it as usize == index)).count()
    };
    for index in 0..outcome.counts.len() {
        assert_eq!(outcome.counts_before[index] as usize, tally(before, index));
        assert_eq!(outcome.counts[index] as usize, tally(after, index));
        assert_eq!(outcome.matrix[index].iter().sum::<u32>() as usize, tally(before, index));
    }
    let scored: u32 = outcome.scores.iter().map(|score| score.count).sum();
    assert_eq!(scored as usize, after.iter().filter(|(_, score)| score.is_some()).count());
}

#[test]
fn what_is_tried_is_what_the_saved_policy_gives() {
    let cases: [(&str, &[(&str, f64)]); 4] = [
        ("G1_allergy_V3", &[("threshold.0.min_score", 30.0), ("points.1", 9.0)]),
        ("G1_allergy_V3", &[("recency.2", 1.0), ("modifier.0", 0.0)]),
        ("G1_allergy_V2", &[("threshold.1.min_score", 12.0), ("modifier.2", -3.0)]),
        ("G1_allergy_V1", &[("count.0.0", 3.0), ("count.1.1", 5.0)]),
    ];
    let (_folder, quorum) = open();
    let hash = quorum.topic(TOPIC).expect("a topic").schema.term_hash();
    for (number, (policy, changes)) in (10..).zip(cases) {
        let before = verdicts(&quorum, policy);
        let page = quorum.what_if_open(&query(policy)).expect("a page");
        agrees(&page.outcome, &before, &before);
        let request = request(policy, changes);
        let outcome = quorum.what_if_try(&request).expect("an outcome");
        let draft = quorum.what_if_save(&request, "Mine: \"stricter\"").expect("a policy");
        assert_eq!(draft.policy, format!("{TOPIC}_V{number}"));
        agrees(&outcome, &before, &verdicts(&quorum, &draft.policy));
        assert_eq!(verdicts(&quorum, policy), before, "the original is as it was");
        let added = draft.lines.iter().filter(|line| line.kind == DiffKind::Added).count();
        let removed = draft.lines.iter().filter(|line| line.kind == DiffKind::Removed).count();
        assert!(added >= changes.len() + 2 && added == removed || policy.ends_with("V1"), "{added} {removed}");
        let topic = quorum.topic(TOPIC).expect("a topic");
        assert_eq!(topic.policies.last().expect("policies").title, "Mine: \"stricter\"");
        assert_eq!(topic.schema.term_hash(), hash, "no vote becomes stale");
    }
    for policy in &builtin().topic(&TOPIC.into()).expect("a topic").policies {
        let known = quorum.topic(TOPIC).expect("a topic").policies.iter().find(|it| it.id == policy.id).cloned();
        assert_eq!(known.as_ref(), Some(policy));
    }
}

#[test]
fn every_knob_of_every_policy_can_be_moved_and_saved() {
    let (_folder, quorum) = open();
    for (topic, policy) in builtin().policies() {
        let query = WhatIfQuery { topic: topic.id.to_string(), ..query(policy.id.as_str()) };
        for k in [25, 33] {
            let query = WhatIfQuery { k, ..query.clone() };
            let page = quorum.what_if_open(&query).expect("a page");
            let own: Vec<_> = page.knobs.iter().filter(|knob| knob.kind != KnobKind::Weight).collect();
            assert!(!own.is_empty() && own.len() < page.knobs.len(), "{}", policy.id);
            assert!(page.knobs.iter().all(|knob| knob.min <= knob.value && knob.value <= knob.max), "{}", policy.id);
            let changes = page.knobs.iter().map(|knob| KnobChange { knob: knob.knob.clone(), value: knob.value + 1.0 });
            let request = WhatIfRequest { query, changes: changes.collect() };
            quorum.what_if_try(&request).expect("an outcome");
            let draft = quorum.what_if_draft(&request, "All moved").expect("a draft");
            assert_eq!(draft.left_out.len(), page.knobs.len() - own.len());
        }
    }
    assert!(quorum.store().catalog_files().expect("files").is_empty(), "a draft stores nothing");
}

#[test]
fn weights_settle_the_votes_anew_and_each_cause_makes_the_flip_alone() {
    let (_folder, quorum) = open();
    let policy = "G1_allergy_V2";
    let moves = [("weight.0", 0.5), ("threshold.0.min_score", 6.0), ("points.0", 8.0)];
    let outcome = quorum.what_if_try(&request(policy, &moves)).expect("an outcome");
    assert!(!outcome.flips.is_empty());
    for flip in &outcome.flips {
        for (knob, value) in moves {
            let alone = quorum.what_if_try(&request(policy, &[(knob, value)])).expect("an outcome");
            let same = alone.flips.iter().any(|it| it.business == flip.business && it.after == flip.after);
            assert_eq!(flip.causes.iter().any(|cause| cause == knob), same, "{knob} {flip:?}");
        }
    }
    let weights = quorum.what_if_try(&request(policy, &[("weight.0", 0.5)])).expect("an outcome");
    let none = quorum.what_if_try(&request(policy, &[("weight.0", 2.0)])).expect("an outcome");
    assert_ne!(weights.scores, none.scores, "the weights change what reviews settle to");
    assert!(none.flips.is_empty());
    let error = quorum.what_if_save(&request(policy, &[("weight.0", 3.0)]), "Heavy").expect_err("no policy");
    assert!(error.message.contains("Nothing that belongs to the policy"), "{error}");
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let (_folder, quorum) = open();
    let refused = |policy: &str, knob: &str, value: f64| {
        quorum.what_if_try(&request(policy, &[(knob, value)])).expect_err("refused").to_string()
    };
    for (knob, value, wanted) in [
        ("points.0", 1.5, "a whole number"),
        ("points.0", f64::NAN, "at most"),
        ("recency.0", -0.1, "from 0"),
        ("weight.0", 0.0, "above 0"),
        ("points.99", 1.0, "nothing called"),
    ] {
        let said = refused("G1_allergy_V3", knob, value);
        assert!(said.contains(wanted), "{said}");
    }
    assert!(refused("G1_allergy_V0", "count.0.0", 0.0).contains("from 1"));
    assert!(quorum.what_if_open(&query("G9_V0")).is_err());
    for name in ["", "  ", "two\nlines", &"x".repeat(61)] {
        quorum.what_if_save(&request("G1_allergy_V3", &[("points.0", 3.0)]), name).expect_err("no name");
    }
}
