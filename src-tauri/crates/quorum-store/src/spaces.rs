//! Vote spaces: one per (realm, topic, term hash). The schema's ids are kept beside, so that stale votes stay readable.

use quorum_core::{
    ids::{TermHash, TopicId},
    manifest::{Manifest, Realm},
    schema::{Field, Schema, Term, TermValue},
};
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError,
    open::Done,
    recode::recode,
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
    /// How often its votes changed: the same number, the same votes. Counted in the transaction that changes them.
    #[serde(default)]
    pub changes: u32,
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

    /// Whether its votes carry the codes of this schema. They do, unless it was made from a file when nobody knew the terms
    /// behind its hash.
    pub fn has_codes_of(&self, schema: &Schema) -> bool {
        fn sorted<'a>(fields: impl Iterator<Item = (&'a str, Vec<&'a str>)>) -> Vec<(&'a str, Vec<&'a str>)> {
            let mut fields: Vec<_> = fields.collect();
            fields.iter_mut().for_each(|(_, values)| values.sort_unstable());
            fields.sort_unstable();
            fields
        }
        fn stored(field: &SpaceField) -> (&str, Vec<&str>) {
            (&field.name, field.values.iter().map(String::as_str).collect())
        }
        fn present(field: &Field) -> (&str, Vec<&str>) {
            (&field.name, field.term.values.iter().map(|value| value.id.as_str()).collect())
        }
        sorted(self.fields.iter().map(stored)) == sorted(schema.fields().iter().map(present))
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
    /// `term_hash` is given apart from the schema because imported votes may carry the hash of a schema that is gone. Then the
    /// space has what the file used; once somebody knows the schema, its votes are put under it.
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
                if schema.term_hash() != *term_hash || known.has_codes_of(schema) {
                    return Ok(Done::Unchanged(known));
                }
                recode(write, &known, schema)?;
                let space = Space { fields, changes: known.changes.wrapping_add(1), ..known };
                table.insert(space.number, to_json(&space).as_slice())?;
                return Ok(Done::Changed(space));
            }
            let number = next_number(&table, "vote spaces")?;
            let space = Space { number, realm, topic: topic.clone(), term_hash: term_hash.clone(), fields, changes: 0 };
            table.insert(number, to_json(&space).as_slice())?;
            Ok(Done::Changed(space))
        })
    }
}
