//! What survives the end of the process.

use std::path::Path;

use quorum_sim::{Fault, Kind, Scenario, SimConfig, SimError, Simulator, Speed};

use crate::support::{Lab, answers, body, requests};

fn config(folder: &Path) -> SimConfig {
    SimConfig { state_dir: Some(folder.to_owned()), ..SimConfig::default() }
}

#[tokio::test]
async fn a_second_start_finds_everything_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let text = requests(60, "gpt-5-nano");

    let undisturbed = Lab::instant().await;
    let id = undisturbed.submit(&text).await;
    let batch = undisturbed.finish(&id).await;
    let expected = answers(&undisturbed.lines(&batch["output_file_id"]).await);

    // One poll a life: each status is left in another one.
    let lab = Lab::start(config(folder.path())).await;
    let id = lab.submit(&text).await;
    lab.sim.shutdown().await.unwrap();
    let mut statuses = Vec::new();
    let mut lives = 0;
    let (lab, batch) = loop {
        lives += 1;
        assert!(lives < 20, "{statuses:?}");
        let lab = Lab::start(config(folder.path())).await;
        let batch = lab.batch(&id).await;
        statuses.push(batch["status"].as_str().unwrap().to_owned());
        if batch["status"] == "completed" {
            break (lab, batch);
        }
        lab.sim.shutdown().await.unwrap();
    };
    assert_eq!(statuses, ["in_progress", "in_progress", "finalizing", "completed"]);
    assert_eq!(answers(&lab.lines(&batch["output_file_id"]).await), expected);
    assert_eq!(lab.sim.executed().len(), 60);
    assert_eq!(lab.sim.duplicates(), []);
    lab.sim.shutdown().await.unwrap();

    let lab = Lab::start(config(folder.path())).await;
    assert_eq!(lab.batch(&id).await, batch);
    assert_eq!(lab.sim.executed().len(), 60);
    assert!(lab.sim.calls().iter().any(|call| call.path == "/v1/files" && call.status == 200));
    // New ids do not repeat old ones.
    let other = lab.submit(&text).await;
    assert_ne!(other, id);
    let files = lab.get_json("/files").await["data"].as_array().unwrap().len();
    assert_eq!(files, 3);
}

#[tokio::test]
async fn an_unjournalled_run_is_forgotten_by_the_request_log() {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::start(config(folder.path())).await;
    let id = lab.submit(&requests(5, "gpt-5-mini")).await;
    lab.finish(&id).await;
    lab.sim.shutdown().await.unwrap();
    // A crash after rows were logged and before the batch's end was journalled.
    let log = folder.path().join("requests.log");
    let mut text = std::fs::read_to_string(&log).unwrap();
    let repeated = text.lines().next().unwrap().to_owned();
    text.push_str(&repeated);
    std::fs::write(&log, text).unwrap();
    let lab = Lab::start(config(folder.path())).await;
    assert_eq!(lab.sim.executed().len(), 5);
    assert_eq!(lab.sim.duplicates(), []);
}

#[tokio::test]
async fn one_folder_has_one_simulator() {
    let folder = tempfile::tempdir().unwrap();
    let first = Simulator::start(config(folder.path())).await.unwrap();
    let second = Simulator::start(config(folder.path())).await;
    assert!(matches!(second, Err(SimError::StateInUse { .. })), "{second:?}");
    first.shutdown().await.unwrap();
    Simulator::start(config(folder.path())).await.unwrap();
}

#[tokio::test]
async fn time_and_fault_counters_do_not_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = Scenario {
        faults: vec![Fault { nth: Some(4), ..Fault::from(Kind::Html { status: 502, after_effect: false }) }],
        ..Scenario::default()
    };
    let config = || SimConfig { speed: Speed::Manual, scenario: Some(scenario.clone()), ..config(folder.path()) };
    let lab = Lab::start(config()).await;
    lab.sim.advance(std::time::Duration::from_secs(1_000_000));
    let later = lab.sim.now();
    lab.upload("{}").await;
    assert_eq!(lab.get("/models").await.status(), 200);
    lab.sim.shutdown().await.unwrap();
    let lab = Lab::start(config()).await;
    assert!(lab.sim.now() >= later);
    lab.sim.advance(std::time::Duration::from_secs(1_000_000));
    let later = lab.sim.now();
    // Nothing changes by this call, but it saw the time.
    assert_eq!(lab.get("/files").await.status(), 200);
    lab.sim.shutdown().await.unwrap();
    let lab = Lab::start(config()).await;
    assert!(lab.sim.now() >= later);
    assert_eq!(lab.get("/models").await.status(), 502);
    assert_eq!(lab.get("/models").await.status(), 200);
}

#[tokio::test]
async fn without_evidence_nothing_grows_with_calls_and_time_still_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = || SimConfig { speed: Speed::Manual, evidence: false, ..config(folder.path()) };
    let lab = Lab::start(config()).await;
    let (status, _) = lab.post("/chat/completions", &body("gpt-5-nano", "Great pasta.")).await;
    assert_eq!(status, 200);
    let bytes = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
        files.map(|file| file.metadata().unwrap()).filter(|found| found.is_file()).map(|found| found.len()).sum::<u64>()
    };
    let before = bytes();
    lab.sim.advance(std::time::Duration::from_secs(1_000_000));
    let later = lab.sim.now();
    for _ in 0..20 {
        assert_eq!(lab.get("/models").await.status(), 200);
        let (status, _) = lab.post("/chat/completions", &body("gpt-5-nano", "Great pasta.")).await;
        assert_eq!(status, 200);
    }
    assert_eq!(bytes(), before);
    assert_eq!((lab.sim.executed(), lab.sim.duplicates(), lab.sim.calls()), (vec![], vec![], vec![]));
    let control = lab.url("").replace("/v1", "/_sim");
    for command in ["executed", "duplicates", "calls"] {
        let refused = lab.client.get(format!("{control}/{command}")).send().await.unwrap();
        assert_eq!(refused.status(), 404, "{command}");
    }
    lab.sim.shutdown().await.unwrap();
    let lab = Lab::start(config()).await;
    assert!(lab.sim.now() >= later);
}
