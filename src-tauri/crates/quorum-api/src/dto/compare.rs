//! Two ways of judging the same businesses side by side: two policies, two K, or both at once; and one policy over many K.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::topic::PolicySummary;

/// One way of judging.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// A policy of the topic, by id.
    pub policy: String,
    pub k: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CompareQuery {
    pub dataset: String,
    pub topic: String,
    pub before: Side,
    pub after: Side,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    pub query: CompareQuery,
    pub before: PolicySummary,
    pub after: PolicySummary,
    pub businesses: u32,
    /// Businesses by outcome before (rows) and after (columns), each in its policy's order; the last row and column are those
    /// without a verdict.
    pub flow: Vec<Vec<u32>>,
    /// Businesses whose outcome has another name, in dataset order.
    pub changed: Vec<ComparedBusiness>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ComparedBusiness {
    pub business: String,
    pub name: String,
    pub before: ComparedVerdict,
    pub after: ComparedVerdict,
    /// What differs; several things may.
    pub why: Vec<Why>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ComparedVerdict {
    pub verdict_index: Option<u32>,
    pub score: Option<i32>,
    /// Rules policies only.
    pub rule: Option<String>,
    pub incidents: u32,
}

/// One difference between two verdicts on one business.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Why {
    /// Only one of the sides has a complete review to judge.
    Unjudged,
    /// The larger K reads more reviews, with these incidents in them. `gained` tells which side reads them: the one after.
    Reviews { reviews: u32, incidents: u32, points: Option<i32>, gained: bool },
    /// Reviews that both sides read count on one side only.
    Counted { incidents: u32, points: Option<i32>, gained: bool },
    /// The same incidents have other points.
    Points { incidents: u32, before: i32, after: i32 },
    /// An outcome starts at another score.
    Threshold { verdict: String, before: i32, after: i32 },
    /// Another rule decides.
    Rule { before: String, after: String },
    /// One side counts points, the other goes by rules.
    Method { points: i32, rule: String, points_after: bool },
}

/// How a topic's verdicts move with K.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerdictsByK {
    pub dataset: String,
    pub topic: String,
    /// Ascending, up to the depth that has votes; empty where nothing was asked.
    pub ks: Vec<u32>,
    pub policies: Vec<PolicyByK>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyByK {
    pub summary: PolicySummary,
    /// One a K.
    pub steps: Vec<KStep>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct KStep {
    pub k: u32,
    /// Businesses per outcome, in the policy's order.
    pub counts: Vec<u32>,
    pub without_verdict: u32,
    /// Businesses whose verdict differs from that at the K before.
    pub moved: u32,
    /// Reviews within K that no verdict uses, because votes are missing.
    pub reviews_incomplete: u32,
}
