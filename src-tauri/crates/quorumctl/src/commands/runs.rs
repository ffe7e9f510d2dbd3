//! `poll`, `status`, `retry`, `pause`, `resume`, `cancel`.

use std::collections::BTreeMap;

use quorum_api::{
    Quorum,
    dto::{error::ErrorCode, run::FailureCause},
};
use quorum_core::{
    manifest::{Batch, BatchId, Manifest, ManifestId, ManifestState, PauseKind, Realm},
    models::total_usd,
    words::counted,
};
use quorum_engine::{Expected, Tick};
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
    let needy = needy(quorum)?;
    for run in &needy {
        say!("quorumctl: {}", run.words);
    }
    Ok(match waited {
        Waited::TimedOut => Exit::Unfinished,
        Waited::Stuck(trouble) if tick.live > 0 => {
            say!("quorumctl: {}", wait::explain(&trouble));
            Exit::Failed
        }
        // Who waits for runs must not take one that stands still for one that is done.
        Waited::Settled | Waited::Stuck(_) if wish.is_some() && !needy.is_empty() => {
            if needy.iter().all(|run| run.is_over_budget) { Exit::NeedsConsent } else { Exit::Failed }
        }
        Waited::Settled | Waited::Stuck(_) => Exit::Done,
    })
}

/// A run that does not go on by itself.
struct Needy {
    /// Why, and what to do.
    words: String,
    is_over_budget: bool,
}

fn needy(quorum: &Quorum) -> Result<Vec<Needy>, Failure> {
    let mut needy = Vec::new();
    for manifest in quorum.store().manifests()?.into_iter().filter(|manifest| manifest.finished_at.is_none()) {
        let batches = quorum.store().batches(manifest.id)?;
        if manifest.state(&batches) != ManifestState::NeedsUser {
            continue;
        }
        let (id, topic, k) = (manifest.id, &manifest.topic, manifest.k);
        let words = match &manifest.paused {
            Some(pause) => {
                let remedy = match pause.kind {
                    PauseKind::TermsChanged => format!("`quorumctl cancel {id}` gives it up"),
                    PauseKind::Budget => format!(
                        "`quorumctl resume {id}` goes on without the budget, `quorumctl cancel {id}` gives it up"
                    ),
                    _ => format!("`quorumctl resume {id}` goes on, `quorumctl cancel {id}` gives it up"),
                };
                format!("run {id} {topic} K={k} is paused: {}; {remedy}", pause.words)
            }
            None => {
                let open = batches.iter().filter(|batch| !batch.state.is_settled());
                let mut words = open.filter_map(|batch| Some(batch.trouble.as_ref()?.words.as_str()));
                let said = words.find(|words| !words.is_empty()).unwrap_or("batches were refused, or are unknown here");
                let remedy = remedy(quorum, &manifest)?;
                format!("run {id} {topic} K={k} needs you: {said}; {remedy}`quorumctl cancel {id}` gives it up")
            }
        };
        let is_over_budget = manifest.paused.as_ref().is_some_and(|pause| pause.kind == PauseKind::Budget);
        needy.push(Needy { words, is_over_budget });
    }
    Ok(needy)
}

fn requests(number: u32) -> String {
    counted(number.into(), "request", "requests")
}

/// What can be asked again, and what is to be known before.
fn remedy(quorum: &Quorum, manifest: &Manifest) -> Result<String, Failure> {
    let (id, run) = (manifest.id, manifest.id.to_string());
    let mut remedy = String::new();
    if quorum.retry_offer(&run, None, None, false)?.requests > 0 {
        remedy.push_str(&format!("`quorumctl retry {id}` sends it again, "));
    }
    let missing = quorum.retry_offer(&run, Some(FailureCause::BatchMissing), None, false)?;
    if missing.requests > 0 {
        remedy.push_str(&format!(
            "{} of batches that are missing at the provider may be paid for already: is another project's key stored? \
             `quorumctl retry {id} --missing` sends that again{}, ",
            requests(missing.requests),
            match manifest.realm {
                Realm::Live => format!(" for about {}, maybe a second time", usd(missing.usd)),
                Realm::Sandbox => String::new(),
            }
        ));
    }
    Ok(remedy)
}

/// Goes on with a paused run: what stopped it is lifted, a budget or a failed trial.
pub async fn resume(quorum: &Quorum, output: Output, manifest: u32, consent: Option<f64>) -> Result<Exit, Failure> {
    let run = manifest.to_string();
    let detail = quorum.run_detail(&run)?;
    if let Some(offer) = detail.resume.filter(|_| !detail.summary.sandbox) {
        output.progress(&format!("resuming sends {} for about {}", requests(offer.requests), usd(offer.usd)));
    }
    with_flag(quorum.resume_for(&run, consent))?;
    quorum.tick().await?;
    status(quorum, output, Some(manifest))
}

