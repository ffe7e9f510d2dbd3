//! The real program, killed at random moments of one run, against a server that counts what it is asked.
//!
//! `make kill-test` kills 200 times in a run of 4,000 requests; the ordinary tests a tenth of both. `QUORUM_KILLS` and
//! `QUORUM_KILL_SEED` choose otherwise.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use quorum_core::prng::Prng;
use quorum_sim::{AccountLimits, SimConfig, Simulator};
use serde_json::Value;

const KILLS: u64 = 20;
/// Requests of a run for each kill.
const REQUESTS_PER_KILL: u64 = 20;
/// Votes that the default ensemble asks of a review.
const VOTES_PER_REVIEW: u64 = 4;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .filter(|text| !text.is_empty())
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number, not {text:?}")))
}

fn dataset(reviews: u64) -> String {
    let mut lines = String::new();
    for business in 0..reviews.div_ceil(100) {
        let reviews: Vec<Value> = (business * 100..reviews.min((business + 1) * 100))
            .map(|review| {
                let text = format!("Visit {review}. My peanut allergy gave me hives.");
                serde_json::json!({"review_id": format!("r{review}"), "text": text, "stars": 3.0, "date": "2024-01-02 03:04:05", "useful": 0})
            })
            .collect();
        let id = format!("b{business}");
        let line = serde_json::json!({"business_id": id, "business": {"business_id": id, "name": id, "categories": "Thai"}, "reviews": reviews});
        writeln!(lines, "{line}").expect("a string takes everything");
    }
    lines
}

fn quorumctl(data: &Path, provider: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorumctl"));
    command.arg("--data").arg(data).args(["--provider", provider, "--json", "--quiet"]).args(arguments);
    command.env_remove("QUORUM_API_KEY").stdin(Stdio::null());
    command
}

fn json(mut command: Command) -> Value {
    let output = command.output().expect("quorumctl starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {said}", command.get_args().collect::<Vec<_>>());
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

const EXTRACT: [&str; 8] = ["extract", "--dataset", "town", "--topic", "G1_allergy", "--k", "100", "--yes"];

/// Everything but the time of the votes, in order.
fn exported(data: &Path, provider: &str) -> Value {
    let file = data.join("votes.json");
    json(quorumctl(data, provider, &["votes", "export", "G1_allergy", file.to_str().expect("a plain path")]));
    let text = fs::read_to_string(&file).expect("the export");
    let mut cache: Value = serde_json::from_str(&text).expect("JSON");
    let mut votes = cache["raw"].take();
    for vote in votes.as_object_mut().expect("votes by key").values_mut() {
        vote.as_object_mut().expect("a vote").remove("_extracted_at");
    }
    votes
}

/// Ticks until nothing is live.
fn finish(data: &Path, provider: &str) {
    let deadline = Instant::now() + Duration::from_secs(400);
    while json(quorumctl(data, provider, &["poll"]))["live"] != 0 {
        assert!(Instant::now() < deadline, "the run does not end");
    }
}

async fn server(requests: u64) -> Simulator {
    // Room for a tenth of the run, so that it is cut into many batches.
    let enqueued_tokens = ["gpt-5-mini", "gpt-5-nano"].map(|model| (model.to_owned(), requests * 2_300 / 10)).into();
    let limits = AccountLimits { enqueued_tokens, ..AccountLimits::default() };
    Simulator::start(SimConfig { limits, ..SimConfig::default() }).await.expect("a port")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_at_random_moments_asks_each_request_once() {
    let kills = from_environment("QUORUM_KILLS", KILLS);
    let mut random = Prng::new(from_environment("QUORUM_KILL_SEED", 1));
    let requests = kills * REQUESTS_PER_KILL;
    let folder = tempfile::tempdir().expect("a folder");
    let lines = folder.path().join("town.jsonl");
    fs::write(&lines, dataset(requests / VOTES_PER_REVIEW)).expect("written");
    let lines = lines.to_str().expect("a plain path");

    let calm = server(requests).await;
    let calm_data = folder.path().join("calm");
    json(quorumctl(&calm_data, &calm.base_url(), &["dataset", "import", lines, "--name", "town"]));
    json(quorumctl(&calm_data, &calm.base_url(), &EXTRACT));
    finish(&calm_data, &calm.base_url());
    let expected = exported(&calm_data, &calm.base_url());
    assert_eq!(expected.as_object().map(serde_json::Map::len), Some(usize::try_from(requests).expect("small")));

    let sim = server(requests).await;
    let (data, provider) = (folder.path().join("killed"), sim.base_url());
    json(quorumctl(&data, &provider, &["dataset", "import", lines, "--name", "town"]));
    json(quorumctl(&data, &provider, &EXTRACT));
    // A whole look, so that the moments of death spread over one.
    let began = Instant::now();
    json(quorumctl(&data, &provider, &["poll"]));
    let look_ms = u64::try_from(began.elapsed().as_millis()).expect("short").max(20);
    let (mut killed, mut looks) = (0, 0);
    while killed < kills && looks < kills * 20 {
        looks += 1;
        let mut child = quorumctl(&data, &provider, &["poll"]).stdout(Stdio::null()).spawn().expect("quorumctl starts");
        tokio::time::sleep(Duration::from_millis(random.next_u64() % (look_ms + look_ms / 4))).await;
        child.kill().expect("it was started here");
        let status = child.wait().expect("it ended");
        killed += u64::from(status.code().is_none());
    }
    let before_the_end = sim.executed().len();
    finish(&data, &provider);
    assert_eq!(killed, kills, "in {looks} looks");
    assert!(exported(&data, &provider) == expected, "the votes are those of an undisturbed run");
    let twice = sim.duplicates();
    println!(
        "{killed} kills over a run of {requests} requests ({before_the_end} answered by the last kill): {} votes, {} requests asked twice",
        expected.as_object().map_or(0, serde_json::Map::len),
        twice.len()
    );
    assert_eq!(twice, []);
    assert_eq!(sim.executed().len(), usize::try_from(requests).expect("small"));
}
