//! How far the votes of a topic agree: per field, over the complete and relevant reviews within K.
//!
//! Deliberately not here: whether agreement means being right; that takes a person's labels.

use quorum_catalog::Catalog;
use quorum_core::{ids::DatasetName, manifest::Realm};
use quorum_store::Store;

use crate::{
    Quorum,
    coverage::count,
    dto::{
        confidence::{ConfidenceOverview, FieldAgreement},
        error::ApiError,
    },
    judgments::{Answered, Judgments},
    open_dataset::OpenDataset,
    results::{ks_of, topic_of},
    topics::field_summary,
    verdicts::last_ensemble,
};

/// Bars of a histogram: tenths of the confidence from 0 to 0.8, then what is less than unanimous, then unanimous votes alone.
const BARS: usize = 10;

/// Where the bars before the last two end.
const UPPER_ENDS: [f64; BARS - 2] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

impl Quorum {
    /// [`results_confidence`] of the votes that are looked at now.
    pub fn results_confidence(&self, dataset: &str, topic: &str, k: u32) -> Result<ConfidenceOverview, ApiError> {
        results_confidence(self.store(), &self.catalog(), self.realm()?, dataset, topic, k)
    }
}

pub fn results_confidence(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    dataset: &str,
    topic: &str,
    k: u32,
) -> Result<ConfidenceOverview, ApiError> {
    let topic = topic_of(catalog, topic)?;
    ks_of(k, None)?;
    let open = OpenDataset::open(store, realm, &DatasetName::from(dataset))?;
    let ensemble = last_ensemble(store, realm, &topic.id)?;
    let judgments = Judgments::load(store, &open, topic, &ensemble)?;
    let mut fields: Vec<FieldAgreement> = topic
        .schema
        .fields()
        .iter()
        .map(|field| FieldAgreement {
            field: field_summary(field),
            labels: 0,
            unanimous: 0,
            tied: 0,
            unset: 0,
            mean_confidence: None,
            histogram: vec![0; BARS],
        })
        .collect();
    let mut sums = vec![0.0; fields.len()];
    let (mut reviews, mut relevant) = (0_usize, 0_usize);
    for position in (0..open.businesses()).flat_map(|business| open.first(business, k)) {
        if judgments.answered(position) != Answered::Complete {
            continue;
        }
        reviews += 1;
        // What the votes say, before a person's corrections: those are sure by themselves.
        let voted = judgments.voted(position);
        if !voted.relevant {
            continue;
        }
        relevant += 1;
        for ((agreement, sum), settled) in fields.iter_mut().zip(&mut sums).zip(&voted.fields) {
            if settled.value.is_none() {
                agreement.unset += 1;
                continue;
            }
            agreement.labels += 1;
            agreement.tied += u32::from(settled.tied);
            let bar = bar_of(settled.confidence);
            agreement.unanimous += u32::from(bar == BARS - 1);
            agreement.histogram[bar] += 1;
            *sum += settled.confidence;
        }
    }
    for (agreement, sum) in fields.iter_mut().zip(sums) {
        agreement.mean_confidence = (agreement.labels > 0).then(|| sum / f64::from(agreement.labels));
    }
    Ok(ConfidenceOverview {
        dataset: dataset.to_owned(),
        topic: topic.id.to_string(),
        k,
        reviews: count(reviews),
        relevant: count(relevant),
        fields,
    })
}

/// The bar of a confidence: tenths, with what is 1 in the last and what is just below it in the one before.
fn bar_of(confidence: f64) -> usize {
    if confidence >= 1.0 {
        return BARS - 1;
    }
    (0..BARS - 2).find(|bar| confidence < UPPER_ENDS[*bar]).unwrap_or(BARS - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_holds_a_tenth_and_the_last_only_unanimous_votes() {
        let bars = [0.0, 0.05, 0.1, 0.39, 0.4, 0.6, 0.79, 0.8, 0.85, 0.99, 1.0].map(bar_of);
        assert_eq!(bars, [0, 0, 1, 3, 4, 6, 7, 8, 8, 8, 9]);
    }
}
