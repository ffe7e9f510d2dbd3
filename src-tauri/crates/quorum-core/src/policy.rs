//! Policies as data: rules over counts (V0, V1) and points with thresholds (V2, V3).
//!
//! Not here: reading them from YAML (quorum-catalog) and applying them ([`crate::verdict`]).

use std::collections::BTreeMap;

use crate::{
    date::Date,
    ids::{PolicyId, TopicId},
};

#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub id: PolicyId,
    pub topic: TopicId,
    /// `V0` to `V3`.
    pub variant: String,
    pub title: String,
    pub purpose: String,
    pub incident_definition: String,
    /// `domain:TERM_ID`, in the order of the file.
    pub terms: Vec<String>,
    /// The possible outcomes, in order (worst last or best last, as the file has it).
    pub verdicts: Vec<String>,
    pub rules: Vec<Rule>,
    pub scoring: Option<Scoring>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub verdict: String,
    pub label: String,
    pub logic: Logic,
    pub conditions: Vec<Condition>,
    pub is_default: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    Any,
    All,
}

/// A condition in words and, where it carries a rule, in a form that can be checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub text: String,
    /// `None`: given as plain text only; it never decides anything.
    pub check: Option<Check>,
}

/// "At least `min_count` judgments match `filter` (and, for a compound condition, `requires`)".
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub kind: CheckKind,
    pub filter: Filter,
    pub requires: Filter,
    pub min_count: u32,
    /// Another count for exactly that K.
    pub min_count_by_k: BTreeMap<u32, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckKind {
    CountThreshold,
    Compound,
    Exists,
}

/// Field name and the values that match it, in the order of the file.
pub type Filter = Vec<(String, Vec<String>)>;

impl Check {
    /// How many matching judgments are needed at this K.
    pub fn needed(&self, k: u32) -> u32 {
        match self.kind {
            CheckKind::Exists => 1,
            CheckKind::CountThreshold | CheckKind::Compound => {
                self.min_count_by_k.get(&k).copied().unwrap_or(self.min_count)
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scoring {
    pub description: String,
    pub severity_points: Vec<(String, i64)>,
    pub modifiers: Vec<Modifier>,
    pub severity_field: String,
    /// (value, severity label)
    pub value_mappings: Vec<(String, String)>,
    pub modifier_mappings: Vec<ModifierMapping>,
    pub recency_rules: Vec<RecencyRule>,
    pub reference_date: Option<Date>,
    pub thresholds: Vec<Threshold>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Modifier {
    pub label: String,
    pub description: String,
    pub points: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModifierMapping {
    pub field: String,
    pub value: String,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RecencyRule {
    pub max_age_years: f64,
    pub weight: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Threshold {
    pub verdict: String,
    pub min_score: Option<i64>,
    pub min_score_by_k: BTreeMap<u32, i64>,
    pub max_score: Option<i64>,
    pub max_score_by_k: BTreeMap<u32, i64>,
}

impl Threshold {
    /// The score to reach at this K, if the threshold has one.
    pub fn min(&self, k: u32) -> Option<i64> {
        self.min_score_by_k.get(&k).copied().or(self.min_score)
    }

    /// The score not to exceed at this K, if the threshold has one.
    pub fn max(&self, k: u32) -> Option<i64> {
        self.max_score_by_k.get(&k).copied().or(self.max_score)
    }
}

/// The one modifier that belongs to the business and not to a review.
pub const CUISINE_MODIFIER: &str = "High-risk cuisine";

/// Cuisines (in any letter case, anywhere in the categories) that [`CUISINE_MODIFIER`] applies to.
pub const HIGH_RISK_CUISINES: [&str; 4] = ["thai", "vietnamese", "chinese", "asian"];

/// Labels are compared whole, in any letter case.
pub fn same_label(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

impl Scoring {
    pub fn severity_points(&self, label: &str) -> Option<i64> {
        self.severity_points.iter().find(|(known, _)| same_label(known, label)).map(|(_, points)| *points)
    }

    pub fn modifier(&self, label: &str) -> Option<&Modifier> {
        self.modifiers.iter().find(|modifier| same_label(&modifier.label, label))
    }
}

impl Policy {
    pub fn default_rule(&self) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.is_default)
    }
}
