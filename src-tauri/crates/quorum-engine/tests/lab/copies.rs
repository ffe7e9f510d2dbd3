//! Copies of a store: one that is at work elsewhere, and a backup that takes the place of what went on after it.

use quorum_core::{
    ensemble::Ensemble,
    manifest::{BatchState, PauseKind},
};
use quorum_engine::Allowances;
use quorum_sim::{Fault, Kind, SimConfig, Simulator};
use quorum_store::testing::FrozenBackend;

use crate::{
    once::{assert_whole, creations},
    world::{Plan, World, import, request_tokens, simulator, start},
};

/// A run of 20 requests to one model, planned and not sent, and a copy of its store.
fn copied(sim: &Simulator) -> (World, Vec<u8>) {
    let disk = FrozenBackend::new();
    {
        let store = quorum_store::Store::open_with_backend(disk.clone()).expect("a store");
        import(&store, 1, 20);
        let ensemble = Ensemble::read("gpt-5-mini:1").expect("an ensemble");
        start(&store, Plan { ensemble, ..Plan::default() }).expect("a run");
    }
    (World::of_image(sim, disk.bytes()), disk.bytes())
}

#[tokio::test]
async fn a_restored_backup_adopts_what_the_original_sent() {
    let sim = simulator(SimConfig::default()).await;
    let (world, backup) = copied(&sim);
    world.tick().await.expect("a tick");
    assert_eq!(creations(&sim), 1);
    drop(world);
    let restored = World::of_image(&sim, backup);
    assert_eq!(restored.states(), [BatchState::Planned]);
    restored.run(&sim, 30).await;
    assert_whole(&sim, &restored);
    assert_eq!(creations(&sim), 1);
}

#[tokio::test]
async fn a_copy_of_the_store_at_work_elsewhere_pauses_the_run() {
    let slow = Fault::from(Kind::LongRunning { seconds: 36_000, observations: 0 });
    let sim = simulator(SimConfig::default()).await;
    sim.fault(slow);
    let (world, copy) = copied(&sim);
    // This one learned an allowance and cut its batch.
    Allowances::learn(&world.store, "sandbox", &"gpt-5-mini".into(), request_tokens() * 8).expect("kept");
    world.tick().await.expect("a tick");
    let copied = World::of_image(&sim, copy);
    copied.tick().await.expect("a tick");
    let pause = copied.manifest().paused.expect("nothing is sent");
    assert_eq!((pause.kind, creations(&sim)), (PauseKind::Elsewhere, 1));
    assert!(pause.words.contains("may pay for it twice"), "{pause:?}");
}

#[tokio::test]
async fn a_restored_backup_does_not_repeat_what_the_original_finished_in_other_batches() {
    let sim = simulator(SimConfig::default()).await;
    let (world, backup) = copied(&sim);
    Allowances::learn(&world.store, "sandbox", &"gpt-5-mini".into(), request_tokens() * 8).expect("kept");
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    let sent = creations(&sim);
    drop(world);
    let restored = World::of_image(&sim, backup);
    restored.run(&sim, 30).await;
    let pause = restored.manifest().paused.expect("nothing is sent");
    assert_eq!((pause.kind, creations(&sim)), (PauseKind::Elsewhere, sent));
    assert!(pause.words.contains("restored from a backup"), "{pause:?}");
}
