//! Verdicts side by side: two policies or two K, which businesses change and why; and one policy as K grows.

use std::collections::BTreeMap;

use quorum_catalog::Catalog;
use quorum_core::{
    ids::{DatasetName, PolicyId},
    manifest::Realm,
    policy::Policy,
    topic::Topic,
    verdict::{Incident, Judge, Verdict},
};
use quorum_store::Store;
use rayon::prelude::*;

use crate::{
    Quorum,
    coverage::count,
    dto::{
        compare::{
            CompareQuery, ComparedBusiness, ComparedVerdict, Comparison, KStep, PolicyByK, Side, VerdictsByK, Why,
        },
        error::ApiError,
    },
    judgments::{Answered, Judgments},
    open_dataset::OpenDataset,
    results::{ks_of, moved, points, policy_place, topic_of},
    topics::policy_summary,
    verdicts::{Docket, PolicyResult, last_ensemble},
};

/// The Ks that verdicts are shown at as K grows.
const KS_SHOWN: [u32; 8] = [5, 10, 25, 50, 75, 100, 150, 200];

impl Quorum {
    /// [`results_compare`] of the votes that are looked at now.
    pub fn results_compare(&self, query: &CompareQuery) -> Result<Comparison, ApiError> {
        results_compare(self.store(), &self.catalog(), self.realm()?, query)
    }

    /// [`results_by_k`] of the votes that are looked at now.
    pub fn results_by_k(&self, dataset: &str, topic: &str) -> Result<VerdictsByK, ApiError> {
        results_by_k(self.store(), &self.catalog(), self.realm()?, dataset, topic)
    }
}

pub fn results_compare(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    query: &CompareQuery,
) -> Result<Comparison, ApiError> {
    let topic = topic_of(catalog, &query.topic)?;
    let ks = ks_of(query.before.k, Some(query.after.k))?;
    let (before, after) = (policy_of(topic, &query.before)?, policy_of(topic, &query.after)?);
    let dataset = OpenDataset::open(store, realm, &DatasetName::from(query.dataset.as_str()))?;
    let ensemble = last_ensemble(store, realm, &topic.id)?;
    let judgments = Judgments::load(store, &dataset, topic, &ensemble)?;
    let docket = Docket::new(&dataset, &judgments, &ks, false);
    let at_before = docket.judge(&Judge::new(before, &topic.schema), 0);
    let at_after = docket.judge(&Judge::new(after, &topic.schema), 1);
    let mut flow = vec![vec![0; after.verdicts.len() + 1]; before.verdicts.len() + 1];
    let mut changed = Vec::new();
    let pair = Pair { before, after, k_before: query.before.k, k_after: query.after.k, dataset: &dataset };
    for (business, (one, other)) in at_before.businesses.iter().zip(&at_after.businesses).enumerate() {
        let (one_verdict, other_verdict) = (one.verdict.as_ref(), other.verdict.as_ref());
        flow[place(one_verdict, before)][place(other_verdict, after)] += 1;
        let name = |verdict: Option<&Verdict>| verdict.map(|verdict| verdict.verdict.clone());
        if name(one_verdict) == name(other_verdict) {
            continue;
        }
        let facts = &dataset.view.businesses[business];
        changed.push(ComparedBusiness {
            business: facts.id.to_string(),
            name: facts.name.clone(),
            before: compared(one_verdict),
            after: compared(other_verdict),
            why: match (one_verdict, other_verdict) {
                (Some(one), Some(other)) => pair.why(business, one, other),
                _ => vec![Why::Unjudged],
            },
        });
    }
    Ok(Comparison {
        query: query.clone(),
        before: policy_summary(before),
        after: policy_summary(after),
        businesses: count(dataset.businesses()),
        flow,
        changed,
    })
}

fn policy_of<'a>(topic: &'a Topic, side: &Side) -> Result<&'a Policy, ApiError> {
    Ok(&topic.policies[policy_place(topic, &PolicyId::from(side.policy.as_str()))?])
}

/// The row or column of a verdict; what the policy's list does not have stands with those without one.
fn place(verdict: Option<&Verdict>, policy: &Policy) -> usize {
    verdict.and_then(|verdict| verdict.index).map_or(policy.verdicts.len(), |index| index as usize)
}

fn compared(verdict: Option<&Verdict>) -> ComparedVerdict {
    ComparedVerdict {
        verdict_index: verdict.and_then(|verdict| verdict.index),
        score: verdict.and_then(|verdict| verdict.score).map(points),
        rule: verdict.and_then(|verdict| verdict.matched_rule.clone()),
        incidents: verdict.map_or(0, |verdict| count(verdict.incidents.len())),
    }
}

/// The two ways of judging that are compared.
struct Pair<'a> {
    before: &'a Policy,
    after: &'a Policy,
    k_before: u32,
    k_after: u32,
    dataset: &'a OpenDataset,
}

