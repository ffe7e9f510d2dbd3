//! The catalog as files of YAML: what is in force, what a person's edits would change, and the prompt they make.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;
use super::topic::PolicySummary;

/// What the catalog is made of, and what is wrong with the user's part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogOverview {
    /// By path.
    pub files: Vec<CatalogFile>,
    pub problems: Vec<CatalogProblem>,
}

/// One file in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogFile {
    /// Where it stands in the catalog's folder, such as `policies/G1/allergy/V0.yaml`.
    pub path: String,
    pub kind: CatalogFileKind,
    /// The domain of a term library, such as `allergy`.
    pub domain: Option<String>,
    /// The topic and variant of a policy, such as `G1_allergy` and `V0`.
    pub topic: Option<String>,
    pub variant: Option<String>,
    /// It is the user's: it wins over the built-in one.
    pub yours: bool,
    /// The user's file says something else than the built-in one of the same path.
    pub changed: bool,
    /// There is a built-in file of this path to go back to.
    pub builtin: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum CatalogFileKind {
    Terms,
    Policy,
    /// Neither, or not readable.
    Other,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogText {
    pub path: String,
    /// As it is in force.
    pub text: String,
    /// The built-in file of this path.
    pub builtin: Option<String>,
}

/// One problem at one place of one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogProblem {
    pub file: String,
    /// From 1.
    pub line: u32,
    pub column: u32,
    pub severity: CatalogSeverity,
    /// What stands there and what was expected.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum CatalogSeverity {
    /// It keeps its topic out of the catalog.
    Error,
    Warning,
    Note,
}

/// One file as a person wants it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogChange {
    pub path: String,
    /// `None`: back to the built-in file, or away with it where there is none.
    pub text: Option<String>,
}

/// A term library or a topic's questions, readable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogTopic {
    pub topic: String,
    pub title: String,
    pub purpose: String,
    pub relevant: String,
    pub not_relevant: String,
    pub terms: Vec<CatalogTerm>,
    pub policies: Vec<CatalogPolicy>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogTerm {
    /// Such as `allergy:INCIDENT_SEVERITY`.
    pub reference: String,
    pub domain: String,
    pub name: String,
    pub question: Option<String>,
    pub description: String,
    pub values: Vec<CatalogValue>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogValue {
    pub id: String,
    pub label: String,
    pub description: String,
    pub cues: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogPolicy {
    pub summary: PolicySummary,
    pub purpose: String,
    pub incident_definition: String,
}

/// What a set of edits would do, before it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogCheck {
    /// Of the user's files with the edits, and those they cause elsewhere. With an error nothing can be saved.
    pub problems: Vec<CatalogProblem>,
    pub errors: u32,
    /// Topics that would not be as they are, in the order of their ids.
    pub topics: Vec<TopicChange>,
    /// Copies of built-in files that would be saved with the edits, because a topic is the user's as a whole or not at all.
    pub copied: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TopicChange {
    pub topic: String,
    pub name: String,
    pub kind: TopicChangeKind,
}

/// The gravest thing that happens to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TopicChangeKind {
    Added,
    /// It would be left out of the catalog. Its votes stay stored.
    Removed,
    /// Its terms have another hash: votes on the present ones become stale.
    Terms,
    /// What models read changes, but not the hash: votes stay valid.
    Prompt,
    /// Only verdicts change, at no cost.
    Policies,
    /// Only names that people see.
    Words,
}

/// What asking again would take, topic by topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CatalogImpact {
    /// Only topics whose terms change and which have votes.
    pub topics: Vec<TopicImpact>,
    pub votes_stale: u32,
    pub requests: u32,
    /// In batch mode.
    #[specta(type = Number)]
    pub usd: f64,
    /// Live runs of these topics, which would send nothing more.
    pub live_runs: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TopicImpact {
    pub topic: String,
    pub name: String,
    /// Votes on the present terms, which become stale.
    pub votes_stale: u32,
    /// Votes on the terms as edited that are stored already.
    pub votes_known: u32,
    /// What asking again at this K takes, with the ensemble that the topic was last asked with.
    pub k: u32,
    pub requests: u32,
    #[specta(type = Number)]
    pub usd: f64,
}

/// Which review to render a prompt with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PromptQuery {
    pub topic: String,
    pub dataset: Option<String>,
    /// A business's id, or a part of its name; the first business where there is none.
    pub business: Option<String>,
    /// Which of its reviews, from 1.
    pub place: u32,
}

/// What a model reads, and the form that it must answer in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RenderedPrompt {
    /// The same for all reviews of the topic.
    pub system: String,
    /// The review in its fence; `None` without a dataset.
    pub user: Option<String>,
    /// JSON schema of the answer.
    pub answer: String,
    /// Tokens of everything but the review, and of the review.
    pub fixed_tokens: u32,
    pub review_tokens: u32,
    pub review: Option<PromptReview>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PromptReview {
    pub business: String,
    pub name: String,
    /// From 1, and of how many.
    pub place: u32,
    pub reviews: u32,
    /// Its text was longer than 8,000 characters.
    pub cut: bool,
}
