//! Plans: the estimate of one or several topics, and the start of their runs.

use std::collections::BTreeSet;

use quorum_core::{
    ensemble::{Ensemble, Member},
    estimate::OutputBasis,
    ids::{DatasetName, ModelId},
    manifest::{Manifest, Mode, Realm},
    models::{BATCH_DISCOUNT, ModelTable, SHIPPED_AS_OF, Shutdown, total_usd},
    plan::BatchLimits,
    schema::hex,
    topic::Topic,
};
use quorum_engine::{
    Allowances, CANARY_REQUESTS, Draft, DraftRequest, SubmitRequest, announced, draft, is_current, ladder, outstanding,
    submit, trials,
};
use quorum_store::DatasetView;

use crate::{
    Quorum,
    dto::{
        error::{ApiError, ErrorCode},
        plan::{
            self, BatchPlan, EnsembleMember, EnsemblePreset, Estimate, ExtractionStarted, LadderStep, ModelEstimate,
            ModelList, ModelPrice, PlanRequest, PlanWarning, PlanWarningCode, TopicEstimate,
        },
    },
    models::takes_schema,
    session::lock,
};

/// The Ks that are offered.
pub const K_PRESETS: [u32; 4] = [25, 50, 100, 200];

/// What is wanted, for one topic.
#[derive(Clone, Debug)]
pub struct Wish {
    pub dataset: DatasetName,
    pub topic: String,
    pub k: u32,
    pub ensemble: Ensemble,
    pub mode: Mode,
    /// Try each model with a few requests first; `None`: where it costs money.
    pub canary: Option<bool>,
}

fn plan_changed() -> ApiError {
    ApiError::new(ErrorCode::PlanChanged, "The plan changed while you looked at it.")
        .safe("Nothing was sent.")
        .action("Look at the new figures and confirm again.")
}

fn u32_of(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// An ensemble from what a form or flag said.
pub fn ensemble_of(members: &[EnsembleMember]) -> Result<Ensemble, ApiError> {
    let members = members
        .iter()
        .map(|member| {
            Ok(Member {
                model: ModelId::new(member.model.trim()),
                runs: u8::try_from(member.runs)
                    .map_err(|_| ApiError::invalid(format!("{} has too many runs.", member.model)))?,
                weight: f64::from(member.weight),
                replaces: member.replaces.iter().map(|model| ModelId::new(model.trim())).collect(),
            })
        })
        .collect::<Result<_, ApiError>>()?;
    Ensemble::new(members).map_err(|error| ApiError::invalid("The ensemble cannot be used.").detail(error.to_string()))
}

pub(crate) fn members_of(ensemble: &Ensemble) -> Vec<EnsembleMember> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "weights are small and positive; `as` saturates"
    )]
    let weight = |weight: f64| weight.round() as u32;
    ensemble
        .members()
        .iter()
        .map(|member| EnsembleMember {
            model: member.model.to_string(),
            runs: u32::from(member.runs),
            weight: weight(member.weight),
            replaces: member.replaces.iter().map(ToString::to_string).collect(),
        })
        .collect()
}

impl Quorum {
    /// Models with their prices, and the ready-made ensembles.
    pub fn model_list(&self) -> Result<ModelList, ApiError> {
        let models = self
            .models()?
            .0
            .into_iter()
            .map(|model| ModelPrice {
                model: model.model.to_string(),
                input_usd: model.input_usd * BATCH_DISCOUNT,
                cached_input_usd: model.cached_usd * BATCH_DISCOUNT,
                output_usd: model.output_usd * BATCH_DISCOUNT,
                shutdown_date: model.shutdown_date,
            })
            .collect();
        let preset =
            |name: &str, ensemble: &Ensemble| EnsemblePreset { name: name.to_owned(), members: members_of(ensemble) };
        Ok(ModelList {
            models,
            ensembles: vec![
                preset("Default", &Ensemble::standard()),
                preset("High quality", &Ensemble::high_quality()),
            ],
            prices_as_of: SHIPPED_AS_OF.to_owned(),
            modes: vec![plan::Mode::Batch, plan::Mode::OnDemand],
        })
    }

    /// Plans one topic. Sends and writes nothing.
    pub fn draft(&self, wish: &Wish) -> Result<(Draft, std::sync::Arc<Topic>), ApiError> {
        if wish.k == 0 {
            return Err(ApiError::invalid("K must be 1 or more: it is how many reviews of each business are used."));
        }
        let topic = self.topic(&wish.topic)?;
        let dataset = self.store().dataset(&wish.dataset)?;
        let draft = self.with_request(&topic, wish, |request| Ok(draft(self.store(), &dataset, request)?))?;
        Ok((draft, topic))
    }

