//! Terms that are changed, or go, while a run is under way: nothing is asked under the old name, and nothing that was paid is lost.

use std::sync::Arc;

use quorum_core::{
    ensemble::Ensemble,
    ids::TopicId,
    manifest::{BatchState, Cause, ManifestState, Mode, PauseKind},
    schema::Schema,
    topic::Topic,
};
use quorum_engine::Topics;
use quorum_sim::{Call, Fault, Kind, SimConfig, Simulator};

use crate::world::{Plan, World, simulator, start, topic, votes};

/// A catalog in which the topic asks this.
struct Asks(Option<Arc<Topic>>);

impl Topics for Asks {
    fn topic(&self, _: &TopicId) -> Option<Arc<Topic>> {
        self.0.clone()
    }
}

fn reworded() -> Arc<dyn Topics> {
    let topic = topic();
    let terms = topic.schema.fields().iter().map(|field| {
        let mut term = field.term.clone();
        term.values[0].description.push_str(" Said otherwise.");
        term
    });
    Arc::new(Asks(Some(Arc::new(Topic { schema: Schema::new(terms), ..(*topic).clone() }))))
}

fn with_a_field_less() -> Arc<dyn Topics> {
    let topic = topic();
    let terms = topic.schema.fields().iter().skip(1).map(|field| field.term.clone());
    Arc::new(Asks(Some(Arc::new(Topic { schema: Schema::new(terms), ..(*topic).clone() }))))
}

fn gone() -> Arc<dyn Topics> {
    Arc::new(Asks(None))
}

/// A run of 20 synchronous calls, stopped after the first eight by a provider that is busy.
async fn under_way() -> (Simulator, World) {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    let ensemble = Ensemble::read("gpt-5-mini:1").expect("an ensemble");
    start(&world.store, Plan { ensemble, mode: Mode::OnDemand, ..Plan::default() }).expect("a run");
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
    sim.fault(Fault { nth: Some(9), ..Fault::once(busy, Some(Call::Chat)) });
    world.tick().await.expect("a tick");
    assert_eq!(world.states(), [BatchState::InProgress]);
    (sim, world)
}

#[tokio::test]
async fn synchronous_calls_stop_when_the_terms_were_changed() {
    for catalog in [reworded(), with_a_field_less(), gone()] {
        let (sim, world) = under_way().await;
        let (asked, stored) = (sim.executed().len(), votes(&world.store));
        let world = world.with_catalog(&sim, catalog);
        world.pass(&sim, 60);
        world.run(&sim, 60).await;
        let pause = world.manifest().paused.expect("it waits for the user");
        assert_eq!((pause.kind, world.state()), (PauseKind::TermsChanged, ManifestState::NeedsUser));
        assert_eq!((sim.executed().len(), votes(&world.store)), (asked, stored));
        assert!(world.logged(&format!("{} requests wait", 20 - asked)), "what waits is said");
    }
}

#[tokio::test]
async fn what_was_on_its_way_when_the_terms_were_changed_is_settled_by_the_old_ones() {
    for catalog in [reworded(), with_a_field_less(), gone()] {
        let sim = simulator(SimConfig::default()).await;
        let world = World::new(&sim, 20);
        let ensemble = Ensemble::read("gpt-5-mini:1").expect("an ensemble");
        start(&world.store, Plan { ensemble, mode: Mode::OnDemand, ..Plan::default() }).expect("a run");
        sim.fault(Fault { nth: Some(3), ..Fault::once(Kind::Hang { after_effect: true }, Some(Call::Chat)) });
        let mut hanging = sim.hanging();
        tokio::select! {
            _ = hanging.changed() => {}
            _ = world.tick() => panic!("it waits for the answer"),
        }
        let world = world.with_catalog(&sim, catalog);
        world.run(&sim, 60).await;
        let open = world.open_failures();
        assert_eq!((open.len(), open[0].failure.cause), (8, Cause::Unclear));
        assert_eq!(world.manifest().paused.map(|pause| pause.kind), Some(PauseKind::TermsChanged));
    }
}

#[tokio::test]
async fn a_batch_that_is_not_sent_yet_stays_here_when_the_terms_were_changed() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    start(&world.store, Plan::default()).expect("a run");
    let world = world.with_catalog(&sim, reworded());
    world.run(&sim, 60).await;
    assert_eq!(world.manifest().paused.map(|pause| pause.kind), Some(PauseKind::TermsChanged));
    assert_eq!((sim.batches().len(), sim.calls().iter().filter(|call| call.method == "POST").count()), (0, 0));
}
