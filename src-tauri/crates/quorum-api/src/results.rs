//! The verdicts of a whole dataset side by side: all policies of a topic, at one K or two.

use std::collections::{BTreeMap, BTreeSet};

use quorum_catalog::Catalog;
use quorum_core::{
    ids::{DatasetName, PolicyId, TopicId},
    manifest::Realm,
    tally::Consensus,
    topic::Topic,
    verdict::{Judge, Verdict},
};
use quorum_store::Store;
use rayon::prelude::*;

use crate::{
    Quorum,
    coverage::{Gaps, count},
    dto::{
        error::ApiError,
        results::{PolicyDistribution, ResultsOverview, ResultsQuery, ResultsRow, VerdictCell},
    },
    judgments::{Answered, Judgments},
    open_dataset::OpenDataset,
    topics::policy_summary,
    trust::shown,
    verdicts::{Docket, PolicyResult, last_ensemble},
};

/// The topic with this id.
pub fn topic_of<'a>(catalog: &'a Catalog, id: &str) -> Result<&'a Topic, ApiError> {
    catalog.topic(&TopicId::from(id)).ok_or_else(|| {
        ApiError::not_found(format!("The catalog has no topic {id}.")).action("The catalog lists those that there are.")
    })
}

/// The place of the policy with this id among the topic's.
pub(crate) fn policy_place(topic: &Topic, id: &PolicyId) -> Result<usize, ApiError> {
    let found = topic.policies.iter().position(|policy| policy.id == *id);
    found.ok_or_else(|| ApiError::not_found(format!("The topic {} has no policy {id}.", topic.id)))
}

/// The Ks of a query: the one asked for, then the one to compare with.
pub(crate) fn ks_of(k: u32, compare_k: Option<u32>) -> Result<Vec<u32>, ApiError> {
    let ks: Vec<u32> = std::iter::once(k).chain(compare_k).collect();
    if ks.contains(&0) {
        return Err(ApiError::invalid("K must be 1 or more: it is how many reviews of each business are used."));
    }
    Ok(ks)
}

impl Quorum {
    /// [`results_overview`] of the votes that are looked at now.
    pub fn results_overview(&self, query: &ResultsQuery) -> Result<ResultsOverview, ApiError> {
        results_overview(self.store(), &self.catalog(), self.realm()?, query)
    }
}

pub fn results_overview(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    query: &ResultsQuery,
) -> Result<ResultsOverview, ApiError> {
    let topic = topic_of(catalog, &query.topic)?;
    let ks = ks_of(query.k, query.compare_k)?;
    let dataset = OpenDataset::open(store, realm, &DatasetName::from(query.dataset.as_str()))?;
    let ensemble = last_ensemble(store, realm, &topic.id)?;
    let judgments = Judgments::load(store, &dataset, topic, &ensemble)?;
    let docket = Docket::new(&dataset, &judgments, &ks, false);
    // One entry a policy: its results at each K.
    let results: Vec<Vec<PolicyResult>> = topic
        .policies
        .par_iter()
        .map(|policy| {
            let judge = Judge::new(policy, &topic.schema);
            (0..ks.len()).map(|at| docket.judge(&judge, at)).collect()
        })
        .collect();
    let policies = topic.policies.iter().zip(&results).map(|(policy, results)| {
        let counts = |result: &PolicyResult| {
            let listed = result.distribution.iter().take(policy.verdicts.len());
            listed.map(|(_, count)| *count).collect()
        };
        PolicyDistribution {
            summary: policy_summary(policy),
            counts: counts(&results[0]),
            counts_compared: results.get(1).map(counts),
            without_verdict: results[0].without_verdict,
            moved: results.get(1).map_or(0, |compared| moved(&results[0], compared)),
        }
    });
    let policies = policies.collect();
    let rows = (0..dataset.businesses())
        .into_par_iter()
        .map(|business| row(&dataset, &judgments, &results, business, query.k))
        .collect();
    let within = || (0..dataset.businesses()).flat_map(|business| dataset.first(business, query.k));
    let gaps = Gaps::load(store, &dataset, topic, &ensemble)?;
    let missing = gaps.count(&dataset, &judgments, within());
    Ok(ResultsOverview {
        query: query.clone(),
        applied: shown(&judgments.applied()),
        policies,
        rows,
        reviews: count(within().count()),
        reviews_incomplete: count(
            within().filter(|position| judgments.answered(*position) != Answered::Complete).count(),
        ),
        missing,
    })
}

pub(crate) fn moved(at_k: &PolicyResult, compared: &PolicyResult) -> u32 {
    let outcome = |verdict: &Option<Verdict>| verdict.as_ref().map(|verdict| verdict.verdict.clone());
    let pairs = at_k.businesses.iter().zip(&compared.businesses);
    count(pairs.filter(|(one, other)| outcome(&one.verdict) != outcome(&other.verdict)).count())
}

fn row(
    dataset: &OpenDataset,
    judgments: &Judgments,
    results: &[Vec<PolicyResult>],
    business: usize,
    k: u32,
) -> ResultsRow {
    let facts = &dataset.view.businesses[business];
    let is_used = |position: &usize| judgments.is_used(*position, false);
    let reviews = dataset.first(business, k);
    let complete = count(reviews.clone().filter(is_used).count());
    let verdict = |results: &[PolicyResult], at: usize| results.get(at)?.businesses[business].verdict.clone();
    let cells = results.iter().map(|results| cell(verdict(results, 0).as_ref(), verdict(results, 1).as_ref()));
    let last = results.last().and_then(|results| verdict(results, 0));
    ResultsRow {
        business: facts.id.to_string(),
        name: facts.name.clone(),
        categories: facts.categories.clone(),
        relevant: count(reviews.clone().filter(is_used).filter(|position| judgments.is_relevant(*position)).count()),
        reviews: count(reviews.len()),
        reviews_complete: complete,
        incidents: count(last.map_or(0, |verdict| verdict.incidents.len())),
        verdicts: cells.collect(),
        provisional: complete < count(reviews.len()),
        least_sure: least_sure(judgments, results.iter().filter_map(|results| verdict(results, 0))),
    }
}

pub(crate) fn cell(verdict: Option<&Verdict>, compared: Option<&Verdict>) -> VerdictCell {
    VerdictCell {
        verdict_index: verdict.and_then(|verdict| verdict.index),
        score: verdict.and_then(|verdict| verdict.score).map(points),
        compared_index: compared.and_then(|verdict| verdict.index),
    }
}

/// Points as faces get them.
pub(crate) fn points(points: i64) -> i32 {
    i32::try_from(points).unwrap_or(if points < 0 { i32::MIN } else { i32::MAX })
}

/// The smallest confidence of a field that these verdicts' incidents rest on.
fn least_sure(judgments: &Judgments, verdicts: impl Iterator<Item = Verdict>) -> Option<f64> {
    let rests_on: BTreeSet<(usize, usize)> = verdicts
        .flat_map(|verdict| verdict.incidents)
        .filter_map(|incident| {
            let (field, _) = judgments.schema().field(&incident.field)?;
            Some((incident.review as usize, field))
        })
        .collect();
    let mut known: BTreeMap<usize, Consensus> = BTreeMap::new();
    rests_on
        .into_iter()
        .map(|(position, field)| {
            let consensus = known.entry(position).or_insert_with(|| judgments.consensus(position));
            consensus.fields[field].confidence
        })
        .reduce(f64::min)
}
