//! Queue allowances: how many prompt tokens an account may have enqueued per model, known from the settings or learned from a
//! refusal ("Limit: 2,000,000 enqueued tokens").

use std::collections::BTreeMap;

use quorum_core::{
    ids::ModelId,
    manifest::Batch,
    plan::{Request, SizedRequest},
};
use quorum_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

const SETTING: &str = "allowances";

/// Our token counts may differ from the provider's by a few percent; this share of an allowance is used.
const USED_SHARE: f64 = 0.95;

/// Enqueued tokens allowed, per provider address and model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Allowances(BTreeMap<String, BTreeMap<ModelId, u64>>);

impl Allowances {
    pub fn load(store: &Store) -> Result<Self, StoreError> {
        Ok(store.setting(SETTING)?.unwrap_or_default())
    }

    pub fn save(&self, store: &Store) -> Result<(), StoreError> {
        store.set_setting(SETTING, self)
    }

    /// Sets or (with `None`) forgets an allowance. True when that changed anything.
    pub fn set(&mut self, provider: &str, model: &ModelId, tokens: Option<u64>) -> bool {
        let models = self.0.entry(provider.to_owned()).or_default();
        match tokens {
            Some(tokens) => models.insert(model.clone(), tokens) != Some(tokens),
            None => models.remove(model).is_some(),
        }
    }

    pub fn known(&self, provider: &str, model: &ModelId) -> Option<u64> {
        self.0.get(provider)?.get(model).copied()
    }

    /// Tokens that may be enqueued at a time, with a margin for differing counts.
    pub fn usable(&self, provider: &str, model: &ModelId) -> Option<u64> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a token count far below 2^53"
        )]
        self.known(provider, model).map(|tokens| (tokens as f64 * USED_SHARE) as u64)
    }

    /// Whether a batch is larger than may ever be enqueued at a time, and can be cut.
    pub fn is_to_be_cut(&self, provider: &str, batch: &Batch) -> bool {
        !batch.at_once
            && batch.requests > 1
            && self.usable(provider, &batch.model).is_some_and(|usable| batch.tokens > usable)
    }

    /// Whether a batch fits beside those of its model that are at the provider now.
    pub fn has_room<'a>(
        &self,
        provider: &str,
        batch: &Batch,
        at_provider: impl IntoIterator<Item = &'a Batch>,
    ) -> bool {
        let Some(usable) = self.usable(provider, &batch.model) else { return true };
        let enqueued: u64 = at_provider
            .into_iter()
            .filter(|other| other.model == batch.model && other.id != batch.id)
            .filter(|other| other.state.is_at_provider() && !other.at_once)
            .map(|other| other.tokens)
            .sum();
        // A single request that fits nowhere is tried alone: the provider then says what it thinks of it.
        enqueued + batch.tokens <= usable || (enqueued == 0 && batch.requests <= 1)
    }
}

/// Sizes for cutting a batch anew when its exact request sizes are not at hand: its means.
pub fn mean_sizes(batch: &Batch, requests: &[Request]) -> Vec<SizedRequest> {
    let count = (requests.len() as u64).max(1);
    requests
        .iter()
        .map(|request| SizedRequest {
            request: *request,
            bytes: batch.bytes.div_ceil(count),
            tokens: batch.tokens.div_ceil(count),
        })
        .collect()
}
