//! Overrides: a person's corrections, set, undone, imported and exported. The store keeps the audit trail.
//!
//! Not here: applying them ([`crate::judgments`]).

use std::{collections::BTreeMap, fs, io::Write, path::Path};

use quorum_catalog::Catalog;
use quorum_core::{
    ensemble::Ensemble,
    ids::{BusinessId, ReviewId, TopicId},
    manifest::{Realm, Seconds},
    overrides::{Override, RELEVANCE_FIELD, read_overrides, resolve, write_overrides},
    recoding::Recoding,
    tally::{Consensus, Panel, tally},
    topic::Topic,
    trust::aggregate::Aggregator,
    votes::{ReviewNo, VoteRow},
};
use quorum_store::{OverrideEvent, OverrideKind, Store};
use serde_json::Value;

use crate::{
    dto::error::{ApiError, ErrorCode},
    errors::chain,
    judgments::Judgments,
    open_dataset::OpenDataset,
    results::topic_of,
    trust,
    verdicts::last_ensemble,
    whole_file::{unreadable, write_whole},
};

/// A correction that a person makes.
#[derive(Clone, Copy, Debug)]
pub struct NewOverride<'a> {
    pub topic: &'a str,
    pub review: &'a str,
    /// (field, value id); `is_relevant` takes `true` and `false`.
    pub corrected: &'a [(String, String)],
    pub reason: &'a str,
    /// Unix seconds.
    pub at: Seconds,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverridesImport {
    pub imported: u32,
    /// Corrections that hold already, with the same values and reason.
    pub known: u32,
    /// Corrections that were kept and have no effect, with the reason: the topic, field or value is not there now, or no
    /// dataset has the review yet.
    pub without_effect: Vec<String>,
}

/// The corrections that hold, oldest first.
pub fn override_list(store: &Store, realm: Realm) -> Result<Vec<OverrideEvent>, ApiError> {
    Ok(store.overrides(realm)?)
}

/// Corrects a review. What the votes say now is kept beside it.
pub fn override_set(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    new: NewOverride<'_>,
) -> Result<OverrideEvent, ApiError> {
    let topic = topic_of(catalog, new.topic)?;
    if new.corrected.is_empty() {
        return Err(ApiError::invalid("No field is corrected.").action("Give at least one FIELD=VALUE."));
    }
    if new.reason.trim().is_empty() {
        return Err(ApiError::invalid("A correction needs a reason.").action("Say why, for whoever reads it later."));
    }
    let corrected: BTreeMap<String, Value> = new
        .corrected
        .iter()
        .map(|(field, value)| {
            let is_relevance = field == RELEVANCE_FIELD && matches!(value.as_str(), "true" | "false");
            let value = if is_relevance { Value::Bool(value == "true") } else { Value::from(value.as_str()) };
            (field.clone(), value)
        })
        .collect();
    resolve(&topic.schema, corrected.iter().map(|(field, value)| (field.as_str(), value)))
        .map_err(|error| ApiError::invalid("The correction does not fit the topic.").detail(error.to_string()))?;
    let review = ReviewId::from(new.review);
    let number =
        store.review_no(&review)?.ok_or_else(|| ApiError::not_found(format!("There is no review {review}.")))?;
    let event = OverrideEvent {
        number: 0,
        at: new.at,
        realm,
        topic: topic.id.clone(),
        business: business_of(store, number)?,
        kind: OverrideKind::Set { original: original(store, realm, topic, number, &corrected)?, corrected },
        review,
        reason: new.reason.trim().to_owned(),
    };
    let stored = store.add_overrides(vec![event])?;
    stored.into_iter().next().ok_or_else(|| ApiError::new(ErrorCode::Internal, "The correction was not stored."))
}

/// What the votes say of the fields that are corrected.
fn original(
    store: &Store,
    realm: Realm,
    topic: &Topic,
    review: ReviewNo,
    corrected: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, ApiError> {
    let ensemble = last_ensemble(store, realm, &topic.id)?;
    let panel = Panel::new(&ensemble, |model| store.model_no(&model.into()));
    let space = store.space(realm, &topic.id, &topic.schema.term_hash())?;
    if trust::chosen(store, realm, &topic.id)? != Aggregator::WeightedMajority {
        return original_settled(store, realm, topic, review, corrected, &ensemble);
    }
    let Some(space) = space else { return Ok(BTreeMap::new()) };
    let settle = |row: VoteRow<'_>| {
        if row.is_empty() {
            return None;
        }
        if space.has_codes_of(&topic.schema) {
            return Some(tally(&topic.schema, &panel, row));
        }
        let mut recoded = Vec::new();
        Recoding::new(&space.schema(), &topic.schema).row(row, &mut recoded);
        let row = VoteRow::read(&recoded).expect("a row that was just written");
        Some(tally(&topic.schema, &panel, row))
    };
    let Some(consensus) = store.votes_of(space.number, review, settle)? else { return Ok(BTreeMap::new()) };
    Ok(said(topic, &consensus, corrected))
}

