//! Asked once, paid once: what the user does while the loop is at work, and batches that are lost and found.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use quorum_core::{
    ensemble::Ensemble,
    manifest::{BatchState, ManifestId, ManifestState, Pause, PauseKind},
};
use quorum_engine::{DraftRequest, Event, draft, is_current};
use quorum_sim::{Call, Fault, Kind, SimConfig, Simulator};
use quorum_store::{Store, testing::FrozenBackend};

use crate::world::{
    DATASET, HandClock, Plan, START, World, import, options, paid_twice, provider, simulator, start, topic, votes,
};

const RUN: ManifestId = ManifestId(1);

fn ensemble(text: &str) -> Ensemble {
    Ensemble::read(text).expect("an ensemble")
}

fn mini() -> Plan {
    Plan { ensemble: ensemble("gpt-5-mini:1"), ..Plan::default() }
}

/// A run of 20 requests to one model, planned and not sent.
pub async fn planned(faults: impl IntoIterator<Item = Fault>) -> (Simulator, World) {
    let sim = simulator(SimConfig::default()).await;
    for fault in faults {
        sim.fault(fault);
    }
    let world = World::new(&sim, 20);
    start(&world.store, mini()).expect("a run");
    (sim, world)
}

pub fn status(status: u16, on: Call) -> Fault {
    let kind = Kind::Status {
        status,
        message: None,
        error_type: None,
        code: None,
        retry_after_s: None,
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    };
    Fault { on: Some(on), ..Fault::from(kind) }
}

fn rows(status: u16, rows: u64) -> Fault {
    let kind = Kind::RowStatus { status, message: "no".to_owned(), error_type: None, param: None, code: None };
    Fault { rows: Some(rows), ..Fault::once(kind, None) }
}

fn slow() -> Kind {
    Kind::LongRunning { seconds: 36_000, observations: 0 }
}

pub fn creations(sim: &Simulator) -> usize {
    sim.calls().iter().filter(|call| call.method == "POST" && call.path == "/v1/batches").count()
}

pub fn assert_whole(sim: &Simulator, world: &World) {
    assert_eq!(world.state(), ManifestState::Completed, "{:?}", world.batches());
    assert_eq!((votes(&world.store).len(), paid_twice(sim)), (20, vec![]));
}

/// The user's retry of everything.
fn ask_again(world: &World) -> u64 {
    world.engine.ask_again(RUN, |_| true, |_| true, false).expect("planned")
}

fn set_paused(world: &World, is_paused: bool) {
    let pause = is_paused.then(|| Pause { kind: PauseKind::User, words: "by you".to_owned() });
    world.store.change_manifest(RUN, |manifest| manifest.paused = pause).expect("changed");
}

#[tokio::test]
async fn what_a_missing_batch_of_the_same_run_asks_is_not_asked_again_by_itself() {
    let expire = Fault::once(Kind::Expire { fraction: 0.3 }, None);
    let vanish = Fault { nth: Some(2), ..Fault::once(Kind::Vanish { live: true }, None) };
    let (sim, world) = planned([expire, vanish]).await;
    world.run(&sim, 3_600).await;
    assert_eq!(world.states(), [BatchState::Ingested, BatchState::Missing]);
    for _ in 0..20 {
        world.pass(&sim, 3_600);
        world.tick().await.expect("a tick");
    }
    assert_eq!((world.state(), creations(&sim), world.manifest().round), (ManifestState::NeedsUser, 2, 1));
    // Only whoever says so pays once more, and only for what is open.
    assert_eq!(ask_again(&world), u64::from(world.batches()[1].requests));
}

/// A run whose one batch was made and runs, which this store does not know; and an hour of looks with another project's key.
async fn unclear_while_the_key_is_another_projects() -> (Simulator, Simulator, World) {
    let (sim, world) =
        planned([Fault::once(Kind::LostAnswer, Some(Call::CreateBatch)), Fault::once(slow(), None)]).await;
    world.tick().await.expect("a tick");
    assert_eq!((world.states(), creations(&sim)), (vec![BatchState::Creating], 1));
    let elsewhere = simulator(SimConfig::default()).await;
    let world = world.restarted(&elsewhere, None);
    for _ in 0..20 {
        world.pass(&elsewhere, 600);
        world.tick().await.expect("a tick");
    }
    (sim, elsewhere, world)
}

#[tokio::test]
async fn an_unclear_creation_is_not_repeated_in_another_projects_account() {
    let (sim, elsewhere, world) = unclear_while_the_key_is_another_projects().await;
    assert_eq!((world.states(), creations(&elsewhere)), (vec![BatchState::Missing], 0));
    let world = world.restarted(&sim, None);
    world.run(&sim, 3_600).await;
    assert_whole(&sim, &world);
    assert_eq!(creations(&sim), 1);
}

