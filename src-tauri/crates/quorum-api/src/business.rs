//! One business under one policy: its verdict and every review, rule and incident behind it.

use std::collections::{BTreeMap, BTreeSet};

use quorum_catalog::Catalog;
use quorum_core::{
    date::Date,
    ids::{BusinessId, DatasetName, PolicyId},
    manifest::Realm,
    policy::{CUISINE_MODIFIER, Logic, Policy, Scoring},
    topic::Topic,
    verdict::{Judge, Verdict},
};
use quorum_store::{ReviewRow, Store};

use crate::{
    Quorum, agreement,
    coverage::{count, value_id},
    dto::{
        business::{
            BusinessDetail, BusinessQuery, BusinessReview, ConditionOutcome, Incident, PointsLabel, PolicyOutcome,
            ReviewState, RuleLogic, RuleOutcome, Threshold, ThresholdBound,
        },
        error::ApiError,
    },
    judgments::{Answered, Judgments},
    open_dataset::OpenDataset,
    results::{cell, ks_of, points, policy_place, topic_of},
    topics::policy_summary,
    trust::shown,
    verdicts::{BusinessResult, Docket, last_ensemble},
};

/// Characters of a text that a list shows.
const EXCERPT_CHARS: usize = 160;

impl Quorum {
    /// [`business_detail`] of the votes that are looked at now.
    pub fn business_detail(&self, query: &BusinessQuery) -> Result<BusinessDetail, ApiError> {
        business_detail(self.store(), &self.catalog(), self.realm()?, query)
    }
}

pub fn business_detail(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    query: &BusinessQuery,
) -> Result<BusinessDetail, ApiError> {
    let topic = topic_of(catalog, &query.topic)?;
    let ks = ks_of(query.k, query.compare_k)?;
    let chosen = policy_place(topic, &PolicyId::from(query.policy.as_str()))?;
    let dataset = OpenDataset::open(store, realm, &DatasetName::from(query.dataset.as_str()))?;
    let business = dataset.business(&BusinessId::from(query.business.as_str()))?;
    let ensemble = last_ensemble(store, realm, &topic.id)?;
    let judgments = Judgments::load(store, &dataset, topic, &ensemble)?;
    let docket = Docket::new(&dataset, &judgments, &ks, false);
    let judges: Vec<Judge<'_>> = topic.policies.iter().map(|policy| Judge::new(policy, &topic.schema)).collect();
    let judged: Vec<Vec<BusinessResult>> = judges
        .iter()
        .map(|judge| (0..ks.len()).map(|at| docket.judge_business(judge, business, at)).collect())
        .collect();
    let within = dataset.first(business, query.k);
    let mut rows = BTreeMap::new();
    dataset.each_review(store, within.clone(), |position, row| {
        rows.insert(position, row);
    })?;
    let page = Page { topic, policy: &topic.policies[chosen], dataset: &dataset, judgments: &judgments, rows: &rows };
    let (at_k, verdict) = (&judged[chosen][0], judged[chosen][0].verdict.as_ref());
    let rules = match (&page.policy.scoring, verdict) {
        (None, Some(_)) => page.rules(&judges[chosen], &docket, business, query.k),
        _ => Vec::new(),
    };
    let incidents = verdict.map_or_else(Vec::new, |verdict| page.incidents(verdict));
    let counted: BTreeSet<usize> = match &page.policy.scoring {
        Some(_) => verdict.into_iter().flat_map(|verdict| &verdict.incidents).map(|it| it.review as usize).collect(),
        None => judges[chosen]
            .explain(docket.of(business, 0), query.k)
            .into_iter()
            .flat_map(|condition| condition.matching)
            .map(|review| review as usize)
            .collect(),
    };
    let facts = &dataset.view.businesses[business];
    Ok(BusinessDetail {
        query: query.clone(),
        applied: shown(&judgments.applied()),
        name: facts.name.clone(),
        categories: facts.categories.clone(),
        reviews_total: count(facts.reviews.len()),
        reviews_used: at_k.n_reviews,
        reviews_complete: at_k.n_judgments,
        reviews_relevant: count(docket.of(business, 0).len()),
        provisional: at_k.n_judgments < at_k.n_reviews,
        policies: topic
            .policies
            .iter()
            .zip(&judged)
            .map(|(policy, judged)| {
                let compared = judged.get(1).and_then(|judged| judged.verdict.as_ref());
                PolicyOutcome {
                    summary: policy_summary(policy),
                    cell: cell(judged[0].verdict.as_ref(), compared),
                    score_compared: compared.and_then(|verdict| verdict.score).map(points),
                }
            })
            .collect(),
        verdict_index: verdict.and_then(|verdict| verdict.index),
        score: verdict.and_then(|verdict| verdict.score).map(points),
        thresholds: page.policy.scoring.as_ref().map_or_else(Vec::new, |scoring| page.thresholds(scoring, query.k)),
        rules,
        incidents,
        cuisine_modifier: verdict
            .map(|verdict| verdict.cuisine_modifier)
            .filter(|added| *added != 0)
            .map(|added| PointsLabel { label: CUISINE_MODIFIER.to_owned(), points: points(added) }),
        reviews: within.clone().map(|position| page.review(position, within.start, &counted)).collect(),
    })
}

