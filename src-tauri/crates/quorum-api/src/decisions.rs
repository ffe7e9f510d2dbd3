//! A person's word on a label from a page: what it changes is told at once, and the trail can be read.
//!
//! Not here: corrections from files and how they are kept ([`crate::overrides`]).

use std::collections::BTreeSet;

use quorum_catalog::Catalog;
use quorum_core::{
    ids::{DatasetName, TopicId},
    manifest::{Realm, Seconds},
};
use quorum_store::{OverrideEvent, OverrideKind, Store};
use serde_json::Value;

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        overrides::{CorrectedField, OverrideEntry, OverrideEntryKind, OverrideReceipt, OverrideRequest, VerdictFlip},
    },
    judgments::Judgments,
    labels::About,
    open_dataset::OpenDataset,
    overrides::{NewOverride, override_set, override_undo},
    results::{ks_of, topic_of},
    stakes::Stakes,
    verdicts::last_ensemble,
};

/// The reason that keeping goes into the trail with when none is given.
const KEPT: &str = "Looked at and kept";

/// Corrects a label, or keeps it, and says which verdicts of its business that changed.
pub fn decide(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    request: &OverrideRequest,
    at: Seconds,
) -> Result<OverrideReceipt, ApiError> {
    let topic = topic_of(catalog, &request.topic)?;
    ks_of(request.k, None)?;
    let dataset = OpenDataset::open(store, realm, &DatasetName::from(request.dataset.as_str()))?;
    let judgments = Judgments::load(store, &dataset, topic, &last_ensemble(store, realm, &topic.id)?)?;
    let position = dataset.position_of(store, &request.review_id)?;
    let about = About::named(&judgments, &request.field)?;
    let known = || {
        let values = (0..about.values(&judgments)).map(|value| about.value_id(&judgments, value));
        values.collect::<Vec<_>>().join(", ")
    };
    let value = about.value(&judgments, &request.value).ok_or_else(|| {
        ApiError::invalid(format!("{} has no value {}.", request.field, request.value))
            .action(format!("It has {}.", known()))
    })?;
    let kept = about.settled(&judgments.consensus(position)) == Some(value);
    let reason = request.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let reason = match reason {
        Some(reason) => reason,
        None if kept => KEPT,
        // `override_set` refuses it in the same words for every face.
        None => "",
    };
    let k = [request.k];
    let stakes = Stakes::new(&dataset, &judgments, topic, &k);
    let before = stakes.now(dataset.business_of(position));
    let after = stakes.with(position, &judgments.consensus_with(position, about.correction(value)));
    let corrected = [(request.field.clone(), request.value.clone())];
    let new = NewOverride { topic: &request.topic, review: &request.review_id, corrected: &corrected, reason, at };
    let event = override_set(store, catalog, realm, new)?;
    let flips = topic.policies.iter().zip(before.into_iter().zip(after));
    let flips = flips.filter(|(_, (before, after))| before != after).map(|(policy, (before, after))| VerdictFlip {
        policy: policy.id.to_string(),
        before,
        after,
    });
    Ok(OverrideReceipt { number: event.number, kept, flips: flips.collect() })
}

/// The trail of a topic, newest first. `dataset` gives the businesses their names.
pub fn trail(store: &Store, realm: Realm, dataset: &str, topic: &str) -> Result<Vec<OverrideEntry>, ApiError> {
    let view = store.dataset(&DatasetName::from(dataset))?;
    let topic = TopicId::from(topic);
    let events: Vec<OverrideEvent> =
        store.override_trail()?.into_iter().filter(|event| event.realm == realm && event.topic == topic).collect();
    let undone: BTreeSet<u32> = events
        .iter()
        .filter_map(|event| match event.kind {
            OverrideKind::Undo { undoes } => Some(undoes),
            OverrideKind::Set { .. } => None,
        })
        .collect();
    let fields_of = |number: u32| events.iter().find(|event| event.number == number).map_or_else(Vec::new, fields);
    let entries = events.iter().rev().map(|event| {
        let fields = match event.kind {
            OverrideKind::Set { .. } => fields(event),
            OverrideKind::Undo { undoes } => fields_of(undoes),
        };
        let business = event.business.as_ref().map(|id| {
            let known = view.businesses.iter().find(|business| business.id == *id);
            known.map_or_else(|| id.to_string(), |business| business.name.clone())
        });
        OverrideEntry {
            number: event.number,
            at: event.at,
            review_id: event.review.to_string(),
            business,
            kind: match event.kind {
                OverrideKind::Undo { .. } => OverrideEntryKind::Undone,
                OverrideKind::Set { .. } if fields.iter().all(|it| it.voted.as_ref() == Some(&it.value)) => {
                    OverrideEntryKind::Kept
                }
                OverrideKind::Set { .. } => OverrideEntryKind::Changed,
            },
            fields,
            reason: event.reason.clone(),
            holds: matches!(event.kind, OverrideKind::Set { .. }) && !undone.contains(&event.number),
        }
    });
    Ok(entries.collect())
}

fn fields(event: &OverrideEvent) -> Vec<CorrectedField> {
    let OverrideKind::Set { original, corrected } = &event.kind else { return Vec::new() };
    let plain = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let field = |(field, value): (&String, &Value)| CorrectedField {
        field: field.clone(),
        voted: original.get(field).and_then(plain),
        value: plain(value).unwrap_or_default(),
    };
    corrected.iter().map(field).collect()
}

impl Quorum {
    pub fn override_set(&self, request: &OverrideRequest) -> Result<OverrideReceipt, ApiError> {
        decide(self.store(), &self.catalog(), self.realm()?, request, self.now())
    }

    pub fn override_undo(&self, number: u32) -> Result<(), ApiError> {
        override_undo(self.store(), number, "Undone by hand", self.now())
    }

    pub fn override_trail(&self, dataset: &str, topic: &str) -> Result<Vec<OverrideEntry>, ApiError> {
        trail(self.store(), self.realm()?, dataset, topic)
    }
}
