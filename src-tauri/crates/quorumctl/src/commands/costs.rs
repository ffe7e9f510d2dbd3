//! `costs`: what was charged by day and model, and each run beside its estimate.

use quorum_api::{Quorum, dto::spend::SpendDay};
use serde_json::{Map, Value, json};

use super::Failure;
use crate::outcome::{Exit, Output, count, usd};

pub fn run(quorum: &Quorum, output: Output) -> Result<Exit, Failure> {
    let spend = quorum.spend_overview()?;
    let by_model = |day: &SpendDay| -> Map<String, Value> {
        spend.models.iter().cloned().zip(day.usd.iter().map(|usd| json!(usd))).collect()
    };
    let day = |day: &SpendDay| json!({"day": day.day, "usd": by_model(day), "requests": day.requests});
    let json = json!({
        "sandbox": spend.sandbox,
        "usd": spend.usd_total,
        "days": spend.days.iter().map(day).collect::<Vec<_>>(),
        "runs": spend.runs.iter().map(|run| json!({
            "manifest": run.run, "topic": run.topic_name, "dataset": run.dataset_name, "k": run.k,
            "usd_estimated": run.usd_estimated, "usd_spent": run.usd_spent,
        })).collect::<Vec<_>>(),
    });
    output.result(&json, || {
        let mut lines: Vec<String> = Vec::new();
        for day in &spend.days {
            let models = spend.models.iter().zip(&day.usd).filter(|(_, amount)| **amount > 0.0);
            let models: Vec<String> = models.map(|(model, amount)| format!("{model} {}", usd(*amount))).collect();
            let requests = count(day.requests.into());
            let words = if models.is_empty() { usd(0.0) } else { models.join(", ") };
            lines.push(format!("{}  {words}  ({requests} requests)", day.day));
        }
        for run in &spend.runs {
            let (spent, estimate) = (usd(run.usd_spent), usd(run.usd_estimated));
            lines.push(format!("run {}  {} K={}  {spent} of est. {estimate}", run.run, run.topic_name, run.k));
        }
        let sum = usd(spend.usd_total);
        lines.push(match (spend.runs.is_empty(), spend.sandbox) {
            (true, _) => "no runs yet".to_owned(),
            (false, false) => format!("{sum} charged in all"),
            (false, true) => format!("{sum} of play money in all; nothing was charged"),
        });
        lines.join("\n")
    });
    Ok(Exit::Done)
}
