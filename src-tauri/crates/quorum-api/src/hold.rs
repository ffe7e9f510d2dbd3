//! All runs at once: hold further batches, and let them go on. What is at the provider goes on either way.

use quorum_core::manifest::PauseKind;

use crate::{
    Quorum,
    dto::{error::ApiError, run::RunState},
};

impl Quorum {
    /// Pauses every run that would send more, now or with another key. Returns how many.
    pub fn run_pause_all(&self) -> Result<u32, ApiError> {
        self.each_run(
            |state, stopped| matches!(state, RunState::Running | RunState::Waiting) || stopped == Some(PauseKind::Key),
            |run| self.run_pause(run).map(drop),
        )
    }

    /// Lets every run go on that a person paused. Returns how many.
    pub fn run_resume_all(&self) -> Result<u32, ApiError> {
        self.each_run(|state, _| state == RunState::Paused, |run| self.run_resume(run).map(drop))
    }

    fn each_run(
        &self,
        wanted: impl Fn(RunState, Option<PauseKind>) -> bool,
        act: impl Fn(&str) -> Result<(), ApiError>,
    ) -> Result<u32, ApiError> {
        let mut done = 0;
        for run in self.run_list()? {
            let manifest = self.store().manifest(self.run_id(&run.run)?)?;
            if manifest.finished_at.is_none() && wanted(run.state, manifest.paused.map(|pause| pause.kind)) {
                act(&run.run)?;
                done += 1;
            }
        }
        Ok(done)
    }
}
