//! Coverage that is kept against coverage that is counted, whatever happens in between.

use std::sync::Arc;

use quorum_api::{
    coverage_kept::topic_list_kept,
    dto::topic::TopicSummary,
    overrides::{NewOverride, override_set},
    topics::topic_list,
};
use quorum_catalog::{Catalog, builtin, builtin_files, read};
use quorum_core::{ensemble::Ensemble, manifest::Mode, manifest::Realm, models::ModelTable, plan::BatchLimits};
use quorum_engine::{DraftRequest, SubmitRequest, draft, submit};
use quorum_store::Store;
use serde_json::Value;

use crate::world::{AT, DATASET, Random, World, import};

const TOPICS: [&str; 3] = ["G1_allergy", "G1_hygiene", "G2_romance"];

/// The built-in catalog with other terms for allergies.
fn other_terms() -> Arc<Catalog> {
    let path = "terms/allergy.yaml";
    let (_, text) = builtin_files().iter().find(|(known, _)| *known == path).expect("a library");
    let edited = text.replace("No allergic incident took place", "No incident took place");
    assert_ne!(edited, *text);
    Arc::new(builtin().overlay(&read([(path, edited)]).0).0)
}

fn counted(world: &World, realm: Realm) -> Vec<TopicSummary> {
    topic_list(&world.store, &world.catalog, realm, Some(DATASET)).expect("topics")
}

fn kept(world: &World, realm: Realm) -> Vec<TopicSummary> {
    topic_list_kept(&world.store, &world.catalog, realm, &DATASET.into()).expect("topics")
}

fn start_run(world: &World, random: &mut Random, at: u32) {
    let ensembles = ["gpt-5-mini:1:2,gpt-5-nano:3:1", "gpt-5-nano:2", "gpt-9:1,gpt-5-mini:2"];
    let ensemble = Ensemble::read(ensembles[random.below(3)]).expect("an ensemble");
    let (topic, models) = (world.topic(TOPICS[random.below(3)]), ModelTable::default());
    let limits = |_: &_| BatchLimits::default();
    let dataset = world.store.dataset(&DATASET.into()).expect("the dataset");
    let wish = DraftRequest { realm: Realm::Live, topic, k: 7, ensemble: &ensemble, models: &models, limits: &limits };
    let draft = draft(&world.store, &dataset, wish).expect("a draft");
    let asked = SubmitRequest {
        draft,
        topic,
        realm: Realm::Live,
        provider: "https://llm.example/v1".to_owned(),
        k: 7,
        ensemble: ensemble.clone(),
        mode: Mode::Batch,
        models: &models,
        budget_usd: None,
        canary: false,
        key: format!("run {at}"),
        now: AT,
    };
    let run = submit(&world.store, asked).expect("a run");
    // It gives up, so that the dataset may go.
    if let Some(run) = run {
        world.store.change_manifest(run.id, |run| run.finished_at = Some(AT)).expect("finished");
    }
}

#[test]
fn what_is_kept_is_what_counting_gives_whatever_happens_in_between() {
    let mut reviews = vec![30, 0, 3, 55];
    let mut world = World::new(&reviews);
    let terms = [Arc::clone(builtin()), other_terms()];
    let mut random = Random::new(11);
    for step in 0..120_u32 {
        let topic = Arc::clone(&world.catalog.topics()[0]);
        match random.below(9) {
            0 | 1 => {
                let topic = world.topic(TOPICS[random.below(3)]).clone();
                world.cast_at_random(&topic, &reviews, &mut random);
            }
            2 => start_run(&world, &mut random, step),
            3 => {
                let corrected = [("is_relevant".to_owned(), "false".to_owned())];
                let new = NewOverride {
                    topic: topic.id.as_str(),
                    review: "b0::r0",
                    corrected: &corrected,
                    reason: "read again",
                    at: AT,
                };
                override_set(&world.store, &world.catalog, Realm::Live, new).expect("a correction");
            }
            4 => world.catalog = Arc::clone(&terms[random.below(2)]),
            5 => {
                // Another file under the same name.
                let last = reviews.len() - 1;
                reviews[last] = 40 + random.below(30);
                import(&world.store, &reviews, AT + step);
            }
            6 => {
                let removed = world.store.remove_dataset(&DATASET.into(), AT + step).expect("removed");
                assert!(topic_list_kept(&world.store, &world.catalog, Realm::Live, &DATASET.into()).is_err());
                world.store.restore_dataset(removed.number, AT + step).expect("restored");
            }
            7 => {
                // Quorum ends, without a word, and starts again.
                let elsewhere = tempfile::tempdir().expect("a folder");
                let other = Store::open(&elsewhere.path().join("quorum.redb")).expect("a store");
                drop(std::mem::replace(&mut world.store, other));
                world.store = Store::open(&world.folder.path().join("quorum.redb")).expect("a store");
            }
            _ => assert_eq!(kept(&world, Realm::Sandbox), counted(&world, Realm::Sandbox), "step {step}"),
        }
        let plain = counted(&world, Realm::Live);
        assert_eq!(kept(&world, Realm::Live), plain, "step {step}");
        assert_eq!(kept(&world, Realm::Live), plain, "step {step}, from what was kept");
    }
}

#[test]
fn what_is_kept_is_used_until_a_vote_comes_and_only_for_its_topic() {
    let world = World::new(&[3]);
    let mut random = Random::new(3);
    for topic in TOPICS {
        world.cast_at_random(&world.topic(topic).clone(), &[3], &mut random);
    }
    let plain = kept(&world, Realm::Live);
    // A count that no counting gives shows where an answer comes from.
    let mark = || {
        world
            .store
            .change_setting("coverage_counted", |kept: &mut Value| {
                for topic in TOPICS {
                    kept["topics"][topic]["coverage"]["votes"] = 4_711.into();
                }
            })
            .expect("changed");
    };
    let votes = || {
        let topics = kept(&world, Realm::Live);
        TOPICS.map(|id| {
            topics.iter().find(|topic| topic.topic == id).and_then(|it| it.coverage.clone()).expect("known").votes
        })
    };
    mark();
    assert_eq!(votes(), [4_711; 3]);
    world.cast_at_random(&world.topic(TOPICS[1]).clone(), &[3], &mut Random::new(4));
    let after = votes();
    assert_eq!((after[0], after[2]), (4_711, 4_711));
    let now = counted(&world, Realm::Live);
    let hygiene = now.iter().find(|topic| topic.topic == TOPICS[1]).and_then(|topic| topic.coverage.clone());
    assert_eq!(hygiene.expect("known").votes, after[1]);
    assert_ne!(plain, now, "votes came");
}
