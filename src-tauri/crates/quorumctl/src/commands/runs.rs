//! `poll`, `status`, `retry`, `cancel`.

use quorum_api::Quorum;
use quorum_core::{
    manifest::{Batch, Manifest, ManifestId},
    models::total_usd,
};
use quorum_engine::Tick;
use serde_json::{Value, json};

use super::Failure;
use crate::{
    outcome::{Exit, Output, count, usd},
    wait::{self, Waited},
};

pub async fn poll(quorum: &Quorum, output: Output, wish: wait::Wish) -> Result<Exit, Failure> {
    let mut tick = Tick::default();
    let waited = match wish {
        None => {
            tick = quorum.tick().await?;
            wait::trouble(&tick, None).cloned().map_or(Waited::Settled, Waited::Stuck)
        }
        Some(limit) => wait::until(quorum, output, None, limit, &mut tick, |tick| Ok(tick.live == 0)).await?,
    };
    output.result(&json!({"live": tick.live, "changed": tick.changed}), || {
        format!("{} live, {} changed", tick.live, tick.changed)
    });
    Ok(match waited {
        Waited::TimedOut => Exit::Unfinished,
        Waited::Stuck(trouble) if tick.live > 0 => {
            say!("quorumctl: {}", wait::explain(&trouble));
            Exit::Failed
        }
        Waited::Settled | Waited::Stuck(_) => Exit::Done,
    })
}

pub fn status(quorum: &Quorum, output: Output, manifest: Option<u32>) -> Result<Exit, Failure> {
    let manifests = match manifest {
        Some(id) => vec![quorum.store().manifest(ManifestId(id))?],
        None => quorum.store().manifests()?,
    };
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for manifest in &manifests {
        let batches = quorum.store().batches(manifest.id)?;
        rows.push(shown(manifest, &batches));
        lines.push(people(manifest, &batches));
    }
    output.result(&json!({"manifests": rows}), || {
        if lines.is_empty() { "no runs yet".to_owned() } else { lines.join("\n") }
    });
    Ok(Exit::Done)
}

pub async fn retry(quorum: &Quorum, output: Output, manifest: u32, at_once: bool) -> Result<Exit, Failure> {
    let run = manifest.to_string();
    if at_once {
        quorum.run_retry_at_once(&run, None, None)?
    } else {
        quorum.run_retry(&run, None, None)?
    };
    quorum.tick().await?;
    status(quorum, output, Some(manifest))
}

/// Gives one run up, or every run that is not finished.
pub async fn cancel(quorum: &Quorum, output: Output, manifest: Option<u32>) -> Result<Exit, Failure> {
    match manifest {
        Some(manifest) => drop(quorum.run_cancel(&manifest.to_string())?),
        None => drop(quorum.run_cancel_all()?),
    }
    quorum.tick().await?;
    status(quorum, output, manifest)
}

fn shown(manifest: &Manifest, batches: &[Batch]) -> Value {
    let batch = |batch: &Batch| {
        let is_in = batch.ingested_at.is_some();
        json!({
            "model": batch.model,
            "state": batch.state,
            "round": batch.round,
            "requests": batch.requests,
            "completed": if is_in { batch.votes } else { batch.counted_completed },
            "failed": if is_in { batch.failed } else { batch.counted_failed },
            "provider_id": batch.provider_id,
            "trouble": batch.trouble.as_ref().map(|trouble| &trouble.words),
        })
    };
    json!({
        "manifest": manifest.id,
        "topic": manifest.topic,
        "k": manifest.k,
        "dataset": manifest.dataset,
        "realm": manifest.realm,
        "state": manifest.state(batches),
        "paused": manifest.paused.as_ref().map(|pause| &pause.words),
        "batches": batches.iter().map(batch).collect::<Vec<_>>(),
        "usd_estimated": manifest.usd_estimated,
        "usd_spent": total_usd(batches.iter().map(|batch| batch.usd)),
    })
}

fn people(manifest: &Manifest, batches: &[Batch]) -> String {
    let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!(
        "run {}  {} K={}  {}  est. {}, spent {}",
        manifest.id,
        manifest.topic,
        manifest.k,
        word(json!(manifest.state(batches))),
        usd(manifest.usd_estimated),
        usd(total_usd(batches.iter().map(|batch| batch.usd)))
    )];
    for batch in batches {
        let trouble = batch.trouble.as_ref().map(|trouble| format!("  {}", trouble.words)).unwrap_or_default();
        lines.push(format!(
            "  {:>3}  {:14} {:12} {:>8} requests, {:>8} votes, {:>6} failed  {}{trouble}",
            batch.id.number,
            batch.model,
            word(json!(batch.state)),
            count(batch.requests.into()),
            count(batch.votes.into()),
            count(batch.failed.into()),
            batch.provider_id.as_deref().unwrap_or("-"),
        ));
    }
    lines.join("\n")
}
