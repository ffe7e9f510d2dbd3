//! Ground-truth files: `{policy_id}_K{k}_groundtruth.json`, one a policy and K, in `domain.md`'s format.
//!
//! The same judgments give the same bytes but for `computed_at`: keys stand in the format's order, businesses in the dataset's.
//! Beyond the format: `aggregator`, what settled the votes, and `provisional: true` beside a business's counts, in `summary` and at the top, where reviews are missing.
//! A business none of whose reviews is complete has the verdict `null` and counts under no verdict. Incidents of rules policies
//! have no points: those keys are `null`, their `modifiers` empty.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use quorum_catalog::Catalog;
use quorum_core::{ids::ReviewId, manifest::Realm, trust::aggregate::Aggregator, verdict::Incident};
use quorum_store::Store;
use serde::{Serialize, Serializer};

use crate::{
    dto::error::ApiError,
    open_dataset::{OpenDataset, UnfitOverride},
    trust::Applied,
    verdicts::{BusinessResult, PolicyResult, VerdictsRequest, verdicts_with},
    whole_file::{unwritable, write_whole},
};

/// One file that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundTruthFile {
    pub policy: String,
    pub k: u32,
    /// What settled the votes.
    pub aggregator: Applied,
    /// Businesses per outcome, in the policy's order.
    pub distribution: Vec<(String, u32)>,
    pub without_verdict: u32,
    pub missing_judgments: u32,
    pub path: PathBuf,
}

impl GroundTruthFile {
    pub fn is_provisional(&self) -> bool {
        self.missing_judgments > 0
    }
}

/// Computes verdicts and writes a file each into `dir`, which is made if it is missing. `computed_at` is RFC 3339, in UTC.
///
/// In the order of the request's policies, then of its K; with the corrections that no longer fit. After an error, files that
/// were written before it are whole and stay.
pub fn export(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    request: &VerdictsRequest,
    dir: &Path,
    computed_at: &str,
) -> Result<(Vec<GroundTruthFile>, Vec<UnfitOverride>), ApiError> {
    let dataset = OpenDataset::open(store, realm, &request.dataset)?;
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    let k_max = request.ks.iter().copied().max().unwrap_or(0);
    let positions = (0..dataset.businesses()).flat_map(|business| dataset.first(business, k_max));
    let ids = dataset.review_ids(store, positions)?;
    verdicts_with(store, catalog, &dataset, request, |result| {
        let path = dir.join(format!("{}_K{}_groundtruth.json", result.policy, result.k));
        write_whole(&path, |out| write(out, &dataset, &ids, &result, computed_at).map_err(Into::into))?;
        Ok(GroundTruthFile {
            policy: result.policy.to_string(),
            k: result.k,
            aggregator: result.aggregator,
            distribution: result.distribution,
            without_verdict: result.without_verdict,
            missing_judgments: result.missing_judgments,
            path,
        })
    })
}

/// Writes one result in the format.
fn write(
    mut out: impl std::io::Write,
    dataset: &OpenDataset,
    ids: &BTreeMap<usize, ReviewId>,
    result: &PolicyResult,
    computed_at: &str,
) -> Result<(), serde_json::Error> {
    let businesses = u32::try_from(result.businesses.len()).unwrap_or(u32::MAX);
    let file = File {
        policy_id: result.policy.as_str(),
        topic: result.topic.as_str(),
        domain: result.topic.domain(),
        k: result.k,
        computed_at,
        aggregator: result.aggregator.aggregator,
        aggregator_kept: &result.aggregator.kept,
        has_scoring: result.has_scoring,
        provisional: result.is_provisional(),
        restaurants: Restaurants { dataset, ids, result },
        summary: Summary {
            total_restaurants: businesses,
            verdict_distribution: Counts(&result.distribution),
            missing_judgments: result.missing_judgments,
            provisional: result.is_provisional(),
        },
    };
    serde_json::to_writer_pretty(&mut out, &file)?;
    out.write_all(b"\n").map_err(serde_json::Error::io)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[derive(Serialize)]
struct File<'a> {
    policy_id: &'a str,
    topic: &'a str,
    domain: &'a str,
    k: u32,
    computed_at: &'a str,
    aggregator: Aggregator,
    /// Fields that stay with weighted majority.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    aggregator_kept: &'a [String],
    has_scoring: bool,
    #[serde(skip_serializing_if = "is_false")]
    provisional: bool,
    restaurants: Restaurants<'a>,
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Summary<'a> {
    total_restaurants: u32,
    verdict_distribution: Counts<'a>,
    missing_judgments: u32,
    #[serde(skip_serializing_if = "is_false")]
    provisional: bool,
}

