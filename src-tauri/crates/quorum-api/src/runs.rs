//! Runs: what the extractions are doing, in figures and in words, and the user's say in them.

use std::collections::BTreeMap;

use quorum_core::{
    manifest::{
        Batch, BatchId, BatchState, Manifest, ManifestId, ManifestState, Outcome, PauseKind, Realm, TroubleKind,
    },
    models::total_usd,
};
use quorum_engine::{Allowances, Expected, expected, open_failures, outstanding};

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        events::Event,
        run::{self, BatchDetail, ResumeLifts, ResumeOffer, RunDetail, RunState, RunSummary, SpendPoint},
    },
    ensembles::members_of,
    failures::{retry_when, split_words},
    provider::Address,
};

impl Quorum {
    /// Newest first.
    pub fn run_list(&self) -> Result<Vec<RunSummary>, ApiError> {
        let mut runs = self.store().manifests()?;
        runs.reverse();
        runs.iter().map(|manifest| self.run_summary(manifest, &self.store().batches(manifest.id)?)).collect()
    }

    /// Reads a run's id as commands give it.
    pub fn run_id(&self, run: &str) -> Result<ManifestId, ApiError> {
        let id = run.parse().map(ManifestId).map_err(|_| ApiError::not_found(format!("There is no run \"{run}\".")))?;
        self.store().manifest(id)?;
        Ok(id)
    }

    pub(crate) fn run_summary(&self, manifest: &Manifest, batches: &[Batch]) -> Result<RunSummary, ApiError> {
        let sum = |count: &dyn Fn(&Batch) -> u32| batches.iter().map(|batch| u64::from(count(batch))).sum::<u64>();
        let of_u32 = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let first_round = sum(&|batch| if batch.round == 0 { batch.requests } else { 0 });
        let ingested = sum(&|batch| batch.votes);
        let failed = if batches.iter().any(|batch| batch.failed > 0) {
            open_failures(self.store(), manifest, batches)?.len() as u64
        } else {
            0
        };
        let running = |count: &dyn Fn(&Batch) -> u32| {
            sum(&|batch| if batch.state == BatchState::Ingested { 0 } else { count(batch) })
        };
        let answered = ingested + running(&|batch| batch.counted_completed);
        let done_with = answered + failed + running(&|batch| batch.counted_failed);
        Ok(RunSummary {
            run: manifest.id.to_string(),
            dataset: manifest.dataset.to_string(),
            dataset_name: manifest.dataset.to_string(),
            topic: manifest.topic.to_string(),
            topic_name: self.topic_name(manifest.topic.as_str()),
            k: manifest.k,
            provider: Address::name_of(&manifest.provider),
            state: run_state(manifest, batches),
            reason: reason(manifest, batches),
            requests: of_u32(first_round),
            completed: of_u32(done_with.min(first_round)),
            answered: of_u32(answered.min(first_round)),
            ingested: of_u32(ingested),
            failed: of_u32(failed),
            usd_estimated: manifest.usd_estimated,
            usd_spent: total_usd(batches.iter().map(|batch| batch.usd)),
            created_at: manifest.created_at,
            finished_at: manifest.finished_at,
            sandbox: manifest.realm == Realm::Sandbox,
        })
    }

    pub(crate) fn topic_name(&self, topic: &str) -> String {
        self.topic(topic).map_or_else(|_| topic.to_owned(), |topic| topic.name.clone())
    }

    pub fn run_detail(&self, run: &str) -> Result<RunDetail, ApiError> {
        let manifest = self.store().manifest(self.run_id(run)?)?;
        let batches = self.store().batches(manifest.id)?;
        let summary = self.run_summary(&manifest, &batches)?;
        let failures = self.failure_groups(&manifest, &batches)?;
        let expected = self.expected_at(&manifest.provider)?;
        // What stands still has no pace.
        let is_live = manifest.state(&batches) == ManifestState::Live;
        let pace = is_live
            .then(|| {
                Pace::of(&summary, &batches, self.now())
                    .or_else(|| Pace::by_batches(&summary, &batches, &expected, self.now()))
            })
            .flatten();
        let mut spend = vec![SpendPoint { at: manifest.created_at, usd: 0.0 }];
        let mut ingested: Vec<(u32, f64)> =
            batches.iter().filter_map(|batch| Some((batch.ingested_at?, batch.usd))).collect();
        ingested.sort_by_key(|(at, _)| *at);
        let mut total = 0.0;
        for (at, usd) in ingested {
            total += usd;
            spend.push(SpendPoint { at, usd: total });
        }
        let ensemble = members_of(&manifest.ensemble);
        let usd_forecast =
            (summary.ingested > 0).then(|| total / f64::from(summary.ingested.max(1)) * f64::from(summary.requests));
        Ok(RunDetail {
            ensemble,
            batches: batch_details(&manifest, &batches, &expected),
            failures,
            retry_when: retry_when(&manifest, &batches),
            resume: resume_offer(&manifest, &batches),
            spend,
            usd_forecast,
            eta_earliest_at: pace.map(|pace| pace.earliest_at),
            eta_latest_at: pace.map(|pace| pace.latest_at),
            activity: self.activity_of(manifest.id)?,
            summary,
        })
    }

