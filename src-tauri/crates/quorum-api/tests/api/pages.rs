//! The pages' data agrees with the verdicts and with itself.

use quorum_api::{
    business::business_detail,
    coverage::{CoverageQuery, coverage_report, votes_stats},
    dto::{
        business::{BusinessQuery, ReviewQuery, ReviewState},
        results::{MissingReason, ResultsQuery},
    },
    results::results_overview,
    review::review_detail,
    topics::topic_list,
    verdicts::{VerdictsRequest, verdicts},
};
use quorum_core::manifest::Realm;

use crate::world::{DATASET, PANEL, Random, World, settle};

const TOPIC: &str = "G1_allergy";
const REVIEWS: [usize; 4] = [40, 0, 12, 70];

fn world() -> (World, Vec<Vec<Vec<crate::world::Cast>>>) {
    let world = World::new(&REVIEWS);
    let cast = world.cast_at_random(world.topic(TOPIC), &REVIEWS, &mut Random::new(21));
    (world, cast)
}

#[test]
fn the_overview_shows_the_verdicts_and_what_moved() {
    let (world, cast) = world();
    let topic = world.topic(TOPIC);
    let query = ResultsQuery { dataset: DATASET.into(), topic: TOPIC.into(), k: 50, compare_k: Some(25) };
    let page = results_overview(&world.store, &world.catalog, Realm::Live, &query).expect("a page");
    let request = VerdictsRequest {
        dataset: DATASET.into(),
        policies: topic.policies.iter().map(|policy| policy.id.clone()).collect(),
        ks: vec![50, 25],
        ensemble: None,
        partial: false,
    };
    let (results, _) = verdicts(&world.store, &world.catalog, Realm::Live, &request).expect("verdicts");
    for (at, policy) in page.policies.iter().enumerate() {
        let (at_50, at_25) = (&results[2 * at], &results[2 * at + 1]);
        assert_eq!(policy.counts, at_50.distribution.iter().map(|(_, count)| *count).collect::<Vec<_>>());
        assert_eq!(
            policy.counts_compared.as_ref(),
            Some(&at_25.distribution.iter().map(|(_, count)| *count).collect())
        );
        assert_eq!(policy.without_verdict, 1);
        let mut moved = 0;
        for (business, row) in page.rows.iter().enumerate() {
            let index = |result: &quorum_api::verdicts::PolicyResult| {
                result.businesses[business].verdict.as_ref().and_then(|verdict| verdict.index)
            };
            assert_eq!((row.verdicts[at].verdict_index, row.verdicts[at].compared_index), (index(at_50), index(at_25)));
            moved += u32::from(index(at_50) != index(at_25));
        }
        assert_eq!(policy.moved, moved);
    }
    let mut missing = 0;
    for (business, row) in page.rows.iter().enumerate() {
        let settled: Vec<_> = cast[business].iter().take(50).map(|votes| settle(topic, votes)).collect();
        let complete: Vec<_> = settled.iter().filter(|settled| settled.complete).collect();
        missing += settled.iter().map(|settled| 4 - settled.votes).sum::<usize>();
        assert_eq!((row.reviews as usize, row.reviews_complete as usize), (settled.len(), complete.len()));
        assert_eq!(row.relevant as usize, complete.iter().filter(|settled| settled.relevant).count());
        assert!(row.least_sure.is_none_or(|sure| sure > 0.0 && sure <= 1.0));
    }
    assert_eq!(page.missing.iter().map(|missing| missing.count as usize).sum::<usize>(), missing);
    assert!(page.missing.iter().all(|missing| missing.reason == MissingReason::NeverAsked));
    assert_eq!(page.reviews, 102);
}

#[test]
fn a_business_page_explains_its_verdict() {
    let (world, cast) = world();
    let topic = world.topic(TOPIC);
    for policy in &topic.policies {
        for (business, votes) in cast.iter().enumerate() {
            let query = BusinessQuery {
                dataset: DATASET.into(),
                topic: TOPIC.into(),
                business: format!("b{business}"),
                policy: policy.id.to_string(),
                k: 25,
                compare_k: None,
            };
            let page = business_detail(&world.store, &world.catalog, Realm::Live, &query).expect("a page");
            assert_eq!(page.reviews.len(), votes.len().min(25));
            assert_eq!(page.reviews_total as usize, votes.len());
            if policy.scoring.is_some() {
                let sum: i32 = page.incidents.iter().map(|incident| incident.weighted_points).sum();
                let cuisine = page.cuisine_modifier.as_ref().map_or(0, |modifier| modifier.points);
                assert_eq!(page.score, (page.reviews_complete > 0).then_some(sum + cuisine));
                assert!(page.incidents.is_sorted_by_key(|incident| (incident.date.is_none(), incident.date.clone())));
                assert!(page.thresholds.is_sorted_by_key(|threshold| threshold.points) && !page.thresholds.is_empty());
            } else if page.reviews_complete > 0 {
                let matched: Vec<_> = page.rules.iter().filter(|rule| rule.matched).collect();
                assert_eq!(matched.len(), 1);
                assert_eq!(Some(matched[0].verdict_index), page.verdict_index);
            }
            for (review, shown) in page.reviews.iter().enumerate() {
                let settled = settle(topic, &votes[review]);
                let state = match (settled.complete, settled.votes) {
                    (true, _) => ReviewState::Complete,
                    (false, 0) => ReviewState::Unasked,
                    (false, _) => ReviewState::Partial,
                };
                assert_eq!((shown.state, shown.relevant), (state, settled.relevant));
                assert!(!(shown.counted && shown.why.is_some()));
                let date =
                    crate::world::date(review).map(|_| format!("{}-{:02}-05", 2025 - review % 9, 1 + review % 12));
                assert_eq!(shown.date, date);
            }
        }
    }
}

