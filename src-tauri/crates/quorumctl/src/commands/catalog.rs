//! `catalog list|show|check|add|remove`.

use std::{path::Path, sync::Arc};

use quorum_api::Quorum;
use quorum_catalog::{Problem, Severity};
use quorum_core::topic::Topic;
use serde_json::{Value, json};

use super::{Failure, impact};
use crate::{
    args::Catalog,
    outcome::{Exit, Output},
};

pub fn run(quorum: &Quorum, output: Output, command: &Catalog) -> Result<Exit, Failure> {
    match command {
        Catalog::List => list(quorum, output)?,
        Catalog::Show { topic } => show(quorum, output, topic)?,
        Catalog::Check { dir } => return check(quorum, output, dir.as_deref()),
        Catalog::Add { dir } => add(quorum, output, dir)?,
        Catalog::Impact { dir, dataset } => return impact::run(quorum, output, dir.as_deref(), dataset),
        Catalog::Remove { path } => remove(quorum, output, path.as_deref())?,
    }
    Ok(Exit::Done)
}

fn list(quorum: &Quorum, output: Output) -> Result<(), Failure> {
    let catalog = quorum.catalog();
    let topics: Vec<Value> = catalog.topics().iter().map(|topic| summary(topic)).collect();
    output.result(&json!({"topics": topics}), || {
        let line = |topic: &Arc<Topic>| {
            format!(
                "{:16} {}  {} fields, {} policies  {}",
                topic.id.as_str(),
                topic.schema.term_hash(),
                topic.schema.fields().len(),
                topic.policies.len(),
                topic.name
            )
        };
        catalog.topics().iter().map(line).collect::<Vec<_>>().join("\n")
    });
    let errors = catalog.problems().iter().filter(|problem| problem.severity == Severity::Error).count();
    if errors > 0 {
        say!("quorumctl: {errors} errors keep a part of the catalog out; `quorumctl catalog check` lists them");
    }
    Ok(())
}

fn show(quorum: &Quorum, output: Output, topic: &str) -> Result<(), Failure> {
    let topic = quorum.topic(topic)?;
    let mut json = json!({"topics": [summary(&topic)]});
    json["topics"][0]["terms"] = topic.schema.fields().iter().map(term).collect();
    output.result(&json, || quorum_core::prompt::system_message(&topic));
    Ok(())
}

fn check(quorum: &Quorum, output: Output, dir: Option<&Path>) -> Result<Exit, Failure> {
    let (catalog, problems) = quorum.catalog_check(dir)?;
    let topics: Vec<Value> = catalog.topics().iter().map(|topic| summary(topic)).collect();
    let json = json!({"topics": topics, "problems": problems.iter().map(problem).collect::<Vec<_>>()});
    let of = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let policies: usize = catalog.topics().iter().map(|topic| topic.policies.len()).sum();
    output.result(&json, || {
        let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "{} topics, {policies} policies, {} errors, {} warnings, {} notes",
            topics.len(),
            of(Severity::Error),
            of(Severity::Warning),
            of(Severity::Note)
        ));
        lines.join("\n")
    });
    if of(Severity::Error) > 0 {
        say!("quorumctl: the catalog has {} errors", of(Severity::Error));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

fn add(quorum: &Quorum, output: Output, dir: &Path) -> Result<(), Failure> {
    let problems = quorum.catalog_add(dir)?;
    let catalog = quorum.catalog();
    let topics: Vec<Value> = catalog.topics().iter().map(|topic| summary(topic)).collect();
    let json = json!({"topics": topics, "problems": problems.iter().map(problem).collect::<Vec<_>>()});
    output.result(&json, || {
        let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.push(format!("added; {} topics are available", topics.len()));
        lines.join("\n")
    });
    Ok(())
}

fn remove(quorum: &Quorum, output: Output, path: Option<&str>) -> Result<(), Failure> {
    let removed = quorum.catalog_remove(path)?;
    output.result(&json!({"removed": removed}), || format!("{removed} files removed"));
    Ok(())
}

fn summary(topic: &Topic) -> Value {
    json!({
        "topic": topic.id,
        "name": topic.name,
        "term_hash": topic.schema.term_hash(),
        "fields": topic.schema.fields().iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
        "policies": topic.policies.iter().map(|policy| policy.id.as_str()).collect::<Vec<_>>(),
    })
}

fn term(field: &quorum_core::schema::Field) -> Value {
    json!({
        "field": field.name,
        "term": field.term.reference(),
        "question": field.term.question,
        "description": field.term.description,
        "values": field.term.values.iter().map(|value| json!({
            "id": value.id, "label": value.label, "description": value.description, "cues": value.cues,
        })).collect::<Vec<_>>(),
    })
}

fn problem(problem: &Problem) -> Value {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    json!({"file": problem.file, "line": problem.line, "column": problem.column, "severity": severity, "message": problem.message})
}
