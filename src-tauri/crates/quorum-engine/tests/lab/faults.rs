//! Faults one by one, as docs/faults.md lists them: what is kept, what happens next, and what is never done twice.

use std::sync::Arc;

use quorum_core::manifest::{Batch, BatchState, Cause, ManifestId, ManifestState, PauseKind, TroubleKind};
use quorum_engine::{Allowances, Clock};
use quorum_sim::{AccountLimits, Call, Fault, Kind, SimConfig, Simulator, Stage};
use quorum_store::{Store, testing::FrozenBackend};

use crate::world::{
    HandClock, Plan, START, World, import, paid_twice, provider, request_tokens, simulator, start, votes,
};

/// A run of 20 requests to one model, planned and not sent; `faults` are armed.
async fn one_model(faults: impl IntoIterator<Item = Fault>) -> (Simulator, World) {
    let sim = simulator(SimConfig::default()).await;
    for fault in faults {
        sim.fault(fault);
    }
    let world = World::new(&sim, 20);
    start(&world.store, mini()).expect("a run");
    (sim, world)
}

fn mini() -> Plan {
    Plan { ensemble: "gpt-5-mini:1".parse_ensemble(), ..Plan::default() }
}

trait ParseEnsemble {
    fn parse_ensemble(&self) -> quorum_core::ensemble::Ensemble;
}

impl ParseEnsemble for str {
    fn parse_ensemble(&self) -> quorum_core::ensemble::Ensemble {
        quorum_core::ensemble::Ensemble::read(self).expect("an ensemble")
    }
}

fn create(kind: Kind) -> Fault {
    Fault::once(kind, Some(Call::CreateBatch))
}

fn status(status: u16, retry_after_s: Option<u64>) -> Kind {
    Kind::Status {
        status,
        message: None,
        error_type: None,
        code: None,
        retry_after_s,
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    }
}

/// All 20 votes are there, and no request was paid twice.
fn assert_whole(sim: &Simulator, world: &World) {
    assert_eq!(world.state(), ManifestState::Completed, "{:?}", world.batches());
    assert_eq!(votes(&world.store).len(), 20);
    assert_eq!(paid_twice(sim), []);
}

fn creations(sim: &Simulator) -> usize {
    sim.calls().iter().filter(|call| call.method == "POST" && call.path == "/v1/batches").count()
}

fn trouble(world: &World) -> Option<TroubleKind> {
    world.batches().iter().find_map(|batch| batch.trouble.as_ref().map(|trouble| trouble.kind))
}

#[tokio::test]
async fn a_batch_whose_creation_was_not_answered_is_adopted() {
    for kind in [
        Kind::LostAnswer,
        Kind::Html { status: 200, after_effect: true },
        Kind::TruncatedBody { bytes: 40 },
        Kind::Reset { bytes: 10 },
    ] {
        let (sim, world) = one_model([create(kind)]).await;
        world.run(&sim, 30).await;
        assert_whole(&sim, &world);
        assert_eq!(creations(&sim), 1, "it was looked for, not made again");
    }
}

