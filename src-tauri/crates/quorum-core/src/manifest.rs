//! The manifest: the durable plan and state of an extraction, and of every batch in it. Plain data.
//!
//! Not here: tables (quorum-store) and the decisions about what happens next (quorum-engine's `step`).

mod batch;
mod failure;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ensemble::Ensemble,
    ids::{DatasetName, ModelId, TermHash, TopicId},
};

pub use batch::{Batch, BatchState, Outcome, Trouble, TroubleKind};
pub use failure::{Cause, Failure};

/// Unix seconds.
pub type Seconds = u32;

/// Number of a manifest in its store, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ManifestId(pub u32);

impl fmt::Display for ManifestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// A batch: its manifest and its number in it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BatchId {
    pub manifest: ManifestId,
    pub number: u32,
}

impl fmt::Display for BatchId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.manifest, self.number)
    }
}

/// Whose votes: those of the sandbox never mix with those of a provider.
///
/// Any provider on this computer (the built-in simulator, or an address on loopback) is the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Realm {
    Sandbox,
    Live,
}

impl fmt::Display for Realm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        })
    }
}

/// How requests reach the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Batch API: half price, up to 24 h.
    #[default]
    Batch,
    /// Synchronous calls at full price.
    OnDemand,
}

/// One user action "get the missing votes of topic T on dataset D at K with ensemble E".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub id: ManifestId,
    /// Goes into the provider's metadata, so that a batch can be told from those of other stores on the same account.
    pub key: String,
    pub realm: Realm,
    /// Base address of the provider, or `sandbox`.
    pub provider: String,
    pub dataset: DatasetName,
    pub topic: TopicId,
    pub term_hash: TermHash,
    /// The vote space that answers go to.
    pub space: u32,
    pub k: u32,
    pub ensemble: Ensemble,
    pub mode: Mode,
    pub prompt_version: u32,
    pub created_at: Seconds,
    pub usd_estimated: f64,
    /// No batch is submitted that would bring the expected spend above this.
    #[serde(default)]
    pub budget_usd: Option<f64>,
    /// Why no further batch is sent; live batches go on.
    #[serde(default)]
    pub paused: Option<Pause>,
    /// The user goes on although a model answered none of its trial requests.
    #[serde(default)]
    pub skips_canary: bool,
    /// The user goes on although the queue takes only crumbs at a time.
    #[serde(default)]
    pub takes_crumbs: bool,
    /// Batches at the provider that carry this manifest's mark, are not in this store, and that the user was told about.
    #[serde(default)]
    pub strangers: Vec<String>,
    /// The user gave the extraction up; what was answered stays.
    #[serde(default)]
    pub cancelled: bool,
    /// When its last batch settled.
    #[serde(default)]
    pub finished_at: Option<Seconds>,
    /// Highest retry round so far; 0 is the first sending.
    #[serde(default)]
    pub round: u32,
    /// Standard prices (USD per million tokens: input, cached, output) per model at the time of planning.
    pub prices: Vec<Price>,
}

/// A stop of an extraction until the user decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub kind: PauseKind,
    /// For a person, to be read behind "paused: ".
    pub words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseKind {
    /// On the user's wish.
    User,
    /// The next batch would exceed the run's budget.
    Budget,
    /// The topic's terms changed after the plan was made.
    TermsChanged,
    /// A model answered none of its trial requests.
    Canary,
    /// The account runs a batch of this manifest that this store does not know: a copy of the store is at work.
    Elsewhere,
    /// The provider takes nothing more from this account until a person acts there: credit or limit.
    Account,
    /// The provider refuses the key for sending; another one that is stored lifts it.
    Key,
    /// Synchronous calls are cut off on their way, and each may be billed.
    Unclear,
    /// The provider's queue takes so little at a time that a batch would be cut into very many.
    Crumbs,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    pub model: ModelId,
    pub input_usd: f64,
    pub cached_usd: f64,
    /// Of input that is written to the prompt cache; `None` in a run from before it was kept.
    #[serde(default)]
    pub write_usd: Option<f64>,
    pub output_usd: f64,
    /// Expected output tokens per request.
    pub output_tokens: f64,
}

