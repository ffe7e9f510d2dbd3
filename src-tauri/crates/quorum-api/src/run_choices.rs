//! The user's say in a run: pause, resume, cancel, ask again.
//!
//! Only wishes are written here (flags of the manifest, a further round); the loop carries them out at its next tick.

use quorum_core::{
    manifest::{Batch, Manifest, ManifestId, Pause, PauseKind},
    models::total_usd,
};
use quorum_engine::{OpenFailure, outstanding};
use quorum_store::{Activity, ActivityKind};

use crate::{
    Address, Quorum,
    activity::shown,
    dto::{
        error::{ApiError, ErrorCode},
        events::Event,
        run::{FailureCause, RetryWhen, RunSummary},
    },
    failures::{batch_cause, failure_cause, may_succeed, retry_when},
    session::lock,
};

/// What is to be asked again, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Again<'a> {
    /// Nothing: all that may succeed and is not paid for.
    pub cause: Option<FailureCause>,
    pub model: Option<&'a str>,
    /// As synchronous calls at the full price.
    pub at_once: bool,
    /// A sum that the user agreed to, above today's budget.
    pub agreed_usd: Option<f64>,
}

impl Quorum {
    /// What is at the provider goes on; no more is sent.
    pub fn run_pause(&self, run: &str) -> Result<RunSummary, ApiError> {
        let id = self.run_id(run)?;
        let pause = Pause { kind: PauseKind::User, words: "by you".to_owned() };
        self.store().change_manifest(id, |manifest| {
            // What else stopped it holds until the user resumes. A refused key does not: the next one would lift it.
            if manifest.paused.as_ref().is_none_or(|pause| pause.kind == PauseKind::Key) {
                manifest.paused = Some(pause);
            }
        })?;
        self.run_changed(id)
    }

    /// Goes on with a paused run. What stopped it is lifted, a budget or a failed trial: resuming is the consent.
    pub fn run_resume(&self, run: &str) -> Result<RunSummary, ApiError> {
        self.resume_for(run, None)
    }

    /// As [`Quorum::run_resume`], above today's budget where the sum was agreed to.
    pub fn resume_for(&self, run: &str, agreed_usd: Option<f64>) -> Result<RunSummary, ApiError> {
        let id = self.run_id(run)?;
        let _one_plan_at_a_time = lock(&self.inner.planning);
        self.refuse_resuming_above_today(&self.store().manifest(id)?, agreed_usd)?;
        self.store().change_manifest(id, |manifest| match manifest.paused.take().map(|pause| pause.kind) {
            Some(PauseKind::Budget) => manifest.budget_usd = None,
            Some(PauseKind::Canary) => manifest.skips_canary = true,
            Some(PauseKind::Crumbs) => manifest.takes_crumbs = true,
            Some(
                PauseKind::User
                | PauseKind::TermsChanged
                | PauseKind::Elsewhere
                | PauseKind::Account
                | PauseKind::Key
                | PauseKind::Unclear,
            )
            | None => {}
        })?;
        self.poke();
        self.run_changed(id)
    }

    /// A budget of the run's own was agreed to, whatever the day's, and goes on to hold unless it is what stopped the run.
    fn refuse_resuming_above_today(&self, manifest: &Manifest, agreed_usd: Option<f64>) -> Result<(), ApiError> {
        let Some(paused) = &manifest.paused else { return Ok(()) };
        if manifest.budget_usd.is_some() && paused.kind != PauseKind::Budget {
            return Ok(());
        }
        let batches = self.store().batches(manifest.id)?;
        let waiting: Vec<&Batch> = batches.iter().filter(|batch| batch.requests_unsent() > 0).collect();
        self.refuse_unpriced_today(manifest.realm, waiting.iter().map(|batch| batch.model.as_str()))?;
        let usd = total_usd(waiting.iter().map(|batch| outstanding(manifest, batch)));
        // What waits counts as outstanding, whether or not its run is paused.
        self.refuse_above_today(manifest.realm, usd, usd, agreed_usd)
    }

    /// Lets runs go on that stand still because their provider refused the key, now that another one is stored for it: who stores
    /// it wants nothing else, and what they cost was agreed to. Returns which.
    pub fn resume_with_new_key(&self, address: &Address) -> Result<Vec<RunSummary>, ApiError> {
        let is_stopped = |pause: &Option<Pause>| pause.as_ref().is_some_and(|pause| pause.kind == PauseKind::Key);
        let mut resumed = Vec::new();
        for manifest in self.store().manifests()? {
            let has_key = Address::read(&manifest.provider)?.key_host() == address.key_host();
            if !has_key || manifest.finished_at.is_some() || !is_stopped(&manifest.paused) {
                continue;
            }
            self.store().change_manifest(manifest.id, |stored| {
                stored.paused.take_if(|pause| pause.kind == PauseKind::Key);
            })?;
            let activity = self.store().log(Activity {
                number: 0,
                at: self.now(),
                kind: ActivityKind::Note,
                manifest: Some(manifest.id),
                title: format!("{} K={} goes on", self.topic_name(manifest.topic.as_str()), manifest.k),
                body: "A new key is stored; the one before was refused.".to_owned(),
            })?;
            self.tell(Event::ActivityAdded(shown(&activity, 0)));
            resumed.push(self.run_changed(manifest.id)?);
        }
        self.poke();
        Ok(resumed)
    }