impl Pair<'_> {
    fn why(&self, business: usize, before: &Verdict, after: &Verdict) -> Vec<Why> {
        let mut why = self.incidents(business, before, after);
        match (before.score, after.score) {
            (Some(_), Some(_)) => why.extend(self.thresholds(before, after)),
            (None, None) => {
                let rule = |verdict: &Verdict| verdict.matched_rule.clone().unwrap_or_default();
                why.push(Why::Rule { before: rule(before), after: rule(after) });
            }
            (score, other) => {
                let rule = before.matched_rule.clone().or_else(|| after.matched_rule.clone());
                why.push(Why::Method {
                    points: points(score.or(other).unwrap_or(0)),
                    rule: rule.unwrap_or_default(),
                    points_after: other.is_some(),
                });
            }
        }
        why
    }

    /// Incidents of one side only, and those of both with other points.
    fn incidents(&self, business: usize, before: &Verdict, after: &Verdict) -> Vec<Why> {
        let (read_before, read_after) =
            (self.dataset.first(business, self.k_before), self.dataset.first(business, self.k_after));
        let both = read_before.end.min(read_after.end);
        let read_by_both = |incident: &&Incident| (incident.review as usize) < both;
        let by_review = |verdict: &Verdict| -> BTreeMap<u32, i64> {
            verdict.incidents.iter().filter(read_by_both).map(|it| (it.review, weighted(it))).collect()
        };
        let mut why = Vec::new();
        for (verdict, gained) in [(before, false), (after, true)] {
            let beyond: Vec<&Incident> = verdict.incidents.iter().filter(|incident| !read_by_both(incident)).collect();
            if !beyond.is_empty() {
                let read = if gained { &read_after } else { &read_before };
                why.push(Why::Reviews {
                    reviews: count(read.end - both),
                    incidents: count(beyond.len()),
                    points: verdict.score.map(|_| points(beyond.iter().map(|it| weighted(it)).sum())),
                    gained,
                });
            }
        }
        let is_scored = (before.score.is_some(), after.score.is_some());
        if is_scored.0 != is_scored.1 {
            // Rules and points call different things an incident; counting them against each other says nothing.
            return why;
        }
        let (mine, theirs) = (by_review(before), by_review(after));
        for (has, lacks, gained) in [(&mine, &theirs, false), (&theirs, &mine, true)] {
            let only: Vec<i64> =
                has.iter().filter(|(review, _)| !lacks.contains_key(review)).map(|(_, points)| *points).collect();
            if !only.is_empty() {
                let sum = is_scored.0.then(|| points(only.iter().sum()));
                why.push(Why::Counted { incidents: count(only.len()), points: sum, gained });
            }
        }
        let common: Vec<(i64, i64)> =
            mine.iter().filter_map(|(review, points)| Some((*points, *theirs.get(review)?))).collect();
        let differing = common.iter().filter(|(one, other)| one != other).count();
        if differing > 0 {
            why.push(Why::Points {
                incidents: count(differing),
                before: points(common.iter().map(|(one, _)| one).sum()),
                after: points(common.iter().map(|(_, other)| other).sum()),
            });
        }
        why
    }

    /// Where the two outcomes start, if that differs.
    fn thresholds(&self, before: &Verdict, after: &Verdict) -> Vec<Why> {
        let start = |policy: &Policy, k: u32, verdict: &str| {
            let scoring = policy.scoring.as_ref()?;
            let mut of = scoring.thresholds.iter().filter(|threshold| threshold.verdict == verdict);
            of.find_map(|threshold| threshold.min(k).or_else(|| threshold.max(k)))
        };
        let mut names = vec![before.verdict.as_str(), after.verdict.as_str()];
        names.dedup();
        names
            .into_iter()
            .filter_map(|verdict| {
                let one = start(self.before, self.k_before, verdict)?;
                let other = start(self.after, self.k_after, verdict)?;
                (one != other).then(|| Why::Threshold {
                    verdict: verdict.to_owned(),
                    before: points(one),
                    after: points(other),
                })
            })
            .collect()
    }
}

fn weighted(incident: &Incident) -> i64 {
    incident.points.as_ref().map_or(0, |points| points.weighted)
}

pub fn results_by_k(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    dataset: &str,
    topic: &str,
) -> Result<VerdictsByK, ApiError> {
    let topic = topic_of(catalog, topic)?;
    let open = OpenDataset::open(store, realm, &DatasetName::from(dataset))?;
    let ensemble = last_ensemble(store, realm, &topic.id)?;
    let judgments = Judgments::load(store, &open, topic, &ensemble)?;
    let ks = ks_with_votes(&open, &judgments);
    let docket = Docket::new(&open, &judgments, &ks, false);
    let policies = topic
        .policies
        .par_iter()
        .map(|policy| {
            let judge = Judge::new(policy, &topic.schema);
            let results: Vec<PolicyResult> = (0..ks.len()).map(|at| docket.judge(&judge, at)).collect();
            let steps = results.iter().enumerate().map(|(at, result)| KStep {
                k: result.k,
                counts: result.distribution.iter().take(policy.verdicts.len()).map(|(_, count)| *count).collect(),
                without_verdict: result.without_verdict,
                moved: at.checked_sub(1).map_or(0, |before| moved(&results[before], result)),
                reviews_incomplete: result.missing_judgments,
            });
            PolicyByK { summary: policy_summary(policy), steps: steps.collect() }
        })
        .collect();
    Ok(VerdictsByK { dataset: dataset.to_owned(), topic: topic.id.to_string(), ks, policies })
}

/// The shown Ks up to the deepest review that has a vote, and that depth itself.
fn ks_with_votes(dataset: &OpenDataset, judgments: &Judgments) -> Vec<u32> {
    let deepest = (0..dataset.businesses()).filter_map(|business| {
        let all = dataset.first(business, u32::MAX);
        let last = all.clone().rev().find(|position| judgments.answered(*position) != Answered::Unasked)?;
        Some(count(last - all.start + 1))
    });
    let deepest = deepest.max().unwrap_or(0);
    let mut ks: Vec<u32> = KS_SHOWN.into_iter().filter(|k| *k < deepest).collect();
    if deepest > 0 {
        ks.push(deepest);
    }
    ks
}
