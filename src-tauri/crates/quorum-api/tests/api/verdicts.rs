//! Verdicts of the fast path against the plain one.

use quorum_api::verdicts::{VerdictsRequest, expand_policies, verdicts};
use quorum_core::{
    manifest::Realm,
    verdict::{Judge, Judgment},
};

use crate::world::{CATEGORIES, Cast, DATASET, PANEL, Random, World, date, settle};

const KS: [u32; 5] = [25, 50, 100, 7, 1];

fn request(world: &World, policies: &[&str], ks: &[u32], partial: bool) -> VerdictsRequest {
    VerdictsRequest {
        dataset: DATASET.into(),
        policies: expand_policies(&world.catalog, policies).expect("policies"),
        ks: ks.to_vec(),
        ensemble: None,
        partial,
    }
}

#[test]
fn all_policies_at_any_k_give_what_the_plain_way_gives() {
    let reviews = [60, 0, 3, 110, 25];
    let world = World::new(&reviews);
    let mut random = Random::new(7);
    let mut cast = std::collections::BTreeMap::new();
    for topic in world.catalog.topics() {
        cast.insert(topic.id.clone(), world.cast_at_random(topic, &reviews, &mut random));
    }
    for partial in [false, true] {
        let (results, unfit) =
            verdicts(&world.store, &world.catalog, Realm::Live, &request(&world, &["all"], &KS, partial))
                .expect("verdicts");
        assert!(unfit.is_empty());
        assert_eq!(results.len(), 72 * KS.len());
        let mut at = results.iter();
        let mut seen = std::collections::BTreeSet::new();
        for (topic, policy) in world.catalog.policies() {
            let judge = Judge::new(policy, &topic.schema);
            for k in KS {
                let result = at.next().expect("a result");
                assert_eq!((&result.policy, result.k), (&policy.id, k));
                let (mut missing, mut without) = (0, 0);
                for (business, votes) in cast[&topic.id].iter().enumerate() {
                    let settled: Vec<_> =
                        votes.iter().take(k as usize).map(|votes| settle(topic, votes)).enumerate().collect();
                    let used: Vec<_> = settled
                        .iter()
                        .filter(|(_, settled)| settled.complete || partial && settled.votes > 0)
                        .collect();
                    let first: usize = reviews[..business].iter().sum();
                    let judgments: Vec<Judgment<'_>> = used
                        .iter()
                        .map(|(review, settled)| Judgment {
                            review: u32::try_from(first + review).expect("small"),
                            relevant: settled.relevant,
                            date: date(*review),
                            values: &settled.values,
                        })
                        .collect();
                    let found = &result.businesses[business];
                    assert_eq!((found.n_reviews as usize, found.n_judgments as usize), (settled.len(), used.len()));
                    missing += settled.len() - used.len();
                    let categories = CATEGORIES[business % CATEGORIES.len()];
                    let expected = (!used.is_empty()).then(|| judge.judge(&judgments, categories, k));
                    without += usize::from(expected.is_none());
                    assert_eq!(found.verdict, expected, "{} at K={k}, business {business}", policy.id);
                    seen.extend(expected.map(|verdict| verdict.verdict));
                }
                assert_eq!((result.missing_judgments as usize, result.without_verdict as usize), (missing, without));
                assert_eq!(result.is_provisional(), missing > 0);
                let counted: u32 = result.distribution.iter().map(|(_, count)| *count).sum();
                assert_eq!(counted + result.without_verdict, 5);
            }
        }
        assert!(seen.len() > 10, "only these outcomes: {seen:?}");
    }
}

#[test]
fn a_topic_that_was_never_asked_has_no_verdicts() {
    let world = World::new(&[3, 2]);
    let wanted = request(&world, &["G1_allergy_V2"], &[25], true);
    let (results, _) = verdicts(&world.store, &world.catalog, Realm::Live, &wanted).expect("verdicts");
    assert_eq!((results[0].without_verdict, results[0].missing_judgments), (2, 5));
}

#[test]
fn votes_of_another_realm_do_not_count() {
    let world = World::new(&[1]);
    let topic = world.topic("G1_allergy");
    let votes = PANEL.iter().flat_map(|(model, runs, _)| (1..=*runs).map(move |run| (*model, run)));
    let fields = topic.schema.fields().len();
    let votes: Vec<Cast> =
        votes.map(|(model, run)| Cast { model, run, relevant: true, values: vec![Some(0); fields] }).collect();
    world.cast(topic, world.number(0, 0), &votes);
    let wanted = request(&world, &["G1_allergy_V0"], &[25], false);
    let judged = |realm| verdicts(&world.store, &world.catalog, realm, &wanted).expect("verdicts").0[0].without_verdict;
    assert_eq!((judged(Realm::Live), judged(Realm::Sandbox)), (0, 1));
}

#[test]
fn words_name_policies_once_and_unknown_ones_are_told() {
    let world = World::new(&[1]);
    let named = |words: &[&str]| expand_policies(&world.catalog, words).map(|policies| policies.len());
    assert_eq!(named(&["all"]), Ok(72));
    assert_eq!(named(&["G1_allergy_V2", "G1_allergy", " G1_allergy_V2"]), Ok(4));
    assert!(named(&["G1_allergy_V9"]).is_err() && named(&[]).is_err());
    let none = verdicts(&world.store, &world.catalog, Realm::Live, &request(&world, &["all"], &[0], false));
    assert!(none.is_err());
}