/// What a manifest's batches add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestState {
    /// At least one batch has something to do without the user.
    Live,
    /// Nothing goes on until the user decides.
    NeedsUser,
    Completed,
    Cancelled,
}

impl Manifest {
    /// Derived from its batches, never stored.
    pub fn state(&self, batches: &[Batch]) -> ManifestState {
        let live = batches.iter().any(|batch| match batch.state {
            // A paused or cancelled extraction sends nothing more.
            BatchState::Planned | BatchState::Waiting => self.paused.is_none() && !self.cancelled,
            BatchState::Uploaded => self.paused.is_none() || self.cancelled,
            // Between two portions of synchronous calls nothing is under way.
            BatchState::InProgress if batch.at_once && batch.asking.is_empty() => {
                self.paused.is_none() || self.cancelled
            }
            state => state.is_live(),
        });
        if live {
            ManifestState::Live
        } else if self.cancelled {
            ManifestState::Cancelled
        } else if self.paused.is_some() || batches.iter().any(|batch| !batch.state.is_settled()) {
            ManifestState::NeedsUser
        } else {
            ManifestState::Completed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            id: ManifestId(1),
            key: "k".to_owned(),
            realm: Realm::Sandbox,
            provider: "sandbox".to_owned(),
            dataset: "d".into(),
            topic: "G1_allergy".into(),
            term_hash: "h".into(),
            space: 1,
            k: 25,
            ensemble: Ensemble::standard(),
            mode: Mode::Batch,
            prompt_version: 1,
            created_at: 0,
            usd_estimated: 0.0,
            budget_usd: None,
            paused: None,
            skips_canary: false,
            takes_crumbs: false,
            strangers: Vec::new(),
            cancelled: false,
            finished_at: None,
            round: 0,
            prices: Vec::new(),
        }
    }

    fn state(states: &[BatchState], change: impl Fn(&mut Manifest)) -> ManifestState {
        let mut manifest = manifest();
        change(&mut manifest);
        let batches: Vec<Batch> = (1..)
            .zip(states)
            .map(|(number, state)| {
                let id = BatchId { manifest: ManifestId(1), number };
                Batch { state: *state, ..Batch::planned(id, "m".into(), 1, 1, 1) }
            })
            .collect();
        manifest.state(&batches)
    }

    #[test]
    fn a_manifest_is_what_its_batches_are() {
        use BatchState::{Failed, InProgress, Ingested, Missing, Planned, Uploaded};
        let same = |_: &mut Manifest| {};
        let paused = |manifest: &mut Manifest| {
            manifest.paused = Some(Pause { kind: PauseKind::User, words: "by you".to_owned() });
        };
        let cancelled = |manifest: &mut Manifest| manifest.cancelled = true;
        assert_eq!(state(&[Ingested, Planned], same), ManifestState::Live);
        assert_eq!(state(&[Ingested, Ingested], same), ManifestState::Completed);
        assert_eq!(state(&[Ingested, Failed], same), ManifestState::NeedsUser);
        assert_eq!(state(&[Missing], same), ManifestState::NeedsUser);
        assert_eq!(state(&[InProgress, Planned], paused), ManifestState::Live);
        assert_eq!(state(&[Ingested, Planned], paused), ManifestState::NeedsUser);
        assert_eq!(state(&[Ingested, Uploaded], paused), ManifestState::NeedsUser);
        assert_eq!(state(&[Ingested, Uploaded], cancelled), ManifestState::Live);
        assert_eq!(state(&[Ingested, Planned], cancelled), ManifestState::Cancelled);
        assert_eq!(state(&[], same), ManifestState::Completed);
    }
}
