//! `plan`: what is missing and what it would cost. Sends nothing.

use quorum_api::{
    Quorum, Wish,
    dto::plan::{PlanWarning, PlanWarningCode},
};
use quorum_core::{ensemble::Ensemble, manifest::Mode, topic::Topic};
use quorum_engine::Draft;
use serde_json::{Value, json};

use super::Failure;
use crate::{
    args,
    outcome::{Exit, Output, count, usd},
};

pub fn run(quorum: &Quorum, output: Output, wish: &args::Wish) -> Result<Exit, Failure> {
    let wish = read(wish, Mode::Batch)?;
    let (draft, topic) = quorum.draft(&wish)?;
    let mut warnings = quorum.model_warnings(&wish.ensemble, &quorum.models()?)?;
    warnings.extend(quorum.queue_warnings(&wish, &draft, &topic)?);
    let price = quorum.price_of(&wish, &draft, &topic)?;
    let mut json = shown(&draft, &topic, price);
    json["warnings"] = warnings.iter().map(|it| json!({"model": it.model, "message": it.message})).collect();
    output.result(&json, || [people(&draft, price), advice(&warnings)].concat());
    Ok(Exit::Done)
}

/// Warnings as lines, and what can be done about a model that ends.
pub fn advice(warnings: &[PlanWarning]) -> String {
    let mut lines: String = warnings.iter().map(|warning| format!("\nwarning: {}", warning.message)).collect();
    let is_ending = |code| matches!(code, PlanWarningCode::ModelShutsDown | PlanWarningCode::ModelShutDown);
    let ending = warnings.iter().filter(|warning| is_ending(warning.code)).filter_map(|it| it.model.as_deref());
    let flags: Vec<String> = ending.map(|model| format!("--replace {model}=NEW")).collect();
    if !flags.is_empty() {
        lines.push_str(&format!(
            "\n  `{}` asks another model for what is missing; `quorumctl models list` names them",
            flags.join(" ")
        ));
    }
    lines
}

/// The wish in the flags.
pub fn read(wish: &args::Wish, mode: Mode) -> Result<Wish, Failure> {
    let mut ensemble = ensemble(wish.models.as_deref())?.unwrap_or_else(Ensemble::standard);
    for (old, new) in &wish.replace {
        let replaced = ensemble.replaced(&old.trim().into(), &new.trim().into());
        ensemble = replaced.map_err(|error| Failure::invalid("--replace cannot be used.").detail(error.to_string()))?;
    }
    Ok(Wish {
        dataset: wish.dataset.as_str().into(),
        topic: wish.topic.clone(),
        k: wish.k,
        ensemble,
        mode,
        canary: None,
    })
}

/// The ensemble in `--models`.
pub fn ensemble(models: Option<&str>) -> Result<Option<Ensemble>, Failure> {
    let read = |models| {
        Ensemble::read(models).map_err(|error| Failure::invalid("--models cannot be used.").detail(error.to_string()))
    };
    models.map(read).transpose()
}

fn shown(draft: &Draft, topic: &Topic, price: Option<f64>) -> Value {
    let shares = &draft.shares;
    let sum = |count: fn(&quorum_core::estimate::ModelEstimate) -> u64| {
        shares.iter().map(|share| count(&share.estimate)).sum::<u64>()
    };
    let batches: Vec<Value> = shares
        .iter()
        .flat_map(|share| &share.batches)
        .map(|batch| json!({"model": batch.model, "requests": batch.requests.len(), "bytes": batch.bytes}))
        .collect();
    json!({
        "businesses": draft.businesses,
        "reviews": draft.reviews,
        "missing_votes": draft.requests() + draft.in_flight,
        "in_flight": draft.in_flight,
        "requests": draft.requests(),
        "batches": batches,
        "input_tokens": sum(|estimate| estimate.input_tokens),
        "output_tokens": sum(|estimate| estimate.output_tokens),
        "usd": price,
        "usd_full": draft.usd_full(),
        "term_hash": topic.schema.term_hash(),
    })
}

/// The estimate as people read it; `price` is that of batches, with their trials.
pub fn people(draft: &Draft, price: Option<f64>) -> String {
    let mut lines = vec![format!(
        "{} reviews of {} businesses need {} votes; {} are known, {} are on their way",
        count(draft.reviews.into()),
        count(draft.businesses.into()),
        count(draft.needed),
        count(draft.known),
        count(draft.in_flight)
    )];
    for share in draft.shares.iter().filter(|share| share.estimate.requests > 0) {
        lines.push(format!(
            "  {}: {} requests in {} batches, {} input and about {} output tokens, {}",
            share.model,
            count(share.estimate.requests),
            share.batches.len(),
            count(share.estimate.input_tokens),
            count(share.estimate.output_tokens),
            share.estimate.usd.map_or_else(|| "price not known".to_owned(), usd),
        ));
    }
    let price = price
        .or_else(|| draft.usd())
        .map_or_else(|| "price not known".to_owned(), |amount| format!("about {}", usd(amount)));
    let full =
        draft.usd_full().map(|amount| format!(" ({} without the batch discount)", usd(amount))).unwrap_or_default();
    lines.push(format!("{} requests, {price}{full}", count(draft.requests())));
    lines.join("\n")
}
