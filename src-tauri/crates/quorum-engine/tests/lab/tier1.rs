//! A large run on a small account that nobody touches: `make tier1-test` asks 100,000 requests with two million enqueued tokens a
//! model; the ordinary tests a tenth of both.

use quorum_core::manifest::{BatchState, ManifestState};
use quorum_sim::{AccountLimits, SimConfig};

use crate::world::{Plan, World, paid_twice, simulator, start, votes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_far_above_the_queue_allowance_finishes_unattended() {
    let tenths = if std::env::var_os("QUORUM_TIER1_WHOLE").is_some() { 10 } else { 1 };
    let allowance = 200_000 * tenths;
    let enqueued_tokens = ["gpt-5-mini", "gpt-5-nano"].map(|model| (model.to_owned(), allowance)).into();
    let limits = AccountLimits { enqueued_tokens, ..AccountLimits::default() };
    let sim = simulator(SimConfig { limits, ..SimConfig::default() }).await;
    let world = World::new(&sim, 2_500 * u32::try_from(tenths).expect("small"));
    start(&world.store, Plan::default()).expect("a run");
    let asked: u32 = world.batches().iter().map(|batch| batch.requests).sum();
    assert_eq!(u64::from(asked), 10_000 * tenths);
    let began = world.manifest().created_at;
    let ticks = world.run(&sim, 60).await;
    assert_eq!(world.state(), ManifestState::Completed);
    assert_eq!((votes(&world.store).len(), paid_twice(&sim).len()), (asked as usize, 0));
    let batches = world.batches();
    assert!(batches.iter().all(|batch| batch.state == BatchState::Ingested));
    let refused = sim.batches().iter().filter(|batch| batch.status.as_str() == "failed").count();
    assert!(refused <= 8, "a few refusals teach the limits, not {refused}");
    let finished = world.manifest().finished_at.expect("finished");
    println!(
        "{asked} requests in {} batches, {refused} refused for want of room, {ticks} ticks, {} virtual minutes",
        batches.len(),
        (finished - began) / 60
    );
}
