//! Topics as the faces show them: names, questions, policies, and how far they are answered.

use quorum_catalog::Catalog;
use quorum_core::{ensemble::Ensemble, manifest::Realm, policy::Policy, schema::Field, topic::Topic};
use quorum_store::{Store, StoreError};
use rayon::prelude::*;

use crate::{
    Quorum,
    coverage::{count, seated, stale_votes},
    coverage_kept::topic_list_kept,
    dto::{
        error::ApiError,
        topic::{FieldValue, PolicySummary, TopicCoverage, TopicField, TopicSummary},
    },
    judgments::{Answered, Judgments},
    open_dataset::OpenDataset,
    plans::K_PRESETS,
    verdicts::last_ensemble,
};

/// The built-in groups' names; a group of a user's catalog goes by its id.
const GROUPS: [(&str, &str); 6] = [
    ("G1", "Safety"),
    ("G2", "Occasion"),
    ("G3", "Money and time"),
    ("G4", "House"),
    ("G5", "Operation"),
    ("G6", "Standing"),
];

impl Quorum {
    /// [`topic_list`] with the coverage by the votes that are looked at now, counted anew only where they changed.
    pub fn topic_list(&self, dataset: Option<&str>) -> Result<Vec<TopicSummary>, ApiError> {
        let (catalog, realm) = (self.catalog(), self.realm()?);
        match dataset {
            Some(dataset) => topic_list_kept(self.store(), &catalog, realm, &dataset.into()),
            None => topic_list(self.store(), &catalog, realm, None),
        }
    }
}

/// All topics in the order of their ids, with their coverage of a dataset where one is named.
pub fn topic_list(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    dataset: Option<&str>,
) -> Result<Vec<TopicSummary>, ApiError> {
    let dataset = dataset.map(|name| OpenDataset::open(store, realm, &name.into())).transpose()?;
    catalog
        .topics()
        .par_iter()
        .map(|topic| {
            let mut summary = topic_summary(topic);
            summary.coverage = dataset.as_ref().map(|dataset| coverage(store, dataset, topic)).transpose()?;
            Ok(summary)
        })
        .collect()
}

/// A topic without coverage.
pub fn topic_summary(topic: &Topic) -> TopicSummary {
    let group = topic.id.group();
    let group_name = GROUPS.iter().find(|(id, _)| *id == group).map_or(group, |(_, name)| name);
    TopicSummary {
        topic: topic.id.to_string(),
        name: topic.name.clone(),
        group: group.to_owned(),
        group_name: group_name.to_owned(),
        title: topic.title.clone(),
        term_hash: topic.schema.term_hash().to_string(),
        fields: topic.schema.fields().iter().map(field_summary).collect(),
        policies: topic.policies.iter().map(policy_summary).collect(),
        coverage: None,
    }
}

pub fn field_summary(field: &Field) -> TopicField {
    TopicField {
        field: field.name.clone(),
        label: field.term.name.clone(),
        question: field.term.question.clone().unwrap_or_else(|| field.term.name.clone()),
        values: field
            .term
            .values
            .iter()
            .map(|value| FieldValue { id: value.id.clone(), label: value.label.clone() })
            .collect(),
    }
}

pub fn policy_summary(policy: &Policy) -> PolicySummary {
    let title = match policy.variant.as_str() {
        "V0" => "Rules",
        "V1" => "Rules, single incidents",
        "V2" => "Points",
        "V3" => "Points, recency",
        _ => &policy.title,
    };
    PolicySummary {
        policy: policy.id.to_string(),
        variant: policy.variant.clone(),
        title: title.to_owned(),
        verdicts: policy.verdicts.clone(),
        worst_first: !is_bad(policy.verdicts.last().map_or("", String::as_str)),
        scored: policy.scoring.is_some(),
    }
}

/// Whether an outcome's name says that it is a bad one.
///
/// Policies order their outcomes but do not say which end is the bad one, so the words must. A policy of a user's own with other
/// words is taken for best last; that decides colours only, never a verdict.
fn is_bad(outcome: &str) -> bool {
    const BAD: [&str; 12] =
        ["risk", "danger", "unsafe", "avoid", "poor", "bad", "worst", "fail", "critical", "severe", "weak", "never"];
    const TURNED: [&str; 5] = ["low ", "no ", "not ", "minimal ", "without "];
    let outcome = outcome.to_lowercase();
    let is_bad = BAD.iter().any(|word| outcome.contains(word));
    let is_turned = TURNED.iter().any(|word| outcome.starts_with(word));
    is_bad != is_turned
}

pub(crate) fn coverage(store: &Store, dataset: &OpenDataset, topic: &Topic) -> Result<TopicCoverage, StoreError> {
    coverage_under(store, dataset, topic, &last_ensemble(store, dataset.realm, &topic.id)?)
}

/// As [`coverage`], with the ensemble that the topic was last asked with.
pub(crate) fn coverage_under(
    store: &Store,
    dataset: &OpenDataset,
    topic: &Topic,
    ensemble: &Ensemble,
) -> Result<TopicCoverage, StoreError> {
    let judgments = Judgments::load(store, dataset, topic, ensemble)?;
    let votes = (0..dataset.reviews()).map(|position| judgments.row(position).len()).sum();
    // How deep into the businesses' reviews the answers go.
    let asked = (0..dataset.businesses()).filter_map(|business| {
        let all = dataset.first(business, u32::MAX);
        let deepest = all.clone().rev().find(|position| judgments.answered(*position) != Answered::Unasked)?;
        Some(count(deepest - all.start + 1))
    });
    let asked = asked.max().unwrap_or(0);
    let within = |k: u32| (0..dataset.businesses()).flat_map(move |business| dataset.first(business, k));
    let is_complete = |k: &&u32| within(**k).all(|position| judgments.answered(position) == Answered::Complete);
    let complete_k = K_PRESETS.iter().rev().find(is_complete).copied().filter(|_| dataset.reviews() > 0);
    let k = K_PRESETS.iter().find(|k| **k >= asked).or(K_PRESETS.last()).copied().unwrap_or(asked);
    Ok(TopicCoverage {
        votes: count(votes),
        complete_k,
        known: within(k).map(|position| seated(&judgments, judgments.row(position))).sum(),
        needed: count(within(k).count()).saturating_mul(ensemble.requests()),
        k,
        stale: stale_votes(store, dataset, topic)?.iter().map(|stale| stale.votes).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_risk_topics_have_their_worst_outcome_last() {
        let worst_last: Vec<String> = quorum_catalog::builtin()
            .topics()
            .iter()
            .filter(|topic| topic.policies.iter().any(|policy| !policy_summary(policy).worst_first))
            .map(|topic| topic.id.to_string())
            .collect();
        assert_eq!(worst_last, ["G1_allergy", "G1_dietary", "G1_hygiene", "G3_hidden_costs"]);
        assert!(is_bad("Not Recommended") && !is_bad("Low Risk") && is_bad("High Risk") && !is_bad("Recommended"));
    }
}
