//! The user's own catalog: its YAML files as they were added, by path.

use redb::ReadableTable;

use crate::{Store, StoreError, tables};

impl Store {
    /// (path, text) in the order of paths.
    pub fn catalog_files(&self) -> Result<Vec<(String, String)>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::CATALOG)?;
        table
            .iter()?
            .map(|row| {
                let (path, text) = row?;
                Ok((path.value().to_owned(), text.value().to_owned()))
            })
            .collect()
    }

    /// Puts these files in and takes those out, in one transaction.
    pub fn change_catalog(&self, put: &[(String, String)], remove: &[String]) -> Result<(), StoreError> {
        self.write(|write| {
            let mut table = write.open_table(tables::CATALOG)?;
            for path in remove {
                table.remove(path.as_str())?;
            }
            for (path, text) in put {
                table.insert(path.as_str(), text.as_str())?;
            }
            Ok(())
        })
    }
}
