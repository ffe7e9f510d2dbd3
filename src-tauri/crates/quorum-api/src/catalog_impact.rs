//! What edits of the catalog would do to topics and their votes, and what asking again would take.

use std::collections::BTreeSet;

use quorum_catalog::Catalog;
use quorum_core::{
    ids::{DatasetName, TopicId},
    manifest::{ManifestState, Mode},
    policy::Policy,
    prompt::system_message,
    topic::Topic,
};
use quorum_engine::draft;

use crate::{
    Quorum,
    catalog_files::Edited,
    dto::{
        catalog::{CatalogChange, CatalogImpact, TopicChange, TopicChangeKind, TopicImpact},
        error::ApiError,
    },
    open_dataset::OpenDataset,
    plans::Wish,
    topics::coverage,
    verdicts::last_ensemble,
};

/// Topics of either catalog that are not alike in both, in the order of their ids.
pub(crate) fn topic_changes(present: &Catalog, edited: &Catalog) -> Vec<TopicChange> {
    let ids: BTreeSet<&TopicId> = present.topics().iter().chain(edited.topics()).map(|topic| &topic.id).collect();
    ids.into_iter()
        .filter_map(|id| {
            let (before, after) = (present.topic(id), edited.topic(id));
            let kind = match (before, after) {
                (Some(before), Some(after)) => change_of(before, after)?,
                (Some(_), None) => TopicChangeKind::Removed,
                (None, _) => TopicChangeKind::Added,
            };
            let name = after.or(before).map_or_else(String::new, |topic| topic.name.clone());
            Some(TopicChange { topic: id.to_string(), name, kind })
        })
        .collect()
}

fn change_of(before: &Topic, after: &Topic) -> Option<TopicChangeKind> {
    if before.schema.term_hash() != after.schema.term_hash() {
        Some(TopicChangeKind::Terms)
    } else if system_message(before) != system_message(after) {
        Some(TopicChangeKind::Prompt)
    } else if !before.policies.iter().map(judging).eq(after.policies.iter().map(judging)) {
        Some(TopicChangeKind::Policies)
    } else {
        let alike = before.name == after.name
            && before.title == after.title
            && before.purpose == after.purpose
            && before.policies == after.policies
            && before.schema == after.schema;
        (!alike).then_some(TopicChangeKind::Words)
    }
}

/// A policy without the words that decide nothing.
fn judging(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.title.clear();
    policy.purpose.clear();
    policy.incident_definition.clear();
    policy
}

impl Quorum {
    /// The votes that edits would make stale on a dataset, and the price of asking again.
    pub fn catalog_impact(&self, dataset: &str, changes: &[CatalogChange]) -> Result<CatalogImpact, ApiError> {
        let edited = Edited::new(self.store(), changes)?;
        let present = self.catalog();
        let name = DatasetName::from(dataset);
        let open = OpenDataset::open(self.store(), self.realm()?, &name)?;
        let mut impact = CatalogImpact { topics: Vec::new(), votes_stale: 0, requests: 0, usd: 0.0, live_runs: 0 };
        let mut concerned = BTreeSet::new();
        for change in topic_changes(&present, &edited.catalog) {
            if !matches!(change.kind, TopicChangeKind::Terms | TopicChangeKind::Removed) {
                continue;
            }
            let id = TopicId::from(change.topic.as_str());
            concerned.insert(id.clone());
            let (Some(before), Some(after)) = (present.topic(&id), edited.catalog.topic(&id)) else { continue };
            if let Some(topic) = self.topic_impact(&open, &name, before, after)? {
                impact.votes_stale = impact.votes_stale.saturating_add(topic.votes_stale);
                impact.requests = impact.requests.saturating_add(topic.requests);
                impact.usd += topic.usd;
                impact.topics.push(topic);
            }
        }
        let manifests = self.store().manifests()?;
        for manifest in manifests.iter().filter(|manifest| concerned.contains(&manifest.topic)) {
            let is_live = manifest.finished_at.is_none()
                && manifest.state(&self.store().batches(manifest.id)?) == ManifestState::Live;
            impact.live_runs += u32::from(is_live);
        }
        Ok(impact)
    }

    /// `None`: nobody ever asked it on this dataset.
    fn topic_impact(
        &self,
        open: &OpenDataset,
        name: &DatasetName,
        before: &Topic,
        after: &Topic,
    ) -> Result<Option<TopicImpact>, ApiError> {
        let known = coverage(self.store(), open, before)?;
        if known.votes == 0 {
            return Ok(None);
        }
        let wish = Wish {
            dataset: name.clone(),
            topic: after.id.to_string(),
            k: known.k,
            ensemble: last_ensemble(self.store(), open.realm, &after.id)?,
            mode: Mode::Batch,
            canary: None,
        };
        let plan = self.with_request(after, &wish, |request| Ok(draft(self.store(), &open.view, request)?))?;
        let whole = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Some(TopicImpact {
            topic: after.id.to_string(),
            name: after.name.clone(),
            votes_stale: known.votes,
            votes_known: whole(plan.known),
            k: known.k,
            requests: whole(plan.requests()),
            usd: plan.usd().unwrap_or(0.0),
        }))
    }
}
