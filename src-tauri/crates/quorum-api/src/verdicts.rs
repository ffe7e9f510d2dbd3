//! Verdicts of many policies at many K, in parallel over topics and policies.
//!
//! Every result is handed to the caller as soon as it is there and can be dropped again: 72 policies at four K hold far more
//! incidents than anyone looks at. A business none of whose reviews is complete has no verdict and counts under none.
//!
//! Not here: files ([`crate::ground_truth`]) and pages ([`crate::results`]).

use quorum_catalog::Catalog;
use quorum_core::{
    ensemble::Ensemble,
    ids::{DatasetName, PolicyId, TopicId},
    manifest::{Manifest, Realm},
    policy::Policy,
    topic::Topic,
    verdict::{Judge, Judgment, Verdict},
};
use quorum_store::{Store, StoreError};
use rayon::prelude::*;

use crate::{
    dto::error::ApiError,
    judgments::Judgments,
    open_dataset::{OpenDataset, UnfitOverride},
    trust::Applied,
};

/// Which verdicts are wanted.
#[derive(Clone, Debug)]
pub struct VerdictsRequest {
    pub dataset: DatasetName,
    /// See [`expand_policies`].
    pub policies: Vec<PolicyId>,
    /// Each 1 or more.
    pub ks: Vec<u32>,
    /// `None`: the one that each topic was last asked with ([`last_ensemble`]).
    pub ensemble: Option<Ensemble>,
    /// Also use reviews that have some but not all votes of the ensemble.
    pub partial: bool,
}

/// One policy at one K over a whole dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyResult {
    pub topic: TopicId,
    pub policy: PolicyId,
    pub k: u32,
    /// What settled the votes.
    pub aggregator: Applied,
    /// It counts points.
    pub has_scoring: bool,
    /// In dataset order.
    pub businesses: Vec<BusinessResult>,
    /// Businesses per outcome, in the policy's order.
    pub distribution: Vec<(String, u32)>,
    /// Businesses without a verdict.
    pub without_verdict: u32,
    /// Reviews within K that no verdict uses, because votes are missing.
    pub missing_judgments: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BusinessResult {
    /// Reviews within K, as far as the business has them.
    pub n_reviews: u32,
    /// Of these, the ones that the verdict uses.
    pub n_judgments: u32,
    /// `None`: it uses none. An incident's `review` is a position in the [`OpenDataset`].
    pub verdict: Option<Verdict>,
}

impl PolicyResult {
    /// Reviews are missing: the verdicts may still change.
    pub fn is_provisional(&self) -> bool {
        self.missing_judgments > 0
    }
}

/// The policies that these words mean: a policy's id, a topic's id (all its policies) or `all`. Each once, in the order of
/// first mention.
pub fn expand_policies(catalog: &Catalog, words: &[impl AsRef<str>]) -> Result<Vec<PolicyId>, ApiError> {
    let mut policies: Vec<PolicyId> = Vec::new();
    for word in words.iter().map(|word| word.as_ref().trim()).filter(|word| !word.is_empty()) {
        let named: Vec<&Policy> = if word == "all" {
            catalog.policies().map(|(_, policy)| policy).collect()
        } else if let Some((_, policy)) = catalog.policy(&PolicyId::from(word)) {
            vec![policy]
        } else if let Some(topic) = catalog.topic(&TopicId::from(word)) {
            topic.policies.iter().collect()
        } else {
            return Err(ApiError::not_found(format!("The catalog has no policy and no topic {word}."))
                .action("The catalog lists those that there are."));
        };
        for policy in named {
            if !policies.contains(&policy.id) {
                policies.push(policy.id.clone());
            }
        }
    }
    if policies.is_empty() {
        return Err(ApiError::invalid("No policy is named.").action("Name policies or topics, or say `all`."));
    }
    Ok(policies)
}

/// The ensemble that a topic was last asked with in this realm; the default one if it never was.
pub fn last_ensemble(store: &Store, realm: Realm, topic: &TopicId) -> Result<Ensemble, StoreError> {
    Ok(last_of(&store.manifests()?, realm, topic))
}

