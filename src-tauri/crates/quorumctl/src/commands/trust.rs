//! `trust`: agreement, gold labels, aggregators, certainty, the queue by value and advice.
//!
//! JSON is the DTO with its keys in snake case, as all of this program's JSON has them.

mod words;

use quorum_api::{
    Quorum,
    dto::trust::{GoldLabelRequest, LabelSession, LabelledField, TrustQuery},
    trust::{VoteFiles, VoteFilesQuery, person},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::Failure;
use crate::{
    args::{Relevance, Trust, TrustAbout},
    outcome::{Exit, Output},
};

/// Votes of files; opens no store.
pub fn eval(output: Output, query: &VoteFilesQuery) -> Result<Exit, Failure> {
    let found = VoteFiles::evaluate(query)?;
    let mut json = serde_json::to_value(&found.report).map_err(unwritten)?;
    json["figures"] = serde_json::to_value(found.figures()).map_err(unwritten)?;
    json["labels"] = json!(found.labels);
    // Null where there are too many models to compare them two by two.
    json["confusions"] = serde_json::to_value(&found.confusions).map_err(unwritten)?;
    json["gold_without_votes"] = json!(found.gold_without_votes);
    json["repeated_votes"] = json!(found.repeated_votes);
    if let Some(trial) = &found.trial {
        json["trial"] = serde_json::to_value(trial).map_err(unwritten)?;
    }
    output.result(&json, || words::eval(&found));
    Ok(Exit::Done)
}

pub fn run(quorum: &Quorum, output: Output, command: Trust) -> Result<Exit, Failure> {
    match command {
        Trust::Eval { .. } => Err(Failure::invalid("`trust eval` needs no data directory.")),
        Trust::Report(about) => say(output, &quorum.trust_report(&query(&about))?, words::report),
        Trust::Use { aggregator, about } => {
            let applied = quorum.aggregator_choose(&query(&about), aggregator)?;
            say(output, &applied, |applied| format!("{}: votes are settled by {}", about.topic, applied.name))
        }
        Trust::Sample { about, size, who } => {
            let session = quorum.gold_draw(&query(&about), size, &who.unwrap_or_else(person))?;
            say(output, &session, words::session)
        }
        Trust::Next(about) => say(output, &quorum.label_session(&query(&about))?, words::session),
        Trust::Label { review, relevance, values, about, who } => {
            let session = label(quorum, &about, &review, relevance, values, who)?;
            say(output, &session, words::session)
        }
        Trust::Undo { about, who } => {
            say(output, &quorum.gold_undo(&query(&about), &who.unwrap_or_else(person))?, words::session)
        }
        Trust::Verdicts { about, business } => {
            let certainties = match business {
                Some(business) => quorum.business_certainty(&query(&about), &business)?,
                None => quorum.verdict_certainties(&query(&about))?,
            };
            say(output, &certainties, words::certainties)
        }
        Trust::Queue { about, limit } => {
            let mut queue = quorum.value_queue(&query(&about))?;
            queue.entries.truncate(limit);
            say(output, &queue, words::queue)
        }
        Trust::Advice(about) => say(output, &quorum.ensemble_advice(&query(&about))?, words::advice),
    }
}

fn label(
    quorum: &Quorum,
    about: &TrustAbout,
    review: &str,
    relevance: Relevance,
    values: Vec<(String, String)>,
    who: Option<String>,
) -> Result<LabelSession, Failure> {
    let query = query(about);
    let session = quorum.label_session(&query)?;
    let draw = session.draw.ok_or_else(|| {
        Failure::not_found(format!("No sample of {} was drawn yet.", about.topic))
            .action("`quorumctl trust sample` draws one.")
    })?;
    let relevant = relevance == Relevance::Relevant;
    let values = values.into_iter().map(|(field, value)| LabelledField { field, value }).collect();
    let request = GoldLabelRequest { query, draw, review_id: review.to_owned(), relevant, values };
    quorum.gold_label(&request, &who.unwrap_or_else(person))
}

fn query(about: &TrustAbout) -> TrustQuery {
    TrustQuery { dataset: about.dataset.clone(), topic: about.topic.clone(), k: about.k }
}

fn say<T: Serialize>(output: Output, result: &T, people: impl FnOnce(&T) -> String) -> Result<Exit, Failure> {
    let json = snake(serde_json::to_value(result).map_err(unwritten)?);
    output.result(&json, || people(result));
    Ok(Exit::Done)
}

fn unwritten(error: serde_json::Error) -> Failure {
    Failure::new(quorum_api::dto::error::ErrorCode::Internal, "The result could not be written as JSON.")
        .detail(error.to_string())
}

/// The same value with its keys in snake case. DTOs have no maps with data for keys.
fn snake(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (snake_key(&key), snake(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(snake).collect()),
        other => other,
    }
}

fn snake_key(key: &str) -> String {
    key.chars().fold(String::with_capacity(key.len() + 4), |mut out, c| {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_snake_case_and_values_stay() {
        let value = json!({"lowPercent": [{"standardError": null}], "name": "camelCase"});
        assert_eq!(snake(value), json!({"low_percent": [{"standard_error": null}], "name": "camelCase"}));
    }
}
