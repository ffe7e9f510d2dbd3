//! Verdicts: a policy turns the judgments of one business into one of its outcomes, with everything that led to it.
//!
//! [`Judge::new`] resolves a policy's names against a schema once; [`Judge::judge`] then only compares small integers, so that
//! 72 policies over 18,440 reviews take milliseconds. Only relevant judgments count, everywhere.

use serde::Serialize;

use crate::{
    date::Date,
    policy::{CUISINE_MODIFIER, HIGH_RISK_CUISINES, Logic, Policy, Scoring},
    schema::Schema,
};

/// A review as a policy sees it: what its votes settled to.
#[derive(Clone, Copy, Debug)]
pub struct Judgment<'a> {
    /// What the caller finds the review again by; verdicts carry it through.
    pub review: u32,
    pub relevant: bool,
    pub date: Option<Date>,
    /// One per field in field order, index in term order; `None` is unset.
    pub values: &'a [Option<u8>],
}

/// A policy's outcome for one business at one K.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Index into [`Policy::verdicts`]; `None` when the rule names an outcome that the list does not have.
    pub index: Option<u32>,
    pub verdict: String,
    /// Points policies only.
    pub score: Option<i64>,
    /// Label of the rule that held, or of the default rule; rules policies only.
    pub matched_rule: Option<String>,
    pub incidents: Vec<Incident>,
    /// Points of the business-level modifier, 0 when it does not apply.
    pub cuisine_modifier: i64,
}

/// A judgment that led to the verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    pub review: u32,
    /// Points policies: the severity field. Rules policies: the first field of the condition that the judgment matches.
    pub field: String,
    pub value: String,
    /// Points policies only.
    pub points: Option<IncidentPoints>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IncidentPoints {
    pub severity_label: String,
    pub base: i64,
    /// (label, points)
    pub modifiers: Vec<(String, i64)>,
    pub total: i64,
    pub recency_weight: f64,
    /// `total` × `recency_weight`, truncated toward zero.
    pub weighted: i64,
}

/// Whether one condition of a rule held, for the page that explains a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionOutcome {
    pub rule: usize,
    pub condition: usize,
    pub holds: bool,
    pub matching: Vec<u32>,
    pub needed: u32,
}

/// A policy with its names resolved against a schema.
pub struct Judge<'a> {
    policy: &'a Policy,
    schema: &'a Schema,
    rules: Vec<CompiledRule>,
    points: Option<CompiledScoring<'a>>,
}

struct CompiledRule {
    logic: Logic,
    /// Text-only conditions are left out.
    tests: Vec<CompiledCondition>,
}

/// Index into the rule's conditions, and what a judgment must match.
type CompiledCondition = (usize, Vec<FieldTest>);

/// Field number and which values match; a field that the schema lacks matches nothing.
#[derive(PartialEq)]
struct FieldTest {
    field: Option<usize>,
    values: Vec<bool>,
}

