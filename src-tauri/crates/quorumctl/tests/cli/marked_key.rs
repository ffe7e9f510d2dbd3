//! A key that can be told from everything else goes through the whole pipeline, at a provider that checks it and repeats it in
//! its refusals. Afterwards it is in no file, log, process argument or message to the window.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use quorum_api::{OpenOptions, Quorum};
use quorum_sim::{AccountLimits, Call, Fault, Kind, SimConfig, Simulator, Speed};
use serde_json::Value;

use crate::program::{Data, Ended};

const MARK: &str = "sk-proj-marked_key-0f7c1b9e4a";

/// What a provider says that repeats the key.
const ECHO: &str = "Incorrect API key provided";

fn echo(status: u16, code: &str) -> Kind {
    Kind::Status {
        status,
        message: Some(format!("{ECHO}: {MARK}.")),
        error_type: Some("invalid_request_error".to_owned()),
        code: Some(code.to_owned()),
        retry_after_s: None,
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    }
}

/// Runs a command with the key in its environment and everything that it logs; its arguments are read while it runs.
async fn run(data: &Data, args: &[&str]) -> Ended {
    let mut command: Command = data.command(&[&["-vv", "--json"], args].concat());
    command.env("QUORUM_API_KEY", MARK).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || {
        let child = command.spawn().expect("a process");
        #[cfg(target_os = "linux")]
        let line = fs::read(format!("/proc/{}/cmdline", child.id())).expect("its arguments");
        let output = child.wait_with_output().expect("its end");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        #[cfg(target_os = "linux")]
        assert!(!holds(&line, MARK), "the key is in the arguments");
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    });
    let ended = ended.await.expect("no panic");
    assert!(!ended.out.contains(MARK) && !ended.err.contains(MARK), "{args:?} told the key: {ended:?}");
    ended
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn json(value: Result<impl serde::Serialize, quorum_api::dto::error::ApiError>) -> String {
    serde_json::to_string(&value.expect("told")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_in_no_file_log_argument_or_message() {
    let limits = AccountLimits { keys: vec![MARK.to_owned()], ..AccountLimits::default() };
    let sim =
        Simulator::start(SimConfig { limits, speed: Speed::Instant, ..SimConfig::default() }).await.expect("a port");
    let data = Data::with_sample();
    let address = sim.base_url();
    let extract = |topic| {
        ["--provider", address.as_str(), "extract", "--dataset", "sample", "--topic", topic, "--k", "1", "--yes"]
    };

    // The key is refused with its own words while a batch is made, and the run is paused.
    let create = |kind| Fault::once(kind, Some(Call::CreateBatch));
    sim.fault(create(echo(401, "invalid_api_key")));
    let paused = run(&data, &[&extract("G1_allergy")[..], &["--wait"]].concat()).await;
    assert!(holds(&fs::read(data.store()).expect("the store"), ECHO), "the provider's words are kept: {paused:?}");
    let status = run(&data, &["status"]).await.done();
    assert!(status["manifests"][0]["paused"].as_str().is_some_and(|words| words.contains(ECHO)), "{status}");
    // Then the first look of another run; and its batch fails.
    sim.fault(Fault::once(echo(401, "invalid_api_key"), None));
    let server = extract("G4_server");
    let refused = run(&data, &[&server[..], &["--wait"]].concat()).await;
    refused.refused(1, &[ECHO, "[key]"]);
    sim.clear_faults();
    let bad = Kind::FailValidation {
        code: "bad".to_owned(),
        message: format!("A bad line of {MARK}"),
        param: None,
        line: Some(1),
    };
    sim.fault(Fault::once(bad, None));
    run(&data, &["poll", "--wait"]).await.refused(1, &["run 1 ", "run 2 "]);
    let status = run(&data, &["status", "2"]).await.done();
    assert!(status.to_string().contains("A bad line of [key]"), "{status}");
    // Calls at once, one of them refused.
    sim.fault(Fault { nth: Some(2), ..Fault::once(echo(400, "bad"), Some(Call::Chat)) });
    let at_once = run(&data, &[&extract("G1_hygiene")[..], &["--mode", "ondemand", "--wait"]].concat()).await;
    assert!(at_once.json()["ingested"].as_u64().is_some_and(|votes| votes >= 40), "{at_once:?}");
    // A batch whose rows fail, each with the key in the provider's words.
    let row = Kind::RowStatus {
        status: 400,
        message: format!("A bad row of {MARK}"),
        error_type: None,
        param: None,
        code: Some(MARK.to_owned()),
    };
    sim.fault(Fault { rows: Some(2), nth: Some(1), ..Fault::from(row) });
    let rows = run(&data, &[&extract("G3_time_value")[..], &["--wait"]].concat()).await;
    assert!(rows.json()["failed"].as_u64().is_some_and(|failed| failed > 0), "{rows:?}");
    sim.clear_faults();
    // And one that goes well.
    let whole = run(&data, &[&extract("G2_romance")[..], &["--wait"]].concat()).await;
    assert_eq!(whole.done()["state"], "completed");

    let folder = data.beside("truth");
    let out = folder.to_str().expect("a path");
    let verdicts = ["verdicts", "--dataset", "sample", "--topic", "G2_romance", "--k", "1", "--out", out];
    run(&data, &[&["--provider", address.as_str()], &verdicts[..]].concat()).await.done();
    let backup = data.beside("backup.redb");
    run(&data, &["backup", backup.to_str().expect("a path")]).await.done();
    for args in [&["status"][..], &["doctor"], &["key", "status"], &["retry", "2"]] {
        run(&data, args).await;
    }

    let mut found = Vec::new();
    files(data.path().parent().expect("a folder"), &mut found);
    for needed in [data.store(), backup] {
        assert!(found.contains(&needed), "{found:?}");
    }
    assert!(found.iter().any(|path| path.starts_with(&folder)), "{found:?}");
    for path in found {
        assert!(!holds(&fs::read(&path).expect("a file"), MARK), "the key is in {}", path.display());
    }

    // What the window is told, with the same key in memory.
    let quorum = Quorum::open(OpenOptions::new(data.path())).expect("the data");
    let mut events = quorum.subscribe();
    let mut told = vec![json(quorum.app_state()), json(quorum.settings_get()), json(quorum.activity_list(1_000))];
    told.push(json(quorum.run_list()));
    for run in quorum.run_list().expect("runs") {
        told.push(json(quorum.run_detail(&run.run)));
        told.push(json(quorum.run_resume(&run.run)));
    }
    let mut events_told = Vec::new();
    while let Ok(event) = events.try_recv() {
        events_told.push(format!("{event:?}"));
    }
    for words in [ECHO, "A bad row of [key]"] {
        assert!(told.iter().any(|message| message.contains(words)), "the window is told what the provider said");
    }
    for message in told {
        let _: Value = serde_json::from_str(&message).expect("JSON");
        assert!(!message.contains(MARK), "the window is told the key: {message}");
    }
    assert!(!events_told.is_empty());
    for event in events_told {
        assert!(!event.contains(MARK), "an event tells the key: {event}");
    }
}
