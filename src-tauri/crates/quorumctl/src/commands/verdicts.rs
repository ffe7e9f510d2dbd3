//! `verdicts`: what the policies say, on the screen and as ground-truth files.

use std::path::PathBuf;

use quorum_api::{
    Quorum,
    open_dataset::UnfitOverride,
    trust::Applied,
    verdicts::{PolicyResult, VerdictsRequest, expand_policies, verdicts},
};
use quorum_core::trust::aggregate::Aggregator;
use serde_json::{Map, Value, json};

use super::{Failure, plan};
use crate::outcome::{Exit, Output};

/// What the flags ask for.
#[derive(Debug)]
pub struct Request {
    pub dataset: String,
    pub policy: Vec<String>,
    pub topic: Vec<String>,
    pub k: Vec<u32>,
    pub out: Option<PathBuf>,
    pub partial: bool,
    pub models: Option<String>,
}

/// One line of the result.
struct Row {
    policy: String,
    k: u32,
    aggregator: Applied,
    distribution: Vec<(String, u32)>,
    without_verdict: u32,
    missing: u32,
    file: Option<String>,
}

pub fn run(quorum: &Quorum, output: Output, request: Request) -> Result<Exit, Failure> {
    let words: Vec<&String> = request.policy.iter().chain(&request.topic).collect();
    let catalog = quorum.catalog();
    let wanted = VerdictsRequest {
        dataset: request.dataset.as_str().into(),
        policies: expand_policies(&catalog, &words)?,
        ks: request.k,
        ensemble: plan::ensemble(request.models.as_deref())?,
        partial: request.partial,
    };
    let (rows, unfit) = match &request.out {
        Some(dir) => {
            let (files, unfit) = quorum.ground_truth(&wanted, dir)?;
            let row = |file: quorum_api::ground_truth::GroundTruthFile| Row {
                policy: file.policy,
                k: file.k,
                aggregator: file.aggregator,
                distribution: file.distribution,
                without_verdict: file.without_verdict,
                missing: file.missing_judgments,
                file: Some(file.path.display().to_string()),
            };
            (files.into_iter().map(row).collect::<Vec<_>>(), unfit)
        }
        None => {
            let (results, unfit) = verdicts(quorum.store(), &catalog, quorum.realm()?, &wanted)?;
            (results.into_iter().map(from_result).collect(), unfit)
        }
    };
    for UnfitOverride { number, topic, review, problem } in unfit {
        say!("quorumctl: correction {number} of {topic}, review {review}, is left out: {problem}");
    }
    let results: Vec<Value> = rows.iter().map(shown).collect();
    output.result(&json!({"results": results}), || rows.iter().map(people).collect::<Vec<_>>().join("\n"));
    Ok(Exit::Done)
}

fn from_result(result: PolicyResult) -> Row {
    Row {
        policy: result.policy.to_string(),
        k: result.k,
        aggregator: result.aggregator,
        distribution: result.distribution,
        without_verdict: result.without_verdict,
        missing: result.missing_judgments,
        file: None,
    }
}

fn shown(row: &Row) -> Value {
    let distribution: Map<String, Value> =
        row.distribution.iter().map(|(verdict, count)| (verdict.clone(), json!(count))).collect();
    json!({
        "policy": row.policy,
        "k": row.k,
        "aggregator": row.aggregator.aggregator,
        "aggregator_kept": row.aggregator.kept,
        "distribution": distribution,
        "without_verdict": row.without_verdict,
        "provisional": row.missing > 0,
        "missing_judgments": row.missing,
        "file": row.file,
    })
}

fn people(row: &Row) -> String {
    let counts: Vec<String> = row.distribution.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
    let without =
        if row.without_verdict > 0 { format!(", without a verdict {}", row.without_verdict) } else { String::new() };
    let provisional =
        if row.missing > 0 { format!("  provisional: {} reviews lack votes", row.missing) } else { String::new() };
    let file = row.file.as_deref().map(|file| format!("  {file}")).unwrap_or_default();
    let by = match row.aggregator.aggregator {
        Aggregator::WeightedMajority => String::new(),
        other => format!("  by {}", other.name()),
    };
    format!("{:22} K={:<4} {}{without}{by}{provisional}{file}", row.policy, row.k, counts.join(", "))
}
