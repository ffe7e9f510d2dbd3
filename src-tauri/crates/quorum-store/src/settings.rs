//! Settings: named JSON values. What they mean is the caller's; a missing one is its default.

use redb::ReadableTable;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Store, StoreError,
    open::Done,
    rows::{from_json, to_json},
    tables,
};

impl Store {
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::SETTINGS)?;
        table.get(name)?.map(|row| from_json("settings_v1", name, row.value())).transpose()
    }

    pub fn set_setting<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        self.write(|write| {
            write.open_table(tables::SETTINGS)?.insert(name, to_json(value).as_slice())?;
            Ok(())
        })
    }

    /// Reads, changes and writes a setting in one transaction, so that no other change is lost. Writes nothing when it stays the same.
    pub fn change_setting<T: Serialize + DeserializeOwned + Default, R>(
        &self,
        name: &str,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, StoreError> {
        self.write_if_changed(|write| {
            let mut table = write.open_table(tables::SETTINGS)?;
            let stored = table.get(name)?.map(|row| row.value().to_vec());
            let mut value: T = match &stored {
                Some(row) => from_json("settings_v1", name, row)?,
                None => T::default(),
            };
            let before = to_json(&value);
            let done = change(&mut value);
            let after = to_json(&value);
            if after == before {
                return Ok(Done::Unchanged(done));
            }
            table.insert(name, after.as_slice())?;
            Ok(Done::Changed(done))
        })
    }
}
