//! The bench: a dataset, its settled votes and one policy, made ready so that moving a number judges one policy and reads nothing.
//!
//! It is a picture of the moment it was set up at; the page sets up another one when votes or corrections have changed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use quorum_catalog::Catalog;
use quorum_core::{
    ensemble::Ensemble,
    ids::{DatasetName, PolicyId},
    manifest::Realm,
    policy::Policy,
    topic::Topic,
    verdict::{Judge, Verdict},
};
use quorum_store::Store;

use super::knobs::{Target, knobs, reweighed};
use crate::{
    business::day,
    coverage::count,
    dto::{
        error::ApiError,
        what_if::{Knob, KnobChange, ScoreCount, WhatIfFlip, WhatIfOutcome, WhatIfPage, WhatIfQuery},
    },
    judgments::Judgments,
    open_dataset::OpenDataset,
    results::{ks_of, points, policy_place, topic_of},
    session::lock,
    topics::policy_summary,
    verdicts::{Docket, PolicyResult, last_ensemble},
};

pub struct Bench {
    query: WhatIfQuery,
    realm: Realm,
    dataset: OpenDataset,
    topic: Topic,
    policy: usize,
    k: [u32; 1],
    judgments: Judgments,
    /// The votes settled with the weights that were tried last.
    reweighed: Mutex<Option<Arc<Judgments>>>,
    before: PolicyResult,
    knobs: Vec<(Knob, Target)>,
}

/// The changes of a request, resolved.
pub(super) type Moves<'a> = Vec<(&'a Knob, &'a Target, f64)>;

impl Bench {
    pub fn new(store: &Store, catalog: &Catalog, realm: Realm, query: &WhatIfQuery) -> Result<Self, ApiError> {
        let topic = topic_of(catalog, &query.topic)?.clone();
        ks_of(query.k, None)?;
        let policy = policy_place(&topic, &PolicyId::from(query.policy.as_str()))?;
        let dataset = OpenDataset::open(store, realm, &DatasetName::from(query.dataset.as_str()))?;
        let ensemble = last_ensemble(store, realm, &topic.id)?;
        let judgments = Judgments::load(store, &dataset, &topic, &ensemble)?;
        let k = [query.k];
        let judge = Judge::new(&topic.policies[policy], &topic.schema);
        let before = Docket::new(&dataset, &judgments, &k, false).judge(&judge, 0);
        let knobs = knobs(&topic.policies[policy], &ensemble, query.k);
        let reweighed = Mutex::default();
        Ok(Self { query: query.clone(), realm, dataset, topic, policy, k, judgments, reweighed, before, knobs })
    }

    /// Whether it was set up for this.
    pub fn is_for(&self, realm: Realm, query: &WhatIfQuery) -> bool {
        self.realm == realm && self.query == *query
    }

    pub fn page(&self) -> WhatIfPage {
        let policy = self.policy();
        let reference = policy.scoring.as_ref().filter(|scoring| !scoring.recency_rules.is_empty());
        WhatIfPage {
            query: self.query.clone(),
            summary: policy_summary(policy),
            knobs: self.knobs.iter().map(|(knob, _)| knob.clone()).collect(),
            reference_date: reference.and_then(|scoring| scoring.reference_date).map(day),
            missing_judgments: self.before.missing_judgments,
            outcome: self.outcome(&self.before, Vec::new()),
        }
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.topic.policies[self.policy]
    }

    pub(super) fn k(&self) -> u32 {
        self.query.k
    }