    /// When a provider's batches should start and end; those that are not in here cannot be foretold.
    pub fn expected_at(&self, provider: &str) -> Result<BTreeMap<BatchId, Expected>, ApiError> {
        let mut all = Vec::new();
        for manifest in self.store().manifests()?.into_iter().filter(|manifest| manifest.provider == provider) {
            let stands_still = manifest.paused.is_some() || manifest.cancelled;
            let batches = self.store().batches(manifest.id)?.into_iter();
            all.extend(batches.filter(|batch| !(stands_still && batch.state.is_unsent())));
        }
        let allowances = Allowances::load(self.store())?;
        Ok(expected(&all, |model| allowances.usable(provider, model), self.now()))
    }

    /// Tells that a run changed and gives its present state.
    pub(crate) fn run_changed(&self, id: ManifestId) -> Result<RunSummary, ApiError> {
        let manifest = self.store().manifest(id)?;
        let summary = self.run_summary(&manifest, &self.store().batches(id)?)?;
        self.tell(Event::RunChanged(summary.clone()));
        Ok(summary)
    }
}

fn run_state(manifest: &Manifest, batches: &[Batch]) -> RunState {
    match manifest.state(batches) {
        ManifestState::Completed => RunState::Done,
        ManifestState::Cancelled => RunState::Cancelled,
        ManifestState::NeedsUser if is_paused_by_user(manifest) => RunState::Paused,
        ManifestState::NeedsUser if batches.iter().all(|batch| batch.state == BatchState::Failed) => RunState::Failed,
        ManifestState::NeedsUser => RunState::NeedsYou,
        ManifestState::Live if manifest.cancelled => RunState::Cancelling,
        ManifestState::Live if is_paused_by_user(manifest) => RunState::Paused,
        ManifestState::Live if manifest.paused.is_some() => RunState::NeedsYou,
        ManifestState::Live => {
            let is_moving =
                batches.iter().any(|batch| batch.state.is_at_provider() || batch.state == BatchState::Ready);
            if is_moving || batches.iter().any(|batch| batch.state == BatchState::Ingested) {
                RunState::Running
            } else {
                RunState::Waiting
            }
        }
    }
}

/// What going on with a paused run sends, and what it lifts.
fn resume_offer(manifest: &Manifest, batches: &[Batch]) -> Option<ResumeOffer> {
    let paused = manifest.paused.as_ref().filter(|_| !manifest.cancelled && manifest.finished_at.is_none())?;
    let unsent = || batches.iter().filter(|batch| batch.requests_unsent() > 0);
    Some(ResumeOffer {
        requests: unsent().fold(0, |sum: u32, batch| sum.saturating_add(batch.requests_unsent())),
        usd: total_usd(unsent().map(|batch| outstanding(manifest, batch))),
        lifts: match paused.kind {
            PauseKind::Budget => Some(ResumeLifts::Budget),
            PauseKind::Canary => Some(ResumeLifts::Trial),
            PauseKind::User
            | PauseKind::TermsChanged
            | PauseKind::Elsewhere
            | PauseKind::Account
            | PauseKind::Key
            | PauseKind::Unclear
            | PauseKind::Crumbs => None,
        },
    })
}

fn is_paused_by_user(manifest: &Manifest) -> bool {
    manifest.paused.as_ref().is_some_and(|pause| pause.kind == PauseKind::User)
}

fn reason(manifest: &Manifest, batches: &[Batch]) -> Option<String> {
    if let Some(paused) = &manifest.paused {
        return Some(format!("Paused: {}", paused.words));
    }
    let troubled = batches.iter().find(|batch| matches!(batch.state, BatchState::Failed | BatchState::Missing));
    troubled.or_else(|| batches.iter().find(|batch| batch.trouble.is_some())).and_then(|batch| {
        let trouble = batch.trouble.as_ref()?;
        let words = &trouble.words;
        Some(match batch.state {
            BatchState::Missing => {
                "The provider no longer lists a batch. Was it made with another project's key?".to_owned()
            }
            BatchState::Failed if trouble.kind == TroubleKind::ResultsGone => {
                "A batch was answered, but its result files are not at the provider any more.".to_owned()
            }
            BatchState::Waiting if trouble.kind == TroubleKind::QueueFull => {
                "The model's queue allowance is used up; the next batch goes when there is room.".to_owned()
            }
            _ if words.is_empty() => return None,
            _ => words.lines().next().unwrap_or_default().to_owned(),
        })
    })
}

