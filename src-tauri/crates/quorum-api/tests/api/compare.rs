//! Comparisons agree with the verdicts that they compare.

use quorum_api::{
    compare::{results_by_k, results_compare},
    confidence::results_confidence,
    dto::{
        compare::{CompareQuery, Side, Why},
        results::ResultsQuery,
    },
    results::results_overview,
};
use quorum_core::manifest::Realm;

use crate::world::{Cast, DATASET, Random, World, settle};

const TOPIC: &str = "G1_allergy";
const REVIEWS: [usize; 5] = [60, 0, 12, 110, 45];

fn world() -> World {
    let world = World::new(&REVIEWS);
    world.cast_at_random(world.topic(TOPIC), &REVIEWS, &mut Random::new(5));
    world
}

fn query(before: (&str, u32), after: (&str, u32)) -> CompareQuery {
    let side = |(variant, k): (&str, u32)| Side { policy: format!("{TOPIC}_{variant}"), k };
    CompareQuery { dataset: DATASET.into(), topic: TOPIC.into(), before: side(before), after: side(after) }
}

#[test]
fn what_changes_is_what_the_results_show() {
    let world = world();
    for (at, variant) in ["V0", "V1", "V2", "V3"].iter().enumerate() {
        let asked = query((variant, 25), (variant, 50));
        let page = results_compare(&world.store, &world.catalog, Realm::Live, &asked).expect("a page");
        let overview = ResultsQuery { dataset: DATASET.into(), topic: TOPIC.into(), k: 50, compare_k: Some(25) };
        let overview = results_overview(&world.store, &world.catalog, Realm::Live, &overview).expect("results");
        assert_eq!(page.changed.len(), overview.policies[at].moved as usize);
        let outcomes = page.after.verdicts.len();
        let column = |index: usize| page.flow.iter().map(|row| row[index]).sum::<u32>();
        let counts: Vec<u32> = (0..outcomes).map(column).collect();
        assert_eq!(counts, overview.policies[at].counts);
        assert_eq!(page.flow.iter().flatten().sum::<u32>(), page.businesses);
        for changed in &page.changed {
            assert_ne!(changed.before.verdict_index, changed.after.verdict_index);
            assert!(!changed.why.is_empty(), "{changed:?}");
        }
    }
    let same = query(("V2", 50), ("V2", 50));
    let page = results_compare(&world.store, &world.catalog, Realm::Live, &same).expect("a page");
    assert!(page.changed.is_empty());
}

#[test]
fn the_reasons_add_up_to_the_points_that_changed() {
    let world = world();
    let mut seen = 0;
    for (before, after) in [(("V2", 25), ("V2", 100)), (("V2", 100), ("V3", 100)), (("V3", 100), ("V2", 10))] {
        let asked = query(before, after);
        let page = results_compare(&world.store, &world.catalog, Realm::Live, &asked).expect("a page");
        for changed in &page.changed {
            let (Some(one), Some(other)) = (changed.before.score, changed.after.score) else { continue };
            let explained: i32 = changed
                .why
                .iter()
                .map(|why| match why {
                    Why::Reviews { points, gained, .. } | Why::Counted { points, gained, .. } => {
                        points.expect("points") * if *gained { 1 } else { -1 }
                    }
                    Why::Points { before, after, .. } => after - before,
                    _ => 0,
                })
                .sum();
            // The business-level modifier is there with the first incident and gone with the last.
            let cuisine = (other - one) - explained;
            assert!(cuisine == 0 || changed.before.incidents == 0 || changed.after.incidents == 0, "{changed:?}");
            seen += 1;
        }
    }
    assert!(seen > 3, "the votes change some verdicts: {seen}");
}

#[test]
fn rules_against_points_names_both() {
    let world = world();
    let asked = query(("V0", 50), ("V2", 50));
    let page = results_compare(&world.store, &world.catalog, Realm::Live, &asked).expect("a page");
    for changed in page.changed.iter().filter(|changed| changed.before.verdict_index.is_some()) {
        let Some(Why::Method { points, rule, points_after }) = changed.why.last() else { panic!("{changed:?}") };
        assert_eq!(
            (Some(*points), Some(rule), *points_after),
            (changed.after.score, changed.before.rule.as_ref(), true)
        );
    }
    let unknown = CompareQuery { after: Side { policy: "G1_hygiene_V0".into(), k: 50 }, ..asked };
    assert!(results_compare(&world.store, &world.catalog, Realm::Live, &unknown).is_err());
}

#[test]
fn verdicts_move_with_k_as_deep_as_there_are_votes() {
    let world = world();
    let page = results_by_k(&world.store, &world.catalog, Realm::Live, DATASET, TOPIC).expect("a page");
    let deepest = *page.ks.last().expect("votes");
    assert_eq!(page.ks[..page.ks.len() - 1], [5, 10, 25, 50, 75, 100]);
    assert!((101..=110).contains(&deepest));
    for policy in &page.policies {
        assert_eq!(policy.steps.iter().map(|step| step.k).collect::<Vec<_>>(), page.ks);
        for step in &policy.steps {
            assert_eq!(step.counts.iter().sum::<u32>() + step.without_verdict, 5);
        }
        assert_eq!(policy.steps[0].moved, 0);
    }
    let none = results_by_k(&world.store, &world.catalog, Realm::Live, DATASET, "G6_loyalty").expect("a page");
    assert!(none.ks.is_empty() && none.policies.iter().all(|policy| policy.steps.is_empty()));
}

#[test]
fn agreement_counts_every_label_of_a_complete_and_relevant_review_once() {
    let world = World::new(&REVIEWS);
    let topic = world.topic(TOPIC);
    let cast: Vec<Vec<Vec<Cast>>> = world.cast_at_random(topic, &REVIEWS, &mut Random::new(5));
    let page = results_confidence(&world.store, &world.catalog, Realm::Live, DATASET, TOPIC, 50).expect("a page");
    let settled = cast.iter().flat_map(|reviews| reviews.iter().take(50)).map(|votes| settle(topic, votes));
    let complete: Vec<_> = settled.filter(|settled| settled.complete).collect();
    assert_eq!(page.reviews as usize, complete.len());
    let relevant: Vec<_> = complete.iter().filter(|settled| settled.relevant).collect();
    assert_eq!(page.relevant as usize, relevant.len());
    for (at, field) in page.fields.iter().enumerate() {
        let labels = relevant.iter().filter(|settled| settled.values[at].is_some()).count();
        assert_eq!((field.labels as usize, (field.labels + field.unset) as usize), (labels, relevant.len()));
        assert_eq!(field.histogram.iter().sum::<u32>(), field.labels);
        assert_eq!(field.histogram.last(), Some(&field.unanimous));
        let mean = field.mean_confidence.expect("labels");
        assert!(mean > 0.0 && mean < 1.0 && field.unanimous < field.labels, "the votes disagree somewhere");
    }
    assert!(results_confidence(&world.store, &world.catalog, Realm::Live, DATASET, TOPIC, 0).is_err());
}