    pub(super) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// The changes that move something, each checked.
    pub(super) fn moves(&self, changes: &[KnobChange]) -> Result<Moves<'_>, ApiError> {
        let mut moves = Moves::new();
        for change in changes {
            let (knob, target) = self.knobs.iter().find(|(knob, _)| knob.knob == change.knob).ok_or_else(|| {
                ApiError::not_found(format!("The policy has nothing called {} to move.", change.knob))
            })?;
            target.check(knob, change.value)?;
            moves.retain(|(known, ..)| known.knob != knob.knob);
            if (change.value - knob.value).abs() > f64::EPSILON {
                moves.push((knob, target, change.value));
            }
        }
        Ok(moves)
    }

    /// The policy with these moves.
    pub(super) fn moved(&self, moves: &[(&Knob, &Target, f64)]) -> Policy {
        let mut policy = self.policy().clone();
        for (_, target, value) in moves {
            target.apply(&mut policy, self.query.k, *value);
        }
        policy
    }

    /// Judges with the changes.
    pub fn attempt(&self, store: &Store, changes: &[KnobChange]) -> Result<WhatIfOutcome, ApiError> {
        let moves = self.moves(changes)?;
        if moves.is_empty() {
            return Ok(self.outcome(&self.before, Vec::new()));
        }
        let weights: Vec<(usize, f64)> = moves
            .iter()
            .filter_map(|(_, target, value)| match target {
                Target::Weight(at) => Some((*at, *value)),
                _ => None,
            })
            .collect();
        let settled = self.settled(store, &weights)?;
        let judgments = settled.as_deref().unwrap_or(&self.judgments);
        let (as_is, with) = (
            Docket::new(&self.dataset, &self.judgments, &self.k, false),
            Docket::new(&self.dataset, judgments, &self.k, false),
        );
        let policy = self.moved(&moves);
        let after = with.judge(&Judge::new(&policy, &self.topic.schema), 0);
        // Each move alone; the weights count as one, as they settle the votes together.
        let mut alone: Vec<(Vec<String>, Policy, &Docket<'_>)> = moves
            .iter()
            .filter(|(_, target, _)| !matches!(target, Target::Weight(_)))
            .map(|one| (vec![one.0.knob.clone()], self.moved(std::slice::from_ref(one)), &as_is))
            .collect();
        if !weights.is_empty() {
            let knobs = moves.iter().filter(|(_, target, _)| matches!(target, Target::Weight(_)));
            alone.push((knobs.map(|(knob, ..)| knob.knob.clone()).collect(), self.policy().clone(), &with));
        }
        let judges: Vec<Judge<'_>> =
            alone.iter().map(|(_, policy, _)| Judge::new(policy, &self.topic.schema)).collect();
        let causes = |business: usize, after: Option<&Verdict>| {
            let makes_it = alone.iter().zip(&judges).filter(|((_, _, docket), judge)| {
                index(docket.judge_business(judge, business, 0).verdict.as_ref()) == index(after)
            });
            makes_it.flat_map(|((knobs, ..), _)| knobs.clone()).collect()
        };
        let pairs = self.before.businesses.iter().zip(&after.businesses).enumerate();
        let flips = pairs.filter_map(|(business, (before, after))| {
            let (before, after) = (before.verdict.as_ref(), after.verdict.as_ref());
            let facts = &self.dataset.view.businesses[business];
            (index(before) != index(after)).then(|| WhatIfFlip {
                business: facts.id.to_string(),
                name: facts.name.clone(),
                before: index(before),
                after: index(after),
                score_before: before.and_then(|verdict| verdict.score).map(points),
                score: after.and_then(|verdict| verdict.score).map(points),
                causes: causes(business, after),
            })
        });
        let flips = flips.collect();
        Ok(self.outcome(&after, flips))
    }

    /// The votes settled with other weights; `None`: the weights are as they were.
    fn settled(&self, store: &Store, weights: &[(usize, f64)]) -> Result<Option<Arc<Judgments>>, ApiError> {
        if weights.is_empty() {
            return Ok(None);
        }
        let ensemble: Ensemble = reweighed(self.judgments.ensemble(), weights)
            .map_err(|error| ApiError::invalid("These weights make no ensemble.").detail(error.to_string()))?;
        let mut last = lock(&self.reweighed);
        if let Some(known) = last.as_ref().filter(|known| *known.ensemble() == ensemble) {
            return Ok(Some(Arc::clone(known)));
        }
        let settled = Arc::new(self.judgments.reweighed(store, &self.dataset, &self.topic, &ensemble));
        *last = Some(Arc::clone(&settled));
        Ok(Some(settled))
    }

    fn outcome(&self, after: &PolicyResult, flips: Vec<WhatIfFlip>) -> WhatIfOutcome {
        let verdicts = self.policy().verdicts.len();
        let counts = |result: &PolicyResult| {
            let mut counts = vec![0; verdicts];
            for index in result.businesses.iter().filter_map(|business| index(business.verdict.as_ref())) {
                counts[index as usize] += 1;
            }
            counts
        };
        let mut matrix = vec![vec![0; verdicts]; verdicts];
        for (before, after) in self.before.businesses.iter().zip(&after.businesses) {
            if let (Some(before), Some(after)) = (index(before.verdict.as_ref()), index(after.verdict.as_ref())) {
                matrix[before as usize][after as usize] += 1;
            }
        }
        let mut scores: BTreeMap<(i32, Option<u32>), usize> = BTreeMap::new();
        for verdict in after.businesses.iter().filter_map(|business| business.verdict.as_ref()) {
            if let Some(score) = verdict.score {
                *scores.entry((points(score), verdict.index)).or_default() += 1;
            }
        }
        WhatIfOutcome {
            counts_before: counts(&self.before),
            counts: counts(after),
            without_verdict: after.without_verdict,
            matrix,
            flips,
            scores: scores
                .into_iter()
                .map(|((score, verdict_index), n)| ScoreCount { score, verdict_index, count: count(n) })
                .collect(),
        }
    }
}

fn index(verdict: Option<&Verdict>) -> Option<u32> {
    verdict.and_then(|verdict| verdict.index)
}
