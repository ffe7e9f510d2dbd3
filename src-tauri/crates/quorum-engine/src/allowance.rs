//! Queue allowances: how many prompt tokens an account may have enqueued per model, learned from a refusal ("Limit: 2,000,000
//! enqueued tokens"), else stated in the model table.

use std::collections::BTreeMap;

use crate::model_edits;
use quorum_core::{
    ids::ModelId,
    manifest::Batch,
    models::ModelTable,
    plan::{Request, SizedRequest},
};
use quorum_store::{Store, StoreError};

const SETTING: &str = "allowances";

/// Our token counts may differ from the provider's by a few percent; this share of an allowance is used.
const USED_SHARE: f64 = 0.95;

type Learned = BTreeMap<String, BTreeMap<ModelId, u64>>;

/// Enqueued tokens allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowances {
    /// By a provider's refusal, per address.
    learned: Learned,
    /// By the model table, whatever the provider.
    stated: BTreeMap<ModelId, u64>,
}

impl Allowances {
    pub fn load(store: &Store) -> Result<Self, StoreError> {
        let table = model_edits(store)?.over(&ModelTable::default());
        let stated = table.0.into_iter().filter_map(|model| Some((model.model, model.queue_tokens?))).collect();
        Ok(Self { learned: store.setting(SETTING)?.unwrap_or_default(), stated })
    }

    /// Keeps what a refusal says. True when that is news.
    pub fn learn(store: &Store, provider: &str, model: &ModelId, tokens: u64) -> Result<bool, StoreError> {
        store.change_setting(SETTING, |learned: &mut Learned| {
            learned.entry(provider.to_owned()).or_default().insert(model.clone(), tokens) != Some(tokens)
        })
    }

    /// Forgets what any provider said about a model: the user knows better, until the next refusal. Gives what was forgotten.
    pub fn forget(store: &Store, model: &ModelId) -> Result<Vec<(String, u64)>, StoreError> {
        store.change_setting(SETTING, |learned: &mut Learned| {
            let of = |(provider, models): (&String, &mut BTreeMap<ModelId, u64>)| {
                Some((provider.clone(), models.remove(model)?))
            };
            learned.iter_mut().filter_map(of).collect()
        })
    }

    /// Takes back what was forgotten, unless the provider has said something since.
    pub fn recall(store: &Store, provider: &str, model: &ModelId, tokens: u64) -> Result<(), StoreError> {
        store.change_setting(SETTING, |learned: &mut Learned| {
            learned.entry(provider.to_owned()).or_default().entry(model.clone()).or_insert(tokens);
        })
    }

    pub fn learned(&self, provider: &str, model: &ModelId) -> Option<u64> {
        self.learned.get(provider)?.get(model).copied()
    }

    pub fn known(&self, provider: &str, model: &ModelId) -> Option<u64> {
        self.learned(provider, model).or_else(|| self.stated.get(model).copied())
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

#[cfg(test)]
mod tests {
    use quorum_core::models::edits::Edit;
    use quorum_store::testing::FrozenBackend;

    use super::*;
    use crate::change_model_edits;

    #[test]
    fn a_refusal_knows_better_than_the_table_until_the_user_says_otherwise() {
        let (mini, nano) = (ModelId::from("gpt-5-mini"), ModelId::from("gpt-5-nano"));
        let store = Store::open_with_backend(FrozenBackend::new()).expect("a store");
        let stated = Edit::QueueTokens(Some(5_000_000));
        let edited = change_model_edits(&store, |edits| edits.set(&ModelTable::default(), &mini, &[stated]));
        edited.expect("the store").expect("an edit");
        let load = || Allowances::load(&store).expect("the store");
        let learn = |tokens| Allowances::learn(&store, "here", &mini, tokens).expect("the store");
        assert_eq!(load().known("here", &mini), Some(5_000_000));
        assert!(learn(2_000_000) && !learn(2_000_000));
        assert_eq!(load().usable("here", &mini), Some(1_900_000));
        assert_eq!(load().known("there", &mini), Some(5_000_000), "another provider, another account");
        let forget = || Allowances::forget(&store, &mini).expect("the store");
        assert_eq!((forget(), forget()), (vec![("here".to_owned(), 2_000_000)], vec![]));
        let allowances = load();
        assert_eq!((allowances.known("here", &mini), allowances.known("here", &nano)), (Some(5_000_000), None));
    }
}