pub(crate) fn last_of(manifests: &[Manifest], realm: Realm, topic: &TopicId) -> Ensemble {
    manifests
        .iter()
        .filter(|manifest| manifest.realm == realm && manifest.topic == *topic)
        .max_by_key(|manifest| manifest.id)
        .map_or_else(Ensemble::standard, |manifest| manifest.ensemble.clone())
}

/// All results at once, in the order of the request's policies, then of its K, and the corrections that do not fit.
pub fn verdicts(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    request: &VerdictsRequest,
) -> Result<(Vec<PolicyResult>, Vec<UnfitOverride>), ApiError> {
    let dataset = OpenDataset::open(store, realm, &request.dataset)?;
    verdicts_with(store, catalog, &dataset, request, Ok)
}

/// What comes of `each` result, in the order of the request's policies, then of its K, and the corrections that do not fit.
/// `each` runs on several threads, in any order.
pub fn verdicts_with<T: Send>(
    store: &Store,
    catalog: &Catalog,
    dataset: &OpenDataset,
    request: &VerdictsRequest,
    each: impl Fn(PolicyResult) -> Result<T, ApiError> + Sync,
) -> Result<(Vec<T>, Vec<UnfitOverride>), ApiError> {
    if request.ks.is_empty() || request.ks.contains(&0) {
        return Err(ApiError::invalid("K must be 1 or more: it is how many reviews of each business are used."));
    }
    let topics = by_topic(catalog, &request.policies)?;
    let manifests = if request.ensemble.is_none() { store.manifests()? } else { Vec::new() };
    let done: Vec<_> = topics
        .into_par_iter()
        .map(|(topic, policies)| {
            let ensemble = match &request.ensemble {
                Some(ensemble) => ensemble.clone(),
                None => last_of(&manifests, dataset.realm, &topic.id),
            };
            let judgments = Judgments::load(store, dataset, topic, &ensemble)?;
            let results = judge_topic(dataset, &judgments, topic, policies, request, &each)?;
            Ok((results, judgments.unfit))
        })
        .collect::<Result<_, ApiError>>()?;
    let (mut results, mut unfit) = (Vec::new(), Vec::new());
    for (of_topic, unfit_of_topic) in done {
        results.extend(of_topic);
        unfit.extend(unfit_of_topic);
    }
    results.sort_by_key(|(order, _)| *order);
    Ok((results.into_iter().map(|(_, result)| result).collect(), unfit))
}

/// Policies with their place in the request, by topic.
type TopicPolicies<'a> = (&'a Topic, Vec<(usize, &'a Policy)>);

fn by_topic<'a>(catalog: &'a Catalog, policies: &[PolicyId]) -> Result<Vec<TopicPolicies<'a>>, ApiError> {
    let mut topics: Vec<TopicPolicies<'a>> = Vec::new();
    for (place, id) in policies.iter().enumerate() {
        let (topic, policy) =
            catalog.policy(id).ok_or_else(|| ApiError::not_found(format!("The catalog has no policy {id}.")))?;
        match topics.iter_mut().find(|(known, _)| known.id == topic.id) {
            Some((_, policies)) => policies.push((place, policy)),
            None => topics.push((topic, vec![(place, policy)])),
        }
    }
    Ok(topics)
}

/// A result and its place: number of the policy in the request, number of the K.
type Placed<T> = ((usize, usize), T);

fn judge_topic<T: Send>(
    dataset: &OpenDataset,
    judgments: &Judgments,
    topic: &Topic,
    policies: Vec<(usize, &Policy)>,
    request: &VerdictsRequest,
    each: &(impl Fn(PolicyResult) -> Result<T, ApiError> + Sync),
) -> Result<Vec<Placed<T>>, ApiError> {
    let docket = Docket::new(dataset, judgments, &request.ks, request.partial);
    policies
        .into_par_iter()
        .flat_map(|(place, policy)| (0..request.ks.len()).into_par_iter().map(move |at| (place, policy, at)))
        .map(|(place, policy, at)| {
            let judge = Judge::new(policy, &topic.schema);
            Ok(((place, at), each(docket.judge(&judge, at))?))
        })
        .collect()
}