/// Sends no more of a run; what is at the provider goes on.
pub fn pause(quorum: &Quorum, output: Output, manifest: u32) -> Result<Exit, Failure> {
    quorum.run_pause(&manifest.to_string())?;
    status(quorum, output, Some(manifest))
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
        let expected = quorum.expected_at(&manifest.provider)?;
        rows.push(shown(manifest, &batches, &expected));
        lines.push(people(manifest, &batches, &expected, quorum.now()));
    }
    output.result(&json!({"manifests": rows}), || {
        if lines.is_empty() { "no runs yet".to_owned() } else { lines.join("\n") }
    });
    Ok(Exit::Done)
}

/// What the flags of `retry` say.
#[derive(Clone, Copy, Debug)]
pub struct Again {
    pub manifest: u32,
    pub ondemand: bool,
    pub missing: bool,
    pub yes: bool,
    pub consent: Option<f64>,
}

/// Where it costs money, the price is said and agreed to first.
pub async fn retry(quorum: &Quorum, output: Output, again: Again) -> Result<Exit, Failure> {
    let run = again.manifest.to_string();
    let cause = again.missing.then_some(FailureCause::BatchMissing);
    let offer = quorum.retry_offer(&run, cause, None, again.ondemand)?;
    if offer.requests > 0 && quorum.store().manifest(ManifestId(again.manifest))?.realm == Realm::Live {
        let full = if again.ondemand { ", at the full price" } else { "" };
        let twice =
            if again.missing { ". They may be answered and paid for already; this pays a second time" } else { "" };
        output.progress(&format!("asks {} again for about {}{full}{twice}", requests(offer.requests), usd(offer.usd)));
        if !again.yes {
            status(quorum, output, Some(again.manifest))?;
            say!(
                "quorumctl: asking {} again for about {} needs --yes; nothing was sent",
                requests(offer.requests),
                usd(offer.usd)
            );
            return Ok(Exit::NeedsConsent);
        }
    }
    let asked = quorum_api::Again { cause, model: None, at_once: again.ondemand, agreed_usd: again.consent };
    with_flag(quorum.ask_again(&run, &asked)).map_err(|error| match offer.left_out {
        1.. if offer.requests == 0 => error.action(format!(
            "`quorumctl retry {run} --missing` sends {} again whose batches may be paid for already.",
            requests(offer.left_out)
        )),
        _ => error,
    })?;
    quorum.tick().await?;
    status(quorum, output, Some(again.manifest))
}

/// Names the flag that agrees to what is above today's budget.
fn with_flag<T>(done: Result<T, Failure>) -> Result<T, Failure> {
    done.map_err(|error| match error.code {
        ErrorCode::BudgetExceeded => error.action("`--consent USD` agrees to as much above today's budget."),
        _ => error,
    })
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

type Expectations = BTreeMap<BatchId, Expected>;

fn shown(manifest: &Manifest, batches: &[Batch], expected: &Expectations) -> Value {
    let batch = |batch: &Batch| {
        let expected = expected.get(&batch.id);
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
            "expected_start_at": expected.filter(|_| batch.state.is_unsent()).map(|it| it.start_at),
            "expected_end_at": expected.map(|it| it.end_at),
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

/// When a batch that is not done should start and end, in words.
fn outlook(manifest: &Manifest, batch: &Batch, expected: Option<&Expected>, now: u32) -> String {
    let is_waiting = batch.state.is_unsent();
    if !(is_waiting || batch.state.is_at_provider()) || batch.at_once || manifest.cancelled {
        return String::new();
    }
    if is_waiting && manifest.paused.is_some() {
        return "  waits until the run is resumed".to_owned();
    }
    let Some(expected) = expected else {
        return "  end not known yet: no batch of this account has ended".to_owned();
    };
    let within = |at: u32| span(at.saturating_sub(now));
    if is_waiting {
        format!("  should start in {}, end in {}", within(expected.start_at), within(expected.end_at))
    } else {
        format!("  should end in {}", within(expected.end_at))
    }
}

/// Seconds in the unit that says it best.
fn span(seconds: u32) -> String {
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", seconds.div_ceil(60)),
        5_400..172_800 => format!("{} h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

fn people(manifest: &Manifest, batches: &[Batch], expected: &Expectations, now: u32) -> String {
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
            "  {:>3}  {:14} {:12} {:>8} requests, {:>8} votes, {:>6} failed  {}{}{trouble}",
            batch.id.number,
            batch.model,
            word(json!(batch.state)),
            count(batch.requests.into()),
            count(batch.votes.into()),
            count(batch.failed.into()),
            batch.provider_id.as_deref().unwrap_or("-"),
            outlook(manifest, batch, expected.get(&batch.id), now),
        ));
    }
    lines.join("\n")
}
