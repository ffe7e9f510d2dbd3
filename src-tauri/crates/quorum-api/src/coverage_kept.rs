//! Coverage as it was last counted, kept with all that it was counted from, so that a form opens without reading a vote.
//!
//! What is kept counts for nothing once any of that is another: the dataset, the topic's terms, the ensemble, its spaces or the
//! votes in them ([`quorum_store::Space::changes`]). One dataset is kept, the one looked at last; another is counted anew.
//!
//! Deliberately not here: the counting, see [`crate::topics`].

use std::collections::BTreeMap;

use quorum_catalog::Catalog;
use quorum_core::{ensemble::Ensemble, ids::DatasetName, manifest::Realm, topic::Topic};
use quorum_store::{DatasetInfo, Space, Store};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    dto::{
        error::ApiError,
        topic::{TopicCoverage, TopicSummary},
    },
    open_dataset::OpenDataset,
    topics::{coverage_under, topic_list, topic_summary},
    verdicts::last_of,
};

const SETTING: &str = "coverage_counted";

/// To be raised when the counting itself becomes another.
const COUNTING: u32 = 1;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    counting: u32,
    dataset: DatasetInfo,
    realm: Realm,
    topics: BTreeMap<String, Counted>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Counted {
    basis: Basis,
    coverage: TopicCoverage,
}

/// What a topic's coverage of a dataset is counted from, beside the dataset, which never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Basis {
    term_hash: String,
    ensemble: Ensemble,
    /// Number, and how often its votes changed.
    spaces: Vec<(u32, u32)>,
}

impl Basis {
    fn of(topic: &Topic, ensemble: Ensemble, realm: Realm, spaces: &[Space]) -> Self {
        let spaces = spaces.iter().filter(|space| space.realm == realm && space.topic == topic.id);
        Self {
            term_hash: topic.schema.term_hash().to_string(),
            ensemble,
            spaces: spaces.map(|space| (space.number, space.changes)).collect(),
        }
    }
}

/// As [`crate::topics::topic_list`] with a dataset. Counts only what changed since it was last counted, and keeps that.
pub fn topic_list_kept(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    name: &DatasetName,
) -> Result<Vec<TopicSummary>, ApiError> {
    // Read before any vote is: what changes meanwhile makes the next look count again, never this one pass for newer than it is.
    let (dataset, spaces, manifests) = (store.dataset_info(name)?, store.spaces()?, store.manifests()?);
    let bases: Vec<Basis> = catalog
        .topics()
        .iter()
        .map(|topic| Basis::of(topic, last_of(&manifests, realm, &topic.id), realm, &spaces))
        .collect();
    let mut kept = kept(store)?
        .filter(|kept| kept.counting == COUNTING && kept.dataset == dataset && kept.realm == realm)
        .unwrap_or(Kept { counting: COUNTING, dataset, realm, topics: BTreeMap::new() });
    let is_as_counted = |topic: &Topic, basis: &Basis| {
        kept.topics.get(topic.id.as_str()).is_some_and(|counted| counted.basis == *basis)
    };
    let topics = catalog.topics().iter().map(|topic| &**topic);
    let changed: Vec<(&Topic, &Basis)> =
        topics.zip(&bases).filter(|(topic, basis)| !is_as_counted(topic, basis)).collect();
    if !changed.is_empty() {
        let open = OpenDataset::open(store, realm, name)?;
        if open.view.info != kept.dataset {
            // Another has taken its name just now.
            return topic_list(store, catalog, realm, Some(name.as_str()));
        }
        let counted: Vec<(String, Counted)> = changed
            .into_par_iter()
            .map(|(topic, basis)| {
                let coverage = coverage_under(store, &open, topic, &basis.ensemble)?;
                Ok((topic.id.to_string(), Counted { basis: basis.clone(), coverage }))
            })
            .collect::<Result<_, ApiError>>()?;
        kept.topics.extend(counted);
        if let Err(error) = store.set_setting(SETTING, &kept) {
            tracing::warn!(%error, "the coverage could not be kept, it will be counted again");
        }
    }
    let with_coverage = |topic: &Topic| {
        let coverage = kept.topics.get(topic.id.as_str()).map(|counted| counted.coverage.clone());
        TopicSummary { coverage, ..topic_summary(topic) }
    };
    Ok(catalog.topics().iter().map(|topic| with_coverage(topic)).collect())
}

/// What was kept, if this Quorum can read it.
fn kept(store: &Store) -> Result<Option<Kept>, ApiError> {
    let kept: Option<Value> = store.setting(SETTING)?;
    Ok(kept.and_then(|kept| serde_json::from_value(kept).ok()))
}
