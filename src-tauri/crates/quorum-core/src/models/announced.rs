//! What a provider says of its models: which there are, and when they are shut down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ModelTable;
use crate::{date::Date, ids::ModelId, manifest::Seconds};

/// A provider's list of models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    pub at: Seconds,
    /// Shutdown date, where one is announced.
    pub models: BTreeMap<ModelId, Option<String>>,
}

impl Announced {
    pub fn new(at: Seconds, models: impl IntoIterator<Item = (ModelId, Option<String>)>) -> Self {
        // A date that cannot be read would warn of nothing.
        let readable = |day: String| Date::read(&day).is_some().then_some(day);
        Self { at, models: models.into_iter().map(|(model, day)| (model, day.and_then(readable))).collect() }
    }

    /// The shipped table with the announced dates. A model without one keeps the shipped date: many servers leave it out.
    pub fn over(&self, shipped: &ModelTable) -> ModelTable {
        let mut table = shipped.clone();
        for model in &mut table.0 {
            if let Some(day) = self.day(&model.model) {
                model.shutdown_date = Some(day.to_owned());
            }
        }
        table
    }

    pub fn day(&self, model: &ModelId) -> Option<&str> {
        self.models.get(model)?.as_deref()
    }

    /// Whether the provider lists a model; `None` where it lists none at all.
    pub fn lists(&self, model: &ModelId) -> Option<bool> {
        (!self.models.is_empty()).then(|| self.models.contains_key(model))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_date_goes_before_the_shipped_one_and_silence_changes_nothing() {
        let said = [
            ("gpt-6-luna", Some("2027-06-30")),
            ("gpt-5-mini", None),
            ("gpt-5-nano", Some("soon")),
            ("unknown", Some("2027-01-01")),
        ];
        let said = said.map(|(model, day)| (ModelId::from(model), day.map(str::to_owned)));
        let announced = Announced::new(7, said);
        let shipped = ModelTable::default();
        let table = announced.over(&shipped);
        let day = |model| table.get(model).and_then(|row| row.shutdown_date.as_deref());
        assert_eq!(day("gpt-6-luna"), Some("2027-06-30"));
        assert_eq!((day("gpt-5-mini"), day("gpt-5-nano")), (Some("2026-12-11"), Some("2026-12-11")));
        assert_eq!(table.0.len(), shipped.0.len(), "a model without prices is not in the table");
        assert_eq!(announced.lists(&"gpt-5.1".into()), Some(false));
        assert_eq!(Announced::default().lists(&"gpt-5.1".into()), None);
    }
}
