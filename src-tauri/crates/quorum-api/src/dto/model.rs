//! The model table as the user sees and edits it.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelTable {
    pub models: Vec<ModelRow>,
    /// The day that the shipped values are from, `YYYY-MM-DD`.
    pub shipped_as_of: String,
    /// When the provider was last asked for its models.
    pub asked_at: Option<u32>,
}

/// One model as everything uses it. Prices are US dollars per million tokens at the standard rate; a batch costs half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelRow {
    pub model: String,
    #[specta(type = Number)]
    pub input_usd: f64,
    #[specta(type = Number)]
    pub cached_usd: f64,
    /// Of input that is written to the prompt cache.
    #[specta(type = Number)]
    pub write_usd: f64,
    #[specta(type = Number)]
    pub output_usd: f64,
    /// `YYYY-MM-DD`: refused from this day on.
    pub shutdown_date: Option<String>,
    /// The date is the provider's own word.
    pub shutdown_announced: bool,
    /// Reasoning tokens to expect of an answer before there is any history.
    pub reasoning_tokens: u32,
    /// Tokens that may wait at the provider at once; exact below 2^53, which 32 bits could not be.
    #[specta(type = Option<Number>)]
    pub queue_tokens: Option<f64>,
    /// The allowance was taken from a refusal's words.
    pub queue_learned: bool,
    /// Names such as `json_schema`.
    pub parameters: Vec<String>,
    /// Fields with a value of the user's.
    pub edited: Vec<ModelField>,
    /// The user added it; a reset removes it.
    pub own: bool,
    /// Whether the provider lists it; `None`: it was not asked, or lists nothing.
    pub listed: Option<bool>,
}

/// One field of a model with a value of the user's, as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelEdit {
    pub field: ModelField,
    pub value: String,
}

/// What a reset has taken from the table, and how it comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelReset {
    pub table: ModelTable,
    pub taken: Vec<ModelTaken>,
}

/// What a reset has taken from one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelTaken {
    pub model: String,
    pub edits: Vec<ModelEdit>,
    /// What providers' refusals have told of its queue allowance.
    pub learned: Vec<LearnedAllowance>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LearnedAllowance {
    /// Base address.
    pub provider: String,
    /// Digits: 64-bit integers do not cross to the window.
    pub tokens: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ModelField {
    InputUsd,
    CachedUsd,
    WriteUsd,
    OutputUsd,
    ShutdownDate,
    ReasoningTokens,
    QueueTokens,
    Parameters,
}