/// The reviews of a dataset as policies use them, for several K: relevant and used ones only, as no other counts anywhere.
pub struct Docket<'a> {
    dataset: &'a OpenDataset,
    aggregator: Applied,
    ks: &'a [u32],
    judgments: Vec<Judgment<'a>>,
    /// `businesses × ks`
    cases: Vec<Case>,
}

/// One business at one K.
#[derive(Clone, Copy, Debug, Default)]
struct Case {
    /// Start and end in the judgments.
    start: usize,
    end: usize,
    n_reviews: u32,
    n_judgments: u32,
}

impl<'a> Docket<'a> {
    pub fn new(dataset: &'a OpenDataset, judgments: &'a Judgments, ks: &'a [u32], partial: bool) -> Self {
        let mut docket = Self {
            dataset,
            aggregator: judgments.applied(),
            ks,
            judgments: Vec::new(),
            cases: vec![Case::default(); dataset.businesses() * ks.len()],
        };
        let k_max = ks.iter().copied().max().unwrap_or(0);
        for business in 0..dataset.businesses() {
            let cases = &mut docket.cases[business * ks.len()..(business + 1) * ks.len()];
            let start = docket.judgments.len();
            cases.fill(Case { start, end: start, ..Case::default() });
            for (place, position) in (0_u32..).zip(dataset.first(business, k_max)) {
                let used = judgments.is_used(position, partial);
                let counts = used && judgments.is_relevant(position);
                if counts {
                    docket.judgments.push(judgments.judgment(dataset, position));
                }
                for (case, _) in cases.iter_mut().zip(ks).filter(|(_, k)| place < **k) {
                    case.n_reviews += 1;
                    case.n_judgments += u32::from(used);
                    case.end = docket.judgments.len();
                }
            }
        }
        docket
    }

    /// The relevant judgments of a business within the K at this place of the list.
    pub fn of(&self, business: usize, at: usize) -> &[Judgment<'a>] {
        let case = self.case(business, at);
        &self.judgments[case.start..case.end]
    }

    fn case(&self, business: usize, at: usize) -> Case {
        self.cases[business * self.ks.len() + at]
    }

    /// One policy at the K at this place of the list.
    pub fn judge(&self, judge: &Judge<'_>, at: usize) -> PolicyResult {
        let policy = judge.policy();
        let mut result = PolicyResult {
            topic: policy.topic.clone(),
            policy: policy.id.clone(),
            k: self.ks[at],
            aggregator: self.aggregator.clone(),
            has_scoring: policy.scoring.is_some(),
            businesses: Vec::with_capacity(self.dataset.businesses()),
            distribution: policy.verdicts.iter().map(|verdict| (verdict.clone(), 0)).collect(),
            without_verdict: 0,
            missing_judgments: 0,
        };
        for business in 0..self.dataset.businesses() {
            let judged = self.judge_business(judge, business, at);
            match &judged.verdict {
                Some(verdict) => result.count(&verdict.verdict),
                None => result.without_verdict += 1,
            }
            result.missing_judgments += judged.n_reviews - judged.n_judgments;
            result.businesses.push(judged);
        }
        result
    }

    /// One policy over one business at the K at this place of the list.
    pub fn judge_business(&self, judge: &Judge<'_>, business: usize, at: usize) -> BusinessResult {
        let case = self.case(business, at);
        let categories = &self.dataset.view.businesses[business].categories;
        let verdict = (case.n_judgments > 0).then(|| judge.judge(self.of(business, at), categories, self.ks[at]));
        BusinessResult { n_reviews: case.n_reviews, n_judgments: case.n_judgments, verdict }
    }
}

impl PolicyResult {
    fn count(&mut self, verdict: &str) {
        match self.distribution.iter_mut().find(|(known, _)| known == verdict) {
            Some((_, count)) => *count += 1,
            // A rule may name an outcome that the policy's list does not have.
            None => self.distribution.push((verdict.to_owned(), 1)),
        }
    }
}