#[tokio::test]
async fn a_creation_that_never_arrived_is_repeated_after_two_looks() {
    let (sim, world) = one_model([create(Kind::DropRequest)]).await;
    world.tick().await.expect("a tick");
    assert_eq!(world.states(), [BatchState::Creating]);
    world.pass(&sim, 30);
    world.tick().await.expect("a tick");
    assert_eq!((world.states(), creations(&sim)), (vec![BatchState::Creating], 1));
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn of_two_attempts_the_one_that_is_ahead_is_taken_and_the_other_cancelled() {
    // The first is listed only 300 s later, long after a second one was made.
    let slow = Fault { nth: Some(2), ..Fault::once(Kind::LongRunning { seconds: 3_600, observations: 9 }, None) };
    let (sim, world) =
        one_model([create(Kind::LostAnswer), Fault::once(Kind::Unlisted { seconds: 300 }, None), slow]).await;
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    let statuses: Vec<&str> = sim.batches().iter().map(|batch| batch.status.as_str()).collect();
    assert_eq!(statuses, ["completed", "cancelling"]);
}

#[tokio::test]
async fn a_full_queue_is_waited_for_and_its_size_is_learned() {
    let limit = request_tokens() * 8;
    let limits =
        AccountLimits { enqueued_tokens: [("gpt-5-mini".to_owned(), limit)].into(), ..AccountLimits::default() };
    let sim = simulator(SimConfig { limits, ..SimConfig::default() }).await;
    let world = World::new(&sim, 20);
    start(&world.store, mini()).expect("a run");
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    let known = Allowances::load(&world.store).expect("settings").known("sandbox", &"gpt-5-mini".into());
    assert_eq!(known, Some(limit));
    assert!(world.batches().len() >= 3, "cut to fit: {:?}", world.states());
    let refused = sim.batches().iter().filter(|batch| batch.status.as_str() == "failed").count();
    assert_eq!(refused, 1, "one refusal teaches the limit");
}

#[tokio::test]
async fn a_batch_that_the_provider_counts_as_larger_than_we_do_is_cut_in_two() {
    // By our count all twenty fit; the account has room for half as much as it says.
    let words = |limit| Kind::TokenLimitExceeded { limit };
    let (sim, world) = one_model([Fault { count: Some(3), ..Fault::from(words(request_tokens() * 40)) }]).await;
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
    assert_eq!(world.batches().len(), 2, "{:?}", world.states());
}

#[tokio::test]
async fn of_an_expired_batch_what_is_paid_is_kept_and_only_the_rest_is_asked_again() {
    let (sim, world) = one_model([Fault::once(Kind::Expire { fraction: 0.5 }, None)]).await;
    world.run(&sim, 3_600).await;
    assert_whole(&sim, &world);
    assert_eq!(world.manifest().round, 1);
    assert_eq!(world.batches()[1].requests + world.batches()[0].votes, 20);
}

#[tokio::test]
async fn a_batch_that_somebody_cancelled_gives_what_it_has_and_the_user_decides_about_the_rest() {
    let (sim, world) = one_model([Fault::once(Kind::Cancel { fraction: 0.4 }, None)]).await;
    world.run(&sim, 30).await;
    let open = world.open_failures();
    assert_eq!((votes(&world.store).len() + open.len(), world.manifest().round), (20, 0));
    assert!(!open.is_empty() && open.iter().all(|failure| failure.failure.cause == Cause::Cancelled));
    world.engine.ask_again(ManifestId(1), |_| true, |_| true, false).expect("planned");
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn rows_that_met_a_passing_fault_are_asked_again_and_the_others_are_not() {
    let row = |status, row| Fault {
        row: Some(row),
        ..Fault::once(
            Kind::RowStatus { status, message: "no".to_owned(), error_type: None, param: None, code: None },
            None,
        )
    };
    let zero = Fault { row: Some(3), ..Fault::once(Kind::StatusZero, None) };
    let timeout = Fault { row: Some(4), ..Fault::once(Kind::RequestTimeout, None) };
    let (sim, world) = one_model([row(500, 1), row(400, 2), zero, timeout, row(429, 5)]).await;
    world.run(&sim, 30).await;
    assert_eq!(votes(&world.store).len(), 19);
    let open = world.open_failures();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].failure.cause, open[0].failure.status, open[0].failure.words.as_str()),
        (Cause::Rejected, 400, "no")
    );
    assert_eq!(world.batches()[1].requests, 4);
    assert_eq!(paid_twice(&sim), []);
}

#[tokio::test]
async fn cut_off_refused_and_missing_rows_have_their_own_causes() {
    let at = |kind, row| Fault { row: Some(row), ..Fault::from(kind) };
    let (sim, world) = one_model([at(Kind::Refusal, 1), at(Kind::Length, 2), at(Kind::Missing, 3)]).await;
    world.tick().await.expect("a tick");
    for _ in 0..6 {
        world.pass(&sim, 30);
        world.tick().await.expect("a tick");
    }
    let first: Vec<Cause> =
        world.store.failures(ManifestId(1)).expect("read").iter().take(3).map(|failed| failed.failure.cause).collect();
    assert_eq!(first, [Cause::Refused, Cause::CutOff, Cause::Lost]);
}

