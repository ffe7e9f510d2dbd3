//! Polling: each provider at its own pace.

use std::time::Duration;

use quorum_api::{
    OpenOptions, Quorum, SAMPLE_NAME, Wish,
    dto::{
        app::{ConnectionState, ProviderKind},
        events::Event,
        run::RunState,
    },
};
use quorum_core::{ensemble::Ensemble, manifest::Mode};
use quorum_sim::{Call, Fault, Kind, SimConfig, Simulator};

/// A run at the provider at this address, which is chosen for it.
fn start(quorum: &Quorum, url: &str, topic: &str) -> String {
    quorum.provider_set(ProviderKind::Custom, Some(url)).expect("a provider");
    let wish = Wish {
        dataset: SAMPLE_NAME.into(),
        topic: topic.to_owned(),
        k: 1,
        ensemble: Ensemble::read("gpt-5-mini:1").expect("an ensemble"),
        mode: Mode::Batch,
        canary: Some(false),
    };
    let (draft, of) = quorum.draft(&wish).expect("a draft");
    quorum.start(&wish, draft, &of, None).expect("room").expect("something is missing").id.to_string()
}

fn state(quorum: &Quorum, run: &str) -> RunState {
    quorum.run_detail(run).expect("the run").summary.state
}

#[tokio::test]
async fn a_provider_that_hangs_or_is_dead_does_not_slow_another() {
    let hanging = Simulator::start(SimConfig::default()).await.expect("a port");
    hanging.fault(Fault { on: Some(Call::UploadFile), ..Fault::from(Kind::Hang { after_effect: false }) });
    let well = Simulator::start(SimConfig::default()).await.expect("a port");
    let dead = {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}/v1", gone.local_addr().expect("an address"))
    };
    let folder = tempfile::tempdir().expect("a folder");
    let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("the data");
    quorum.dataset_import_sample().expect("the sample");
    let stuck = start(&quorum, &hanging.base_url(), "G1_allergy");
    let lost = start(&quorum, &dead, "G1_hygiene");
    let mut events = quorum.subscribe();
    let polling = tokio::spawn({
        let quorum = quorum.clone();
        async move { quorum.run_polling().await }
    });
    // The dead one has been found dead, and the other is in the middle of a call that never ends.
    let is_lost =
        |event: &Event| matches!(event, Event::ConnectionChanged(link) if link.state == ConnectionState::Offline);
    until(&mut events, is_lost).await;
    hanging.hanging().wait_for(|calls| *calls > 0).await.expect("the server lives");

    let run = start(&quorum, &well.base_url(), "G2_romance");
    until(
        &mut events,
        |event| matches!(event, Event::RunChanged(told) if told.run == run && told.state == RunState::Done),
    )
    .await;
    assert_eq!(quorum.run_detail(&run).expect("the run").summary.ingested, 12);
    assert_eq!((state(&quorum, &stuck), state(&quorum, &lost)), (RunState::Waiting, RunState::Waiting));
    let dead_said = quorum.connection();
    assert_eq!(dead_said.state, ConnectionState::Offline, "{dead_said:?}");
    polling.abort();
}

/// Waits for an event; a minute is for ever.
async fn until(events: &mut tokio::sync::broadcast::Receiver<Event>, wanted: impl Fn(&Event) -> bool) {
    let wait = async { while !wanted(&events.recv().await.expect("events go on")) {} };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("it came");
}
