//! A run that stands still because the provider refused the key goes on with a new one, and only such a run.

use std::path::Path;

use quorum_api::{
    Address, OpenOptions, Quorum, SAMPLE_NAME, Wish,
    dto::{
        app::{KeyPlace, ProviderKind},
        events::Event,
        run::{RunState, RunSummary},
    },
};
use quorum_core::{ensemble::Ensemble, manifest::Mode};
use quorum_sim::{AccountLimits, Call, Fault, Kind, SimConfig, Simulator};

fn refusal(status: u16, code: &str) -> Fault {
    let kind = Kind::Status {
        status,
        message: Some("Not with this.".to_owned()),
        error_type: Some(if status == 429 { "insufficient_quota" } else { "invalid_request_error" }.to_owned()),
        code: Some(code.to_owned()),
        retry_after_s: None,
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    };
    Fault::once(kind, Some(Call::CreateBatch))
}

/// Starts a run and lets it meet the fault.
async fn stopped(quorum: &Quorum, sim: &Simulator, topic: &str, fault: Fault) -> RunSummary {
    sim.fault(fault);
    let wish = Wish {
        dataset: SAMPLE_NAME.into(),
        topic: topic.to_owned(),
        k: 1,
        ensemble: Ensemble::read("gpt-5-mini:1").expect("an ensemble"),
        mode: Mode::Batch,
        canary: Some(false),
    };
    let (draft, of) = quorum.draft(&wish).expect("a draft");
    let run = quorum.start(&wish, draft, &of, None).expect("room").expect("something is missing").id;
    quorum.tick().await.expect("a tick");
    sim.clear_faults();
    let run = summary(quorum, &run.to_string());
    assert_eq!(run.state, RunState::NeedsYou, "{run:?}");
    run
}

fn summary(quorum: &Quorum, run: &str) -> RunSummary {
    quorum.run_detail(run).expect("the run").summary
}

#[tokio::test]
async fn a_new_key_lets_runs_go_on_that_the_old_one_stopped() {
    let sim = Simulator::start(SimConfig::default()).await.expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::read(&sim.base_url()).expect("an address");
    let options = OpenOptions { provider: Some(address.clone()), ..OpenOptions::new(folder.path()) };
    let quorum = Quorum::open(options).expect("the data");
    quorum.dataset_import_sample().expect("the sample");
    let keyless = stopped(&quorum, &sim, "G1_allergy", refusal(401, "invalid_api_key")).await;
    let broke = stopped(&quorum, &sim, "G1_hygiene", refusal(429, "insufficient_quota")).await;
    let held = stopped(&quorum, &sim, "G2_romance", refusal(401, "invalid_api_key")).await;
    quorum.run_resume(&held.run).and_then(|_| quorum.run_pause(&held.run)).expect("paused by the user");
    assert!(
        keyless.reason.as_deref().is_some_and(|words| words.contains("Store one of the same project")),
        "{keyless:?}"
    );

    // A key for another provider changes nothing.
    assert_eq!(quorum.resume_with_new_key(&Address::openai()).expect("the store"), []);
    let resumed = quorum.resume_with_new_key(&address).expect("the store");
    assert_eq!(resumed.iter().map(|run| &run.run).collect::<Vec<_>>(), [&keyless.run]);
    assert_eq!(quorum.resume_with_new_key(&address).expect("the store"), []);
    let told = quorum.activity_list(1).expect("the log");
    assert!(told[0].body.contains("A new key is stored"), "{told:?}");
    for _ in 0..50 {
        quorum.tick().await.expect("a tick");
    }
    assert_eq!((summary(&quorum, &keyless.run).state, summary(&quorum, &keyless.run).ingested), (RunState::Done, 12));
    assert_eq!(summary(&quorum, &broke.run).state, RunState::NeedsYou, "a key brings no credit");
    assert_eq!(summary(&quorum, &held.run).state, RunState::Paused, "the user has not said go on");
}

