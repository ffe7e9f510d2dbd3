//! What runs have cost: by day and model, and each run beside its estimate.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Number, run::RunState};

/// All runs of the provider in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SpendOverview {
    /// Play money: at the listed prices the sandbox's runs would have cost this. Nothing was charged.
    pub sandbox: bool,
    /// Those that anything was charged for, by name. The order of [`SpendDay::usd`].
    pub models: Vec<String>,
    /// Days on which something was charged, oldest first.
    pub days: Vec<SpendDay>,
    /// Newest first.
    pub runs: Vec<RunCost>,
    #[specta(type = Number)]
    pub usd_total: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SpendDay {
    /// `YYYY-MM-DD` in this computer's time zone, as budgets count days.
    pub day: String,
    /// One per model.
    #[specta(type = Vec<Number>)]
    pub usd: Vec<f64>,
    /// Requests that were charged.
    pub requests: u32,
}

/// A run's cost beside what was expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RunCost {
    pub run: String,
    pub topic_name: String,
    pub dataset_name: String,
    pub k: u32,
    pub state: RunState,
    pub created_at: u32,
    /// Of the first sending; what is asked again comes on top.
    #[specta(type = Number)]
    pub usd_estimated: f64,
    /// So far.
    #[specta(type = Number)]
    pub usd_spent: f64,
}