struct CompiledScoring<'a> {
    scoring: &'a Scoring,
    severity_field: Option<usize>,
    /// Per severity value: (label as mapped, points); `None`: no incident.
    base: Vec<Option<(&'a str, i64)>>,
    /// (field, value, label, points)
    modifiers: Vec<(usize, u8, &'a str, i64)>,
    /// (field number, value) that must hold for a judgment to count, when the schema has `account_type`.
    firsthand: Option<(usize, Option<u8>)>,
    cuisine_points: i64,
}

impl<'a> Judge<'a> {
    pub fn new(policy: &'a Policy, schema: &'a Schema) -> Self {
        let rules = policy
            .rules
            .iter()
            .map(|rule| CompiledRule {
                logic: rule.logic,
                tests: (0..)
                    .zip(&rule.conditions)
                    .filter_map(|(at, condition)| {
                        let check = condition.check.as_ref()?;
                        let tests = check.filter.iter().chain(&check.requires);
                        Some((at, tests.map(|(field, values)| FieldTest::new(schema, field, values)).collect()))
                    })
                    .collect(),
            })
            .collect();
        let points = policy.scoring.as_ref().map(|scoring| CompiledScoring::new(scoring, schema));
        Self { policy, schema, rules, points }
    }

    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// The verdict over these judgments (the first K reviews of a business) at this K.
    pub fn judge(&self, judgments: &[Judgment<'_>], categories: &str, k: u32) -> Verdict {
        match &self.points {
            Some(points) => self.judge_points(points, judgments, categories, k),
            None => self.judge_rules(judgments, k),
        }
    }

    fn judge_rules(&self, judgments: &[Judgment<'_>], k: u32) -> Verdict {
        let holds = |rule: usize, (at, tests): &CompiledCondition| {
            let matching = judgments.iter().filter(|judgment| matches(judgment, tests)).count();
            matching >= needed(&self.policy.rules[rule], *at, k)
        };
        match self.first_rule(holds) {
            Some(held) => {
                let incidents = self.rule_incidents(&self.rules[held], judgments, &|test| holds(held, test));
                let rule = &self.policy.rules[held];
                self.verdict(&rule.verdict, Some(&rule.label), None, incidents, 0)
            }
            None => self.default_verdict(None, Vec::new(), 0),
        }
    }

    /// The first rule that holds, when each of its conditions holds as `holds` says; `None`: the default rule decides.
    fn first_rule(&self, holds: impl Fn(usize, &CompiledCondition) -> bool) -> Option<usize> {
        (0..self.rules.len()).find(|number| {
            let (rule, compiled) = (&self.policy.rules[*number], &self.rules[*number]);
            let mut tests = compiled.tests.iter();
            !rule.is_default
                && !compiled.tests.is_empty()
                && match compiled.logic {
                    Logic::Any => tests.any(|test| holds(*number, test)),
                    Logic::All => tests.all(|test| holds(*number, test)),
                }
        })
    }

    /// The judgments that match a condition that held, each once, by its first such condition.
    fn rule_incidents(
        &self,
        rule: &CompiledRule,
        judgments: &[Judgment<'_>],
        holds: &dyn Fn(&CompiledCondition) -> bool,
    ) -> Vec<Incident> {
        let held: Vec<_> = rule.tests.iter().filter(|test| holds(test)).collect();
        judgments
            .iter()
            .filter_map(|judgment| {
                let (_, tests) = held.iter().find(|(_, tests)| matches(judgment, tests))?;
                let field = tests.first()?.field?;
                Some(self.incident(judgment, field, None))
            })
            .collect()
    }

    fn incident(&self, judgment: &Judgment<'_>, field: usize, points: Option<IncidentPoints>) -> Incident {
        let named = &self.schema.fields()[field];
        let value = judgment.values.get(field).copied().flatten();
        Incident {
            review: judgment.review,
            field: named.name.clone(),
            value: value.map_or_else(String::new, |value| named.value_id(value).to_owned()),
            points,
        }
    }

    fn judge_points(
        &self,
        points: &CompiledScoring<'_>,
        judgments: &[Judgment<'_>],
        categories: &str,
        k: u32,
    ) -> Verdict {
        let mut incidents = Vec::new();
        let mut score = 0_i64;
        for judgment in judgments {
            if let Some((field, scored)) = points.score(judgment) {
                score = score.saturating_add(scored.weighted);
                incidents.push(self.incident(judgment, field, Some(scored)));
            }
        }
        let cuisine = if incidents.is_empty() || !is_high_risk(categories) { 0 } else { points.cuisine_points };
        score = score.saturating_add(cuisine);
        match outcome(points.scoring, score, k) {
            Some(verdict) => self.verdict(verdict, None, Some(score), incidents, cuisine),
            None => self.default_verdict(Some(score), incidents, cuisine),
        }
    }

    fn default_verdict(&self, score: Option<i64>, incidents: Vec<Incident>, cuisine: i64) -> Verdict {
        // The catalog refuses policies without a default rule, so the first outcome is only a name for the impossible.
        let (verdict, label) = self
            .policy
            .default_rule()
            .map_or((self.policy.verdicts.first().map_or("", String::as_str), None), |rule| {
                (rule.verdict.as_str(), Some(rule.label.as_str()))
            });
        self.verdict(verdict, label.filter(|_| score.is_none()), score, incidents, cuisine)
    }

    fn verdict(
        &self,
        verdict: &str,
        rule: Option<&str>,
        score: Option<i64>,
        incidents: Vec<Incident>,
        cuisine_modifier: i64,
    ) -> Verdict {
        let index = (0..).zip(&self.policy.verdicts).find(|(_, known)| *known == verdict).map(|(index, _)| index);
        Verdict {
            index,
            verdict: verdict.to_owned(),
            score,
            matched_rule: rule.map(str::to_owned),
            incidents,
            cuisine_modifier,
        }
    }

    /// Every checkable condition with the judgments that match it, for explaining a rules policy.
    pub fn explain(&self, judgments: &[Judgment<'_>], k: u32) -> Vec<ConditionOutcome> {
        let mut outcomes = Vec::new();
        for (number, (rule, compiled)) in self.policy.rules.iter().zip(&self.rules).enumerate() {
            for (condition, tests) in &compiled.tests {
                let matching: Vec<u32> = judgments
                    .iter()
                    .filter(|judgment| matches(judgment, tests))
                    .map(|judgment| judgment.review)
                    .collect();
                let needed = needed(rule, *condition, k);
                let holds = matching.len() >= needed;
                let needed = u32::try_from(needed).unwrap_or(u32::MAX);
                outcomes.push(ConditionOutcome { rule: number, condition: *condition, holds, matching, needed });
            }
        }
        outcomes
    }
}

fn needed(rule: &crate::policy::Rule, condition: usize, k: u32) -> usize {
    let needed = rule.conditions[condition].check.as_ref().map_or(u32::MAX, |check| check.needed(k));
    usize::try_from(needed).unwrap_or(usize::MAX)
}

fn matches(judgment: &Judgment<'_>, tests: &[FieldTest]) -> bool {
    judgment.relevant && tests.iter().all(|test| test.matches(judgment))
}

impl FieldTest {
    fn new(schema: &Schema, field: &str, values: &[String]) -> Self {
        let Some((number, field)) = schema.field(field) else {
            return Self { field: None, values: Vec::new() };
        };
        let values = field.term.values.iter().map(|value| values.contains(&value.id)).collect();
        Self { field: Some(number), values }
    }

    fn matches(&self, judgment: &Judgment<'_>) -> bool {
        self.matches_value(self.field.and_then(|field| judgment.values.get(field).copied().flatten()))
    }

    fn matches_value(&self, value: Option<u8>) -> bool {
        value.is_some_and(|value| self.values[usize::from(value)])
    }
}

impl<'a> CompiledScoring<'a> {
    fn new(scoring: &'a Scoring, schema: &'a Schema) -> Self {
        let severity = schema.field(&scoring.severity_field);
        let base = severity.map_or_else(Vec::new, |(_, field)| {
            field
                .term
                .values
                .iter()
                .map(|value| {
                    let (_, label) = scoring.value_mappings.iter().find(|(mapped, _)| *mapped == value.id)?;
                    Some((label.as_str(), scoring.severity_points(label)?))
                })
                .collect()
        });
        let modifiers = scoring
            .modifier_mappings
            .iter()
            .filter_map(|mapping| {
                let (number, field) = schema.field(&mapping.field)?;
                let modifier = scoring.modifier(&mapping.label)?;
                Some((number, field.value(&mapping.value)?, modifier.label.as_str(), modifier.points))
            })
            .collect();
        let firsthand = schema.field("account_type").map(|(number, field)| (number, field.value("firsthand")));
        let cuisine_points = scoring.modifier(CUISINE_MODIFIER).map_or(0, |modifier| modifier.points);
        Self { scoring, severity_field: severity.map(|(number, _)| number), base, modifiers, firsthand, cuisine_points }
    }

    /// What one field of a relevant judgment brings, before it is weighed by age; `None`: it makes the judgment no incident.
    /// Summed over all fields it is what [`Self::score`] finds.
    fn of_field(&self, field: usize, value: Option<u8>) -> Option<i64> {
        if let Some((_, firsthand)) = self.firsthand.filter(|(at, _)| *at == field) {
            value.filter(|value| Some(*value) == firsthand)?;
        }
        let is_severity = self.severity_field == Some(field);
        let base = if is_severity { self.base[usize::from(value?)]?.1 } else { 0 };
        let its = self.modifiers.iter().filter(|(at, of, ..)| *at == field && Some(*of) == value);
        Some(its.fold(base, |sum, (.., points)| sum.saturating_add(*points)))
    }

    /// The points of a judgment and its severity field; `None`: not an incident.
    fn score(&self, judgment: &Judgment<'_>) -> Option<(usize, IncidentPoints)> {
        let value_of = |field: usize| judgment.values.get(field).copied().flatten();
        if !judgment.relevant {
            return None;
        }
        if let Some((field, firsthand)) = self.firsthand {
            // A term without the value `firsthand` lets nothing through: unset never equals it.
            value_of(field).filter(|value| Some(*value) == firsthand)?;
        }
        let field = self.severity_field?;
        let (label, base) = self.base[usize::from(value_of(field)?)]?;
        let modifiers: Vec<(String, i64)> = self
            .modifiers
            .iter()
            .filter(|(field, value, ..)| value_of(*field) == Some(*value))
            .map(|(_, _, label, points)| ((*label).to_owned(), *points))
            .collect();
        let total = modifiers.iter().fold(base, |sum, (_, points)| sum.saturating_add(*points));
        let recency_weight = recency_weight(self.scoring, judgment.date);
        let weighted = weigh(total, recency_weight);
        Some((
            field,
            IncidentPoints { severity_label: label.to_owned(), base, modifiers, total, recency_weight, weighted },
        ))
    }
}

/// Points × weight, truncated toward zero.
fn weigh(points: i64, weight: f64) -> i64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "points are small; `as` saturates"
    )]
    let weighted = (points as f64 * weight).trunc() as i64;
    weighted
}

/// Weight of the first recency rule with age ≤ `max_age_years`; older than every rule: the last rule's; no readable date,
/// no rules or no reference date: full weight.
pub fn recency_weight(scoring: &Scoring, date: Option<Date>) -> f64 {
    let (Some(date), Some(reference), Some(last)) = (date, scoring.reference_date, scoring.recency_rules.last()) else {
        return 1.0;
    };
    let age = date.age_years(reference);
    scoring.recency_rules.iter().find(|rule| age <= rule.max_age_years).unwrap_or(last).weight
}

/// The verdict that a score reaches: the highest `min_score` reached, else the lowest `max_score` not exceeded.
fn outcome(scoring: &Scoring, score: i64, k: u32) -> Option<&str> {
    let reached = scoring
        .thresholds
        .iter()
        .filter_map(|threshold| Some((threshold.min(k)?, threshold)))
        .filter(|(min, _)| score >= *min)
        // Of equal thresholds the first in the file counts; `max_by_key` would take the last.
        .rev()
        .max_by_key(|(min, _)| *min);
    let kept_under = || {
        scoring
            .thresholds
            .iter()
            .filter_map(|threshold| Some((threshold.max(k)?, threshold)))
            .filter(|(max, _)| score <= *max)
            .min_by_key(|(max, _)| *max)
    };
    reached.or_else(kept_under).map(|(_, threshold)| threshold.verdict.as_str())
}

fn is_high_risk(categories: &str) -> bool {
    let categories = categories.to_lowercase();
    HIGH_RISK_CUISINES.iter().any(|cuisine| categories.contains(cuisine))
}

mod outlook;
mod sight;

pub use outlook::{Chances, Outlook};
pub use sight::Sight;

#[cfg(test)]
mod tests;
