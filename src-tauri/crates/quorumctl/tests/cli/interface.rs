//! What scripts rely on whatever a command does: exit status, one JSON object, where words go.

use quorum_api::{Address, OpenOptions, Quorum, Wish};
use quorum_core::{
    ensemble::Ensemble,
    manifest::{Batch, BatchState, Mode, Trouble, TroubleKind},
};

use crate::program::Data;

#[test]
fn wrong_usage_is_status_2_and_opens_nothing() {
    let data = Data::new();
    let plan = ["plan", "--dataset", "x", "--topic", "G1_allergy"];
    for (args, words) in [
        (vec!["nonsense"], "unrecognized subcommand"),
        (plan.to_vec(), "--k"),
        ([&plan[..], &["--k", "0"]].concat(), "from 1 on"),
        ([&plan[..], &["--k", "-3"]].concat(), "from 1 on"),
        ([&plan[..], &["--k", "many"]].concat(), "from 1 on"),
        ([&plan[..], &["--k", "5", "--models", "gpt-5-mini"]].concat(), "model:runs"),
        ([&plan[..], &["--k", "5", "--models", "gpt-5-mini:0"]].concat(), "runs from 1"),
        ([&plan[..], &["--k", "5", "--provider", "ftp://x"]].concat(), "https://host/v1"),
        (vec!["verdicts", "--dataset", "x", "--k", "5"], "--policy"),
        (vec!["trust", "use", "median", "--dataset", "x", "--topic", "G1_allergy"], "weighted-majority, majority"),
        (vec!["trust", "sample", "--size", "5", "--dataset", "x", "--topic", "G1_allergy"], "20 to 60 reviews"),
        (vec!["trust", "label", "r1", "perhaps", "--dataset", "x", "--topic", "G1_allergy"], "not-relevant"),
        (vec!["override", "set", "G1_allergy", "r1", "severity", "--reason", "r"], "FIELD=VALUE"),
        (vec!["override", "set", "G1_allergy", "r1", "a=b"], "--reason"),
    ] {
        let ended = data.run(&args);
        ended.refused(2, &[words]);
        assert_eq!(ended.out, "", "{ended:?}");
    }
    assert!(!data.path().exists());
}

#[test]
fn results_go_to_stdout_and_progress_to_stderr_unless_quiet() {
    let data = Data::with_sample();
    let extract =
        ["extract", "--provider", "sandbox", "--dataset", "sample", "--topic", "G4_server", "--yes", "--wait"];
    let told = data.json(&[&extract[..], &["--k", "1"]].concat());
    assert_eq!(told.out.lines().count(), 1);
    assert_eq!(told.done()["requests"], 48);
    assert!(told.err.contains("12 reviews of 12 businesses need 48 votes"), "{told:?}");
    let quiet = data.json(&[&extract[..], &["--k", "2", "--quiet"]].concat());
    assert_eq!((quiet.done()["requests"].as_u64(), quiet.err.as_str()), (Some(48), ""));
    let more = data.run(&["-v", "status"]);
    assert_eq!((more.code, more.out.contains("run 1  G4_server K=1  completed")), (Some(0), true), "{more:?}");
}

#[test]
fn consent_is_asked_for_before_anything_is_sent() {
    let data = Data::with_sample();
    let extract = ["extract", "--provider", "sandbox", "--dataset", "sample", "--topic", "G1_hygiene", "--k", "1"];
    let unasked = data.json(&extract);
    unasked.refused(3, &["48 requests needs --yes", "nothing was sent"]);
    assert_eq!((&unasked.json()["state"], &unasked.json()["requests"]), (&"needs_consent".into(), &48.into()));
    let above = data.json(&[&extract[..], &["--yes", "--budget", "0.000001"]].concat());
    above.refused(3, &["above the budget", "nothing was sent"]);
    let unpriced = data.json(&[&extract[..], &["--yes", "--budget", "5", "--models", "of-my-own:1"]].concat());
    unpriced.refused(3, &["no known price"]);
    data.json(&[&extract[..], &["--yes", "--budget", "-1"]].concat()).refused(2, &["0 or more"]);
    assert_eq!(data.json(&["status"]).done()["manifests"], serde_json::json!([]));
    assert!(!data.path().join("sandbox").exists(), "not even the sandbox was started");
}

#[test]
fn a_wait_that_ends_early_is_status_4_and_the_run_goes_on() {
    let data = Data::with_sample();
    let extract = ["extract", "--provider", "sandbox", "--dataset", "sample", "--topic", "G1_hygiene", "--k", "1"];
    let early = data.json(&[&extract[..], &["--yes", "--wait=0"]].concat());
    assert_eq!((early.code, &early.json()["state"]), (Some(4), &"live".into()), "{early:?}");
    let again = data.json(&[&extract[..], &["--yes"]].concat());
    assert_eq!((&again.done()["manifest"], &again.done()["requests"]), (&serde_json::Value::Null, &0.into()));
    let polled = data.json(&["poll", "--wait"]).done();
    assert_eq!(polled["live"], 0);
    let stats = data.json(&["votes", "stats", "--dataset", "sample", "--topic", "G1_hygiene", "--k", "1"]).done();
    assert_eq!((&stats["complete"], &stats["missing"]["gpt-5-nano"]), (&12.into(), &0.into()), "{stats}");
}