#[tokio::test]
async fn a_run_that_was_paused_while_it_lacked_a_key_waits_for_its_user() {
    let sim = Simulator::start(SimConfig::default()).await.expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::read(&sim.base_url()).expect("an address");
    let options = OpenOptions { provider: Some(address.clone()), ..OpenOptions::new(folder.path()) };
    let quorum = Quorum::open(options).expect("the data");
    quorum.dataset_import_sample().expect("the sample");
    let one = stopped(&quorum, &sim, "G1_allergy", refusal(401, "invalid_api_key")).await;
    let other = stopped(&quorum, &sim, "G1_hygiene", refusal(401, "invalid_api_key")).await;
    let broke = stopped(&quorum, &sim, "G2_romance", refusal(429, "insufficient_quota")).await;
    assert_eq!(quorum.run_pause(&one.run).expect("the run").state, RunState::Paused);
    assert_eq!(quorum.run_pause_all().expect("the store"), 1, "the other would go on with another key");
    assert_eq!(quorum.resume_with_new_key(&address).expect("the store"), []);
    for run in [&one, &other] {
        assert_eq!(summary(&quorum, &run.run).state, RunState::Paused);
    }
    // What a person has to mend at the provider is still said.
    let reason = quorum.run_pause(&broke.run).expect("the run").reason;
    assert!(reason.is_some_and(|words| words.contains("credit")));
    assert_eq!(quorum.run_resume_all().expect("the store"), 2);
}

/// The tests' keys must not reach the keyring of whoever runs them.
fn without_keyring(folder: &Path) -> Quorum {
    Quorum::open(OpenOptions { keyring: false, ..OpenOptions::new(folder) }).expect("the data")
}

#[tokio::test]
async fn what_one_provider_accepted_is_said_of_no_other_and_ends_with_the_key() {
    let limits = AccountLimits { keys: vec!["sk-good".to_owned()], key_required: true, ..AccountLimits::default() };
    let sim = Simulator::start(SimConfig { limits, ..SimConfig::default() }).await.expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let quorum = without_keyring(folder.path());
    quorum.provider_set(ProviderKind::Custom, Some(&sim.base_url())).expect("a provider");
    let here = quorum.key_set("sk-good").await.expect("a key").key;
    assert_eq!((here.looked, here.stored, here.kept), (true, true, Some(KeyPlace::Memory)));
    assert!(here.accepted_at.is_some());
    let there = quorum.provider_set(ProviderKind::Custom, Some("http://localhost:9/v1")).expect("another").key;
    assert_eq!((there.looked, there.stored, there.accepted_at), (false, false, None), "another's key is another's");

    // At another port of the same host nobody is there to check the next key.
    quorum.provider_set(ProviderKind::Custom, Some("http://127.0.0.1:9/v1")).expect("the first host again");
    let unchecked = quorum.key_set("sk-unchecked").await.expect("kept for later").key;
    assert_eq!((unchecked.stored, unchecked.accepted_at), (true, None));
    let gone = quorum.key_clear().expect("it is removed").key;
    assert_eq!((gone.looked, gone.stored, gone.kept, gone.accepted_at), (true, false, None, None));
}

#[test]
fn the_sandbox_asks_no_keyring() {
    let folder = tempfile::tempdir().expect("a folder");
    let quorum = without_keyring(folder.path());
    let mut told = quorum.subscribe();
    quorum.key_look_first().expect("nothing to do");
    let state = quorum.app_state().expect("the state");
    assert!(state.first_run && !state.key.looked, "{state:?}");
    assert!(told.try_recv().is_err(), "nothing was looked at");

    // Elsewhere it is asked, and what it said is told.
    quorum.provider_set(ProviderKind::Custom, Some("http://127.0.0.1:9/v1")).expect("a provider");
    assert!(!quorum.app_state().expect("the state").first_run, "who chose a provider was here before");
    quorum.key_look_first().expect("a look");
    let Ok(Event::KeyChanged(key)) = told.try_recv() else { panic!("the look was not told") };
    assert!(key.looked && !key.stored, "{key:?}");
    quorum.key_look_first().expect("known by now");
    assert!(told.try_recv().is_err(), "one look is enough");
}
