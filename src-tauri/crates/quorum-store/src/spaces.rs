//! Vote spaces: one per (realm, topic, term hash). The schema's ids are kept beside, so that stale votes stay readable.

use quorum_core::{
    ids::{TermHash, TopicId},
    manifest::{Manifest, Realm},
    schema::{Schema, Term, TermValue},
};
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError,
    open::Done,
    rows::{all_json, from_json, next_number, to_json},
    tables,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    pub number: u32,
    pub realm: Realm,
    pub topic: TopicId,
    pub term_hash: TermHash,
    /// In the order of the schema when the space was made.
    pub fields: Vec<SpaceField>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpaceField {
    pub name: String,
    /// Value ids in term order.
    pub values: Vec<String>,
}

impl Space {
    /// A schema that decodes this space's votes: ids and order as they were, without prose.
    pub fn schema(&self) -> Schema {
        Schema::new(self.fields.iter().map(|field| {
            Term {
                domain: String::new(),
                id: field.name.to_uppercase(),
                name: field.name.clone(),
                question: None,
                description: String::new(),
                values: field
                    .values
                    .iter()
                    .map(|id| TermValue {
                        id: id.clone(),
                        label: id.clone(),
                        description: String::new(),
                        cues: Vec::new(),
                    })
                    .collect(),
                default: None,
            }
        }))
    }
}

impl Store {
    pub fn spaces(&self) -> Result<Vec<Space>, StoreError> {
        all_json("spaces_v1", &self.db.begin_read()?.open_table(tables::SPACES)?)
    }

    pub fn space(&self, realm: Realm, topic: &TopicId, term_hash: &TermHash) -> Result<Option<Space>, StoreError> {
        Ok(self
            .spaces()?
            .into_iter()
            .find(|space| space.realm == realm && space.topic == *topic && space.term_hash == *term_hash))
    }

    /// The space that a run's votes go to.
    pub fn space_of(&self, manifest: &Manifest) -> Result<Space, StoreError> {
        let number = manifest.space;
        let table = self.db.begin_read()?.open_table(tables::SPACES)?;
        let row = table.get(number)?.ok_or_else(|| StoreError::Damaged {
            table: "spaces_v1",
            key: number.to_string(),
            reason: "it is missing",
        })?;
        from_json("spaces_v1", number, row.value())
    }

    /// The space for these votes, made now if there is none.
    ///
    /// `term_hash` is given apart from the schema because imported votes may carry the hash of a schema that is gone.
    pub fn intern_space(
        &self,
        realm: Realm,
        topic: &TopicId,
        term_hash: &TermHash,
        schema: &Schema,
    ) -> Result<Space, StoreError> {
        let is_it = |space: &Space| space.realm == realm && space.topic == *topic && space.term_hash == *term_hash;
        let fields = schema
            .fields()
            .iter()
            .map(|field| SpaceField {
                name: field.name.clone(),
                values: field.term.values.iter().map(|value| value.id.clone()).collect(),
            })
            .collect();
        self.write_if_changed(|write| {
            let mut table = write.open_table(tables::SPACES)?;
            if let Some(known) = all_json("spaces_v1", &table)?.into_iter().find(is_it) {
                return Ok(Done::Unchanged(known));
            }
            let number = next_number(&table, "vote spaces")?;
            let space = Space { number, realm, topic: topic.clone(), term_hash: term_hash.clone(), fields };
            table.insert(number, to_json(&space).as_slice())?;
            Ok(Done::Changed(space))
        })
    }
}