    /// Gives a run up: unsent batches are dropped, running ones are cancelled at the provider, answers that came are kept.
    pub fn run_cancel(&self, run: &str) -> Result<RunSummary, ApiError> {
        let id = self.run_id(run)?;
        self.give_up(id)?;
        self.poke();
        self.run_changed(id)
    }

    /// Gives every run up that is not finished. Returns which.
    pub fn run_cancel_all(&self) -> Result<Vec<RunSummary>, ApiError> {
        let open = self.store().manifests()?.into_iter().filter(|manifest| manifest.finished_at.is_none());
        let ids: Vec<ManifestId> = open.map(|manifest| manifest.id).collect();
        for id in &ids {
            self.give_up(*id)?;
        }
        self.poke();
        ids.into_iter().map(|id| self.run_changed(id)).collect()
    }

    fn give_up(&self, id: ManifestId) -> Result<(), ApiError> {
        self.store().change_manifest(id, |manifest| manifest.cancelled |= manifest.finished_at.is_none())?;
        Ok(())
    }

    /// Asks failed requests again: those of one cause or model, or all that may succeed. Refused batches have a cause of their
    /// own, and are sent anew with that or with all; batches that are missing or whose results are gone may be paid for already,
    /// and are sent anew by their cause alone. Answers that came, and requests that another run asks, are never asked again.
    pub fn run_retry(
        &self,
        run: &str,
        cause: Option<FailureCause>,
        model: Option<&str>,
    ) -> Result<RunSummary, ApiError> {
        self.ask_again(run, &Again { cause, model, at_once: false, agreed_usd: None })
    }

    /// As [`Quorum::run_retry`], also as synchronous calls at the full price, and above today's budget where it was agreed to.
    pub fn ask_again(&self, run: &str, again: &Again<'_>) -> Result<RunSummary, ApiError> {
        let Again { cause, model, at_once, agreed_usd } = *again;
        let id = self.run_id(run)?;
        let manifest = self.store().manifest(id)?;
        let batches = self.store().batches(id)?;
        match retry_when(&manifest, &batches) {
            RetryWhen::Now => {}
            RetryWhen::BatchesAreIn => {
                return Err(ApiError::new(ErrorCode::RunState, "The run is still under way.")
                    .action("Failed requests can be asked again once its batches are in."));
            }
            RetryWhen::Resumed => {
                return Err(ApiError::new(ErrorCode::RunState, "The run is paused before all of it was sent.")
                    .safe("Nothing was sent.")
                    .action("Resume it first: asking again would send the rest as well."));
            }
        }
        if manifest.cancelled && manifest.finished_at.is_none() {
            return Err(ApiError::new(ErrorCode::RunState, "The run is still being cancelled.")
                .safe("What was answered is kept.")
                .action("Failed requests can be asked again once the provider was looked at."));
        }
        let is_of_model = |of: &str| model.is_none_or(|model| model == of);
        let is_wanted = |failure: &OpenFailure| {
            let found = failure_cause(failure.failure.cause, &failure.failure.code, failure.failure.status);
            let is_picked = cause.map_or_else(|| may_succeed(failure.failure.cause), |cause| cause == found);
            is_picked && is_of_model(failure.model.as_str())
        };
        let is_sent_anew = |batch: &Batch| {
            is_of_model(batch.model.as_str()) && batch_cause(batch) == Some(cause.unwrap_or(FailureCause::BatchRefused))
        };
        let _one_plan_at_a_time = lock(&self.inner.planning);
        let offer = self.retry_offer(run, cause, model, at_once)?;
        self.refuse_unpriced_today(manifest.realm, &offer.models)?;
        self.refuse_above_today(manifest.realm, offer.usd, 0.0, agreed_usd)?;
        if self.inner.engine.ask_again(id, is_wanted, is_sent_anew, at_once)? == 0 {
            let nothing = ApiError::new(ErrorCode::RunState, "Nothing of this run can be asked again.");
            return Err(match offer.left_out {
                0 => nothing.safe("Its votes are stored."),
                1.. => nothing.safe("Its votes are stored, and nothing was sent.").action(
                    "Batches that are missing may be paid for already: they are asked again only by themselves.",
                ),
            });
        }
        self.poke();
        self.run_changed(id)
    }
}