#[test]
fn a_review_page_shows_the_ensembles_votes_and_their_weights() {
    let (world, cast) = world();
    let topic = world.topic(TOPIC);
    for (review, votes) in cast[0].iter().enumerate() {
        let query = ReviewQuery { dataset: DATASET.into(), topic: TOPIC.into(), review_id: format!("b0::r{review}") };
        let page = review_detail(&world.store, &world.catalog, Realm::Live, &query).expect("a page");
        let settled = settle(topic, votes);
        assert_eq!((page.votes.len(), page.weight_total, page.position as usize), (settled.votes, 5, review + 1));
        assert_eq!(page.relevance.relevant, (settled.votes > 0).then_some(settled.relevant));
        for ((shown, field), value) in page.fields.iter().zip(topic.schema.fields()).zip(&settled.values) {
            assert_eq!(shown.value.as_deref(), value.map(|value| field.value_id(value)));
            if let (Some(agreement), Some(confidence)) = (&shown.agreement, shown.confidence) {
                let ratio = f64::from(agreement.weight_agreeing) / f64::from(agreement.weight_counted);
                assert!((ratio - confidence).abs() < 1e-12);
            }
        }
        let weights: u32 =
            page.votes.iter().filter(|vote| vote.relevant == settled.relevant).map(|vote| vote.weight).sum();
        assert_eq!(page.relevance.agreement.map_or(0, |agreement| agreement.weight_agreeing), weights);
    }
}

#[test]
fn statistics_and_report_tell_every_missing_vote() {
    let (world, cast) = world();
    let topic = world.topic(TOPIC);
    let query = CoverageQuery { dataset: &DATASET.into(), topic, k: 50, ensemble: None };
    let stats = votes_stats(&world.store, Realm::Live, query).expect("statistics");
    let report = coverage_report(&world.store, Realm::Live, query).expect("a report");
    let mut lacking = Vec::new();
    for (business, reviews) in cast.iter().enumerate() {
        for (review, votes) in reviews.iter().take(50).enumerate() {
            for (model, runs, _) in PANEL {
                for run in (1..=runs).filter(|run| !votes.iter().any(|vote| vote.model == model && vote.run == *run)) {
                    lacking.push((format!("b{business}::r{review}"), model.to_owned(), run));
                }
            }
        }
    }
    let told: Vec<_> = report
        .iter()
        .flat_map(|gap| gap.missing.iter().map(|(model, run, _)| (gap.review_id.clone(), model.clone(), *run)))
        .collect();
    assert_eq!(told, lacking);
    assert_eq!(stats.missing.iter().map(|(_, count)| *count as usize).sum::<usize>(), lacking.len());
    assert_eq!((stats.reviews, stats.complete + stats.partial + stats.unasked), (102, 102));
    assert_eq!((stats.failed, stats.in_flight, stats.stale.len()), (0, 0, 0));
}

#[test]
fn topics_come_with_their_coverage() {
    let (world, cast) = world();
    let topics = topic_list(&world.store, &world.catalog, Realm::Live, Some(DATASET)).expect("topics");
    assert_eq!(topics.len(), 18);
    let of = |id: &str| topics.iter().find(|topic| topic.topic == id).and_then(|topic| topic.coverage.clone());
    let asked = of(TOPIC).expect("coverage");
    assert_eq!(asked.votes as usize, cast.iter().flatten().map(Vec::len).sum::<usize>());
    assert_eq!((asked.k, asked.complete_k, asked.needed), (100, None, 122 * 4));
    let known: usize = cast.iter().flatten().map(|votes| settle(world.topic(TOPIC), votes).votes).sum();
    assert_eq!(asked.known as usize, known);
    let other = of("G6_loyalty").expect("coverage");
    assert_eq!((other.votes, other.k, other.known, other.complete_k), (0, 25, 0, None));
    assert!(topic_list(&world.store, &world.catalog, Realm::Live, Some("nowhere")).is_err());
}