    pub(crate) fn with_request<T>(
        &self,
        topic: &Topic,
        wish: &Wish,
        run: impl FnOnce(DraftRequest<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let address = self.address()?;
        let models = self.models()?;
        let allowances = Allowances::load(self.store())?;
        let limits =
            |model: &ModelId| -> BatchLimits { self.inner.engine.limits(&allowances, address.as_str(), model) };
        run(DraftRequest {
            realm: address.realm(),
            topic,
            k: wish.k,
            ensemble: &wish.ensemble,
            models: &models,
            limits: &limits,
        })
    }

    /// Makes a draft durable. `None`: nothing is missing. Sends nothing yet: the loop does. A draft that another run overlaps
    /// by now is refused, so that a second click asks nothing twice.
    ///
    /// With a provider that costs money, models that are new to the topic's terms are asked a few requests first.
    pub fn start(
        &self,
        wish: &Wish,
        draft: Draft,
        topic: &Topic,
        budget_usd: Option<f64>,
    ) -> Result<Option<Manifest>, ApiError> {
        let address = self.address()?;
        let models = self.models()?;
        let is_live = address.realm() == Realm::Live;
        self.refuse_unusable(&wish.ensemble, &models, is_live)?;
        let _one_plan_at_a_time = lock(&self.inner.planning);
        if !is_current(self.store(), address.realm(), topic, &draft)? {
            return Err(plan_changed());
        }
        let manifest = submit(
            self.store(),
            SubmitRequest {
                draft,
                topic,
                realm: address.realm(),
                provider: address.as_str().to_owned(),
                k: wish.k,
                ensemble: wish.ensemble.clone(),
                mode: wish.mode,
                models: &models,
                budget_usd,
                canary: wish.canary.unwrap_or(is_live),
                key: uuid::Uuid::new_v4().simple().to_string(),
                now: self.now(),
            },
        )?;
        if manifest.is_some() {
            self.poke();
        }
        Ok(manifest)
    }

    /// The sandbox answers for models that are gone at the provider.
    fn refuse_unusable(&self, ensemble: &Ensemble, models: &ModelTable, is_live: bool) -> Result<(), ApiError> {
        let today = self.today();
        for member in ensemble.members() {
            let model = models.get(member.model.as_str());
            if is_live && model.is_some_and(|model| model.shutdown(today) == Shutdown::Past) {
                return Err(ApiError::new(
                    ErrorCode::ModelUnavailable,
                    format!("{} is shut down at the provider.", member.model),
                )
                .safe("Nothing was sent; votes that you have stay valid.")
                .action("Choose another model for the missing votes."));
            }
            if !takes_schema(models, &member.model) {
                return Err(ApiError::new(
                    ErrorCode::ModelUnavailable,
                    format!(
                        "{} takes no answer schema by the model table, and every request carries one.",
                        member.model
                    ),
                )
                .safe("Nothing was sent.")
                .action("Choose another model, or add json_schema to its parameters in the model table."));
            }
        }
        Ok(())
    }

    fn wishes(&self, request: &PlanRequest) -> Result<Vec<Wish>, ApiError> {
        if request.topics.is_empty() {
            return Err(ApiError::invalid("Choose at least one topic."));
        }
        let ensemble = ensemble_of(&request.ensemble)?;
        let mut named = BTreeSet::new();
        Ok(request
            .topics
            .iter()
            .filter(|topic| named.insert(topic.as_str()))
            .map(|topic| Wish {
                dataset: DatasetName::from(request.dataset.as_str()),
                topic: topic.clone(),
                k: request.k,
                ensemble: ensemble.clone(),
                mode: match request.mode {
                    plan::Mode::Batch => Mode::Batch,
                    plan::Mode::OnDemand => Mode::OnDemand,
                },
                canary: request.canary,
            })
            .collect())
    }

    /// The estimate of a form. Sends nothing.
    pub fn plan_estimate(&self, request: &PlanRequest) -> Result<Estimate, ApiError> {
        let wishes = self.wishes(request)?;
        let drafts = wishes.iter().map(|wish| self.draft(wish)).collect::<Result<Vec<_>, _>>()?;
        let dataset = self.store().dataset(&DatasetName::from(request.dataset.as_str()))?;
        let models = self.models()?;
        let mut estimate = sum_up(&wishes, &drafts, &models);
        let largest = drafts.iter().map(|(draft, _)| draft.requests()).max().unwrap_or(0);
        (estimate.seconds_min, estimate.seconds_max) = self.expected_seconds(largest)?.unzip();
        let tried: BTreeSet<String> = self.tried(&wishes, &drafts)?;
        estimate.trial_models = estimate.per_model.iter().map(|share| share.model.clone()).collect();
        estimate.trial_models.retain(|model| tried.contains(model));
        estimate.ladder = self.ladder(&dataset, &wishes, &drafts)?;
        estimate.warnings = self.warnings(&wishes[0], &dataset, &estimate, &models)?;
        Ok(estimate)
    }

    /// Models that are tried first on any of the topics unless the user leaves that out.
    fn tried(&self, wishes: &[Wish], drafts: &[(Draft, std::sync::Arc<Topic>)]) -> Result<BTreeSet<String>, ApiError> {
        let realm = self.realm()?;
        let mut tried = BTreeSet::new();
        // Calls at once are each a trial of their own, and the sandbox costs nothing.
        let is_tried = |wish: &Wish| wish.mode == Mode::Batch && realm == Realm::Live;
        for (_, (draft, topic)) in wishes.iter().zip(drafts).filter(|(wish, _)| is_tried(wish)) {
            tried.extend(trials(self.store(), realm, topic, draft)?.iter().map(ToString::to_string));
        }
        Ok(tried)
    }

    fn ladder(
        &self,
        dataset: &DatasetView,
        wishes: &[Wish],
        drafts: &[(Draft, std::sync::Arc<Topic>)],
    ) -> Result<Vec<LadderStep>, ApiError> {
        let mut ks: Vec<u32> = K_PRESETS.to_vec();
        if !ks.contains(&wishes[0].k) {
            ks.push(wishes[0].k);
        }
        ks.sort_unstable();
        let mut steps: Vec<LadderStep> =
            ks.iter().map(|k| LadderStep { k: *k, reviews: 0, requests: 0, usd: 0.0 }).collect();
        for (wish, (_, topic)) in wishes.iter().zip(drafts) {
            let more = self.with_request(topic, wish, |request| Ok(ladder(self.store(), dataset, request, &ks)?))?;
            for (step, more) in steps.iter_mut().zip(more) {
                step.reviews = more.reviews;
                step.requests = step.requests.saturating_add(u32_of(more.requests));
                // A batch costs half: by the discount, so is the ladder of synchronous calls twice that of batches.
                let share = if wish.mode == Mode::OnDemand { BATCH_DISCOUNT } else { 1.0 };
                step.usd += more.usd.unwrap_or(0.0) / share;
            }
        }
        Ok(steps)
    }

    /// What is to be known of an ensemble's models before they are asked.
    pub fn model_warnings(&self, ensemble: &Ensemble, models: &ModelTable) -> Result<Vec<PlanWarning>, ApiError> {
        let mut warnings = Vec::new();
        let mut warn = |code, model: &ModelId, message: String| {
            warnings.push(PlanWarning { code, message, model: Some(model.to_string()) });
        };
        let said = announced(self.store(), self.address()?.as_str())?.unwrap_or_default();
        let today = self.today();
        for member in ensemble.members() {
            let Some(model) = models.get(member.model.as_str()) else {
                warn(
                    PlanWarningCode::PriceUnknown,
                    &member.model,
                    format!("No price is known for {}: the cost leaves it out.", member.model),
                );
                continue;
            };
            if !takes_schema(models, &member.model) {
                warn(
                    PlanWarningCode::NoSchema,
                    &member.model,
                    format!("{} takes no answer schema by the model table, so it cannot be asked.", member.model),
                );
            }
            if said.lists(&member.model) == Some(false) {
                warn(
                    PlanWarningCode::ModelNotListed,
                    &member.model,
                    format!("The provider does not list {}: it may refuse it.", member.model),
                );
            }
            let date = model.shutdown_date.as_deref().unwrap_or_default();
            match model.shutdown(today) {
                Shutdown::None => {}
                Shutdown::Soon { days } => warn(
                    PlanWarningCode::ModelShutsDown,
                    &member.model,
                    format!("{} shuts down on {date}, in {days} days. Votes that you have stay valid.", member.model),
                ),
                Shutdown::Past => warn(
                    PlanWarningCode::ModelShutDown,
                    &member.model,
                    format!("{} was shut down on {date} and cannot be asked any more.", member.model),
                ),
            }
        }
        Ok(warnings)
    }

    fn warnings(
        &self,
        wish: &Wish,
        dataset: &DatasetView,
        estimate: &Estimate,
        models: &ModelTable,
    ) -> Result<Vec<PlanWarning>, ApiError> {
        let mut warnings = self.model_warnings(&wish.ensemble, models)?;
        let mut warn = |code, message| warnings.push(PlanWarning { code, message, model: None });
        let budget = self.stored_settings()?.settings.budget_day_usd;
        if let Some(budget) = budget.filter(|_| !self.address().is_ok_and(|address| address.is_sandbox())) {
            let left = budget - self.spent_today_usd()? - self.outstanding_usd()?;
            if estimate.usd > left {
                let message = format!("The plan is ${:.2} above what is left of today's budget.", estimate.usd - left);
                warn(PlanWarningCode::OverBudget, message);
            }
        }
        let few = dataset.businesses.iter().filter(|business| business.reviews.len() < wish.k as usize).count();
        if few > 0 {
            let message =
                format!("{few} of {} businesses have fewer than {} reviews.", dataset.businesses.len(), wish.k);
            warn(PlanWarningCode::FewReviews, message);
        }
        Ok(warnings)
    }

    /// What live runs will still be charged, by their estimates, without the sandbox's play money.
    fn outstanding_usd(&self) -> Result<f64, ApiError> {
        let mut usd = 0.0;
        let runs = self.store().manifests()?.into_iter();
        for run in runs.filter(|run| run.realm == Realm::Live && run.finished_at.is_none() && !run.cancelled) {
            usd += self.store().batches(run.id)?.iter().map(|batch| outstanding(&run, batch)).sum::<f64>();
        }
        Ok(usd)
    }

    /// Starts the runs of a form whose estimate was shown and agreed to.
    pub fn extraction_start(
        &self,
        request: &PlanRequest,
        budget_usd: Option<f64>,
        fingerprint: &str,
    ) -> Result<ExtractionStarted, ApiError> {
        let wishes = self.wishes(request)?;
        let drafts = wishes.iter().map(|wish| self.draft(wish)).collect::<Result<Vec<_>, _>>()?;
        let estimate = sum_up(&wishes, &drafts, &self.models()?);
        if estimate.fingerprint != fingerprint {
            return Err(plan_changed());
        }
        let is_sandbox = self.address()?.is_sandbox();
        if let (Some(budget), false) = (self.stored_settings()?.settings.budget_day_usd, is_sandbox) {
            let left = budget - self.spent_today_usd()? - self.outstanding_usd()?;
            if estimate.usd > left && budget_usd.is_none_or(|consent| estimate.usd > consent) {
                return Err(ApiError::new(
                    ErrorCode::BudgetExceeded,
                    format!(
                        "This costs about ${:.2}, and ${:.2} is left of today's budget.",
                        estimate.usd,
                        left.max(0.0)
                    ),
                )
                .safe("Nothing was sent.")
                .action("Allow it for this run, or ask for less."));
            }
        }
        let mut started = ExtractionStarted { runs: Vec::new(), requests: 0 };
        for (wish, (draft, topic)) in wishes.iter().zip(drafts) {
            started.requests = started.requests.saturating_add(u32_of(draft.requests()));
            // Consent for several topics together is each one's share of it.
            let share = budget_usd.filter(|_| wishes.len() == 1);
            if let Some(manifest) = self.start(wish, draft, &topic, share)? {
                self.run_changed(manifest.id)?;
                started.runs.push(manifest.id.to_string());
            }
        }
        Ok(started)
    }
}

fn sum_up(wishes: &[Wish], drafts: &[(Draft, std::sync::Arc<Topic>)], models: &ModelTable) -> Estimate {
    let at_once = wishes[0].mode == Mode::OnDemand;
    let price_share = if at_once { 1.0 } else { BATCH_DISCOUNT };
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
                    of_model().filter_map(|share| if at_once { share.estimate.usd_full } else { share.estimate.usd }),
                ),
                usd_full: total_usd(of_model().filter_map(|share| share.estimate.usd_full)),
                input_price_usd: price.map_or(0.0, |price| price.input_usd * price_share),
                output_price_usd: price.map_or(0.0, |price| price.output_usd * price_share),
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
            .map(|(wish, (draft, _))| TopicEstimate {
                topic: wish.topic.clone(),
                votes_known: u32_of(draft.known),
                requests: u32_of(draft.requests()),
                usd: if at_once { draft.usd_full() } else { draft.usd() }.unwrap_or(0.0),
            })
            .collect(),
        input_tokens: sum(&|draft| draft.shares.iter().map(|share| share.estimate.input_tokens).sum()),
        output_tokens: sum(&|draft| draft.shares.iter().map(|share| share.estimate.output_tokens).sum()),
        usd: total_usd(per_model.iter().map(|model| model.usd)),
        usd_full: total_usd(per_model.iter().map(|model| model.usd_full)),
        per_model,
        output_basis: if has_history && shares().any(|share| share.estimate.requests > 0) {
            plan::OutputBasis::ThisTopic
        } else {
            plan::OutputBasis::Assumed
        },
        trial_models: Vec::new(),
        trial_requests: u32_of(CANARY_REQUESTS as u64),
        seconds_min: None,
        seconds_max: None,
        fingerprint: fingerprint(wishes, drafts),
        ladder: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Names a plan by everything that would be sent.
fn fingerprint(wishes: &[Wish], drafts: &[(Draft, std::sync::Arc<Topic>)]) -> String {
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
