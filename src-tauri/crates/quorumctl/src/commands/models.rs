//! `models list`, `models set`, `models reset`, `models ask`: each prints the table as it is then.

use quorum_api::{
    Quorum,
    dto::model::{ModelField, ModelRow, ModelTable},
};
use quorum_core::{
    date::Date,
    models::{Shutdown, shutdown_on},
};
use serde_json::{Value, json};

use super::Failure;
use crate::{
    args::Models,
    outcome::{Exit, Output, count},
};

pub async fn run(quorum: &Quorum, output: Output, command: Models) -> Result<Exit, Failure> {
    let table = match command {
        Models::List => quorum.model_table()?,
        Models::Set { model, edits } => quorum.model_set(&model, &edits)?,
        Models::Reset { model, .. } => quorum.model_reset(model.as_deref())?.table,
        Models::Ask => quorum.models_ask().await?,
    };
    let today = quorum.today();
    let json = json!({
        "models": table.models.iter().map(|row| shown(row, today)).collect::<Vec<_>>(),
        "shipped_as_of": table.shipped_as_of,
        "asked_at": table.asked_at,
    });
    output.result(&json, || people(&table, today));
    Ok(Exit::Done)
}

fn shown(row: &ModelRow, today: Date) -> Value {
    let (shutdown, days) = match shutdown_on(row.shutdown_date.as_deref(), today) {
        Shutdown::None => ("none", None),
        Shutdown::Soon { days } => ("soon", Some(days)),
        Shutdown::Past => ("past", None),
    };
    json!({
        "model": row.model,
        "input_usd": row.input_usd,
        "cached_usd": row.cached_usd,
        "write_usd": row.write_usd,
        "output_usd": row.output_usd,
        "shutdown_date": row.shutdown_date,
        "shutdown_announced": row.shutdown_announced,
        "shutdown": shutdown,
        "shutdown_days": days,
        "reasoning_tokens": row.reasoning_tokens,
        "queue_tokens": row.queue_tokens.map(whole),
        "queue_learned": row.queue_learned,
        "parameters": row.parameters,
        "edited": row.edited.iter().map(|field| field_name(*field)).collect::<Vec<_>>(),
        "own": row.own,
        "listed": row.listed,
    })
}

fn people(table: &ModelTable, today: Date) -> String {
    let mut lines = vec![format!(
        "US$ per 1 M tokens at the standard price; a batch costs half. Shipped values of {}; * is yours",
        table.shipped_as_of
    )];
    lines.push(format!(
        "{:16} {:>9} {:>9} {:>9} {:>9} {:>16}  {:32} shuts down",
        "model", "input", "cached", "written", "output", "queue tokens", "takes"
    ));
    for row in &table.models {
        let mark = |field| if row.edited.contains(&field) { "*" } else { "" };
        let price = |usd: f64, field| format!("{usd}{}", mark(field));
        let queue = row.queue_tokens.map_or_else(|| "not known".to_owned(), |tokens| count(whole(tokens)));
        let queue = format!("{queue}{}", if row.queue_learned { " learned" } else { mark(ModelField::QueueTokens) });
        lines.push(format!(
            "{:16} {:>9} {:>9} {:>9} {:>9} {:>16}  {:32} {}{}",
            row.model,
            price(row.input_usd, ModelField::InputUsd),
            price(row.cached_usd, ModelField::CachedUsd),
            price(row.write_usd, ModelField::WriteUsd),
            price(row.output_usd, ModelField::OutputUsd),
            queue,
            format!("{}{}", row.parameters.join(","), mark(ModelField::Parameters)),
            end(row, today),
            mark(ModelField::ShutdownDate),
        ));
    }
    lines.join("\n")
}

/// When a model ends, in words.
fn end(row: &ModelRow, today: Date) -> String {
    let date = row.shutdown_date.as_deref().unwrap_or("-");
    let when = match shutdown_on(row.shutdown_date.as_deref(), today) {
        Shutdown::None => date.to_owned(),
        Shutdown::Soon { days: 1 } => format!("{date}, tomorrow"),
        Shutdown::Soon { days } => format!("{date}, in {days} days"),
        Shutdown::Past => format!("{date}, shut down"),
    };
    if row.listed == Some(false) { format!("{when} (the provider does not list it)") } else { when }
}

/// Whole tokens, as the table holds them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was made from a whole number")]
fn whole(tokens: f64) -> u64 {
    tokens as u64
}

fn field_name(field: ModelField) -> &'static str {
    match field {
        ModelField::InputUsd => "input_usd",
        ModelField::CachedUsd => "cached_usd",
        ModelField::WriteUsd => "write_usd",
        ModelField::OutputUsd => "output_usd",
        ModelField::ShutdownDate => "shutdown_date",
        ModelField::ReasoningTokens => "reasoning_tokens",
        ModelField::QueueTokens => "queue_tokens",
        ModelField::Parameters => "parameters",
    }
}
