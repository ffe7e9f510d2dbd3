//! Requests asked one by one: the same votes at the full price, and nothing asked twice without the user.

use quorum_core::{
    ensemble::Ensemble,
    manifest::{BatchState, Cause, ManifestId, ManifestState, Mode, PauseKind},
};
use quorum_sim::{AccountLimits, Call, Fault, Kind, SimConfig};

use crate::world::{Plan, World, paid_twice, simulator, start, votes};

fn on_demand() -> Plan {
    let ensemble = Ensemble::read("gpt-5-mini:1").expect("an ensemble");
    Plan { ensemble, mode: Mode::OnDemand, ..Plan::default() }
}

#[tokio::test]
async fn synchronous_calls_give_the_votes_of_a_batch_at_twice_its_price() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    start(&world.store, on_demand()).expect("a run");
    world.run(&sim, 30).await;
    assert_eq!((world.state(), world.states()), (ManifestState::Completed, vec![BatchState::Ingested]));
    assert!(sim.batches().is_empty());
    let batched = simulator(SimConfig::default()).await;
    let other = World::new(&batched, 20);
    start(&other.store, Plan { mode: Mode::Batch, ..on_demand() }).expect("a run");
    other.run(&batched, 30).await;
    assert_eq!(votes(&world.store), votes(&other.store));
    let (usd, half) = (world.batches()[0].usd, other.batches()[0].usd);
    assert!((usd - 2.0 * half).abs() < 1e-9 && half > 0.0, "{usd} against {half}");
    assert!((world.manifest().usd_estimated - 2.0 * other.manifest().usd_estimated).abs() < 1e-9);
}

#[tokio::test]
async fn rate_limit_headers_are_obeyed() {
    let limits = AccountLimits { chat_requests_per_minute: 8, ..AccountLimits::default() };
    let sim = simulator(SimConfig { limits, ..SimConfig::default() }).await;
    let world = World::new(&sim, 20);
    start(&world.store, on_demand()).expect("a run");
    world.run(&sim, 20).await;
    assert_eq!((votes(&world.store).len(), paid_twice(&sim)), (20, vec![]));
    assert_eq!(sim.calls().iter().filter(|call| call.status == 429).count(), 0, "it waited before it was told to");
}

#[tokio::test]
async fn what_was_asked_when_the_program_died_is_not_asked_again_by_itself() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    start(&world.store, on_demand()).expect("a run");
    // The third call is carried out and billed, and its answer never arrives.
    let hang = Fault { nth: Some(3), ..Fault::once(Kind::Hang { after_effect: true }, Some(Call::Chat)) };
    sim.fault(hang);
    let mut hanging = sim.hanging();
    tokio::select! {
        _ = hanging.changed() => {}
        _ = world.tick() => panic!("it waits for the answer"),
    }
    let world = world.restarted(&sim, None);
    assert_eq!(world.batches()[0].asking.len(), 8, "the portion is marked");
    world.run(&sim, 30).await;
    let open = world.open_failures();
    assert_eq!((open.len(), votes(&world.store).len()), (8, 12));
    assert!(open.iter().all(|failure| failure.failure.cause == Cause::Unclear));
    assert!(open[0].failure.words.contains("billed"), "{:?}", open[0]);
    assert_eq!(paid_twice(&sim), []);
    // The user decides to ask them again.
    assert_eq!(world.engine.ask_again(ManifestId(1), |_| true, |_| true, true).expect("planned"), 8);
    world.run(&sim, 30).await;
    assert_eq!(votes(&world.store).len(), 20);
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_unclear_and_not_asked_again() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    start(&world.store, on_demand()).expect("a run");
    let page = Kind::Html { status: 200, after_effect: true };
    sim.fault(Fault { nth: Some(2), ..Fault::once(page, Some(Call::Chat)) });
    world.run(&sim, 30).await;
    let open = world.open_failures();
    assert_eq!((open.len(), votes(&world.store).len(), paid_twice(&sim)), (1, 19, vec![]));
    assert_eq!(open[0].failure.cause, Cause::Unclear);
}

