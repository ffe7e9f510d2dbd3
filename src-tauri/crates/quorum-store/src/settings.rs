//! Settings: named JSON values. What they mean is the caller's; a missing one is its default.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Store, StoreError,
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
}
