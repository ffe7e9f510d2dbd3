//! `bench`: made-up work of any size, and what Quorum takes for it.

use quorum_api::dto::error::ErrorCode;
use quorum_bench::{
    BenchError,
    folder::{Folder, Scale},
    runs,
    stock::{self, Stock},
    trust,
};
use serde_json::Value;

use super::Failure;
use crate::{
    args::Bench,
    outcome::{Exit, Output},
};

/// Runs one part. They take seconds of all cores and start runtimes of their own, so not on this one's threads.
pub async fn run(output: Output, command: Bench) -> Result<Exit, Failure> {
    let figures = tokio::task::spawn_blocking(move || figures(command))
        .await
        .map_err(|error| Failure::new(ErrorCode::Internal, "The benchmark was stopped.").detail(error.to_string()))?;
    let figures = figures.map_err(failure)?;
    output.result(&figures, || people(&figures));
    Ok(Exit::Done)
}

fn figures(command: Bench) -> Result<Value, BenchError> {
    let shown = |figures: serde_json::Result<Value>| figures.expect("figures are plain data with string keys");
    Ok(match command {
        Bench::Generate { topics, reviews, seed, out } => {
            shown(serde_json::to_value(Folder::new(out).generate(Scale { topics, reviews, seed })?))
        }
        Bench::Stock { topics, reviews, of_each, seed, out } => {
            let stock = Stock { topics, reviews, reviews_a_business: of_each, seed, ..Stock::default() };
            shown(serde_json::to_value(stock::fill(&out, stock)?))
        }
        Bench::Read { dir } => shown(serde_json::to_value(runs::read_limit(&Folder::new(dir))?)),
        Bench::Ingest { dir } => shown(serde_json::to_value(runs::ingest(&Folder::new(dir))?)),
        Bench::Plan { dir } => shown(serde_json::to_value(runs::plan(&Folder::new(dir))?)),
        Bench::Upload { dir } => shown(serde_json::to_value(runs::upload(&Folder::new(dir))?)),
        Bench::Micro => shown(serde_json::to_value(runs::micro())),
        Bench::Trust { dir } => shown(serde_json::to_value(trust::trust(&Folder::new(dir))?)),
        Bench::Verdicts { dir } => shown(serde_json::to_value(runs::verdicts(&Folder::new(dir))?)),
    })
}

fn failure(error: BenchError) -> Failure {
    match error {
        BenchError::Api(error) => error,
        BenchError::Store(error) => error.into(),
        BenchError::File { .. } => Failure::new(ErrorCode::FileUnwritable, error.to_string()).detail(source(&error)),
        BenchError::NotMade(_) | BenchError::Scale { .. } => Failure::invalid(error.to_string()),
        error => Failure::new(ErrorCode::Internal, error.to_string()).detail(source(&error)),
    }
}

fn source(error: &BenchError) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}

/// One figure a line.
fn people(figures: &Value) -> String {
    let mut lines = Vec::new();
    push(&mut lines, "", figures);
    lines.join("\n")
}

fn push(lines: &mut Vec<String>, name: &str, value: &Value) {
    match value {
        Value::Object(parts) => {
            for (part, value) in parts {
                let name = if name.is_empty() { part.clone() } else { format!("{name}.{part}") };
                push(lines, &name, value);
            }
        }
        value => lines.push(format!("{name} {value}")),
    }
}