fn batch_details(manifest: &Manifest, batches: &[Batch], expected: &BTreeMap<BatchId, Expected>) -> Vec<BatchDetail> {
    let of_model = |batch: &Batch| batches.iter().filter(|other| other.model == batch.model).count();
    batches
        .iter()
        .map(|batch| {
            let ordinal = batches.iter().filter(|other| other.model == batch.model && other.id <= batch.id).count();
            let ingested = batch.state == BatchState::Ingested;
            let (code, message) = split_words(batch);
            BatchDetail {
                batch: batch.id.to_string(),
                model: batch.model.to_string(),
                ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
                ordinal_of: u32::try_from(of_model(batch)).unwrap_or(u32::MAX),
                state: batch_state(batch),
                requests: batch.requests,
                completed: if ingested { batch.votes } else { batch.counted_completed },
                failed: if ingested { batch.failed } else { batch.counted_failed },
                provider_id: batch.provider_id.clone(),
                planned_at: manifest.created_at,
                created_at: batch.submitted_at,
                started_at: batch.started_at,
                finalizing_at: batch.finalizing_at,
                finished_at: batch.ended_at,
                ingested_at: batch.ingested_at,
                expected_start_at: expected.get(&batch.id).filter(|_| batch.state.is_unsent()).map(|it| it.start_at),
                expected_end_at: expected.get(&batch.id).map(|it| it.end_at),
                error_code: code,
                error_message: message,
            }
        })
        .collect()
}

fn batch_state(batch: &Batch) -> run::BatchState {
    use run::BatchState as Shown;
    match batch.state {
        BatchState::Planned => Shown::Planned,
        BatchState::Waiting => Shown::Waiting,
        BatchState::Uploading => Shown::Uploading,
        BatchState::Uploaded => Shown::Uploaded,
        BatchState::Creating => Shown::Creating,
        BatchState::Validating => Shown::Validating,
        BatchState::InProgress => Shown::InProgress,
        BatchState::Finalizing => Shown::Finalizing,
        BatchState::Cancelling => Shown::Cancelling,
        BatchState::Ready => Shown::Ready,
        BatchState::Ingested if batch.outcome == Some(Outcome::Expired) => Shown::Expired,
        BatchState::Ingested => Shown::Ingested,
        BatchState::Failed | BatchState::Missing => Shown::Failed,
        BatchState::Cancelled => Shown::Cancelled,
    }
}

/// When a run may end by its own pace.
#[derive(Clone, Copy)]
struct Pace {
    earliest_at: u32,
    latest_at: u32,
}

/// Nothing is said before this share is answered.
const PACE_SHARE_MIN: f64 = 0.02;
/// The provider's window for a batch.
const WINDOW_S: f64 = 86_400.0;

impl Pace {
    fn of(summary: &RunSummary, batches: &[Batch], now: u32) -> Option<Self> {
        let started = batches.iter().filter_map(|batch| batch.submitted_at).min()?;
        let share = f64::from(summary.completed) / f64::from(summary.requests.max(1));
        if summary.finished_at.is_some() || !(PACE_SHARE_MIN..1.0).contains(&share) {
            return None;
        }
        let passed = f64::from(now.saturating_sub(started)).max(1.0);
        Some(Self::around(passed / share * (1.0 - share), now))
    }

    /// By what this account's batches took so far, where that says something of every batch that is still open.
    fn by_batches(
        summary: &RunSummary,
        batches: &[Batch],
        expected: &BTreeMap<BatchId, Expected>,
        now: u32,
    ) -> Option<Self> {
        let mut open = batches.iter().filter(|batch| batch.state.is_live()).peekable();
        if summary.finished_at.is_some() || open.peek().is_none() {
            return None;
        }
        let ends: Option<Vec<u32>> = open.map(|batch| expected.get(&batch.id).map(|it| it.end_at)).collect();
        Some(Self::around(f64::from(ends?.into_iter().max()?.saturating_sub(now)), now))
    }

    fn around(left_s: f64, now: u32) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few days at most; `as` saturates"
        )]
        let at = |seconds: f64| now.saturating_add(seconds.min(30.0 * WINDOW_S) as u32);
        Self { earliest_at: at(left_s * 0.8), latest_at: at(left_s * 1.5) }
    }
}
