//! Waiting for runs: ticks at the loop's own pace until a condition holds or the time is up.

use std::time::{Duration, Instant};

use quorum_api::Quorum;
use quorum_core::manifest::{ManifestId, ManifestState};
use quorum_engine::Tick;

use crate::{commands::Failure, outcome::Output};

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    Settled,
    TimedOut,
}

/// The wish on the command line: `--wait` waits as long as it takes, `--wait=N` at most N seconds.
pub type Wish = Option<Option<u64>>;

/// Ticks until `is_settled`, telling progress when it changes.
pub async fn until(
    quorum: &Quorum,
    output: Output,
    limit: Option<u64>,
    total: &mut Tick,
    mut is_settled: impl FnMut(&Tick) -> Result<bool, Failure>,
) -> Result<Waited, Failure> {
    let deadline = limit.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut said = String::new();
    loop {
        let tick = quorum.tick().await?;
        total.changed += tick.changed;
        total.live = tick.live;
        total.connections.clone_from(&tick.connections);
        if is_settled(&tick)? {
            return Ok(Waited::Settled);
        }
        let line = progress(quorum, &tick)?;
        if line != said {
            output.progress(&line);
            said = line;
        }
        let mut pause = quorum.pause(tick.changed > 0, tick.is_offline());
        if let Some(deadline) = deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::TimedOut);
            }
            pause = pause.min(left);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Whether a run goes on without the user.
pub fn is_live(quorum: &Quorum, run: ManifestId) -> Result<bool, Failure> {
    let manifest = quorum.store().manifest(run)?;
    let batches = quorum.store().batches(run)?;
    let state = manifest.state(&batches);
    let is_closing = state == ManifestState::Completed && manifest.finished_at.is_none();
    Ok(state == ManifestState::Live || is_closing)
}

fn progress(quorum: &Quorum, tick: &Tick) -> Result<String, Failure> {
    if let Some(trouble) = tick.connections.iter().find_map(|connection| connection.trouble.as_ref()) {
        return Ok(format!("waiting: {}", trouble.words));
    }
    let runs = quorum.run_list()?;
    let live: Vec<String> = runs
        .iter()
        .filter(|run| run.finished_at.is_none())
        .map(|run| {
            format!(
                "run {} {} K={}: {} of {} answered, {} stored",
                run.run, run.topic, run.k, run.completed, run.requests, run.ingested
            )
        })
        .collect();
    Ok(live.join("; "))
}
