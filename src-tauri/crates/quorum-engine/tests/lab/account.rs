//! An account that takes nothing more: the run stands still once, keeps what it has, and goes on when the user says so.

use quorum_core::{
    ensemble::Ensemble,
    manifest::{BatchState, ManifestState, Mode, PauseKind},
};
use quorum_sim::{Call, Fault, Kind, SimConfig, Simulator};

use crate::world::{Plan, World, paid_twice, simulator, start, votes};

const QUOTA_CODES: [&str; 5] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_spend_limit_exceeded",
];

fn plan(mode: Mode) -> Plan {
    let ensemble = Ensemble::read("gpt-5-mini:1").expect("an ensemble");
    Plan { ensemble, mode, requests_max: 10, ..Plan::default() }
}

fn refusal(status: u16, code: &str) -> Kind {
    Kind::Status {
        status,
        message: Some(format!("No more today ({code}).")),
        error_type: Some(if status == 429 { "insufficient_quota" } else { "invalid_request_error" }.to_owned()),
        code: Some(code.to_owned()),
        retry_after_s: None,
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    }
}

fn tried(sim: &Simulator) -> usize {
    sim.calls().iter().filter(|call| call.method == "POST").count()
}

/// The run stands still after what it met first, for as long as nobody acts; then it ends whole.
async fn stands_still_until_resumed(fault: Fault, mode: Mode, kind: PauseKind, words: &str) {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    start(&world.store, plan(mode)).expect("a run");
    let case = format!("{fault:?}");
    sim.fault(fault);
    world.run(&sim, 30).await;
    let pause = world.manifest().paused.unwrap_or_else(|| panic!("{case}: {:?}", world.batches()));
    assert_eq!(pause.kind, kind, "{case}");
    for part in [words, "are safe", "resume", "No more today"] {
        assert!(pause.words.contains(part), "{case}: no {part:?} in {}", pause.words);
    }
    let (calls, kept) = (tried(&sim), votes(&world.store).len());
    for _ in 0..20 {
        world.pass(&sim, 3_600);
        assert_eq!(world.tick().await.expect("a tick").live, 0, "{case}");
    }
    assert_eq!((tried(&sim), votes(&world.store).len()), (calls, kept), "{case}: it went on trying");
    let told = world.store.activity(1_000).expect("the log");
    assert_eq!(told.iter().filter(|entry| entry.title.contains("is paused")).count(), 1, "{case}: said once");

    sim.clear_faults();
    world.store.change_manifest(world.manifest().id, |manifest| manifest.paused = None).expect("resumed");
    world.run(&sim, 30).await;
    assert_eq!(world.state(), ManifestState::Completed, "{case}: {:?}", world.batches());
    assert_eq!((votes(&world.store).len(), paid_twice(&sim)), (20, vec![]), "{case}");
}

#[tokio::test]
async fn an_exhausted_account_pauses_the_run_until_the_user_resumes() {
    for code in QUOTA_CODES {
        for on in [Call::CreateBatch, Call::UploadFile] {
            let fault = Fault { on: Some(on), ..Fault::from(refusal(429, code)) };
            stands_still_until_resumed(fault, Mode::Batch, PauseKind::Account, "credit or limit is used up").await;
        }
    }
    // In the middle: the first batch is at the provider, the second is not.
    let second = Fault { after: Some(1), on: Some(Call::CreateBatch), ..Fault::from(refusal(429, QUOTA_CODES[1])) };
    stands_still_until_resumed(second, Mode::Batch, PauseKind::Account, "credit or limit is used up").await;
    let calls = Fault { after: Some(1), on: Some(Call::Chat), ..Fault::from(refusal(429, QUOTA_CODES[0])) };
    stands_still_until_resumed(calls, Mode::OnDemand, PauseKind::Account, "credit or limit is used up").await;
}

#[tokio::test]
async fn an_account_found_empty_in_validation_pauses_the_run_and_keeps_its_file() {
    let refused = Kind::FailValidation {
        code: "billing_hard_limit_reached".to_owned(),
        message: "No more today.".to_owned(),
        param: None,
        line: None,
    };
    stands_still_until_resumed(Fault::from(refused), Mode::Batch, PauseKind::Account, "credit or limit is used up")
        .await;
}

#[tokio::test]
async fn a_key_that_may_look_but_not_send_pauses_the_run() {
    for (on, mode) in [(Call::CreateBatch, Mode::Batch), (Call::UploadFile, Mode::Batch), (Call::Chat, Mode::OnDemand)]
    {
        let fault = Fault { on: Some(on), ..Fault::from(refusal(401, "invalid_api_key")) };
        stands_still_until_resumed(fault, mode, PauseKind::Key, "refuses the key").await;
    }
}

#[tokio::test]
async fn what_is_sent_comes_in_while_the_account_takes_nothing_more() {
    let sim = simulator(SimConfig::default()).await;
    let world = World::new(&sim, 20);
    start(&world.store, plan(Mode::Batch)).expect("a run");
    sim.fault(Fault { after: Some(1), on: Some(Call::CreateBatch), ..Fault::from(refusal(429, QUOTA_CODES[0])) });
    world.run(&sim, 30).await;
    assert_eq!(world.states(), [BatchState::Ingested, BatchState::Uploaded]);
    assert_eq!(votes(&world.store).len(), 10);
}