/// `{verdict: n}` in the policy's order.
struct Counts<'a>(&'a [(String, u32)]);

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.0.iter().map(|(verdict, count)| (verdict, count)))
    }
}

/// `{business_id: {..}}` in the dataset's order.
struct Restaurants<'a> {
    dataset: &'a OpenDataset,
    ids: &'a BTreeMap<usize, ReviewId>,
    result: &'a PolicyResult,
}

impl Serialize for Restaurants<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let rows = self.dataset.view.businesses.iter().zip(&self.result.businesses);
        out.collect_map(rows.map(|(business, result)| {
            let restaurant = Restaurant {
                name: &business.name,
                categories: &business.categories,
                n_reviews: result.n_reviews,
                n_judgments: result.n_judgments,
                provisional: result.n_judgments < result.n_reviews,
                ground_truth: GroundTruth::new(self.ids, self.result, result),
            };
            (business.id.as_str(), restaurant)
        }))
    }
}

#[derive(Serialize)]
struct Restaurant<'a> {
    name: &'a str,
    categories: &'a str,
    n_reviews: u32,
    n_judgments: u32,
    #[serde(skip_serializing_if = "is_false")]
    provisional: bool,
    ground_truth: GroundTruth<'a>,
}

#[derive(Serialize)]
struct GroundTruth<'a> {
    verdict: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_rule: Option<&'a str>,
    n_incidents: usize,
    incidents: Vec<IncidentRow<'a>>,
    cuisine_modifier: i64,
    policy_id: &'a str,
}

impl<'a> GroundTruth<'a> {
    fn new(ids: &'a BTreeMap<usize, ReviewId>, result: &'a PolicyResult, business: &'a BusinessResult) -> Self {
        let verdict = business.verdict.as_ref();
        let incidents: Vec<IncidentRow<'a>> = verdict
            .into_iter()
            .flat_map(|verdict| &verdict.incidents)
            .map(|incident| IncidentRow::new(ids, incident))
            .collect();
        Self {
            verdict: verdict.map(|verdict| verdict.verdict.as_str()),
            score: verdict.and_then(|verdict| verdict.score),
            matched_rule: verdict.and_then(|verdict| verdict.matched_rule.as_deref()),
            n_incidents: incidents.len(),
            incidents,
            cuisine_modifier: verdict.map_or(0, |verdict| verdict.cuisine_modifier),
            policy_id: result.policy.as_str(),
        }
    }
}

#[derive(Serialize)]
struct IncidentRow<'a> {
    review_id: &'a str,
    severity_field: &'a str,
    severity_value: &'a str,
    severity_label: Option<&'a str>,
    base_points: Option<i64>,
    modifiers: Vec<&'a str>,
    total_points: Option<i64>,
    recency_weight: Option<f64>,
    weighted_points: Option<i64>,
}

impl<'a> IncidentRow<'a> {
    fn new(ids: &'a BTreeMap<usize, ReviewId>, incident: &'a Incident) -> Self {
        let points = incident.points.as_ref();
        Self {
            review_id: ids.get(&(incident.review as usize)).map_or("", ReviewId::as_str),
            severity_field: &incident.field,
            severity_value: &incident.value,
            severity_label: points.map(|points| points.severity_label.as_str()),
            base_points: points.map(|points| points.base),
            modifiers: points
                .map_or_else(Vec::new, |points| points.modifiers.iter().map(|(label, _)| label.as_str()).collect()),
            total_points: points.map(|points| points.total),
            recency_weight: points.map(|points| points.recency_weight),
            weighted_points: points.map(|points| points.weighted),
        }
    }
}