#[test]
fn the_demo_makes_ground_truth_from_nothing_each_time() {
    let data = Data::new();
    let out = data.beside("demo");
    let demo = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_quorumctl"));
        command.args(["--json", "demo", "--out"]).arg(&out).env("HOME", data.beside("home")).env_remove("QUORUM_DATA");
        // As on a machine that trusts nobody yet: the sandbox needs no certificates.
        command.env("SSL_CERT_FILE", data.beside("none")).env("SSL_CERT_DIR", data.beside("none"));
        crate::program::end(command).done()
    };
    let once = demo();
    let expected =
        serde_json::json!({"reviews": 300, "votes": 1200, "manifests": 1, "verdicts": 48, "files": once["files"]});
    assert_eq!(once, expected);
    let files: Vec<&str> = once["files"].as_array().expect("files").iter().filter_map(|file| file.as_str()).collect();
    assert_eq!(files.len(), 4);
    assert!(files.iter().all(|file| std::path::Path::new(file).is_file()), "{files:?}");
    assert_eq!(demo(), expected, "a second demo starts from nothing too");
}

#[test]
fn a_backup_brings_everything_back() {
    let data = Data::with_votes();
    let votes = data.votes("G1_allergy");
    let file = data.beside("backup.redb");
    let file = file.to_str().expect("a path");
    assert_eq!(data.json(&["backup", file]).done()["checks"][0]["ok"], true);
    let other = Data::new();
    other.json(&["restore", file]).done();
    assert_eq!(other.votes("G1_allergy"), votes);
    let broken = data.file("broken.redb", "no store");
    other.json(&["restore", &broken]).refused(1, &["not a Quorum store"]);
    assert_eq!(other.votes("G1_allergy"), votes);
}

