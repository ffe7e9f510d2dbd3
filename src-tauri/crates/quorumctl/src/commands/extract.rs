//! `extract`: gets the missing votes; asks for consent unless `--yes`.

use quorum_api::{Quorum, dto::error::ErrorCode};
use quorum_core::manifest::{ManifestId, ManifestState, Mode, PauseKind};
use quorum_engine::{Draft, Tick};
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
    /// `None`: as the provider deserves.
    pub canary: Option<bool>,
}

pub async fn run(quorum: &Quorum, output: Output, wish: &args::Wish, terms: Terms) -> Result<Exit, Failure> {
    let mode = match terms.mode {
        args::Mode::Batch => Mode::Batch,
        args::Mode::Ondemand => Mode::OnDemand,
    };
    let wish = quorum_api::Wish { canary: terms.canary, ..plan::read(wish, mode)? };
    let address = quorum.address()?;
    let (mut draft, mut topic) = quorum.draft(&wish)?;
    let mut tick = Tick::default();
    if draft.requests() == 0 && draft.in_flight > 0 {
        let in_flight = draft.in_flight;
        output.progress(&format!("{} votes are on their way in runs that are under way", count(in_flight)));
        let Some(limit) = terms.wait else {
            output.result(&without_run("live", 0), || "nothing more was sent; `poll --wait` waits for them".to_owned());
            return Ok(Exit::Done);
        };
        let is_settled = |tick: &Tick| Ok(tick.live == 0);
        match wait::until(quorum, output, Some(address.as_str()), limit, &mut tick, is_settled).await? {
            Waited::Settled => {}
            waited => {
                output.result(&without_run("live", 0), || format!("{} votes are still on their way", count(in_flight)));
                return Ok(unsettled(&waited));
            }
        }
        (draft, topic) = quorum.draft(&wish)?;
    }
    if draft.requests() == 0 {
        output.result(&without_run("completed", 0), || "nothing is missing; nothing was sent".to_owned());
        return Ok(Exit::Done);
    }
    let mut warnings = quorum.model_warnings(&wish.ensemble, &quorum.models()?)?;
    warnings.extend(quorum.queue_warnings(&wish, &draft, &topic)?);
    let price = quorum.price_of(&wish, &draft, &topic)?;
    output.progress(&[plan::people(&draft, price.filter(|_| mode == Mode::Batch)), plan::advice(&warnings)].concat());
    if mode == Mode::OnDemand {
        let price = price.map_or_else(|| "a price that is not known".to_owned(), usd);
        output.progress(&format!("on demand, at the full price: {price}"));
    }
    if let Some(reason) = refusal(&draft, price, terms) {
        output.result(&without_run("needs_consent", draft.requests()), || "nothing was sent".to_owned());
        say!("quorumctl: {reason}; nothing was sent");
        return Ok(Exit::NeedsConsent);
    }
    let started = quorum.start(&wish, draft, &topic, terms.budget).map_err(|error| match error.code {
        ErrorCode::BudgetExceeded => error.action("`--budget USD` agrees to as much, above today's budget too."),
        _ => error,
    })?;
    let Some(manifest) = started else {
        return Err(
            Failure::new(ErrorCode::PlanChanged, "The plan changed while it was started.").safe("Nothing was sent.")
        );
    };
    let is_settled = |_: &Tick| Ok(!wait::is_live(quorum, manifest.id)?);
    let waited = match terms.wait {
        // One look sends what can be sent.
        None => {
            tick = quorum.tick().await?;
            wait::trouble(&tick, Some(address.as_str())).cloned().map_or(Waited::Settled, Waited::Stuck)
        }
        Some(limit) => wait::until(quorum, output, Some(address.as_str()), limit, &mut tick, is_settled).await?,
    };
    let (json, exit) = report(quorum, manifest.id, &waited, terms.wait.is_some())?;
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

/// What is told where no run was started.
fn without_run(state: &str, requests: u64) -> Value {
    json!({"manifest": null, "state": state, "requests": requests, "ingested": 0, "failed": 0, "usd": 0.0})
}

/// Why the plan may not be sent.
fn refusal(draft: &Draft, price: Option<f64>, terms: Terms) -> Option<String> {
    if let Some(budget) = terms.budget {
        match price {
            Some(estimate) if estimate > budget => {
                return Some(format!("the estimate of {} is above the budget of {}", usd(estimate), usd(budget)));
            }
            Some(_) => {}
            None => {
                return Some(
                    "a model has no known price, so no budget can be kept; leave --budget out to agree all the same"
                        .to_owned(),
                );
            }
        }
    }
    (!terms.yes).then(|| format!("sending {} requests needs --yes", count(draft.requests())))
}

fn unsettled(waited: &Waited) -> Exit {
    match waited {
        Waited::Settled => Exit::Done,
        Waited::TimedOut => Exit::Unfinished,
        Waited::Stuck(trouble) => {
            say!("quorumctl: {}", wait::explain(trouble));
            Exit::Failed
        }
    }
}

fn report(quorum: &Quorum, id: ManifestId, waited: &Waited, was_waited_for: bool) -> Result<(Value, Exit), Failure> {
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
        say!("quorumctl: the run needs you: {reason}");
    }
    let is_over_budget = manifest.paused.as_ref().is_some_and(|pause| pause.kind == PauseKind::Budget);
    let exit = match (waited, state) {
        (Waited::Settled, ManifestState::NeedsUser) if was_waited_for && is_over_budget => Exit::NeedsConsent,
        (Waited::Settled, ManifestState::NeedsUser | ManifestState::Cancelled) if was_waited_for => Exit::Failed,
        (waited, _) => unsettled(waited),
    };
    Ok((json, exit))
}
