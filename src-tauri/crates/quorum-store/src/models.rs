//! Models and their numbers. A handful: read at open, kept in memory.

use std::{collections::BTreeMap, sync::PoisonError};

use quorum_core::{ids::ModelId, votes::ModelNo};
use redb::ReadableTable;

use crate::{Store, StoreError, open::Done, tables};

impl Store {
    pub(crate) fn read_models(&self) -> Result<(), StoreError> {
        let table = self.db.begin_read()?.open_table(tables::MODELS)?;
        let read: Result<BTreeMap<ModelId, ModelNo>, StoreError> = table
            .iter()?
            .map(|row| {
                let (number, name) = row?;
                Ok((ModelId::from(name.value()), ModelNo(number.value())))
            })
            .collect();
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = read?;
        Ok(())
    }

    /// The number of a model that has one.
    pub fn model_no(&self, model: &ModelId) -> Option<ModelNo> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).get(model).copied()
    }

    /// All models that were ever asked or imported, by number.
    pub fn models(&self) -> BTreeMap<ModelNo, ModelId> {
        let models = self.models.read().unwrap_or_else(PoisonError::into_inner);
        models.iter().map(|(model, number)| (*number, model.clone())).collect()
    }

    /// The number of a model, given now if it has none.
    pub fn intern_model(&self, model: &ModelId) -> Result<ModelNo, StoreError> {
        if let Some(known) = self.model_no(model) {
            return Ok(known);
        }
        let number = self.write_if_changed(|write| {
            let mut table = write.open_table(tables::MODELS)?;
            // Another thread may have been first.
            for row in table.iter()? {
                let (number, name) = row?;
                if name.value() == model.as_str() {
                    return Ok(Done::Unchanged(number.value()));
                }
            }
            let next = match table.last()? {
                Some((last, _)) => last.value().checked_add(1).ok_or(StoreError::TooMany("models"))?,
                None => 1,
            };
            table.insert(next, model.as_str())?;
            Ok(Done::Changed(next))
        })?;
        let number = ModelNo(number);
        self.models.write().unwrap_or_else(PoisonError::into_inner).insert(model.clone(), number);
        Ok(number)
    }
}