/// The damage that a dying disk, a half copied file and a wrong file make.
const DAMAGES: [fn(Vec<u8>) -> Vec<u8>; 3] = [
    |store| store[..store.len() / 3].to_vec(),
    |_| b"no store".to_vec(),
    |mut store| {
        // Behind the header, every page.
        store[4096..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        store
    },
];

#[test]
fn a_damaged_store_is_found_by_the_doctor_and_replaced_by_a_backup() {
    let data = Data::with_votes();
    let votes = data.votes("G1_allergy");
    let file = data.beside("backup.redb");
    let file = file.to_str().expect("a path");
    data.json(&["backup", file]).done();
    let pages = data.json(&["doctor"]).json()["checks"][0].clone();
    assert_eq!((&pages["name"], &pages["ok"]), (&"pages".into(), &true.into()), "{pages}");
    for damage in DAMAGES {
        let damaged = damage(std::fs::read(data.store()).expect("a store"));
        std::fs::write(data.store(), &damaged).expect("writable");

        let ended = data.json(&["doctor"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(ended.json()["checks"][0]["ok"], false, "{ended:?}");
        assert!(!ended.err.contains("panicked"), "{ended:?}");

        data.json(&["restore", file]).done();
        assert_eq!(data.votes("G1_allergy"), votes);
    }
    let kept = (1..=DAMAGES.len()).map(|number| data.path().join(format!("quorum.redb.before-restore-{number}")));
    assert!(kept.into_iter().all(|kept| kept.is_file()), "what was there stays beside the store");
}

#[test]
fn a_store_in_use_is_not_replaced() {
    let data = Data::with_votes();
    let file = data.beside("backup.redb");
    let file = file.to_str().expect("a path");
    data.json(&["backup", file]).done();
    let held = quorum_store::Store::open(&data.store()).expect("nobody else has it");
    data.json(&["restore", file]).refused(1, &["open"]);
    drop(held);
    data.json(&["restore", file]).done();
}

#[test]
fn a_run_that_stops_at_its_budget_needs_consent() {
    let data = Data::with_sample();
    let run = {
        let mut options = OpenOptions::new(data.path());
        options.provider = Some(Address::sandbox());
        let quorum = Quorum::open(options).expect("nobody else has it");
        let wish = Wish {
            dataset: "sample".into(),
            topic: "G1_hygiene".to_owned(),
            k: 1,
            ensemble: Ensemble::read("gpt-5-mini:1").expect("an ensemble"),
            mode: Mode::Batch,
            canary: Some(false),
        };
        let (draft, of) = quorum.draft(&wish).expect("a draft");
        // As when prices went up after it was agreed to.
        quorum.start(&wish, draft, &of, Some(0.000_001)).expect("room").expect("something is missing").id
    };
    data.json(&["poll", "--wait"]).refused(3, &["the next batch would exceed its budget", "quorumctl resume"]);
    data.json(&["resume", &run.to_string()]).done();
    data.json(&["poll", "--wait"]).done();
}

/// A run of twelve requests at a provider that costs money and is never reached, with its batch in that state.
fn stuck(data: &Data, state: BatchState, kind: TroubleKind) -> String {
    let mut options = OpenOptions::new(data.path());
    options.provider = Some(Address::read(LIVE).expect("an address"));
    let quorum = Quorum::open(options).expect("nobody else has it");
    let wish = Wish {
        dataset: "sample".into(),
        topic: "G1_hygiene".to_owned(),
        k: 1,
        ensemble: Ensemble::read("gpt-5-mini:1").expect("an ensemble"),
        mode: Mode::Batch,
        canary: Some(false),
    };
    let (draft, of) = quorum.draft(&wish).expect("a draft");
    let run = quorum.start(&wish, draft, &of, None).expect("room").expect("something is missing").id;
    let trouble = Trouble { kind, words: String::new(), at: 1 };
    let batch = quorum.store().batches(run).expect("batches")[0].id;
    let set = |batch: &mut Batch| (batch.state, batch.trouble) = (state, Some(trouble));
    quorum.store().change_batch(batch, set).expect("written");
    run.to_string()
}

/// Nobody is there.
const LIVE: &str = "https://provider.invalid/v1";

#[test]
fn what_may_be_paid_twice_takes_a_word_of_its_own_and_money_takes_consent() {
    for (state, kind) in
        [(BatchState::Missing, TroubleKind::BatchUnknown), (BatchState::Failed, TroubleKind::ResultsGone)]
    {
        let data = Data::with_sample();
        let run = stuck(&data, state, kind);
        let live = |args: &[&str]| data.json(&[&["--provider", LIVE], args].concat());
        let polled = live(&["poll"]);
        let missing = format!("`quorumctl retry {run} --missing`");
        for words in
            ["needs you: batches were refused, or are unknown here; 12 requests", "another project's key", &missing]
        {
            assert!(polled.err.contains(words), "no {words:?} in {polled:?}");
        }
        assert!(!polled.err.contains(&format!("`quorumctl retry {run}` ")), "{polled:?}");
        live(&["retry", &run, "--yes"]).refused(1, &["Nothing of this run can be asked again", "--missing"]);
        let unasked = live(&["retry", &run, "--missing"]);
        unasked.refused(
            3,
            &["asks 12 requests again for about", "this pays a second time", "needs --yes", "nothing was sent"],
        );
        assert_eq!(unasked.json()["manifests"][0]["batches"].as_array().map(Vec::len), Some(1), "{unasked:?}");
        let asked = live(&["retry", &run, "--missing", "--yes"]).json();
        assert_eq!(asked["manifests"][0]["batches"][1]["requests"], 12, "{asked}");
    }
}

#[test]
fn todays_budget_holds_on_the_command_line_and_a_flag_agrees_to_more() {
    let data = Data::with_sample();
    let run = stuck(&data, BatchState::Failed, TroubleKind::Refused);
    {
        let quorum = Quorum::open(OpenOptions::new(data.path())).expect("nobody else has it");
        let mut settings = quorum.settings_get().expect("settings");
        settings.budget_day_usd = Some(0.0);
        quorum.settings_set(settings).expect("set");
    }
    let live = |args: &[&str]| data.json(&[&["--provider", LIVE], args].concat());
    let extract = ["extract", "--dataset", "sample", "--topic", "G1_allergy", "--k", "1", "--yes"];
    live(&extract).refused(3, &["is left of today's budget", "--budget USD"]);
    live(&["retry", &run, "--ondemand"]).refused(3, &["at the full price", "--yes"]);
    live(&["retry", &run, "--yes"]).refused(3, &["is left of today's budget", "--consent USD"]);
    assert_eq!(live(&["status"]).json()["manifests"].as_array().map(Vec::len), Some(1));
    live(&["retry", &run, "--yes", "--consent", "1"]).refused(0, &["asks 12 requests again"]);
    live(&["pause", &run]).done();
    live(&["resume", &run]).refused(3, &["resuming sends 12 requests for about", "--consent USD"]);
    assert_eq!(live(&["resume", &run, "--consent", "1"]).json()["manifests"][0]["paused"], serde_json::Value::Null);
    let agreed = live(&[&extract[..], &["--budget", "1"]].concat());
    // It is planned; there is only no key to send it with.
    agreed.refused(1, &["48 requests", "no API key"]);
    assert_eq!((&agreed.json()["state"], &agreed.json()["requests"]), (&"live".into(), &48.into()));
}

#[test]
fn values_out_of_range_are_wrong_usage() {
    let data = Data::new();
    let out = data.beside("out");
    let out = out.to_str().expect("a path");
    for (args, words) in [
        (&["sandbox", "--speed", "foo"][..], "a number above 0"),
        (&["sandbox", "--speed", "-1"], "a number above 0"),
        (&["bench", "generate", "--topics", "0", "--out", out], "from 1 to 18"),
        (&["bench", "generate", "--reviews", "0", "--out", out], "not in"),
    ] {
        data.json(args).refused(2, &[words]);
    }
}
