//! The catalog in force: the built-in one with the user's on top.

use std::{path::Path, sync::Arc};

use quorum_catalog::{Catalog, Problem, Severity, builtin, load_folder, read};
use quorum_core::words::counted;
use quorum_store::Store;

use crate::{
    Quorum,
    dto::error::{ApiError, ErrorCode},
};

/// Reads the built-in catalog, which every opening needs: a face calls it on a thread of its own while it starts.
pub fn read_builtin_catalog() {
    let _kept_for_whoever_asks = builtin();
}

/// The built-in catalog with what the store has on top.
pub(crate) fn current(store: &Store) -> Result<Arc<Catalog>, ApiError> {
    let files = store.catalog_files()?;
    if files.is_empty() {
        return Ok(Arc::clone(builtin()));
    }
    let (user, _) = read(files);
    // Problems were shown when the files were added; a topic that no longer reads falls back to nothing, not to a guess.
    Ok(Arc::new(builtin().overlay(&user).0))
}

impl Quorum {
    /// Checks a folder of terms and policies, or the catalog in force. Changes nothing.
    pub fn catalog_check(&self, folder: Option<&Path>) -> Result<(Arc<Catalog>, Vec<Problem>), ApiError> {
        match folder {
            None => {
                let catalog = self.catalog();
                let problems = catalog.problems().to_vec();
                Ok((catalog, problems))
            }
            Some(folder) => {
                let (user, _) = read(load(folder)?);
                // References may point into built-in term libraries, so what counts is the reading on top of them.
                let (catalog, problems) = builtin().overlay(&user);
                Ok((Arc::new(catalog), problems))
            }
        }
    }

    /// Puts a folder of terms and policies on top of the built-in catalog. Refused as a whole when it has an error.
    pub fn catalog_add(&self, folder: &Path) -> Result<Vec<Problem>, ApiError> {
        let (_, problems) = self.catalog_check(Some(folder))?;
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        if errors > 0 {
            return Err(ApiError::new(
                ErrorCode::FileFormat,
                format!("The catalog has {}.", counted(errors as u64, "error", "errors")),
            )
            .safe("Nothing was added.")
            .action("Mend them and add it again.")
            .detail(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")));
        }
        let files: Vec<(String, String)> = load(folder)?
            .into_iter()
            .map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()))
            .collect();
        self.store().change_catalog(&files, &[])?;
        self.inner.topics.replace(current(self.store())?);
        Ok(problems)
    }

    /// Takes user files out of the catalog: those at or below a path, or all.
    pub fn catalog_remove(&self, below: Option<&str>) -> Result<usize, ApiError> {
        let gone: Vec<String> = self
            .store()
            .catalog_files()?
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| below.is_none_or(|below| path == below || path.starts_with(&format!("{below}/"))))
            .collect();
        self.store().change_catalog(&[], &gone)?;
        self.inner.topics.replace(current(self.store())?);
        Ok(gone.len())
    }
}

fn load(folder: &Path) -> Result<Vec<quorum_catalog::CatalogFile>, ApiError> {
    load_folder(folder).map_err(|error| {
        ApiError::new(ErrorCode::FileUnreadable, format!("The catalog in {} cannot be read.", folder.display()))
            .detail(crate::errors::chain(&error))
    })
}