#[tokio::test]
async fn a_lost_answer_is_unclear_and_a_refusal_is_asked_again() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    start(&world.store, on_demand()).expect("a run");
    sim.fault(Fault { nth: Some(2), ..Fault::once(Kind::LostAnswer, Some(Call::Chat)) });
    let busy = Kind::Status {
        status: 503,
        message: None,
        error_type: None,
        code: None,
        retry_after_s: Some(5),
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    };
    sim.fault(Fault { nth: Some(5), ..Fault::once(busy, Some(Call::Chat)) });
    world.run(&sim, 30).await;
    let open = world.open_failures();
    assert_eq!((open.len(), votes(&world.store).len(), paid_twice(&sim)), (1, 19, vec![]));
    assert_eq!(open[0].failure.cause, Cause::Unclear);
}

#[tokio::test]
async fn stragglers_of_a_batch_can_be_asked_at_once() {
    let sim = simulator(SimConfig::default()).await;
    let reject = Kind::RowStatus { status: 400, message: "no".to_owned(), error_type: None, param: None, code: None };
    sim.fault(Fault { rows: Some(3), ..Fault::once(reject, None) });
    let world = World::new(&sim, 20);
    start(&world.store, Plan { mode: Mode::Batch, ..on_demand() }).expect("a run");
    world.run(&sim, 30).await;
    assert_eq!(votes(&world.store).len(), 17);
    assert_eq!(world.engine.ask_again(ManifestId(1), |_| true, |_| true, true).expect("planned"), 3);
    world.run(&sim, 30).await;
    assert_eq!((votes(&world.store).len(), paid_twice(&sim), sim.batches().len()), (20, vec![], 1));
}

#[tokio::test]
async fn a_gateway_that_stops_waiting_is_not_taken_for_a_free_refusal() {
    // As a proxy with a limit of its own in front of a model that thinks: answered and billed there, 504 here.
    for gateway in [
        Kind::Html { status: 504, after_effect: true },
        Kind::Html { status: 502, after_effect: true },
        cut_off(408),
        cut_off(504),
        cut_off(524),
    ] {
        let sim = simulator(SimConfig::default()).await;
        let world = World::new(&sim, 20);
        start(&world.store, on_demand()).expect("a run");
        sim.fault(Fault { on: Some(Call::Chat), ..Fault::from(gateway) });
        world.run(&sim, 30).await;
        assert_eq!((sim.executed().len(), paid_twice(&sim)), (8, vec![]), "the first few show it");
        let pause = world.manifest().paused.expect("it waits for the user");
        assert_eq!(pause.kind, PauseKind::Unclear, "{pause:?}");
        assert!(pause.words.contains("none of 8 calls") && pause.words.contains("billed"), "{pause:?}");
        let open = world.open_failures();
        assert!(open.len() == 8 && open.iter().all(|failure| failure.failure.cause == Cause::Unclear), "{open:?}");
        // The proxy is repaired, and the user goes on: only what was never asked is asked.
        sim.clear_faults();
        world.store.change_manifest(ManifestId(1), |manifest| manifest.paused = None).expect("resumed");
        world.run(&sim, 30).await;
        assert_eq!((votes(&world.store).len(), paid_twice(&sim)), (12, vec![]));
    }
}

fn cut_off(status: u16) -> Kind {
    Kind::Status {
        status,
        message: None,
        error_type: None,
        code: None,
        retry_after_s: None,
        retry_after_ms: None,
        should_retry: None,
        after_effect: true,
    }
}

#[tokio::test]
async fn the_budget_stops_synchronous_calls_that_cost_more_than_was_thought() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 40);
    start(&world.store, on_demand()).expect("a run");
    let whole = {
        let other = World::new(&sim, 40);
        start(&other.store, on_demand()).expect("a run");
        other.run(&sim, 30).await;
        other.batches()[0].usd
    };
    // The estimate knows nothing: everything costs more than it says.
    let budget = whole * 0.7;
    world.store.change_batch(world.batches()[0].id, |batch| batch.tokens = 0).expect("the batch");
    let change = world.store.change_manifest(ManifestId(1), |manifest| {
        manifest.budget_usd = Some(budget);
        manifest.prices.iter_mut().for_each(|price| price.output_tokens = 0.0);
    });
    change.expect("the run");
    world.run(&sim, 30).await;
    let (batch, pause) = (world.batches().remove(0), world.manifest().paused.expect("it waits for the user"));
    assert_eq!(pause.kind, PauseKind::Budget, "{pause:?}");
    assert!(batch.usd <= budget && batch.votes > 8, "{} of {budget}, {} votes", batch.usd, batch.votes);
}
