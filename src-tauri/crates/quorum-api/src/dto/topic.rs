//! Topics: what is asked of a review, and the policies that judge the answers.

use serde::{Deserialize, Serialize};
use specta::Type;

/// One topic of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TopicSummary {
    /// The id, such as `G1_allergy`.
    pub topic: String,
    /// The name in plain words, such as `Allergy safety`.
    pub name: String,
    /// The group's id, such as `G1`, and its name, such as `Safety`.
    pub group: String,
    pub group_name: String,
    /// Title of the topic's first policy.
    pub title: String,
    /// 16 hex digits; votes belong to a topic and this.
    pub term_hash: String,
    pub fields: Vec<TopicField>,
    /// In variant order, V0 first.
    pub policies: Vec<PolicySummary>,
    /// Filled when a dataset was named.
    pub coverage: Option<TopicCoverage>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TopicField {
    /// The field's name in votes, such as `incident_severity`.
    pub field: String,
    /// A short name for column heads, such as `Severity`.
    pub label: String,
    /// The question in plain words, such as `How bad was the reaction?`.
    pub question: String,
    /// Closed list, in the term's order.
    pub values: Vec<FieldValue>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FieldValue {
    pub id: String,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicySummary {
    /// The id, such as `G1_allergy_V2`.
    pub policy: String,
    /// `V0` to `V3`.
    pub variant: String,
    /// What sets the variant apart, such as `Points, recency`.
    pub title: String,
    /// The outcomes in the policy's order.
    pub verdicts: Vec<String>,
    /// The first outcome is the worst one. Colour follows badness, so readers need to know.
    pub worst_first: bool,
    /// It counts points (V2, V3).
    pub scored: bool,
}

/// How many votes of one dataset are stored for the topic's present term hash, under the default ensemble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TopicCoverage {
    /// Votes stored, under any ensemble; 0 means the topic was never asked.
    pub votes: u32,
    /// Largest preset K (25, 50, 100, 200) at which every review is complete.
    pub complete_k: Option<u32>,
    /// Votes known and needed at the smallest preset K that covers what was asked, for the bar in the sidebar.
    pub known: u32,
    pub needed: u32,
    pub k: u32,
    /// Votes that belong to an older term hash.
    pub stale: u32,
}
