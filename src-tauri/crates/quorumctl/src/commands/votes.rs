//! `votes import|export|stats|missing`: the predecessor's vote cache, and how far a topic is answered.

use std::path::Path;

use quorum_api::{
    Quorum,
    coverage::{CoverageQuery, ReviewGap, VotesStats, coverage_report, votes_stats},
    dto::{error::ErrorCode, results::MissingReason},
    vote_cache::{ImportOptions, VotesImport, votes_export, votes_import},
};
use serde_json::{Map, Value, json};

use super::{Failure, plan};
use crate::{
    args::{self, Votes},
    outcome::{Exit, Output, count},
};

pub fn run(quorum: &Quorum, output: Output, command: &Votes) -> Result<Exit, Failure> {
    match command {
        Votes::Import { file, assume_current } => return import(quorum, output, file, *assume_current),
        Votes::Export { topic, file } => export(quorum, output, topic, file)?,
        Votes::Stats(query) => ask(quorum, query, |query| {
            let stats = votes_stats(quorum.store(), quorum.realm()?, query)?;
            output.result(&stats_json(&stats), || stats_people(&stats));
            Ok(())
        })?,
        Votes::Missing(query) => ask(quorum, query, |query| {
            let gaps = coverage_report(quorum.store(), quorum.realm()?, query)?;
            let reviews: Vec<Value> = gaps.iter().map(gap_json).collect();
            output.result(&json!({"reviews": reviews}), || gaps_people(&gaps));
            Ok(())
        })?,
    }
    Ok(Exit::Done)
}

fn import(quorum: &Quorum, output: Output, file: &Path, assume_current: bool) -> Result<Exit, Failure> {
    let options = ImportOptions { realm: quorum.realm()?, assume_current, at: quorum.now() };
    let done = match votes_import(quorum.store(), &quorum.catalog(), options, file) {
        // The file does not say which terms its votes answer: only a person can know.
        Err(error) if error.code == ErrorCode::InvalidInput => {
            output.failure(&error);
            return Ok(Exit::NeedsConsent);
        }
        done => done?,
    };
    let stale: Vec<Value> = done
        .stale
        .iter()
        .map(|stale| json!({"topic": stale.topic, "term_hash": stale.term_hash, "votes": stale.votes}))
        .collect();
    let json = json!({
        "entries": done.entries,
        "imported": done.imported,
        "known": done.known,
        "duplicates": done.duplicates,
        "skipped": done.skipped,
        "salvaged": done.salvaged,
        "truncated": done.truncated,
        "abstentions": done.abstentions,
        "stale": stale,
        "unknown_topics": done.unknown_topics,
    });
    output.result(&json, || import_people(file, &done));
    Ok(Exit::Done)
}

fn import_people(file: &Path, done: &VotesImport) -> String {
    let mut lines = vec![format!(
        "{}: {} votes, {} imported, {} known already, {} skipped, {} given twice",
        file.display(),
        count(done.entries),
        count(done.imported),
        count(done.known),
        count(done.skipped),
        count(done.duplicates)
    )];
    if done.truncated {
        lines.push(format!("  the file ends early: {} whole votes were salvaged", count(done.salvaged)));
    }
    for stale in &done.stale {
        lines.push(format!(
            "  stale: {} votes of {} answer older terms ({}); they are kept and readable",
            count(stale.votes),
            stale.topic,
            stale.term_hash
        ));
    }
    if !done.unknown_topics.is_empty() {
        lines.push(format!("  no catalog has these topics: {}", done.unknown_topics.join(", ")));
    }
    lines.join("\n")
}

fn export(quorum: &Quorum, output: Output, topic: &str, file: &Path) -> Result<(), Failure> {
    let (catalog, realm) = (quorum.catalog(), quorum.realm()?);
    let done = votes_export(quorum.store(), &catalog, realm, &topic.into(), file, quorum.now())?;
    let json = json!({"entries": done.entries, "term_hash": done.term_hash, "file": file.display().to_string()});
    output.result(&json, || format!("{}: {} votes on terms {}", file.display(), count(done.entries), done.term_hash));
    Ok(())
}

/// Looks up what the flags name and asks.
fn ask(
    quorum: &Quorum,
    query: &args::Query,
    run: impl FnOnce(CoverageQuery<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let topic = quorum.topic(&query.topic)?;
    let ensemble = plan::ensemble(query.models.as_deref())?;
    let dataset = query.dataset.as_str().into();
    run(CoverageQuery { dataset: &dataset, topic: &topic, k: query.k, ensemble: ensemble.as_ref() })
}

fn stats_json(stats: &VotesStats) -> Value {
    let missing: Map<String, Value> =
        stats.missing.iter().map(|(model, count)| (model.clone(), json!(count))).collect();
    let stale: Vec<Value> =
        stats.stale.iter().map(|stale| json!({"term_hash": stale.term_hash, "votes": stale.votes})).collect();
    json!({
        "reviews": stats.reviews,
        "complete": stats.complete,
        "partial": stats.partial,
        "unasked": stats.unasked,
        "missing": missing,
        "failed": stats.failed,
        "in_flight": stats.in_flight,
        "abstentions": stats.abstentions,
        "stale": stale,
    })
}

fn stats_people(stats: &VotesStats) -> String {
    let mut lines = vec![format!(
        "{} reviews: {} complete, {} with some votes, {} with none",
        count(stats.reviews.into()),
        count(stats.complete.into()),
        count(stats.partial.into()),
        count(stats.unasked.into())
    )];
    for (model, missing) in &stats.missing {
        lines.push(format!("  {model}: {} votes missing", count((*missing).into())));
    }
    lines.push(format!(
        "  {} requests failed, {} are on their way, {} abstentions",
        count(stats.failed.into()),
        count(stats.in_flight.into()),
        count(stats.abstentions.into())
    ));
    for stale in &stats.stale {
        lines.push(format!(
            "  {} votes answer older terms ({}): kept, not counted",
            count(stale.votes.into()),
            stale.term_hash
        ));
    }
    lines.join("\n")
}

fn reason(reason: MissingReason) -> &'static str {
    match reason {
        MissingReason::NeverAsked => "never_asked",
        MissingReason::InFlight => "in_flight",
        MissingReason::Failed => "failed",
    }
}

fn gap_json(gap: &ReviewGap) -> Value {
    let missing: Vec<Value> = gap
        .missing
        .iter()
        .map(|(model, run, why)| json!({"model": model, "run": run, "reason": reason(*why)}))
        .collect();
    json!({"business": gap.business, "place": gap.place, "review": gap.review_id, "missing": missing})
}

fn gaps_people(gaps: &[ReviewGap]) -> String {
    if gaps.is_empty() {
        return "no review lacks a vote".to_owned();
    }
    let line = |gap: &ReviewGap| {
        let missing: Vec<String> = gap
            .missing
            .iter()
            .map(|(model, run, why)| format!("{model} run {run} ({})", reason(*why).replace('_', " ")))
            .collect();
        format!("{} #{} {}: {}", gap.business, gap.place, gap.review_id, missing.join(", "))
    };
    gaps.iter().map(line).collect::<Vec<_>>().join("\n")
}
