//! What the queue is said to take: a figure that makes no sense shreds nothing, and what a copy has sent is not cut.

use std::sync::Arc;

use quorum_core::{
    ensemble::Ensemble,
    manifest::{BatchState, ManifestId, ManifestState, Pause, PauseKind},
    models::{ModelTable, edits::Edit},
};
use quorum_engine::change_model_edits;
use quorum_sim::{Fault, Kind, SimConfig, Simulator};
use quorum_store::{Store, testing::FrozenBackend};

use crate::world::{
    HandClock, Plan, START, World, import, paid_twice, provider, request_tokens, simulator, start, votes,
};

fn mini() -> Plan {
    Plan { ensemble: Ensemble::read("gpt-5-mini:1").expect("an ensemble"), ..Plan::default() }
}

/// The user says in the model table how many tokens may wait at once.
fn state(store: &Store, tokens: u64) {
    let edit = Edit::QueueTokens(Some(tokens));
    let edited = change_model_edits(store, |edits| edits.set(&ModelTable::default(), &"gpt-5-mini".into(), &[edit]));
    edited.expect("the store").expect("an edit");
}

async fn planned(reviews: u32) -> (Simulator, World) {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, reviews);
    start(&world.store, mini()).expect("a run");
    (sim, world)
}

#[tokio::test]
async fn a_queue_that_takes_nothing_stops_the_run_and_cuts_nothing() {
    for limit in [0, 5] {
        let (sim, world) = planned(20).await;
        sim.fault(Fault::from(Kind::TokenLimitExceeded { limit }));
        world.run(&sim, 60).await;
        let pause = world.manifest().paused.expect("it waits for the user");
        assert_eq!((pause.kind, world.states()), (PauseKind::Account, vec![BatchState::Waiting]));
        assert!(pause.words.contains(&format!("takes {limit} tokens of gpt-5-mini")), "{pause:?}");
        sim.clear_faults();
        world.store.change_manifest(ManifestId(1), |manifest| manifest.paused = None).expect("resumed");
        world.run(&sim, 60).await;
        assert_eq!((world.state(), votes(&world.store).len()), (ManifestState::Completed, 20));
    }
}

#[tokio::test]
async fn a_run_is_cut_into_hundreds_of_batches_only_with_the_users_word() {
    let (sim, world) = planned(250).await;
    state(&world.store, request_tokens() + 100);
    world.run(&sim, 60).await;
    let pause = world.manifest().paused.expect("it waits for the user");
    assert_eq!((pause.kind, world.batches().len(), sim.batches().len()), (PauseKind::Crumbs, 1, 0));
    assert!(pause.words.contains("250 batches") && pause.words.contains("model table"), "{pause:?}");
    // It was a slip of the pen.
    state(&world.store, request_tokens() * 150);
    world.store.change_manifest(ManifestId(1), |manifest| manifest.paused = None).expect("resumed");
    world.run(&sim, 60).await;
    assert_eq!((world.state(), world.batches().len()), (ManifestState::Completed, 2), "{:?}", world.states());

    // And here it was not.
    let (sim, world) = planned(250).await;
    state(&world.store, request_tokens() + 100);
    world.tick().await.expect("a tick");
    let agree = world.store.change_manifest(ManifestId(1), |manifest| {
        (manifest.paused, manifest.takes_crumbs) = (None, true);
    });
    agree.expect("resumed");
    world.tick().await.expect("a tick");
    assert_eq!((world.batches().len(), sim.batches().len()), (250, 1));
}

#[tokio::test]
async fn an_allowance_that_would_make_crumbs_of_a_plan_cuts_neither_it_nor_a_round() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 250);
    state(&world.store, request_tokens() + 100);
    start(&world.store, mini()).expect("a run");
    assert_eq!(world.batches().len(), 1, "it is not cut before the user agrees");
    let crumbs = |pause: Option<Pause>| {
        let pause = pause.expect("it waits for the user");
        assert_eq!((pause.kind, sim.batches().len()), (PauseKind::Crumbs, 0));
        assert!(pause.words.contains("250 batches"), "{pause:?}");
    };
    world.run(&sim, 60).await;
    crumbs(world.manifest().paused);

    // The same for what is asked again.
    let refused = world.batches()[0].id;
    world.store.change_batch(refused, |batch| batch.state = BatchState::Failed).expect("written");
    let asked = world.engine.ask_again(ManifestId(1), |_| true, |_| true, false).expect("a round");
    assert_eq!((asked, world.batches().len()), (250, 2));
    world.run(&sim, 60).await;
    crumbs(world.manifest().paused);

    // Corrected, the plan is whole.
    state(&world.store, request_tokens() * 500);
    world.store.change_manifest(ManifestId(1), |manifest| manifest.paused = None).expect("resumed");
    world.run(&sim, 60).await;
    assert_eq!((world.state(), sim.batches().len(), votes(&world.store).len()), (ManifestState::Completed, 1, 250));
}

#[tokio::test]
async fn what_a_copy_has_sent_is_adopted_and_not_cut_to_a_lower_allowance() {
    for is_done in [false, true] {
        let sim = simulator(SimConfig::default()).await;
        if !is_done {
            sim.fault(Fault::once(Kind::LongRunning { seconds: 3_600, observations: 0 }, None));
        }
        let disk = FrozenBackend::new();
        let store = Arc::new(Store::open_with_backend(disk.clone()).expect("a store"));
        import(&store, 1, 20);
        start(&store, mini()).expect("a run");
        let backup = disk.bytes();
        let folder = tempfile::tempdir().expect("a folder");
        let world = World::on(store, HandClock::at(START), provider(&sim, None), folder.path());
        world.tick().await.expect("a tick");
        drop(world);
        let store = Arc::new(Store::open_with_backend(FrozenBackend::from_image(backup)).expect("a store"));
        state(&store, request_tokens() * 8);
        let restored = World::on(store, HandClock::at(START), provider(&sim, None), folder.path());
        restored.run(&sim, 600).await;
        assert_eq!((restored.state(), votes(&restored.store).len()), (ManifestState::Completed, 20));
        assert_eq!((paid_twice(&sim), sim.batches().len()), (vec![], 1));
    }
}
