//! `extract`: gets the missing votes; asks for consent unless `--yes`.

use quorum_api::{Quorum, dto::error::ErrorCode};
use quorum_core::manifest::{ManifestId, ManifestState, Mode};
use quorum_engine::Tick;
use serde_json::{Value, json};

use super::{Failure, plan};
use crate::{
    args,
    outcome::{Exit, Output, count, usd},
    wait::{self, Waited},
};

/// The conditions that the flags set.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub budget: Option<f64>,
    pub yes: bool,
    pub wait: wait::Wish,
    pub mode: args::Mode,
}

pub async fn run(quorum: &Quorum, output: Output, wish: &args::Wish, terms: Terms) -> Result<Exit, Failure> {
    if terms.mode == args::Mode::Ondemand {
        return Err(Failure::new(ErrorCode::InvalidInput, "This version asks through the Batch API only.")
            .safe("Nothing was sent."));
    }
    let wish = plan::read(wish, Mode::Batch)?;
    let (mut draft, mut topic) = quorum.draft(&wish)?;
    let mut tick = Tick::default();
    if draft.requests() == 0 && draft.in_flight > 0 {
        output.progress(&format!("{} votes are on their way in runs that are under way", count(draft.in_flight)));
        let Some(limit) = terms.wait else { return Ok(Exit::Done) };
        if wait::until(quorum, output, limit, &mut tick, |tick| Ok(tick.live == 0)).await? == Waited::TimedOut {
            return Ok(Exit::Unfinished);
        }
        (draft, topic) = quorum.draft(&wish)?;
    }
    if draft.requests() == 0 {
        let json =
            json!({"manifest": null, "state": "completed", "requests": 0, "ingested": 0, "failed": 0, "usd": 0.0});
        output.result(&json, || "nothing is missing; nothing was sent".to_owned());
        return Ok(Exit::Done);
    }
    output.progress(&plan::people(&draft));
    let estimate = draft.usd();
    if let (Some(budget), Some(estimate)) = (terms.budget, estimate)
        && estimate > budget
    {
        eprintln!(
            "quorumctl: the estimate of {} is above the budget of {}; nothing was sent",
            usd(estimate),
            usd(budget)
        );
        return Ok(Exit::NeedsConsent);
    }
    if !terms.yes {
        eprintln!("quorumctl: sending {} requests needs --yes; nothing was sent", count(draft.requests()));
        return Ok(Exit::NeedsConsent);
    }
    let Some(manifest) = quorum.start(&wish, draft, &topic, terms.budget)? else {
        return Err(
            Failure::new(ErrorCode::PlanChanged, "The plan changed while it was started.").safe("Nothing was sent.")
        );
    };
    let waited = match terms.wait {
        // One look sends what can be sent.
        None => {
            quorum.tick().await?;
            Waited::Settled
        }
        Some(limit) => {
            wait::until(quorum, output, limit, &mut tick, |_| Ok(!wait::is_live(quorum, manifest.id)?)).await?
        }
    };
    let (json, exit) = report(quorum, manifest.id, waited, terms.wait.is_some())?;
    output.result(&json, || {
        format!(
            "run {}: {}, {} votes stored, {} failed, {}",
            manifest.id,
            json["state"].as_str().unwrap_or_default(),
            json["ingested"],
            json["failed"],
            usd(json["usd"].as_f64().unwrap_or(0.0))
        )
    });
    Ok(exit)
}

fn report(quorum: &Quorum, id: ManifestId, waited: Waited, was_waited_for: bool) -> Result<(Value, Exit), Failure> {
    let manifest = quorum.store().manifest(id)?;
    let batches = quorum.store().batches(id)?;
    let state = manifest.state(&batches);
    let summary = quorum.run_list()?.into_iter().find(|run| run.run == id.to_string());
    let summary = summary.ok_or_else(|| Failure::not_found(format!("There is no run {id}.")))?;
    let json = json!({
        "manifest": id,
        "state": state,
        "requests": summary.requests,
        "ingested": summary.ingested,
        "failed": summary.failed,
        "usd": summary.usd_spent,
    });
    if let Some(reason) = summary.reason.filter(|_| state == ManifestState::NeedsUser) {
        eprintln!("quorumctl: the run needs you: {reason}");
    }
    let exit = match (waited, state) {
        (Waited::TimedOut, _) => Exit::Unfinished,
        (Waited::Settled, ManifestState::NeedsUser | ManifestState::Cancelled) if was_waited_for => Exit::Failed,
        (Waited::Settled, _) => Exit::Done,
    };
    Ok((json, exit))
}
