//! `catalog impact`: which topics' votes become stale with a folder's catalog, or are stale already, and what asking again
//! takes. Changes nothing.

use std::path::Path;

use quorum_api::{Quorum, Wish, dto::catalog::CatalogChange, judgments::VoteTable, open_dataset::OpenDataset};
use quorum_catalog::load_folder;
use quorum_core::{manifest::Mode, topic::Topic};
use serde_json::{Value, json};

use super::Failure;
use crate::outcome::{Exit, Output, count, usd};

/// One topic's votes that answer other terms than its present, or coming, ones.
struct Stale {
    topic: String,
    votes: u32,
    k: u32,
    requests: u64,
    /// `None`: a model has no known price.
    usd: Option<f64>,
}

pub fn run(quorum: &Quorum, output: Output, dir: Option<&Path>, dataset: &str) -> Result<Exit, Failure> {
    let stale = match dir {
        Some(dir) => coming(quorum, dir, dataset)?,
        None => present(quorum, dataset)?,
    };
    let rows: Vec<Value> = stale
        .iter()
        .map(|stale| {
            json!({"topic": stale.topic, "votes_stale": stale.votes, "k": stale.k, "requests": stale.requests, "usd": stale.usd})
        })
        .collect();
    output.result(&json!({"topics": rows}), || {
        if stale.is_empty() {
            return "no votes are or become stale".to_owned();
        }
        stale.iter().map(people).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

fn people(stale: &Stale) -> String {
    let price = stale.usd.map_or_else(|| "price not known".to_owned(), |amount| format!("about {}", usd(amount)));
    format!(
        "{}: {} stale votes, kept and readable; asking again at K={} takes {} requests, {price}",
        stale.topic,
        count(stale.votes.into()),
        stale.k,
        count(stale.requests)
    )
}

/// What adding the folder would do.
fn coming(quorum: &Quorum, dir: &Path, dataset: &str) -> Result<Vec<Stale>, Failure> {
    let (_, problems) = quorum.catalog_check(Some(dir))?;
    let errors = problems.iter().filter(|problem| problem.severity == quorum_catalog::Severity::Error).count();
    if errors > 0 {
        return Err(Failure::invalid(format!("The catalog has {errors} errors.")).action("`catalog check` tells them."));
    }
    let unreadable = |error: quorum_catalog::FolderError| Failure::invalid(error.to_string());
    let changes: Vec<CatalogChange> = load_folder(dir)
        .map_err(unreadable)?
        .into_iter()
        .map(|(path, bytes)| CatalogChange { path, text: Some(String::from_utf8_lossy(&bytes).into_owned()) })
        .collect();
    let impact = quorum.catalog_impact(dataset, &changes)?;
    let stale = impact.topics.into_iter().map(|topic| Stale {
        topic: topic.topic,
        votes: topic.votes_stale,
        k: topic.k,
        requests: topic.requests.into(),
        usd: Some(topic.usd),
    });
    Ok(stale.collect())
}

/// What is stale now.
fn present(quorum: &Quorum, dataset: &str) -> Result<Vec<Stale>, Failure> {
    let open = OpenDataset::open(quorum.store(), quorum.realm()?, &dataset.into())?;
    let mut all = Vec::new();
    for topic in quorum.catalog().topics() {
        let (votes, k) = stale_votes(quorum, &open, topic)?;
        if votes == 0 {
            continue;
        }
        let ensemble = quorum_api::verdicts::last_ensemble(quorum.store(), open.realm, &topic.id)?;
        let wish =
            Wish { dataset: dataset.into(), topic: topic.id.to_string(), k, ensemble, mode: Mode::Batch, canary: None };
        let (draft, _) = quorum.draft(&wish)?;
        all.push(Stale { topic: wish.topic, votes, k, requests: draft.requests(), usd: draft.usd() });
    }
    Ok(all)
}

/// Votes on older terms, and how deep into the businesses' reviews they go.
fn stale_votes(quorum: &Quorum, open: &OpenDataset, topic: &Topic) -> Result<(u32, u32), Failure> {
    let hash = topic.schema.term_hash();
    let (mut votes, mut k) = (0, 0);
    for space in open.spaces(&topic.id).filter(|space| space.term_hash != hash) {
        let table = VoteTable::load(quorum.store(), open, Some(space.number))?;
        for business in 0..open.businesses() {
            for (place, position) in (1..).zip(open.first(business, u32::MAX)) {
                let found = table.row(position).len();
                votes += u32::try_from(found).unwrap_or(u32::MAX);
                k = if found > 0 { k.max(place) } else { k };
            }
        }
    }
    Ok((votes, k))
}
