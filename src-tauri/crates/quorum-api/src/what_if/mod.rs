//! What-if: move a policy's numbers and the ensemble's weights, and see from the stored votes which verdicts flip.
//!
//! The page sets up a [`Bench`] and then only asks it; a bench that is not the right one any more is set up anew.

mod bench;
mod diff;
mod knobs;
mod save;

use std::sync::Arc;

pub use bench::Bench;

use crate::{
    Quorum,
    catalog::current,
    dto::{
        error::ApiError,
        what_if::{PolicyDraft, WhatIfOutcome, WhatIfPage, WhatIfQuery, WhatIfRequest},
    },
    session::lock,
};

impl Quorum {
    /// Sets up a bench on the votes as they are now.
    pub fn what_if_open(&self, query: &WhatIfQuery) -> Result<WhatIfPage, ApiError> {
        Ok(self.set_up_bench(query)?.page())
    }

    /// Judges with the changes.
    pub fn what_if_try(&self, request: &WhatIfRequest) -> Result<WhatIfOutcome, ApiError> {
        self.bench(&request.query)?.attempt(self.store(), &request.changes)
    }

    /// What saving would store. Stores nothing.
    pub fn what_if_draft(&self, request: &WhatIfRequest, name: &str) -> Result<PolicyDraft, ApiError> {
        Ok(self.prepare_policy(request, name)?.draft)
    }

    /// Puts the changed policy into the user's catalog, beside the original.
    pub fn what_if_save(&self, request: &WhatIfRequest, name: &str) -> Result<PolicyDraft, ApiError> {
        let save::Prepared { draft, text } = self.prepare_policy(request, name)?;
        self.store().change_catalog(&[(draft.file.clone(), text)], &[])?;
        self.inner.topics.replace(current(self.store())?);
        Ok(draft)
    }

    fn prepare_policy(&self, request: &WhatIfRequest, name: &str) -> Result<save::Prepared, ApiError> {
        let bench = self.bench(&request.query)?;
        save::prepare(&bench, &self.catalog(), &self.store().catalog_files()?, &request.changes, name)
    }

    fn bench(&self, query: &WhatIfQuery) -> Result<Arc<Bench>, ApiError> {
        let realm = self.realm()?;
        let known = lock(&self.inner.bench).clone();
        match known.filter(|known| known.is_for(realm, query)) {
            Some(known) => Ok(known),
            None => self.set_up_bench(query),
        }
    }

    fn set_up_bench(&self, query: &WhatIfQuery) -> Result<Arc<Bench>, ApiError> {
        let bench = Arc::new(Bench::new(self.store(), &self.catalog(), self.realm()?, query)?);
        *lock(&self.inner.bench) = Some(Arc::clone(&bench));
        Ok(bench)
    }
}
