//! How far the votes of a topic agree, field by field.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;
use super::topic::TopicField;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConfidenceOverview {
    pub dataset: String,
    pub topic: String,
    pub k: u32,
    /// Complete reviews within K, and those that the votes call relevant.
    pub reviews: u32,
    pub relevant: u32,
    /// In the schema's order.
    pub fields: Vec<FieldAgreement>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FieldAgreement {
    pub field: TopicField,
    /// Relevant reviews with a value.
    pub labels: u32,
    /// Of these, all votes agree; two or more values weigh the same.
    pub unanimous: u32,
    pub tied: u32,
    /// Relevant reviews that no valid vote gives a value.
    pub unset: u32,
    #[specta(type = Option<Number>)]
    pub mean_confidence: Option<f64>,
    /// Labels by confidence: tenths up to 0.8, then less than 1, then 1.
    pub histogram: Vec<u32>,
}
