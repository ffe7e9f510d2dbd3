//! Estimates: what a form would send and cost, topic by topic summed up, and what another K would. Sends nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use quorum_core::{
    estimate::OutputBasis,
    ids::{DatasetName, ModelId},
    manifest::{Mode, Realm},
    models::{BATCH_PRICE_SHARE, ModelTable, total_usd},
    schema::hex,
    topic::Topic,
};
use quorum_engine::{CANARY_REQUESTS, Draft, LadderStep as Rung, trials};

use crate::{
    Quorum, Wish,
    dto::{
        error::ApiError,
        plan::{self, BatchPlan, Estimate, LadderStep, ModelEstimate, PlanRequest, TopicEstimate},
    },
    plans::{K_PRESETS, u32_of},
};

impl Quorum {
    /// The estimate of a form. Sends nothing.
    pub fn plan_estimate(&self, request: &PlanRequest) -> Result<Estimate, ApiError> {
        let wishes = self.wishes(request)?;
        let dataset = self.store().dataset(&DatasetName::from(request.dataset.as_str()))?;
        let ks = rungs(wishes[0].k);
        let (mut drafts, mut ladders) = (Vec::new(), Vec::new());
        for wish in &wishes {
            let (draft, topic, ladder) = self.draft_with_ladder(wish, &dataset, &ks)?;
            drafts.push((draft, topic));
            ladders.push(ladder);
        }
        let models = self.models()?;
        let mut estimate = self.sum_up(&wishes, &drafts, &models)?;
        let largest = drafts.iter().map(|(draft, _)| draft.requests()).max().unwrap_or(0);
        estimate.time = self.expected_time(largest, wishes[0].mode)?;
        let tried: BTreeSet<String> = self.tried(&wishes, &drafts)?;
        estimate.trial_models = estimate.per_model.iter().map(|share| share.model.clone()).collect();
        estimate.trial_models.retain(|model| tried.contains(model));
        estimate.ladder = sum_ladders(&ks, wishes[0].mode, &ladders);
        estimate.warnings = self.warnings(&wishes[0], &dataset, &estimate, &models)?;
        for (wish, (draft, topic)) in wishes.iter().zip(&drafts) {
            estimate.warnings.extend(self.queue_warnings(wish, draft, topic)?);
        }
        Ok(estimate)
    }

    /// Models that are tried first on any of the topics unless the user leaves that out.
    fn tried(&self, wishes: &[Wish], drafts: &[(Draft, Arc<Topic>)]) -> Result<BTreeSet<String>, ApiError> {
        let realm = self.realm()?;
        let mut tried = BTreeSet::new();
        // Calls at once are each a trial of their own, and the sandbox costs nothing.
        let is_tried = |wish: &Wish| wish.mode == Mode::Batch && realm == Realm::Live;
        for (_, (draft, topic)) in wishes.iter().zip(drafts).filter(|(wish, _)| is_tried(wish)) {
            tried.extend(trials(self.store(), realm, topic, draft)?.iter().map(ToString::to_string));
        }
        Ok(tried)
    }

    /// All topics of a form together, without what takes other Ks or the provider to know.
    pub(crate) fn sum_up(
        &self,
        wishes: &[Wish],
        drafts: &[(Draft, Arc<Topic>)],
        models: &ModelTable,
    ) -> Result<Estimate, ApiError> {
        let surcharges = wishes
            .iter()
            .zip(drafts)
            .map(|(wish, (draft, topic))| self.trial_surcharges(wish, draft, topic, models))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(sum_up(wishes, drafts, models, &surcharges))
    }
}

/// The Ks that are offered and the one that is chosen, rising.
fn rungs(chosen: u32) -> Vec<u32> {
    let mut ks = K_PRESETS.to_vec();
    if !ks.contains(&chosen) {
        ks.push(chosen);
    }
    ks.sort_unstable();
    ks
}

/// The ladders of all topics as one.
fn sum_ladders(ks: &[u32], mode: Mode, ladders: &[Vec<Rung>]) -> Vec<LadderStep> {
    // A batch costs half: by the discount, so is the ladder of synchronous calls twice that of batches.
    let share = if mode == Mode::OnDemand { BATCH_PRICE_SHARE } else { 1.0 };
    let mut steps: Vec<LadderStep> =
        ks.iter().map(|k| LadderStep { k: *k, reviews: 0, requests: 0, usd: Some(0.0) }).collect();
    for ladder in ladders {
        for (step, more) in steps.iter_mut().zip(ladder) {
            step.reviews = more.reviews;
            step.requests = step.requests.saturating_add(u32_of(more.requests));
            step.usd = step.usd.zip(more.usd).map(|(usd, more)| usd + more / share);
        }
    }
    steps
}

