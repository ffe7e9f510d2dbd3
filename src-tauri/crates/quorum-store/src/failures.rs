//! Failed requests: kept with their cause until a later round or the user settles them. Never votes.

use quorum_core::{
    manifest::{BatchId, Failure, ManifestId},
    plan::Request,
    votes::ReviewNo,
};

use crate::{
    Store, StoreError,
    rows::from_json,
    tables::{self, pair},
};

/// A request without a vote, where it stands and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRequest {
    pub batch: BatchId,
    pub request: Request,
    pub failure: Failure,
}

pub(crate) fn request_key(request: Request) -> u64 {
    u64::from(request.review.0) << 8 | u64::from(request.run)
}

impl Store {
    /// The failed requests of a manifest, batch by batch.
    pub fn failures(&self, manifest: ManifestId) -> Result<Vec<FailedRequest>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::FAILURES)?;
        let range = (pair(manifest.0, 0), 0)..=(pair(manifest.0, u32::MAX), u64::MAX);
        table
            .range(range)?
            .map(|row| {
                let (key, value) = row?;
                let (batch, request) = key.value();
                let [.., a, b, c, d, run] = request.to_be_bytes();
                Ok(FailedRequest {
                    batch: BatchId { manifest, number: tables::second(batch) },
                    request: Request { review: ReviewNo(u32::from_be_bytes([a, b, c, d])), run },
                    failure: from_json("failures_v1", request, value.value())?,
                })
            })
            .collect()
    }
}
