//! All runs at once: hold further batches, and let them go on. What is at the provider goes on either way.

use crate::{
    Quorum,
    dto::{error::ApiError, run::RunState},
};

impl Quorum {
    /// Pauses every run that would send more. Returns how many.
    pub fn run_pause_all(&self) -> Result<u32, ApiError> {
        self.each_run(
            |state| matches!(state, RunState::Running | RunState::Waiting),
            |run| self.run_pause(run).map(drop),
        )
    }

    /// Lets every run go on that a person paused. Returns how many.
    pub fn run_resume_all(&self) -> Result<u32, ApiError> {
        self.each_run(|state| state == RunState::Paused, |run| self.run_resume(run).map(drop))
    }

    fn each_run(
        &self,
        wanted: impl Fn(RunState) -> bool,
        act: impl Fn(&str) -> Result<(), ApiError>,
    ) -> Result<u32, ApiError> {
        let mut done = 0;
        for run in self.run_list()?.iter().filter(|run| wanted(run.state)) {
            act(&run.run)?;
            done += 1;
        }
        Ok(done)
    }
}