#[tokio::test]
async fn a_model_that_rejects_a_parameter_costs_four_requests() {
    let reject = Kind::Status {
        status: 400,
        message: Some("Unsupported value: 'temperature' does not support 0.2 with this model.".to_owned()),
        error_type: Some("invalid_request_error".to_owned()),
        code: Some("unsupported_value".to_owned()),
        retry_after_s: None,
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    };
    let sim = simulator(SimConfig::default()).await;
    sim.fault(Fault { on: Some(Call::Chat), ..Fault::from(reject) });
    let world = World::new(&sim, 20);
    start(&world.store, Plan { canary: true, ..mini() }).expect("a run");
    world.run(&sim, 30).await;
    assert_eq!((world.states(), creations(&sim)), (vec![BatchState::Ingested, BatchState::Planned], 0));
    let pause = world.manifest().paused.expect("the user decides");
    assert_eq!(pause.kind, PauseKind::Canary);
    assert!(pause.words.contains("none of its 4 trial requests") && pause.words.contains("temperature"), "{pause:?}");
    assert_eq!(world.state(), ManifestState::NeedsUser);
    // Going on all the same is the user's right.
    world
        .store
        .change_manifest(ManifestId(1), |manifest| (manifest.paused, manifest.skips_canary) = (None, true))
        .expect("resumed");
    world.run(&sim, 30).await;
    assert_eq!(votes(&world.store).len(), 16);
}

#[tokio::test]
async fn a_trial_that_meets_a_passing_fault_holds_nothing_up() {
    let sim = simulator(SimConfig::default()).await;
    sim.fault(Fault { count: Some(1_000), on: Some(Call::Chat), ..Fault::from(Kind::LostAnswer) });
    let world = World::new(&sim, 20);
    start(&world.store, Plan { canary: true, ..mini() }).expect("a run");
    world.run(&sim, 30).await;
    assert_eq!((world.state(), world.manifest().paused), (ManifestState::Completed, None));
    let open = world.open_failures();
    assert!(open.iter().all(|failure| failure.failure.cause == Cause::Unclear), "{open:?}");
    assert_eq!((votes(&world.store).len(), open.len(), paid_twice(&sim)), (16, 4, vec![]));
}

#[tokio::test]
async fn a_model_that_answers_its_trial_is_sent_the_rest_and_needs_no_trial_the_next_time() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    start(&world.store, Plan { canary: true, ..mini() }).expect("a run");
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    assert_eq!(world.batches().iter().map(|batch| batch.requests).collect::<Vec<_>>(), [4, 16]);
    let more = Plan { canary: true, ensemble: "gpt-5-mini:2".parse_ensemble(), ..Plan::default() };
    let next = start(&world.store, more).expect("a second run of the model");
    assert!(world.store.batches(next.id).expect("read").iter().all(|batch| !batch.is_canary));
}

#[tokio::test]
async fn a_batch_that_the_account_does_not_know_is_missing_before_it_is_lost() {
    let (sim, world) = one_model([Fault::once(Kind::Vanish { live: true }, None)]).await;
    for _ in 0..8 {
        world.tick().await.expect("a tick");
        world.pass(&sim, 30);
    }
    assert_eq!(world.states(), [BatchState::Missing]);
    assert!(world.logged("another project's key?"));
    assert_eq!((world.state(), creations(&sim)), (ManifestState::NeedsUser, 1));
    // The user sends it again; twice clicked is once sent.
    let again = || world.engine.ask_again(ManifestId(1), |_| true, |_| true, false).expect("planned");
    assert_eq!((again(), again()), (20, 0));
    world.run(&sim, 30).await;
    assert_eq!((votes(&world.store).len(), creations(&sim)), (20, 2));
}

#[tokio::test]
async fn results_that_are_gone_at_the_provider_wait_for_the_user() {
    let (sim, world) = one_model([]).await;
    while !world.states().contains(&BatchState::Finalizing) && !world.states().contains(&BatchState::InProgress) {
        world.tick().await.expect("a tick");
        world.pass(&sim, 10);
    }
    let gone = Kind::Status {
        status: 404,
        message: Some("No such File object".to_owned()),
        error_type: Some("invalid_request_error".to_owned()),
        code: None,
        retry_after_s: None,
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    };
    sim.fault(Fault { on: Some(Call::Download), ..Fault::from(gone) });
    world.run(&sim, 60).await;
    assert_eq!((world.states(), trouble(&world)), (vec![BatchState::Failed], Some(TroubleKind::ResultsGone)));
    assert_eq!((world.state(), creations(&sim)), (ManifestState::NeedsUser, 1));
}

