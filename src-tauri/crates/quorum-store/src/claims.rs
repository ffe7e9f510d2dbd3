//! Which requests are taken. A request is in at most one batch that may still be answered, of whatever run, and one that was
//! answered is in none: what adds batches looks here within its own transaction, so that nothing can come in between.
//!
//! By the place in the ensemble and not by the model: a model that takes another's place answers for both.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use quorum_core::{
    ensemble::Ensemble,
    ids::ModelId,
    manifest::{Batch, BatchId, Manifest, ManifestId},
    plan::Request,
    votes::ModelNo,
};
use redb::{ReadableTable, WriteTransaction};

use crate::{
    NewBatch, Store, StoreError,
    manifests::unpack_requests,
    rows::from_json,
    tables::{self, pair, range_of},
    votes::row_of,
};

/// The requests of one vote space that batches hold.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    held: BTreeMap<ModelId, HashSet<Request>>,
    /// The ensembles of the space's runs, in the order in which they were planned.
    ensembles: Vec<(ManifestId, Ensemble)>,
}

/// Who may answer for a model of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(BTreeSet<ModelId>);

impl Place {
    pub fn models(&self) -> impl Iterator<Item = &ModelId> {
        self.0.iter()
    }
}

impl Claims {
    /// Reads what is held, without the batches that are about to be closed.
    fn read(
        manifests: &impl ReadableTable<u32, &'static [u8]>,
        batches: &impl ReadableTable<u64, &'static [u8]>,
        requests: &impl ReadableTable<u64, &'static [u8]>,
        space: u32,
        closing: &[BatchId],
    ) -> Result<Self, StoreError> {
        let mut claims = Self::default();
        for row in manifests.iter()? {
            let (key, value) = row?;
            let manifest: Manifest = from_json("manifests_v1", key.value(), value.value())?;
            if manifest.space != space {
                continue;
            }
            for row in batches.range(range_of(manifest.id.0))? {
                let (key, value) = row?;
                let batch: Batch = from_json("batches_v1", key.value(), value.value())?;
                if !batch.state.holds_requests() || closing.contains(&batch.id) {
                    continue;
                }
                let row = requests.get(key.value())?.ok_or(StoreError::NoBatch(batch.id))?;
                claims.hold(&batch.model, unpack_requests(batch.id, row.value())?);
            }
            claims.ensembles.push((manifest.id, manifest.ensemble));
        }
        Ok(claims)
    }

    /// Counts these as asked by a batch of this model.
    pub fn hold(&mut self, model: &ModelId, requests: impl IntoIterator<Item = Request>) {
        self.held.entry(model.clone()).or_default().extend(requests);
    }

    /// The models whose answer counts for this one's run: by the run's own ensemble, and by those of runs planned after it,
    /// which took over what it left unanswered. A run that has no number yet comes after all others.
    pub fn place(&self, run: Option<ManifestId>, ensemble: &Ensemble, model: &ModelId) -> Place {
        let later = self.ensembles.iter().filter(|(id, _)| run.is_some_and(|run| *id > run)).map(|(_, later)| later);
        let models = later.chain([ensemble]).flat_map(|ensemble| ensemble.in_place_of(model)).chain([model]);
        Place(models.cloned().collect())
    }

    /// Whether a batch that may still be answered asks this.
    pub fn holds(&self, place: &Place, request: Request) -> bool {
        place.models().any(|model| self.held.get(model).is_some_and(|held| held.contains(&request)))
    }
}

impl Store {
    /// What is held in a vote space, without the batches that are about to be closed.
    pub fn claims(&self, space: u32, closing: &[BatchId]) -> Result<Claims, StoreError> {
        let read = self.db.begin_read()?;
        Claims::read(
            &read.open_table(tables::MANIFESTS)?,
            &read.open_table(tables::BATCHES)?,
            &read.open_table(tables::REQUESTS)?,
            space,
            closing,
        )
    }

    /// How many requests of new batches are taken: held by another batch, named twice, or answered.
    pub(crate) fn taken(
        &self,
        write: &WriteTransaction,
        manifest: &Manifest,
        closing: &[BatchId],
        new: &[NewBatch],
    ) -> Result<usize, StoreError> {
        let mut claims = Claims::read(
            &write.open_table(tables::MANIFESTS)?,
            &write.open_table(tables::BATCHES)?,
            &write.open_table(tables::REQUESTS)?,
            manifest.space,
            closing,
        )?;
        let votes = write.open_table(tables::VOTES)?;
        let mut taken = 0;
        for new in new {
            let place = claims.place(Some(manifest.id), &manifest.ensemble, &new.batch.model);
            let numbers: Vec<ModelNo> = place.models().filter_map(|model| self.model_no(model)).collect();
            for request in &new.requests {
                let is_answered = match votes.get(pair(manifest.space, request.review.0))? {
                    Some(row) => {
                        let row = row_of(request.review.0, row.value())?;
                        numbers.iter().any(|number| row.contains(*number, request.run))
                    }
                    None => false,
                };
                taken += usize::from(is_answered || claims.holds(&place, *request));
            }
            let distinct: HashSet<Request> = new.requests.iter().copied().collect();
            taken += new.requests.len() - distinct.len();
            claims.hold(&new.batch.model, distinct);
        }
        Ok(taken)
    }
}
