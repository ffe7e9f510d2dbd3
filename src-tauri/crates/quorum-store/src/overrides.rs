//! Overrides as an audit trail: setting and undoing are both entries, and nothing is ever removed.

use std::collections::{BTreeMap, BTreeSet};

use quorum_core::{
    ids::{BusinessId, ReviewId, TopicId},
    manifest::Realm,
};
use redb::ReadableTable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Store, StoreError,
    open::Done,
    rows::{all_json, from_json, next_number, to_json},
    tables,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverrideEvent {
    /// 0 until it is stored.
    #[serde(default)]
    pub number: u32,
    /// Unix seconds.
    pub at: u32,
    pub realm: Realm,
    pub topic: TopicId,
    pub review: ReviewId,
    #[serde(default)]
    pub business: Option<BusinessId>,
    #[serde(flatten)]
    pub kind: OverrideKind,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OverrideKind {
    Set {
        /// What the consensus said then.
        original: BTreeMap<String, Value>,
        corrected: BTreeMap<String, Value>,
    },
    Undo {
        /// Number of the entry that no longer holds.
        undoes: u32,
    },
}

impl Store {
    /// Appends corrections in one transaction and gives them their numbers.
    pub fn add_overrides(&self, events: Vec<OverrideEvent>) -> Result<Vec<OverrideEvent>, StoreError> {
        self.write(|write| {
            let mut table = write.open_table(tables::OVERRIDES)?;
            let mut stored = Vec::with_capacity(events.len());
            for mut event in events {
                event.number = next_number(&table, "corrections")?;
                table.insert(event.number, to_json(&event).as_slice())?;
                stored.push(event);
            }
            Ok(stored)
        })
    }

    /// Undoes a correction: an entry of its own. Undoing twice changes nothing.
    pub fn undo_override(&self, number: u32, reason: &str, at: u32) -> Result<(), StoreError> {
        self.write_if_changed(|write| {
            let mut table = write.open_table(tables::OVERRIDES)?;
            let set: OverrideEvent = {
                let row = table.get(number)?.ok_or(StoreError::NoOverride(number))?;
                from_json("overrides_v1", number, row.value())?
            };
            if matches!(set.kind, OverrideKind::Undo { .. }) {
                return Err(StoreError::NoOverride(number));
            }
            let events: Vec<OverrideEvent> = all_json("overrides_v1", &table)?;
            if events.iter().any(|event| matches!(event.kind, OverrideKind::Undo { undoes } if undoes == number)) {
                return Ok(Done::Unchanged(()));
            }
            let next = next_number(&table, "corrections")?;
            let undo = OverrideEvent {
                number: next,
                at,
                kind: OverrideKind::Undo { undoes: number },
                reason: reason.to_owned(),
                ..set
            };
            table.insert(next, to_json(&undo).as_slice())?;
            Ok(Done::Changed(()))
        })
    }

    /// The whole trail, oldest first.
    pub fn override_trail(&self) -> Result<Vec<OverrideEvent>, StoreError> {
        all_json("overrides_v1", &self.db.begin_read()?.open_table(tables::OVERRIDES)?)
    }

    /// The corrections that hold, oldest first; later ones win field by field.
    pub fn overrides(&self, realm: Realm) -> Result<Vec<OverrideEvent>, StoreError> {
        let trail = self.override_trail()?;
        let undone: BTreeSet<u32> = trail
            .iter()
            .filter_map(|event| match event.kind {
                OverrideKind::Undo { undoes } => Some(undoes),
                OverrideKind::Set { .. } => None,
            })
            .collect();
        Ok(trail
            .into_iter()
            .filter(|event| {
                event.realm == realm
                    && matches!(event.kind, OverrideKind::Set { .. })
                    && !undone.contains(&event.number)
            })
            .collect())
    }
}
