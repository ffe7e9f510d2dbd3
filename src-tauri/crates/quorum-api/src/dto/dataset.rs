//! Datasets and their import.

use serde::{Deserialize, Serialize};
use specta::Type;

/// One dataset as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DatasetSummary {
    /// The id by which commands know it.
    pub dataset: String,
    pub name: String,
    pub businesses: u32,
    pub reviews: u32,
    /// Reviews of the business that has most: no K above it adds anything.
    pub reviews_business_max: u32,
    pub imported_at: u32,
    /// The sample that ships with Quorum.
    pub sample: bool,
}

/// A dataset out of sight, which can be put back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RemovedDataset {
    /// By which it is put back; a name may have been used again.
    pub number: u32,
    pub name: String,
    pub businesses: u32,
    pub reviews: u32,
    /// From then on it is forgotten. Its reviews and votes never are.
    pub kept_until_at: u32,
}

/// What an import did. Lines with a problem are skipped whole; nothing else is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    pub dataset: DatasetSummary,
    /// Businesses and reviews that were taken in.
    pub businesses: u32,
    pub reviews: u32,
    /// Lines and reviews that were left out.
    pub skipped: u32,
    /// The dataset that had this name before.
    pub replaced: Option<RemovedDataset>,
    /// The first 100 reasons; `skipped` counts all.
    pub problems: Vec<ImportProblem>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ImportProblem {
    /// Line of the file, from 1.
    pub line: u32,
    /// The JSON field it is about, such as `review_id`.
    pub field: Option<String>,
    pub message: String,
}

/// How far a running import is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ImportProgress {
    pub path: String,
    /// Part of the file that was read, 0 to 100.
    pub percent: u32,
    pub businesses: u32,
    pub reviews: u32,
}