/// The same with another aggregator, which needs the votes on the whole dataset.
fn original_settled(
    store: &Store,
    realm: Realm,
    topic: &Topic,
    review: ReviewNo,
    corrected: &BTreeMap<String, Value>,
    ensemble: &Ensemble,
) -> Result<BTreeMap<String, Value>, ApiError> {
    for info in store.datasets()? {
        let dataset = OpenDataset::open(store, realm, &info.name)?;
        let Some(position) = dataset.position(review) else { continue };
        let judgments = Judgments::load(store, &dataset, topic, ensemble)?;
        let consensus = judgments.voted(position);
        return Ok(if consensus.votes > 0 { said(topic, &consensus, corrected) } else { BTreeMap::new() });
    }
    Ok(BTreeMap::new())
}

/// A consensus's values of the fields that are corrected.
fn said(topic: &Topic, consensus: &Consensus, corrected: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let of = |name: &String| match topic.schema.field(name) {
        Some((at, field)) => consensus.fields[at].value.map_or(Value::Null, |value| Value::from(field.value_id(value))),
        None => Value::Bool(consensus.relevant),
    };
    corrected.keys().map(|name| (name.clone(), of(name))).collect()
}

/// The business that a review belongs to, in the first dataset that has it.
fn business_of(store: &Store, review: ReviewNo) -> Result<Option<BusinessId>, ApiError> {
    for info in store.datasets()? {
        let view = store.dataset(&info.name)?;
        let found = view.businesses.into_iter().find(|business| business.reviews.iter().any(|it| it.number == review));
        if let Some(business) = found {
            return Ok(Some(business.id));
        }
    }
    Ok(None)
}

/// Undoes a correction by its number; the trail keeps both. Undoing twice changes nothing.
pub fn override_undo(store: &Store, number: u32, reason: &str, at: Seconds) -> Result<(), ApiError> {
    Ok(store.undo_override(number, reason, at)?)
}

/// Takes the corrections of a file. A file with an error in its form is refused as a whole; a correction that does not fit the
/// present terms is kept and told, as it may fit them again.
pub fn overrides_import(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    path: &Path,
    at: Seconds,
) -> Result<OverridesImport, ApiError> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let refused = |detail: String| {
        ApiError::new(ErrorCode::FileFormat, format!("{} is no file of corrections.", path.display()))
            .safe("Nothing was imported.")
            .detail(detail)
    };
    let text = String::from_utf8(bytes)
        .map_err(|error| refused(format!("not UTF-8 from byte {} on", error.utf8_error().valid_up_to() + 1)))?;
    let topics =
        read_overrides(text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(|error| refused(chain(&error)))?;
    let held = store.overrides(realm)?;
    let (mut report, mut events) = (OverridesImport::default(), Vec::<OverrideEvent>::new());
    for (topic, entries) in topics {
        for entry in entries {
            let event = event_of(realm, &topic, entry, at);
            if held.iter().chain(&events).any(|known| is_same(known, &event)) {
                report.known += 1;
                continue;
            }
            if let Some(reason) = without_effect(store, catalog, &event)? {
                report.without_effect.push(format!("{topic}, review {}: {reason}", event.review));
            }
            events.push(event);
        }
    }
    report.imported = u32::try_from(events.len()).unwrap_or(u32::MAX);
    if !events.is_empty() {
        store.add_overrides(events)?;
    }
    Ok(report)
}

fn event_of(realm: Realm, topic: &TopicId, entry: Override, at: Seconds) -> OverrideEvent {
    OverrideEvent {
        number: 0,
        at,
        realm,
        topic: topic.clone(),
        review: entry.review_id,
        business: entry.business_id,
        kind: OverrideKind::Set { original: entry.original, corrected: entry.corrected },
        reason: entry.reason,
    }
}

fn is_same(one: &OverrideEvent, other: &OverrideEvent) -> bool {
    let corrected = |event: &OverrideEvent| match &event.kind {
        OverrideKind::Set { corrected, .. } => Some(corrected.clone()),
        OverrideKind::Undo { .. } => None,
    };
    one.topic == other.topic
        && one.review == other.review
        && one.reason == other.reason
        && corrected(one) == corrected(other)
}

fn without_effect(store: &Store, catalog: &Catalog, event: &OverrideEvent) -> Result<Option<String>, ApiError> {
    let Some(topic) = catalog.topic(&event.topic) else {
        return Ok(Some("the catalog has no such topic".to_owned()));
    };
    let OverrideKind::Set { corrected, .. } = &event.kind else { return Ok(None) };
    if let Err(problem) = resolve(&topic.schema, corrected.iter().map(|(field, value)| (field.as_str(), value))) {
        return Ok(Some(problem.to_string()));
    }
    let is_known = store.review_no(&event.review)?.is_some();
    Ok((!is_known).then(|| "no dataset has this review yet".to_owned()))
}

/// Writes the corrections that hold, by topic, in the form that [`overrides_import`] reads. Returns how many.
pub fn overrides_export(store: &Store, realm: Realm, path: &Path) -> Result<u32, ApiError> {
    let mut topics: BTreeMap<TopicId, Vec<Override>> = BTreeMap::new();
    for event in store.overrides(realm)? {
        if let OverrideKind::Set { original, corrected } = event.kind {
            topics.entry(event.topic).or_default().push(Override {
                review_id: event.review,
                business_id: event.business,
                original,
                corrected,
                reason: event.reason,
            });
        }
    }
    let topics: Vec<(TopicId, Vec<Override>)> = topics.into_iter().collect();
    let text = write_overrides(&topics);
    write_whole(path, |out| Ok(out.write_all(text.as_bytes())?))?;
    let count: usize = topics.iter().map(|(_, entries)| entries.len()).sum();
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
