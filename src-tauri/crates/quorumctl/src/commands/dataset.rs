//! `dataset import`, `dataset list`.

use quorum_api::Quorum;
use serde_json::json;

use super::Failure;
use crate::{
    args::Dataset,
    outcome::{Exit, Output, count},
};

pub fn run(quorum: &Quorum, output: Output, command: &Dataset) -> Result<Exit, Failure> {
    match command {
        Dataset::Import { file, name } => {
            let known = quorum.dataset_list()?;
            let report = quorum.dataset_import(file, name.as_deref())?;
            let replaced = known.iter().any(|dataset| dataset.name == report.dataset.name);
            if replaced {
                output.progress(&format!("the dataset {} is replaced; its reviews' votes stay", report.dataset.name));
            }
            for problem in &report.problems {
                let field = problem.field.as_deref().map(|field| format!(", {field}")).unwrap_or_default();
                say!("{}: line {}{field}: {}", file.display(), problem.line, problem.message);
            }
            if u64::from(report.skipped) > report.problems.len() as u64 {
                say!(
                    "{} more were left out for like reasons",
                    u64::from(report.skipped) - report.problems.len() as u64
                );
            }
            let json = json!({
                "name": report.dataset.name,
                "businesses": report.businesses,
                "reviews": report.reviews,
                "skipped": report.skipped,
                "replaced": replaced,
            });
            output.result(&json, || {
                format!(
                    "{}: {} businesses, {} reviews, {} skipped",
                    report.dataset.name,
                    count(report.businesses.into()),
                    count(report.reviews.into()),
                    count(report.skipped.into())
                )
            });
        }
        Dataset::List => {
            let datasets = quorum.dataset_list()?;
            let rows: Vec<_> = datasets
                .iter()
                .map(|dataset| {
                    json!({"name": dataset.name, "businesses": dataset.businesses, "reviews": dataset.reviews})
                })
                .collect();
            output.result(&json!({"datasets": rows}), || {
                let line = |dataset: &quorum_api::dto::dataset::DatasetSummary| {
                    format!(
                        "{}: {} businesses, {} reviews",
                        dataset.name,
                        count(dataset.businesses.into()),
                        count(dataset.reviews.into())
                    )
                };
                if datasets.is_empty() {
                    "no datasets yet".to_owned()
                } else {
                    datasets.iter().map(line).collect::<Vec<_>>().join("\n")
                }
            });
        }
    }
    Ok(Exit::Done)
}
