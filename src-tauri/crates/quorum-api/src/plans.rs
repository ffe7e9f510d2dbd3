//! Plans: what is missing for a wish, and the start of its run. What a plan costs is in [`crate::estimates`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, MutexGuard},
};

use quorum_core::{
    ensemble::Ensemble,
    ids::{DatasetName, ModelId},
    manifest::{Manifest, Mode, Realm},
    models::{ModelTable, Shutdown, total_usd},
    plan::BatchLimits,
    topic::Topic,
};
use quorum_engine::{
    Allowances, Draft, DraftRequest, LadderStep, SubmitRequest, draft_with_ladder, is_current, outstanding, submit,
    trial_surcharge, trials,
};
use quorum_store::DatasetView;

use crate::{
    Quorum,
    day_budget::refuse_unpriced,
    dto::{
        error::{ApiError, ErrorCode},
        plan::{self, ExtractionStarted, PlanRequest},
    },
    ensembles::ensemble_of,
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

impl Wish {
    /// Whether models that are new to the topic are tried first.
    fn is_tried(&self, realm: Realm) -> bool {
        self.canary.unwrap_or(realm == Realm::Live)
    }
}

fn plan_changed() -> ApiError {
    ApiError::new(ErrorCode::PlanChanged, "The plan changed while you looked at it.")
        .safe("Nothing was sent.")
        .action("Look at the new figures and confirm again.")
}

pub(crate) fn u32_of(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Quorum {
    /// Plans one topic. Sends and writes nothing.
    pub fn draft(&self, wish: &Wish) -> Result<(Draft, Arc<Topic>), ApiError> {
        let (draft, topic, _) = self.draft_with_ladder(wish, &self.store().dataset(&wish.dataset)?, &[])?;
        Ok((draft, topic))
    }

    /// Plans one topic, and what each of several Ks would take.
    pub(crate) fn draft_with_ladder(
        &self,
        wish: &Wish,
        dataset: &DatasetView,
        ks: &[u32],
    ) -> Result<(Draft, Arc<Topic>, Vec<LadderStep>), ApiError> {
        if wish.k == 0 {
            return Err(ApiError::invalid("K must be 1 or more: it is how many reviews of each business are used."));
        }
        let topic = self.topic(&wish.topic)?;
        let (draft, ladder) =
            self.with_request(&topic, wish, |request| Ok(draft_with_ladder(self.store(), dataset, request, ks)?))?;
        Ok((draft, topic, ladder))
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

    /// What a draft should cost in the mode that is wished, its trials at the full price included; `None` when a model that is
    /// asked has no price.
    pub fn price_of(&self, wish: &Wish, draft: &Draft, topic: &Topic) -> Result<Option<f64>, ApiError> {
        let usd = if wish.mode == Mode::OnDemand { draft.usd_full() } else { draft.usd() };
        let Some(usd) = usd else { return Ok(None) };
        Ok(Some(usd + total_usd(self.trial_surcharges(wish, draft, topic, &self.models()?)?.into_values())))
    }

    /// What the models that are tried first cost more for it.
    pub(crate) fn trial_surcharges(
        &self,
        wish: &Wish,
        draft: &Draft,
        topic: &Topic,
        models: &ModelTable,
    ) -> Result<BTreeMap<ModelId, f64>, ApiError> {
        let realm = self.realm()?;
        // Calls at once are each a trial of their own.
        if wish.mode == Mode::OnDemand || !wish.is_tried(realm) {
            return Ok(BTreeMap::new());
        }
        let tried = trials(self.store(), realm, topic, draft)?;
        let shares = draft.shares.iter().filter(|share| tried.contains(&share.model));
        Ok(shares.map(|share| (share.model.clone(), trial_surcharge(share, models))).collect())
    }

    /// Makes a draft durable. `None`: nothing is missing. Sends nothing yet: the loop does. A draft that another run overlaps
    /// by now is refused, so that a second click asks nothing twice. What is above today's budget is refused, too, unless
    /// `budget_usd` agrees to it.
    ///
    /// With a provider that costs money, models that are new to the topic's terms are asked a few requests first.
    pub fn start(
        &self,
        wish: &Wish,
        draft: Draft,
        topic: &Topic,
        budget_usd: Option<f64>,
    ) -> Result<Option<Manifest>, ApiError> {
        let one_plan_at_a_time = lock(&self.inner.planning);
        self.start_alone(wish, draft, topic, budget_usd, &one_plan_at_a_time)
    }

    fn start_alone(
        &self,
        wish: &Wish,
        draft: Draft,
        topic: &Topic,
        budget_usd: Option<f64>,
        _one_plan_at_a_time: &MutexGuard<'_, ()>,
    ) -> Result<Option<Manifest>, ApiError> {
        let address = self.address()?;
        let models = self.models()?;
        let is_live = address.realm() == Realm::Live;
        self.refuse_unusable(&wish.ensemble, &models, is_live)?;
        if budget_usd.is_some() || self.left_today_usd(address.realm())?.is_some() {
            refuse_unpriced(unpriced([&draft]))?;
        }
        let usd = self.price_of(wish, &draft, topic)?.unwrap_or(0.0);
        self.refuse_above_today(address.realm(), usd, 0.0, budget_usd)?;
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
                canary: wish.is_tried(address.realm()),
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

    pub(crate) fn wishes(&self, request: &PlanRequest) -> Result<Vec<Wish>, ApiError> {
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

    /// What live runs will still be charged, by their estimates, without the sandbox's play money.
    pub(crate) fn outstanding_usd(&self) -> Result<f64, ApiError> {
        let mut usd = 0.0;
        let runs = self.store().manifests()?.into_iter();
        for run in runs.filter(|run| run.realm == Realm::Live && run.finished_at.is_none() && !run.cancelled) {
            usd += self.store().batches(run.id)?.iter().map(|batch| outstanding(&run, batch)).sum::<f64>();
        }
        Ok(usd)
    }

    /// Starts the runs of a form whose estimate was shown and agreed to. A budget holds for all of them together: each topic's run
    /// gets its part by the estimate, and stops before it costs more.
    pub fn extraction_start(
        &self,
        request: &PlanRequest,
        budget_usd: Option<f64>,
        fingerprint: &str,
    ) -> Result<ExtractionStarted, ApiError> {
        let one_plan_at_a_time = lock(&self.inner.planning);
        let (wishes, realm) = (self.wishes(request)?, self.realm()?);
        let drafts = wishes.iter().map(|wish| self.draft(wish)).collect::<Result<Vec<_>, _>>()?;
        let estimate = self.sum_up(&wishes, &drafts, &self.models()?)?;
        if estimate.fingerprint != fingerprint {
            return Err(plan_changed());
        }
        if budget_usd.is_some() || self.left_today_usd(realm)?.is_some() {
            refuse_unpriced(unpriced(drafts.iter().map(|(draft, _)| draft)))?;
        }
        self.refuse_above_today(realm, estimate.usd, 0.0, budget_usd)?;
        let parts = budget_usd.map(|budget| {
            // All are known: a budget is refused without prices.
            let usd: Vec<f64> = estimate.per_topic.iter().map(|topic| topic.usd.unwrap_or(0.0)).collect();
            parts_of(budget, &usd)
        });
        let mut started = ExtractionStarted { runs: Vec::new(), requests: 0 };
        for (at, (wish, (draft, topic))) in wishes.iter().zip(drafts).enumerate() {
            let requests = u32_of(draft.requests());
            let part = parts.as_ref().map(|parts| parts[at]);
            let begun = self
                .start_alone(wish, draft, &topic, part, &one_plan_at_a_time)
                .map_err(|error| after_others(error, &wish.topic, &started, wishes.len()))?;
            let Some(manifest) = begun else { continue };
            started.runs.push(manifest.id.to_string());
            started.requests = started.requests.saturating_add(requests);
            // It is stored and goes on: that it cannot be told of is no word about it.
            if let Err(error) = self.run_changed(manifest.id) {
                tracing::warn!(run = %manifest.id, %error, "a run that was started could not be told of");
            }
        }
        Ok(started)
    }
}

/// The models that drafts ask and that have no price.
fn unpriced<'a>(drafts: impl IntoIterator<Item = &'a Draft>) -> BTreeSet<String> {
    let shares = drafts.into_iter().flat_map(|draft| &draft.shares);
    let unpriced = shares.filter(|share| share.estimate.requests > 0 && share.estimate.usd.is_none());
    unpriced.map(|share| share.model.to_string()).collect()
}

/// The parts of a budget by what each topic is estimated to cost; equal ones where nothing costs anything.
fn parts_of(budget: f64, usd: &[f64]) -> Vec<f64> {
    let total = total_usd(usd.iter().copied());
    #[expect(clippy::cast_precision_loss, reason = "a few topics")]
    let equal = 1.0 / usd.len().max(1) as f64;
    usd.iter().map(|usd| budget * if total > 0.0 { usd / total } else { equal }).collect()
}

/// Why a topic could not be started, with what of the same form is under way already.
fn after_others(error: ApiError, topic: &str, started: &ExtractionStarted, topics: usize) -> ApiError {
    let Some(last) = started.runs.last() else { return error };
    let (runs, are) = if started.runs.len() == 1 { ("run", "is") } else { ("runs", "are") };
    let named = match &started.runs[..] {
        [only] => only.clone(),
        [first, .., _] => format!("{first} to {last}"),
        [] => String::new(),
    };
    let message = format!("{topic} was not started. {}", error.message);
    ApiError { message, ..error }
        .safe(format!(
            "{} of {topics} topics {are} started: {runs} {named} {} on. Nothing of {topic} was sent.",
            started.runs.len(),
            if started.runs.len() == 1 { "goes" } else { "go" },
        ))
        .action("Look at Runs; starting the form again asks only what is missing.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_budget_are_the_budget() {
        assert_eq!(parts_of(3.0, &[1.0, 0.0, 0.5]), [2.0, 0.0, 1.0]);
        assert_eq!(parts_of(3.0, &[0.0, 0.0]), [1.5, 1.5]);
        assert_eq!(parts_of(3.0, &[]), [] as [f64; 0]);
    }

    #[test]
    fn an_error_on_a_later_topic_says_what_is_under_way() {
        let said = |runs: &[&str]| {
            let started = ExtractionStarted { runs: runs.iter().map(ToString::to_string).collect(), requests: 1 };
            after_others(plan_changed(), "G2_romance", &started, 3)
        };
        assert_eq!(said(&[]), plan_changed());
        let one = said(&["7"]);
        assert_eq!((one.code, one.message.starts_with("G2_romance was not started.")), (ErrorCode::PlanChanged, true));
        let safe = one.safe.expect("what is safe");
        assert_eq!(safe, "1 of 3 topics is started: run 7 goes on. Nothing of G2_romance was sent.");
        let safe = said(&["7", "8"]).safe.expect("what is safe");
        assert_eq!(safe, "2 of 3 topics are started: runs 7 to 8 go on. Nothing of G2_romance was sent.");
    }
}