#[tokio::test]
async fn a_creation_that_never_arrived_is_made_once_its_own_account_is_looked_at_again() {
    let (sim, world) = planned([Fault::once(Kind::DropRequest, Some(Call::CreateBatch))]).await;
    world.tick().await.expect("a tick");
    let elsewhere = simulator(SimConfig::default()).await;
    let world = world.restarted(&elsewhere, None);
    for _ in 0..20 {
        world.pass(&elsewhere, 600);
        world.tick().await.expect("a tick");
    }
    assert_eq!((world.states(), creations(&elsewhere)), (vec![BatchState::Missing], 0));
    let world = world.restarted(&sim, None);
    world.tick().await.expect("a tick");
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn a_run_cancelled_while_an_unclear_creation_was_out_of_sight_takes_what_turns_up() {
    let (sim, elsewhere, world) = unclear_while_the_key_is_another_projects().await;
    world.store.change_manifest(RUN, |manifest| manifest.cancelled = true).expect("cancelled");
    world.pass(&elsewhere, 600);
    world.tick().await.expect("a tick");
    assert_eq!(world.states(), [BatchState::Cancelled]);
    // Another run makes the loop look at the first project again.
    let world = world.restarted(&sim, None);
    start(&world.store, Plan { ensemble: ensemble("gpt-5-nano:1"), ..Plan::default() }).expect("a run");
    for _ in 0..4 {
        world.tick().await.expect("a tick");
        world.pass(&sim, 60);
    }
    assert_eq!(sim.batches()[0].status.as_str(), "cancelled", "it would be paid in vain");
    assert_eq!(paid_twice(&sim), []);
}

#[tokio::test]
async fn an_unclear_creation_at_a_server_without_metadata_is_known_by_its_input_file() {
    let lost = Fault::once(Kind::LostAnswer, Some(Call::CreateBatch));
    let (sim, world) = planned([lost, Fault::once(Kind::NoMetadata, None)]).await;
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
    assert_eq!(creations(&sim), 1);
}

#[tokio::test]
async fn a_run_that_is_paused_when_its_last_batch_comes_in_is_complete() {
    let (sim, world) = planned([]).await;
    world.tick().await.expect("a tick");
    set_paused(&world, true);
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
    assert_eq!(world.manifest().paused, None);
}

#[tokio::test]
async fn a_paused_run_keeps_its_next_round_until_it_is_resumed() {
    let (sim, world) = planned([Fault::once(Kind::Expire { fraction: 0.3 }, None)]).await;
    world.tick().await.expect("a tick");
    set_paused(&world, true);
    world.run(&sim, 3_600).await;
    for _ in 0..3 {
        world.pass(&sim, 3_600);
        world.tick().await.expect("a tick");
    }
    assert_eq!((world.state(), creations(&sim)), (ManifestState::NeedsUser, 1));
    set_paused(&world, false);
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn looks_in_quick_succession_do_not_make_a_batch_missing() {
    let (sim, world) = planned([Fault::once(Kind::Vanish { live: true }, None)]).await;
    world.tick().await.expect("a tick");
    world.pass(&sim, 30);
    for _ in 0..10 {
        world.tick().await.expect("a tick");
    }
    assert_eq!(world.states(), [BatchState::Validating]);
    world.run(&sim, 30).await;
    assert_eq!(world.states(), [BatchState::Missing]);
}

/// Five rows of the first batch failed; their round is planned and not sent yet.
async fn round_planned() -> (Simulator, World) {
    let (sim, world) = planned([rows(500, 5)]).await;
    while world.batches().len() < 2 {
        world.tick().await.expect("a tick");
        world.pass(&sim, 10);
    }
    assert_eq!(world.states(), [BatchState::Ingested, BatchState::Planned]);
    (sim, world)
}

#[tokio::test]
async fn asking_again_while_paused_asks_nothing_that_waits_to_be_sent() {
    let (sim, world) = round_planned().await;
    set_paused(&world, true);
    assert_eq!(ask_again(&world), 0);
    assert_eq!(world.manifest().paused.map(|pause| pause.kind), Some(PauseKind::User), "and it stays paused");
    set_paused(&world, false);
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    assert_eq!(sim.executed().len(), 25);
}

#[tokio::test]
async fn what_else_is_asked_again_while_paused_lets_nothing_go_that_the_pause_holds() {
    // A refused batch may be asked again; the other one waits on the user's wish.
    let refuse = Kind::FailValidation {
        code: "invalid_json_line".to_owned(),
        message: "This line is not parseable as valid JSON.".to_owned(),
        param: None,
        line: Some(7),
    };
    let sim = simulator(SimConfig::default()).await;
    sim.fault(Fault::once(refuse, None));
    let world = World::new(&sim, 20);
    start(&world.store, Plan { requests_max: 10, ..mini() }).expect("a run");
    world.store.change_batch(world.batches()[1].id, |batch| batch.retry_at = Some(START + 500)).expect("changed");
    while world.states()[0] != BatchState::Failed {
        world.tick().await.expect("a tick");
        world.pass(&sim, 10);
    }
    set_paused(&world, true);
    assert_eq!(ask_again(&world), 10);
    world.run(&sim, 600).await;
    assert_eq!((world.manifest().paused.is_some(), creations(&sim)), (true, 1));
    set_paused(&world, false);
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn asking_again_waits_until_a_cancelled_run_is_through() {
    let (sim, world) = round_planned().await;
    world.store.change_manifest(RUN, |manifest| manifest.cancelled = true).expect("cancelled");
    assert_eq!(ask_again(&world), 0, "the round is still there to be given up");
    world.run(&sim, 30).await;
    assert_eq!((world.state(), creations(&sim)), (ManifestState::Cancelled, 1));
    assert_eq!(ask_again(&world), 5);
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    assert_eq!(sim.executed().len(), 25);
}

/// Somebody asks again at the moment at which the last batch came in, while the tick that brought it still runs.
async fn asked_again_within_a_tick(row_status: u16) -> (Simulator, World, u64) {
    let sim = simulator(SimConfig::default()).await;
    sim.fault(rows(row_status, 5));
    let store = Arc::new(Store::open_with_backend(FrozenBackend::new()).expect("a store"));
    import(&store, 1, 20);
    let folder = tempfile::tempdir().expect("a folder");
    start(&store, mini()).expect("a run");
    let clock = HandClock::at(START);
    let user = World::on(Arc::clone(&store), clock.clone(), provider(&sim, None), folder.path());
    let asked = Arc::new(AtomicU64::new(0));
    let tell = {
        let asked = Arc::clone(&asked);
        move |event: Event| {
            let is_in = user.states() == [BatchState::Ingested];
            if matches!(event, Event::BatchChanged(_)) && is_in {
                asked.fetch_add(ask_again(&user), Ordering::SeqCst);
            }
        }
    };
    let world = World::telling(store, clock, provider(&sim, None), folder.path(), tell);
    world.run(&sim, 30).await;
    (sim, world, asked.load(Ordering::SeqCst))
}

#[tokio::test]
async fn asking_again_while_a_tick_runs_asks_once_and_is_carried_out() {
    // What the loop would ask again too, and what it would not.
    for row_status in [500, 400] {
        let (sim, world, asked) = asked_again_within_a_tick(row_status).await;
        assert_eq!((asked, world.states()), (5, vec![BatchState::Ingested; 2]), "rows of status {row_status}");
        assert_whole(&sim, &world);
        let ended = world.store.activity(1_000).expect("the log");
        assert_eq!(ended.iter().filter(|entry| entry.title.contains("is complete")).count(), 1);
    }
}

#[tokio::test]
async fn a_place_that_another_model_took_is_not_asked_of_the_first() {
    // The other model is still at work when the first one's run could go on, or has answered by then.
    for seconds in [36_000, 60] {
        let sim = simulator(SimConfig::default()).await;
        sim.fault(rows(500, 5));
        let second = Fault { nth: Some(2), ..Fault::once(Kind::LongRunning { seconds: 3_600, observations: 0 }, None) };
        sim.fault(second);
        sim.fault(Fault { nth: Some(3), ..Fault::once(Kind::LongRunning { seconds, observations: 0 }, None) });
        let world = World::new(&sim, 20);
        start(&world.store, Plan { requests_max: 10, ..mini() }).expect("a run");
        while world.states() != [BatchState::Ingested, BatchState::InProgress] {
            world.tick().await.expect("a tick");
            world.pass(&sim, 10);
        }
        // Five failed and their round waits for the second batch. Another model takes their place.
        let replacing = ensemble("gpt-5-nano=gpt-5-mini:1");
        let wish_topic = topic();
        let dataset = world.store.dataset(&DATASET.into()).expect("the dataset");
        let wish = DraftRequest {
            realm: world.manifest().realm,
            topic: &wish_topic,
            k: 1_000,
            ensemble: &replacing,
            models: &quorum_core::models::ModelTable::default(),
            limits: &|_| quorum_core::plan::BatchLimits::default(),
        };
        let looked_at = draft(&world.store, &dataset, wish).expect("a draft");
        let plan = Plan { ensemble: replacing.clone(), ..Plan::default() };
        let other = start(&world.store, plan).expect("what is missing");
        assert_eq!(world.store.batches(other.id).expect("read")[0].requests, 5);
        assert!(!is_current(&world.store, other.realm, &wish_topic, &looked_at).expect("read"));
        world.run(&sim, 60).await;
        assert_eq!((world.states().len(), world.manifest().finished_at.is_some()), (2, true), "no further round");
        assert_eq!(ask_again(&world), 0, "nor by the user");
        assert_eq!((votes(&world.store).len(), creations(&sim)), (20, 3));
        let paid = sim.executed().iter().filter(|row| row.status == 200).count();
        assert_eq!(paid, 20, "one answer for each place");
    }
}

#[tokio::test]
async fn of_two_running_attempts_one_is_kept() {
    // The first is listed only 300 s later, when the second is being worked on.
    let lost = Fault::once(Kind::LostAnswer, Some(Call::CreateBatch));
    let hidden = Fault::once(Kind::Unlisted { seconds: 300 }, None);
    let (sim, world) = planned([lost, hidden, Fault::from(slow())]).await;
    world.run(&sim, 30).await;
    let statuses: Vec<&str> = sim.batches().iter().map(|batch| batch.status.as_str()).collect();
    assert_eq!(statuses, ["completed", "cancelled"]);
    assert_whole(&sim, &world);
    assert_eq!(world.manifest().round, 0);
}

#[tokio::test]
async fn two_copies_of_a_store_that_both_sent_keep_the_same_batch() {
    let sim = simulator(SimConfig::default()).await;
    sim.fault(Fault::from(slow()));
    sim.fault(Fault::from(Kind::Unlisted { seconds: 60 }));
    let disk = FrozenBackend::new();
    let store = Arc::new(Store::open_with_backend(disk.clone()).expect("a store"));
    import(&store, 1, 20);
    start(&store, mini()).expect("a run");
    let image = disk.bytes();
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let copy = Arc::new(Store::open_with_backend(FrozenBackend::from_image(image)).expect("a store"));
    let clock = HandClock::at(START);
    let worlds = [(store, &folders[0]), (copy, &folders[1])]
        .map(|(store, folder)| World::on(store, clock.clone(), provider(&sim, None), folder.path()));
    for world in &worlds {
        // Whoever is first would delete the results of the other.
        world.engine.set_options(quorum_engine::Options { delete_files: false, ..options() });
    }
    for _ in 0..2_000 {
        for world in &worlds {
            world.tick().await.expect("a tick");
        }
        if worlds.iter().all(|world| world.manifest().finished_at.is_some()) {
            break;
        }
        worlds[0].pass(&sim, 30);
    }
    let mut statuses: Vec<&str> = sim.batches().iter().map(|batch| batch.status.as_str()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["cancelled", "completed"]);
    for world in &worlds {
        assert_whole(&sim, world);
    }
}

#[tokio::test]
async fn an_error_of_one_run_holds_up_no_other() {
    let (sim, world) = planned([]).await;
    let other = start(&world.store, Plan { ensemble: ensemble("gpt-5-nano:1"), ..Plan::default() }).expect("a run");
    // What the first one brings can be put nowhere.
    world.store.change_manifest(RUN, |manifest| manifest.space = 99).expect("changed");
    let mut errors = 0;
    for _ in 0..20 {
        errors += u32::from(world.tick().await.is_err());
        world.pass(&sim, 30);
    }
    assert!(errors > 5, "{errors} errors");
    assert!(world.store.manifest(other.id).expect("read").finished_at.is_some());
    assert_eq!(world.states(), [BatchState::Ready]);
    assert_eq!(votes(&world.store).len(), 20);
}

#[tokio::test]
async fn a_batch_given_up_while_unknown_brings_its_answers_when_it_turns_up() {
    let (sim, world) = planned([]).await;
    let elsewhere = simulator(SimConfig::default()).await;
    world.tick().await.expect("a tick");
    // Another project's key is stored, and the user gives the run up.
    let world = world.restarted(&elsewhere, None);
    world.run(&sim, 60).await;
    assert_eq!(world.states(), [BatchState::Missing]);
    world.store.change_manifest(RUN, |manifest| manifest.cancelled = true).expect("cancelled");
    world.run(&sim, 60).await;
    assert_eq!((world.states(), votes(&world.store).len()), (vec![BatchState::Cancelled], 0));
    assert!(world.engine.providers_with_work().expect("read").is_empty(), "nothing is polled for its sake");
    // The first key is back, with another run.
    let world = world.restarted(&sim, None);
    start(&world.store, Plan { ensemble: ensemble("gpt-5-nano:1"), ..Plan::default() }).expect("a run");
    world.run(&sim, 60).await;
    assert_eq!(world.states(), [BatchState::Ingested]);
    assert_eq!((votes(&world.store).len(), paid_twice(&sim)), (40, vec![]));
}