/// `surcharges` are what trials cost more, wish by wish and model by model.
fn sum_up(
    wishes: &[Wish],
    drafts: &[(Draft, Arc<Topic>)],
    models: &ModelTable,
    surcharges: &[BTreeMap<ModelId, f64>],
) -> Estimate {
    let at_once = wishes[0].mode == Mode::OnDemand;
    let price_share = if at_once { 1.0 } else { BATCH_PRICE_SHARE };
    let sum = |count: &dyn Fn(&Draft) -> u64| u32_of(drafts.iter().map(|(draft, _)| count(draft)).sum());
    let shares = || drafts.iter().flat_map(|(draft, _)| &draft.shares);
    let per_model: Vec<ModelEstimate> = wishes[0]
        .ensemble
        .members()
        .iter()
        .map(|member| {
            let of_model = || shares().filter(|share| share.model == member.model);
            let total = |count: &dyn Fn(&quorum_core::estimate::ModelEstimate) -> u64| {
                u32_of(of_model().map(|share| count(&share.estimate)).sum())
            };
            let price = models.get(member.model.as_str());
            ModelEstimate {
                model: member.model.to_string(),
                requests: total(&|estimate| estimate.requests),
                input_tokens: total(&|estimate| estimate.input_tokens),
                output_tokens: total(&|estimate| estimate.output_tokens),
                usd: total_usd(
                    of_model()
                        .filter_map(|share| if at_once { share.estimate.usd_full } else { share.estimate.usd })
                        .chain(surcharges.iter().filter_map(|of| of.get(&member.model).copied())),
                ),
                usd_full: total_usd(of_model().filter_map(|share| share.estimate.usd_full)),
                input_price_usd: price.map(|price| price.input_usd * price_share),
                output_price_usd: price.map(|price| price.output_usd * price_share),
                shutdown_date: price.and_then(|price| price.shutdown_date.clone()),
            }
        })
        .collect();
    let batches = wishes
        .iter()
        .zip(drafts)
        .flat_map(|(wish, (draft, _))| {
            draft.shares.iter().flat_map(|share| &share.batches).map(move |batch| (wish, batch))
        })
        .map(|(wish, batch)| BatchPlan {
            topic: wish.topic.clone(),
            model: batch.model.to_string(),
            requests: u32_of(batch.requests.len() as u64),
            bytes: u32_of(batch.bytes),
        })
        .collect();
    let has_history = shares()
        .filter(|share| share.estimate.requests > 0)
        .all(|share| matches!(share.output, OutputBasis::History(_)));
    Estimate {
        businesses: drafts.first().map_or(0, |(draft, _)| draft.businesses),
        reviews: drafts.first().map_or(0, |(draft, _)| draft.reviews),
        votes_needed: sum(&|draft| draft.needed),
        votes_known: sum(&|draft| draft.known),
        votes_in_flight: sum(&|draft| draft.in_flight),
        requests: sum(&Draft::requests),
        batches,
        per_topic: wishes
            .iter()
            .zip(drafts)
            .zip(surcharges)
            .map(|((wish, (draft, _)), surcharges)| TopicEstimate {
                topic: wish.topic.clone(),
                votes_known: u32_of(draft.known),
                requests: u32_of(draft.requests()),
                usd: if at_once { draft.usd_full() } else { draft.usd() }
                    .map(|usd| usd + total_usd(surcharges.values().copied())),
            })
            .collect(),
        input_tokens: sum(&|draft| draft.shares.iter().map(|share| share.estimate.input_tokens).sum()),
        output_tokens: sum(&|draft| draft.shares.iter().map(|share| share.estimate.output_tokens).sum()),
        usd: total_usd(per_model.iter().map(|model| model.usd)),
        usd_full: total_usd(per_model.iter().map(|model| model.usd_full)),
        usd_batch: total_usd(
            shares()
                .filter_map(|share| share.estimate.usd)
                .chain(surcharges.iter().flat_map(|of| of.values().copied())),
        ),
        per_model,
        output_basis: if has_history && shares().any(|share| share.estimate.requests > 0) {
            plan::OutputBasis::ThisTopic
        } else {
            plan::OutputBasis::Assumed
        },
        trial_models: Vec::new(),
        trial_requests: u32_of(CANARY_REQUESTS as u64),
        time: None,
        fingerprint: fingerprint(wishes, drafts),
        ladder: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Names a plan by everything that would be sent.
fn fingerprint(wishes: &[Wish], drafts: &[(Draft, Arc<Topic>)]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for (wish, (draft, topic)) in wishes.iter().zip(drafts) {
        hash.update(wish.topic.as_bytes());
        hash.update([u8::from(wish.mode == Mode::OnDemand)]);
        hash.update(topic.schema.term_hash().as_str());
        for batch in draft.shares.iter().flat_map(|share| &share.batches) {
            hash.update(batch.model.as_str());
            for request in &batch.requests {
                hash.update(request.review.0.to_be_bytes());
                hash.update([request.run]);
            }
        }
    }
    hex(&hash.finalize()[..8])
}
