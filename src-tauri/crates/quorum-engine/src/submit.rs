//! Making a draft durable: the manifest with all its batches and requests, in one transaction, before anything is sent.

use quorum_core::{
    ensemble::Ensemble,
    estimate::OutputBasis,
    ids::ModelId,
    manifest::{Batch, BatchId, Manifest, ManifestId, Mode, Price, Realm, Seconds},
    models::{BATCH_PRICE_SHARE, Model, ModelTable, Usage},
    plan::{BatchPlan, Request},
    prompt::PROMPT_VERSION,
    schema::hex,
    topic::Topic,
    words,
};
use quorum_store::{Activity, ActivityKind, NewBatch, NewManifest, Store, StoreError};
use sha2::{Digest, Sha256};

use crate::{Draft, ModelShare};

/// A draft that was agreed to.
pub struct SubmitRequest<'a> {
    pub draft: Draft,
    pub topic: &'a Topic,
    pub realm: Realm,
    /// Base address, or `sandbox`.
    pub provider: String,
    pub k: u32,
    pub ensemble: Ensemble,
    pub mode: Mode,
    pub models: &'a ModelTable,
    pub budget_usd: Option<f64>,
    /// Ask a few requests of each model first, as synchronous calls, before its batches are sent. Models that have answered
    /// this topic's terms before need no trial.
    pub canary: bool,
    /// Random, unique to this manifest; marks its batches at the provider.
    pub key: String,
    pub now: Seconds,
}

/// Stores the plan. `None`: nothing is missing, so there is no manifest.
pub fn submit(store: &Store, request: SubmitRequest<'_>) -> Result<Option<Manifest>, StoreError> {
    if request.draft.requests() == 0 {
        return Ok(None);
    }
    let term_hash = request.topic.schema.term_hash();
    let space = store.intern_space(request.realm, &request.topic.id, &term_hash, &request.topic.schema)?;
    for member in request.ensemble.members() {
        store.intern_model(&member.model)?;
    }
    let usd_estimated = match request.mode {
        Mode::Batch => request.draft.usd(),
        Mode::OnDemand => request.draft.usd_full(),
    };
    let requests = request.draft.requests();
    let prices = request.draft.shares.iter().map(|share| price(&share.model, share.output, request.models)).collect();
    let at_once = request.mode == Mode::OnDemand;
    let mut batches = Vec::new();
    let mut trials_usd = 0.0;
    for share in request.draft.shares {
        let is_tried = at_once || !request.canary || has_answered(store, space.number, &share.model)?;
        if !is_tried {
            trials_usd += trial_surcharge(&share, request.models);
        }
        let mut plans = share.batches;
        if let Some(trial) = plans.first_mut().filter(|_| !is_tried).and_then(take_canary) {
            let mut new = new_batch(trial, term_hash.as_str(), 0);
            (new.batch.is_canary, new.batch.at_once) = (true, true);
            batches.push(new);
        }
        batches.extend(plans.into_iter().map(|plan| {
            let mut new = new_batch(plan, term_hash.as_str(), 0);
            new.batch.at_once = at_once;
            new
        }));
    }
    let manifest = store.create_manifest(NewManifest {
        manifest: Manifest {
            id: ManifestId(0),
            key: request.key,
            realm: request.realm,
            provider: request.provider,
            dataset: request.draft.dataset,
            topic: request.topic.id.clone(),
            term_hash,
            space: space.number,
            k: request.k,
            ensemble: request.ensemble,
            mode: request.mode,
            prompt_version: PROMPT_VERSION,
            created_at: request.now,
            usd_estimated: usd_estimated.unwrap_or(0.0) + trials_usd,
            budget_usd: request.budget_usd,
            paused: None,
            skips_canary: false,
            takes_crumbs: false,
            strangers: Vec::new(),
            cancelled: false,
            finished_at: None,
            round: 0,
            prices,
        },
        batches,
    })?;
    store.log(Activity {
        number: 0,
        at: request.now,
        kind: ActivityKind::RunStarted,
        manifest: Some(manifest.id),
        title: format!("{} K={} started", request.topic.name, request.k),
        body: match (manifest.realm, words::counted(requests, "request", "requests")) {
            (Realm::Live, requests) => format!("{requests}, est. {}", words::usd(manifest.usd_estimated)),
            (Realm::Sandbox, requests) => format!("{requests}, no cost"),
        },
    })?;
    Ok(Some(manifest))
}

/// Trial requests per model.
pub const CANARY_REQUESTS: usize = 4;