struct Page<'a> {
    topic: &'a Topic,
    policy: &'a Policy,
    dataset: &'a OpenDataset,
    judgments: &'a Judgments,
    rows: &'a BTreeMap<usize, ReviewRow>,
}

impl Page<'_> {
    fn review_id(&self, position: usize) -> String {
        self.rows.get(&position).map_or_else(String::new, |row| row.id.to_string())
    }

    fn verdict_index(&self, verdict: &str) -> u32 {
        let place = self.policy.verdicts.iter().position(|known| known == verdict);
        count(place.unwrap_or(self.policy.verdicts.len()))
    }

    /// Every rule in order of trying, with what its conditions found.
    fn rules(&self, judge: &Judge<'_>, docket: &Docket<'_>, business: usize, k: u32) -> Vec<RuleOutcome> {
        let found = judge.explain(docket.of(business, 0), k);
        let mut is_decided = false;
        let mut rules: Vec<RuleOutcome> = (0..)
            .zip(&self.policy.rules)
            .map(|(number, rule)| {
                let checked: Vec<_> = found.iter().filter(|condition| condition.rule == number).collect();
                let holds = match rule.logic {
                    _ if rule.is_default => true,
                    Logic::Any => checked.iter().any(|condition| condition.holds),
                    Logic::All => !checked.is_empty() && checked.iter().all(|condition| condition.holds),
                };
                let matched = holds && !rule.is_default && !is_decided;
                is_decided |= matched;
                let conditions = (0..).zip(&rule.conditions).map(|(at, condition)| {
                    // A condition in words only never decides anything: nothing is needed and nothing counted.
                    let checked = checked.iter().find(|checked| checked.condition == at);
                    ConditionOutcome {
                        text: condition.text.clone(),
                        holds: checked.is_some_and(|checked| checked.holds),
                        count: count(checked.map_or(0, |checked| checked.matching.len())),
                        needed: checked.map_or(0, |checked| checked.needed),
                        review_ids: checked.map_or_else(Vec::new, |checked| {
                            checked.matching.iter().map(|review| self.review_id(*review as usize)).collect()
                        }),
                    }
                });
                RuleOutcome {
                    verdict_index: self.verdict_index(&rule.verdict),
                    label: rule.label.clone(),
                    logic: match rule.logic {
                        Logic::Any => RuleLogic::Any,
                        Logic::All => RuleLogic::All,
                    },
                    default: rule.is_default,
                    holds,
                    matched,
                    conditions: conditions.collect(),
                }
            })
            .collect();
        if let Some(default) = rules.iter_mut().find(|rule| rule.default).filter(|_| !is_decided) {
            default.matched = true;
        }
        rules
    }

    /// The thresholds in force at this K, ascending in points.
    fn thresholds(&self, scoring: &Scoring, k: u32) -> Vec<Threshold> {
        let mut thresholds: Vec<Threshold> = scoring
            .thresholds
            .iter()
            .flat_map(|threshold| {
                let bounds = [(ThresholdBound::Min, threshold.min(k)), (ThresholdBound::Max, threshold.max(k))];
                let verdict_index = self.verdict_index(&threshold.verdict);
                bounds
                    .into_iter()
                    .filter_map(move |(bound, score)| Some(Threshold { verdict_index, bound, points: points(score?) }))
            })
            .collect();
        thresholds.sort_by_key(|threshold| threshold.points);
        thresholds
    }

    /// Points policies only. Oldest first, those without a date last; of one day in dataset order.
    fn incidents(&self, verdict: &Verdict) -> Vec<Incident> {
        let mut dated: Vec<((bool, Option<Date>), Incident)> = verdict
            .incidents
            .iter()
            .filter_map(|incident| {
                let scored = incident.points.as_ref()?;
                let position = incident.review as usize;
                let date = self.dataset.date(position);
                let agreement = self.judgments.schema().field(&incident.field).and_then(|(field, known)| {
                    agreement::of_field(self.judgments, position, field, known.value(&incident.value)?)
                });
                let modifier =
                    |(label, added): &(String, i64)| PointsLabel { label: label.clone(), points: points(*added) };
                let row = Incident {
                    review_id: self.review_id(position),
                    date: date.map(day),
                    severity_field: incident.field.clone(),
                    severity_value: incident.value.clone(),
                    severity_label: scored.severity_label.clone(),
                    base_points: points(scored.base),
                    modifiers: scored.modifiers.iter().map(modifier).collect(),
                    total_points: points(scored.total),
                    recency_weight: scored.recency_weight,
                    weighted_points: points(scored.weighted),
                    agreement,
                };
                Some(((date.is_none(), date), row))
            })
            .collect();
        dated.sort_by_key(|(order, _)| *order);
        dated.into_iter().map(|(_, incident)| incident).collect()
    }

    fn review(&self, position: usize, first: usize, counted: &BTreeSet<usize>) -> BusinessReview {
        let (row, answered) = (self.rows.get(&position), self.judgments.answered(position));
        let consensus = self.judgments.consensus(position);
        let is_counted = counted.contains(&position);
        let values = (0..self.topic.schema.fields().len())
            .map(|field| value_id(&self.topic.schema, field, consensus.fields[field].value));
        BusinessReview {
            review_id: self.review_id(position),
            position: count(position - first + 1),
            date: self.dataset.date(position).map(day),
            stars: stars(row),
            excerpt: row.map_or_else(String::new, |row| row.text.chars().take(EXCERPT_CHARS).collect()),
            state: review_state(answered),
            relevant: consensus.relevant,
            counted: is_counted,
            why: (consensus.relevant && !is_counted).then(|| self.why(position)),
            consensus: values.collect(),
            least_sure: (consensus.relevant && answered != Answered::Unasked).then(|| consensus.least_confidence()),
        }
    }

    /// Why a relevant review does not count toward the verdict.
    fn why(&self, position: usize) -> String {
        if self.judgments.answered(position) != Answered::Complete {
            return "votes are missing".to_owned();
        }
        let Some(scoring) = &self.policy.scoring else { return "matches no condition".to_owned() };
        let value = |name: &str| {
            let (field, known) = self.topic.schema.field(name)?;
            Some(self.judgments.values(position)[field].map(|value| &known.term.values[usize::from(value)]))
        };
        match value("account_type") {
            Some(None) => return "not settled who tells it".to_owned(),
            Some(Some(account)) if account.id != "firsthand" => {
                return format!("{}, not counted", account.label.to_lowercase());
            }
            _ => {}
        }
        match value(&scoring.severity_field).flatten() {
            None => "no severity settled".to_owned(),
            Some(_) => "no incident".to_owned(),
        }
    }
}

pub(crate) fn review_state(answered: Answered) -> ReviewState {
    match answered {
        Answered::Complete => ReviewState::Complete,
        Answered::Partial => ReviewState::Partial,
        Answered::Unasked => ReviewState::Unasked,
    }
}

/// Whole stars from 1 to 5; 0 when the dataset does not say.
pub(crate) fn stars(row: Option<&ReviewRow>) -> u32 {
    row.and_then(|row| row.stars).map_or(0, |stars| agreement::whole(f64::from(stars)).min(5))
}

/// `YYYY-MM-DD`.
pub(crate) fn day(date: Date) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    let days = jiff::Span::new().try_days(date.epoch_days());
    days.and_then(|days| epoch.checked_add(days)).map_or_else(|_| String::new(), |day| day.to_string())
}
