//! The user's say in a run: pause, resume, cancel, ask again.
//!
//! Only wishes are written here (flags of the manifest, a further round); the loop carries them out at its next tick.

use quorum_core::manifest::{Batch, ManifestId, Pause, PauseKind};
use quorum_engine::OpenFailure;
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
};

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
        let id = self.run_id(run)?;
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
                title: format!("Run {} goes on", manifest.id),
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

    /// Asks failed requests again: those of one cause or model, or all that may succeed. Refused and missing batches have causes
    /// of their own, and are sent anew with those or with all. Answers that came, and requests that another run asks, are never asked again.
    pub fn run_retry(
        &self,
        run: &str,
        cause: Option<FailureCause>,
        model: Option<&str>,
    ) -> Result<RunSummary, ApiError> {
        self.ask_again(run, cause, model, false)
    }

    /// As [`Quorum::run_retry`], as synchronous calls at the full price.
    pub fn run_retry_at_once(
        &self,
        run: &str,
        cause: Option<FailureCause>,
        model: Option<&str>,
    ) -> Result<RunSummary, ApiError> {
        self.ask_again(run, cause, model, true)
    }

    fn ask_again(
        &self,
        run: &str,
        cause: Option<FailureCause>,
        model: Option<&str>,
        at_once: bool,
    ) -> Result<RunSummary, ApiError> {
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
            is_of_model(batch.model.as_str()) && cause.is_none_or(|cause| batch_cause(batch) == Some(cause))
        };
        if self.inner.engine.ask_again(id, is_wanted, is_sent_anew, at_once)? == 0 {
            return Err(ApiError::new(ErrorCode::RunState, "Nothing of this run can be asked again.")
                .safe("Its votes are stored."));
        }
        self.poke();
        self.run_changed(id)
    }
}
