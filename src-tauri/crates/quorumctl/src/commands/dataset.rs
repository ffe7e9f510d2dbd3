//! `dataset import`, `list`, `remove`, `restore`.

use std::path::Path;

use quorum_api::{Quorum, dto::error::ApiError};
use serde_json::json;

use super::Failure;
use crate::{
    args::Dataset,
    outcome::{Exit, Output, count},
};

pub fn run(quorum: &Quorum, output: Output, command: &Dataset) -> Result<Exit, Failure> {
    match command {
        Dataset::Import { file, name } => import(quorum, output, file, name.as_deref())?,
        Dataset::List => list(quorum, output)?,
        Dataset::Remove { name } => remove(quorum, output, name)?,
        Dataset::Restore { name } => restore(quorum, output, name)?,
    }
    Ok(Exit::Done)
}

fn import(quorum: &Quorum, output: Output, file: &Path, name: Option<&str>) -> Result<(), Failure> {
    let report = quorum.dataset_import(file, name)?;
    if let Some(replaced) = &report.replaced {
        output.progress(&format!(
            "the earlier dataset {0} is replaced; its votes stay, and `quorumctl dataset restore '{0}'` puts it back",
            replaced.name
        ));
    }
    for problem in &report.problems {
        let field = problem.field.as_deref().map(|field| format!(", {field}")).unwrap_or_default();
        say!("{}: line {}{field}: {}", file.display(), problem.line, problem.message);
    }
    if u64::from(report.skipped) > report.problems.len() as u64 {
        say!("{} more were left out for like reasons", u64::from(report.skipped) - report.problems.len() as u64);
    }
    let json = json!({
        "name": report.dataset.name,
        "businesses": report.businesses,
        "reviews": report.reviews,
        "skipped": report.skipped,
        "replaced": report.replaced.is_some(),
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
    Ok(())
}

fn list(quorum: &Quorum, output: Output) -> Result<(), Failure> {
    let datasets = quorum.dataset_list()?;
    let rows: Vec<_> = datasets
        .iter()
        .map(|dataset| json!({"name": dataset.name, "businesses": dataset.businesses, "reviews": dataset.reviews}))
        .collect();
    let removed = quorum.dataset_removed()?;
    let gone: Vec<_> = removed
        .iter()
        .map(|dataset| json!({"name": dataset.name, "businesses": dataset.businesses, "reviews": dataset.reviews}))
        .collect();
    output.result(&json!({"datasets": rows, "removed": gone}), || {
        let line = |dataset: &quorum_api::dto::dataset::DatasetSummary| {
            format!(
                "{}: {} businesses, {} reviews",
                dataset.name,
                count(dataset.businesses.into()),
                count(dataset.reviews.into())
            )
        };
        let mut lines: Vec<String> = datasets.iter().map(line).collect();
        if lines.is_empty() {
            lines.push("no datasets".to_owned());
        }
        lines.extend(removed.iter().map(|dataset| {
            let reviews = count(dataset.reviews.into());
            format!("removed, `dataset restore` puts it back: {}, {reviews} reviews", dataset.name)
        }));
        lines.join("\n")
    });
    Ok(())
}

fn remove(quorum: &Quorum, output: Output, name: &str) -> Result<(), Failure> {
    let removed = quorum.dataset_remove(name)?;
    output.result(&json!({"name": removed.name, "reviews": removed.reviews}), || {
        format!("{0} removed; its votes stay, and `quorumctl dataset restore '{0}'` puts it back", removed.name)
    });
    Ok(())
}

fn restore(quorum: &Quorum, output: Output, name: &str) -> Result<(), Failure> {
    let removed = quorum.dataset_removed()?;
    let Some(wanted) = removed.iter().find(|dataset| dataset.name == name) else {
        return Err(ApiError::not_found(format!("No dataset \"{name}\" was removed in the last 30 days."))
            .action("`quorumctl dataset list` names those that can be put back."));
    };
    let back = quorum.dataset_restore(wanted.number)?;
    let json = json!({"name": back.name, "businesses": back.businesses, "reviews": back.reviews});
    output.result(&json, || format!("{} is back: {} reviews", back.name, count(back.reviews.into())));
    Ok(())
}
