//! Waiting for runs: ticks at the loop's own pace until a condition holds, the time is up, or only the user can help.
//!
//! A provider that answered once is waited for through any outage: runs take hours. One that never answered, refuses the key
//! or is no Batch API is told at once: nobody wants to find that out in the morning.

use std::time::{Duration, Instant};

use quorum_api::Quorum;
use quorum_core::manifest::{BatchState, ManifestId, ManifestState, Trouble, TroubleKind};
use quorum_engine::Tick;

use crate::{commands::Failure, outcome::Output};

/// How waiting ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waited {
    Settled,
    TimedOut,
    /// The provider cannot be used until somebody mends something.
    Stuck(Trouble),
}

/// The wish on the command line: `--wait` waits as long as it takes, `--wait=N` at most N seconds.
pub type Wish = Option<Option<u64>>;

/// Ticks until `is_settled`, telling progress when it changes. Other providers than `address` are left to those who wait for
/// them.
pub async fn until(
    quorum: &Quorum,
    output: Output,
    address: Option<&str>,
    limit: Option<u64>,
    total: &mut Tick,
    mut is_settled: impl FnMut(&Tick) -> Result<bool, Failure>,
) -> Result<Waited, Failure> {
    let deadline = limit.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
    let (mut said, mut has_answered) = (String::new(), false);
    loop {
        // Who waits for one provider is not held up by another.
        let tick = match address {
            Some(address) => quorum.tick_at(address).await?,
            None => quorum.tick().await?,
        };
        total.changed += tick.changed;
        total.live = tick.live;
        total.connections.clone_from(&tick.connections);
        if is_settled(&tick)? {
            return Ok(Waited::Settled);
        }
        match trouble(&tick, address) {
            Some(trouble) if !has_answered || needs_user(trouble.kind) => return Ok(Waited::Stuck(trouble.clone())),
            Some(_) => {}
            None => has_answered = true,
        }
        let line = progress(quorum, &tick)?;
        if line != said {
            output.progress(&line);
            said = line;
        }
        let mut pause = quorum.pause_after(address, &tick);
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

/// Why no provider that is waited for could be asked; `None`: one answered.
pub fn trouble<'a>(tick: &'a Tick, address: Option<&str>) -> Option<&'a Trouble> {
    let mut asked =
        tick.connections.iter().filter(|connection| address.is_none_or(|address| address == connection.provider));
    let first = asked.next()?.trouble.as_ref()?;
    asked.all(|connection| connection.trouble.is_some()).then_some(first)
}

/// Whether waiting cannot help.
fn needs_user(kind: TroubleKind) -> bool {
    matches!(kind, TroubleKind::KeyRefused | TroubleKind::NoKey | TroubleKind::NotTheApi | TroubleKind::Other)
}

/// The trouble in words, with what is safe and what to do.
pub fn explain(trouble: &Trouble) -> String {
    let (what, action) = match trouble.kind {
        TroubleKind::KeyRefused => ("the provider refused the key", "Give the right one with `quorumctl key set`"),
        TroubleKind::NoKey => (
            "there is no API key to use",
            "Add one with `quorumctl key set`, or set QUORUM_API_KEY and name the provider that it is for with --provider",
        ),
        TroubleKind::NotTheApi => (
            "what answers at the provider's address is not a Batch API",
            "Check --provider, or the network's login page",
        ),
        TroubleKind::Offline | TroubleKind::Interrupted => {
            ("the provider cannot be reached", "Check the network and --provider")
        }
        TroubleKind::QuotaExhausted => ("the account's credit or limit is used up", "Top it up at the provider"),
        _ => ("the provider could not be asked", "Mend that"),
    };
    let words = trouble.words.trim();
    let beneath = if words.is_empty() { String::new() } else { format!("\n  {words}") };
    format!("{what}. Runs and votes are safe here. {action}; `quorumctl poll --wait` goes on.{beneath}")
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
    let mut live = Vec::new();
    for run in quorum.run_list()?.iter().filter(|run| run.finished_at.is_none()) {
        let trouble =
            quorum.store().batches(quorum.run_id(&run.run)?)?.into_iter().find_map(|batch| match batch.state {
                BatchState::Ingested | BatchState::Cancelled => None,
                _ => batch.trouble.map(|trouble| trouble.words).filter(|words| !words.is_empty()),
            });
        live.push(format!(
            "run {} {} K={}: {} of {} answered, {} stored{}",
            run.run,
            run.topic,
            run.k,
            run.completed,
            run.requests,
            run.ingested,
            trouble.map(|words| format!(" ({words})")).unwrap_or_default()
        ));
    }
    Ok(live.join("; "))
}