#[tokio::test]
async fn a_refused_input_is_said_in_the_providers_words_and_sent_again_only_by_the_user() {
    let refuse = Kind::FailValidation {
        code: "invalid_json_line".to_owned(),
        message: "This line is not parseable as valid JSON.".to_owned(),
        param: None,
        line: Some(7),
    };
    let (sim, world) = one_model([Fault::once(refuse, None)]).await;
    world.run(&sim, 30).await;
    assert_eq!((world.states(), creations(&sim)), (vec![BatchState::Failed], 1));
    assert!(world.logged("nothing is paid") && world.logged("line 7"));
    assert_eq!(world.engine.ask_again(ManifestId(1), |_| true, |_| true, false).expect("planned"), 20);
    world.run(&sim, 30).await;
    assert_eq!(world.states(), [BatchState::Cancelled, BatchState::Ingested]);
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn a_refusal_that_may_pass_is_tried_again() {
    let hiccup = Kind::FailValidation {
        code: "server_error".to_owned(),
        message: "The server had an error.".to_owned(),
        param: None,
        line: None,
    };
    let (sim, world) = one_model([Fault { count: Some(2), ..Fault::from(hiccup) }]).await;
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
    assert_eq!(creations(&sim), 3);
}

#[tokio::test]
async fn an_input_file_that_the_provider_cannot_see_is_uploaded_again_and_then_reported() {
    for at in [Stage::Create, Stage::Validation] {
        let (sim, world) = one_model([Fault { count: Some(2), ..Fault::from(Kind::FileNotVisible { at }) }]).await;
        world.run(&sim, 60).await;
        assert_whole(&sim, &world);
        let (sim, world) = one_model([Fault::from(Kind::FileNotVisible { at })]).await;
        world.run(&sim, 60).await;
        assert_eq!((world.states(), trouble(&world)), (vec![BatchState::Failed], Some(TroubleKind::FileNotVisible)));
        assert_eq!(sim.executed().len(), 0);
    }
}

#[tokio::test]
async fn a_revoked_key_stops_the_run_and_another_key_goes_on() {
    let limits = AccountLimits { key_required: true, ..AccountLimits::default() };
    let sim = simulator(SimConfig { limits, ..SimConfig::default() }).await;
    let world = World::new(&sim, 20).restarted(&sim, Some("sk-one"));
    start(&world.store, mini()).expect("a run");
    world.tick().await.expect("a tick");
    sim.fault(Fault::once(Kind::RevokeKey, None));
    let trouble = |tick: quorum_engine::Tick| tick.connections[0].trouble.clone().map(|trouble| trouble.kind);
    for _ in 0..3 {
        world.pass(&sim, 600);
        assert_eq!(trouble(world.tick().await.expect("a tick")), Some(TroubleKind::KeyRefused));
    }
    let world = world.restarted(&sim, Some("sk-two"));
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    assert_eq!(creations(&sim), 1);
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_or_talks_html_costs_nothing_but_time() {
    for kind in [Kind::Html { status: 200, after_effect: false }, Kind::DropRequest, status(503, None)] {
        let (sim, world) = one_model([Fault { count: Some(12), ..Fault::from(kind) }]).await;
        world.run(&sim, 60).await;
        assert_whole(&sim, &world);
        assert_eq!(creations(&sim), 1);
    }
    let (mut sim, world) = one_model([]).await;
    world.tick().await.expect("a tick");
    sim.go_offline().await.expect("offline");
    world.pass(&sim, 30);
    let tick = world.tick().await.expect("a tick");
    assert_eq!(tick.connections[0].trouble.as_ref().map(|trouble| trouble.kind), Some(TroubleKind::Offline));
    sim.go_online().await.expect("online");
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn an_answer_to_slow_down_is_obeyed_to_the_second() {
    let (sim, world) = one_model([create(status(429, Some(700)))]).await;
    world.tick().await.expect("a tick");
    let tried = creations(&sim);
    world.pass(&sim, 690);
    world.tick().await.expect("a tick");
    assert_eq!((tried, creations(&sim)), (1, 1));
    world.pass(&sim, 11);
    world.tick().await.expect("a tick");
    assert_eq!(creations(&sim), 2);
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn a_download_that_breaks_or_is_cut_is_taken_again() {
    for kind in [
        Kind::Cut { bytes: 3_000 },
        Kind::Reset { bytes: 2_000 },
        Kind::TruncatedBody { bytes: 2_500 },
        Kind::Html { status: 200, after_effect: false },
    ] {
        let (sim, world) = one_model([Fault::once(kind, Some(Call::Download))]).await;
        world.run(&sim, 30).await;
        assert_whole(&sim, &world);
        assert_eq!(world.manifest().round, 0);
    }
}

#[tokio::test]
async fn a_download_that_a_proxy_cuts_between_two_lines_loses_no_paid_answer() {
    // How long the first lines are is read from an undisturbed download of the same run.
    let (sim, world) = one_model([]).await;
    world.engine.set_options(quorum_engine::Options { delete_files: false, ..crate::world::options() });
    world.run(&sim, 30).await;
    let file = world.batches()[0].output_file.clone().expect("an output file");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("whole.jsonl");
    provider(&sim, None).download_file(&file, &path).await.expect("downloaded");
    let whole = std::fs::read_to_string(&path).expect("text");
    let bytes = whole.split_inclusive('\n').take(12).map(str::len).sum::<usize>() as u64;
    let (sim, world) = one_model([Fault::once(Kind::TruncatedBody { bytes }, Some(Call::Download))]).await;
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    assert_eq!(world.manifest().round, 0, "the twelve lines were not taken for all there is");
}

#[tokio::test]
async fn odd_lines_in_the_result_files_change_no_vote() {
    let at = |kind, row| Fault { row: Some(row), ..Fault::once(kind, None) };
    let off = Fault::once(Kind::CountsOff { completed: -7, failed: 3 }, None);
    let (sim, world) = one_model([at(Kind::Duplicate, 1), at(Kind::Prose, 2), at(Kind::Fenced, 3), off]).await;
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn a_full_disk_stops_the_tick_and_room_lets_it_go_on() {
    let sim = simulator(SimConfig::default()).await;
    let disk = FrozenBackend::new();
    let backend = disk.clone();
    let store = Arc::new(Store::open_with_backends(move || backend.clone()).expect("a store"));
    import(&store, 1, 20);
    start(&store, mini()).expect("a run");
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::on(store, HandClock::at(START), provider(&sim, None), folder.path());
    let mut failed = 0;
    for write in 1..60 {
        disk.fill_at_write(disk.writes() + write % 7 + 1);
        failed += u32::from(world.tick().await.is_err());
        disk.free();
        world.pass(&sim, 30);
    }
    assert!(failed > 3, "the disk was full {failed} times");
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
}

#[tokio::test]
async fn a_computer_that_slept_for_thirty_hours_takes_up_where_it_was() {
    let (sim, world) = one_model([create(Kind::LostAnswer)]).await;
    world.tick().await.expect("a tick");
    world.pass(&sim, 30 * 3_600);
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    assert_eq!(creations(&sim), 1);
}

#[tokio::test]
async fn a_clock_that_is_put_back_stops_nothing() {
    let (sim, world) = one_model([create(Kind::DropRequest), create(status(503, None))]).await;
    world.tick().await.expect("a tick");
    world.clock.advance(-400 * 86_400);
    for _ in 0..40 {
        world.tick().await.expect("a tick");
        world.clock.advance(30);
        sim.advance(std::time::Duration::from_secs(30));
    }
    assert_whole(&sim, &world);
    assert!(world.clock.now() < START);
}

#[tokio::test]
async fn a_budget_stops_before_the_batch_that_would_exceed_it() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    let plan = || Plan { requests_max: 10, ..mini() };
    start(&world.store, plan()).expect("a run");
    let manifest = world.manifest();
    let each = manifest.usd_estimated / 2.0;
    assert!(each > 0.0);
    world.store.change_manifest(manifest.id, |manifest| manifest.budget_usd = Some(each * 1.5)).expect("changed");
    world.run(&sim, 30).await;
    assert_eq!(world.states(), [BatchState::Ingested, BatchState::Planned]);
    assert_eq!(world.manifest().paused.map(|pause| pause.kind), Some(PauseKind::Budget));
    assert_eq!(sim.executed().len(), 10);
}

#[tokio::test]
async fn a_failed_request_that_another_run_asks_is_not_asked_again() {
    let fail = Fault { rows: Some(5), ..Fault::once(Kind::StatusZero, None) };
    let slow = Fault { nth: Some(2), ..Fault::once(Kind::LongRunning { seconds: 600, observations: 0 }, None) };
    let sim = simulator(SimConfig::default()).await;
    sim.fault(fail);
    sim.fault(slow);
    let world = World::new(&sim, 20);
    start(&world.store, Plan { requests_max: 10, ..mini() }).expect("a run");
    while world.states() != [BatchState::Ingested, BatchState::InProgress] {
        world.tick().await.expect("a tick");
        world.pass(&sim, 10);
    }
    // Five of the first batch failed, their round waits for the second batch; meanwhile somebody plans anew.
    let second = start(&world.store, mini()).expect("what is missing");
    assert_eq!(world.store.batches(second.id).expect("read")[0].requests, 5);
    world.run(&sim, 60).await;
    assert_eq!((votes(&world.store).len(), paid_twice(&sim)), (20, vec![]));
}

#[tokio::test]
async fn cancelling_keeps_what_is_paid_and_cancels_what_turns_up_late() {
    let slow = Fault::once(Kind::LongRunning { seconds: 36_000, observations: 0 }, None);
    let hidden = Fault::once(Kind::Unlisted { seconds: 60 }, None);
    let (sim, world) = one_model([create(Kind::LostAnswer), hidden, slow]).await;
    world.tick().await.expect("a tick");
    world.store.change_manifest(ManifestId(1), |manifest| manifest.cancelled = true).expect("cancelled");
    world.run(&sim, 20).await;
    assert_eq!((world.state(), creations(&sim)), (ManifestState::Cancelled, 1));
    assert_eq!(sim.batches()[0].status.as_str(), "cancelled");
    assert!(world.manifest().finished_at.is_some());
}

#[tokio::test]
async fn a_thousand_uploads_a_minute_are_not_exceeded() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 960);
    start(&world.store, Plan { requests_max: 1, ..mini() }).expect("a run");
    // All but twelve were sent just now, two fewer than may be.
    for batch in world.batches().into_iter().skip(12) {
        let done = |batch: &mut Batch| (batch.state, batch.intended_at) = (BatchState::Ingested, Some(START));
        world.store.change_batch(batch.id, done).expect("changed");
    }
    world.tick().await.expect("a tick");
    assert_eq!(creations(&sim), 2);
    let waiting: Vec<_> = world.batches().into_iter().filter(|batch| batch.state == BatchState::Waiting).collect();
    assert_eq!(waiting.len(), 10);
    assert!(waiting[0].trouble.as_ref().is_some_and(|trouble| trouble.words.contains("1,000 files a minute")));
    world.pass(&sim, 61);
    world.tick().await.expect("a tick");
    assert_eq!(creations(&sim), 12);
}

#[tokio::test]
async fn two_thousand_creations_an_hour_are_not_exceeded() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 1_901);
    start(&world.store, Plan { requests_max: 1, ..mini() }).expect("a run");
    // All but two were created two minutes ago.
    for batch in world.batches().into_iter().skip(2) {
        let done = |batch: &mut Batch| {
            (batch.state, batch.attempts, batch.intended_at) = (BatchState::Ingested, 1, Some(START - 120))
        };
        world.store.change_batch(batch.id, done).expect("changed");
    }
    world.tick().await.expect("a tick");
    assert_eq!(creations(&sim), 1);
    let waiting: Vec<_> = world.batches().into_iter().filter(|batch| batch.state == BatchState::Waiting).collect();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].trouble.as_ref().map(|trouble| trouble.kind), Some(TroubleKind::RateLimited));
    world.pass(&sim, 3_601);
    world.tick().await.expect("a tick");
    assert_eq!(creations(&sim), 2);
}
