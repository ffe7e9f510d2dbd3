//! Gold: what a person said reviews are, as a trail. Drawing a sample, labelling and taking a label back are entries; nothing
//! is ever changed or removed.
//!
//! Labels belong to a (realm, topic, term hash), as votes do. Not here: which reviews are drawn, and what labels are worth.

use std::collections::BTreeMap;

use quorum_core::{
    ids::{DatasetName, ReviewId, TermHash, TopicId},
    manifest::Realm,
};
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError,
    rows::{all_json, next_number, to_json},
    tables,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoldEvent {
    /// 0 until it is stored.
    #[serde(default)]
    pub number: u32,
    /// Unix seconds.
    pub at: u32,
    /// The person.
    pub who: String,
    pub realm: Realm,
    pub topic: TopicId,
    pub term_hash: TermHash,
    #[serde(flatten)]
    pub kind: GoldKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GoldKind {
    /// A sample to label, in the order to label it.
    Drawn {
        dataset: DatasetName,
        /// The first K reviews of each business were the ones to draw from.
        k: u32,
        seed: u32,
        /// How many reviews there were to draw from.
        population: u32,
        reviews: Vec<DrawnReview>,
    },
    Labelled {
        /// Number of the entry that drew the review.
        draw: u32,
        review: ReviewId,
        relevant: bool,
        /// Value id by field; empty where the review is not relevant.
        values: BTreeMap<String, String>,
    },
    Undone {
        /// Number of the label that no longer holds.
        undoes: u32,
    },
}

/// A review of a sample. Nothing in it tells what the votes said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawnReview {
    pub review: ReviewId,
    /// 1 ÷ the chance of being drawn: how many reviews it stands for.
    pub weight: f64,
}

impl Store {
    /// Appends an entry and gives it its number.
    pub fn add_gold(&self, mut event: GoldEvent) -> Result<GoldEvent, StoreError> {
        self.write(|write| {
            let mut table = write.open_table(tables::GOLD)?;
            event.number = next_number(&table, "gold labels")?;
            table.insert(event.number, to_json(&event).as_slice())?;
            Ok(event)
        })
    }

    /// The whole trail, oldest first.
    pub fn gold_trail(&self) -> Result<Vec<GoldEvent>, StoreError> {
        all_json("gold_v1", &self.db.begin_read()?.open_table(tables::GOLD)?)
    }
}