/// The models of a draft that would be tried first: those that are new to the topic's terms and are asked much more than a trial.
pub fn trials(store: &Store, realm: Realm, topic: &Topic, draft: &Draft) -> Result<Vec<ModelId>, StoreError> {
    let space = store.space(realm, &topic.id, &topic.schema.term_hash())?;
    let mut tried = Vec::new();
    for share in draft.shares.iter().filter(|share| share.batches.first().is_some_and(is_worth_a_trial)) {
        let is_known = match &space {
            Some(space) => has_answered(store, space.number, &share.model)?,
            None => false,
        };
        if !is_known {
            tried.push(share.model.clone());
        }
    }
    Ok(tried)
}

fn is_worth_a_trial(plan: &BatchPlan) -> bool {
    plan.requests.len() > 2 * CANARY_REQUESTS
}

/// What a share of a draft costs more for being tried first: its trial is charged the full price. 0 without one.
pub fn trial_surcharge(share: &ModelShare, models: &ModelTable) -> f64 {
    let Some((plan, row)) = share.batches.first().zip(models.get(share.model.as_str())) else { return 0.0 };
    if !is_worth_a_trial(plan) {
        return 0.0;
    }
    let usage = Usage {
        input: canary_share(plan, plan.tokens),
        output: share.output.tokens(CANARY_REQUESTS as u64),
        ..Usage::default()
    };
    row.usd(usage, 1.0) - row.usd(usage, BATCH_PRICE_SHARE)
}

/// A trial's part of what a plan takes up.
fn canary_share(plan: &BatchPlan, total: u64) -> u64 {
    total / plan.requests.len() as u64 * CANARY_REQUESTS as u64
}

/// Takes the first few requests out of a plan, unless that is nearly all of it.
fn take_canary(plan: &mut BatchPlan) -> Option<BatchPlan> {
    if !is_worth_a_trial(plan) {
        return None;
    }
    let share = |total: u64| canary_share(plan, total);
    let (bytes, tokens) = (share(plan.bytes), share(plan.tokens));
    let requests = plan.requests.drain(..CANARY_REQUESTS).collect();
    plan.bytes -= bytes;
    plan.tokens -= tokens;
    Some(BatchPlan { model: plan.model.clone(), requests, bytes, tokens })
}

/// Whether a model has answered these terms here before.
fn has_answered(store: &Store, space: u32, model: &ModelId) -> Result<bool, StoreError> {
    for manifest in store.manifests()?.into_iter().filter(|manifest| manifest.space == space) {
        let batches = store.batches(manifest.id)?;
        if batches.iter().any(|batch| batch.model == *model && batch.votes > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn price(model: &ModelId, output: OutputBasis, models: &ModelTable) -> Price {
    let row = models.get(model.as_str());
    let output_tokens = match output {
        OutputBasis::History(mean) => mean,
        OutputBasis::Guess { answer, reasoning } => f64::from(answer + reasoning),
    };
    Price {
        model: model.clone(),
        input_usd: row.map_or(0.0, |row| row.input_usd),
        cached_usd: row.map_or(0.0, |row| row.cached_usd),
        write_usd: Some(row.map_or(0.0, Model::write_price)),
        output_usd: row.map_or(0.0, |row| row.output_usd),
        output_tokens,
    }
}

/// A planned batch with its fingerprint.
pub(crate) fn new_batch(plan: BatchPlan, term_hash: &str, round: u32) -> NewBatch {
    let count = u32::try_from(plan.requests.len()).expect("a batch has at most the provider's 50,000 requests");
    let unnumbered = BatchId { manifest: ManifestId(0), number: 0 };
    let mut batch = Batch::planned(unnumbered, plan.model, count, plan.bytes, plan.tokens);
    batch.round = round;
    batch.fingerprint = fingerprint(&batch.model, term_hash, &plan.requests);
    NewBatch { batch, requests: plan.requests }
}

/// Identifies what a batch asks: 16 hex digits of a hash over model, schema, prompt and requests in order.
fn fingerprint(model: &ModelId, term_hash: &str, requests: &[Request]) -> String {
    let mut hash = Sha256::new();
    hash.update(model.as_str());
    hash.update([0]);
    hash.update(term_hash);
    hash.update(PROMPT_VERSION.to_be_bytes());
    for request in requests {
        hash.update(request.review.0.to_be_bytes());
        hash.update([request.run]);
    }
    hex(&hash.finalize()[..8])
}
