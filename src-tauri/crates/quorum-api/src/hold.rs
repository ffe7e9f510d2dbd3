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

    /// Lets every run go on that a person paused. What else stopped one, a budget or a failed trial, is lifted only run by run,
    /// where what is at stake is said. Returns how many.
    pub fn run_resume_all(&self) -> Result<u32, ApiError> {
        self.each_run(|_, stopped| stopped == Some(PauseKind::User), |run| self.run_resume(run).map(drop))
    }

    fn each_run(
        &self,
        wanted: impl Fn(RunState, Option<PauseKind>) -> bool,
        act: impl Fn(&str) -> Result<(), ApiError>,
    ) -> Result<u32, ApiError> {
        let (mut done, mut refused) = (0, None);
        for run in self.run_list()? {
            let manifest = self.store().manifest(self.run_id(&run.run)?)?;
            if manifest.finished_at.is_none() && wanted(run.state, manifest.paused.map(|pause| pause.kind)) {
                // One that is refused, as for today's budget, holds up no other.
                match act(&run.run) {
                    Ok(()) => done += 1,
                    Err(error) => drop(refused.get_or_insert(error)),
                }
            }
        }
        refused.map_or(Ok(done), Err)
    }
}
