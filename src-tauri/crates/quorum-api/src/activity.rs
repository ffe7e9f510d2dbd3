//! The activity list: what happened while nobody looked, with a mark for what was seen.

use quorum_core::manifest::ManifestId;
use quorum_store::{Activity as Entry, ActivityKind as Kind};

use crate::{
    Quorum,
    dto::{
        activity::{Activity, ActivityKind, Severity},
        app::AppState,
        error::ApiError,
    },
};

const SEEN: &str = "activity_seen";

/// Entries that are looked at for one run's page.
const RUN_ENTRIES_MAX: usize = 2_000;

/// An entry as people see it; `seen` is the number up to which they looked.
pub(crate) fn shown(entry: &Entry, seen: u32) -> Activity {
    let (kind, severity) = match entry.kind {
        Kind::RunStarted => (ActivityKind::RunStarted, Severity::Info),
        Kind::BatchSubmitted => (ActivityKind::BatchSent, Severity::Info),
        Kind::BatchIngested => (ActivityKind::BatchIngested, Severity::Info),
        Kind::Note => (ActivityKind::RunGoesOn, Severity::Info),
        Kind::BatchFailed => (ActivityKind::BatchFailed, Severity::Danger),
        Kind::RunCompleted => (ActivityKind::RunDone, Severity::Info),
        Kind::NeedsUser => (ActivityKind::RunNeedsYou, Severity::Warning),
    };
    Activity {
        activity: entry.number,
        at: entry.at,
        kind,
        severity,
        title: entry.title.clone(),
        body: entry.body.clone(),
        run: entry.manifest.map(|run| run.to_string()),
        seen: entry.number <= seen,
    }
}

impl Quorum {
    /// Newest first.
    pub fn activity_list(&self, limit: u32) -> Result<Vec<Activity>, ApiError> {
        let seen = self.seen()?;
        let entries = self.store().activity(usize::try_from(limit).unwrap_or(usize::MAX))?;
        Ok(entries.iter().map(|entry| shown(entry, seen)).collect())
    }

    pub(crate) fn activity_of(&self, run: ManifestId) -> Result<Vec<Activity>, ApiError> {
        let seen = self.seen()?;
        let entries = self.store().activity(RUN_ENTRIES_MAX)?;
        Ok(entries.iter().filter(|entry| entry.manifest == Some(run)).map(|entry| shown(entry, seen)).collect())
    }

    fn seen(&self) -> Result<u32, ApiError> {
        Ok(self.store().setting(SEEN)?.unwrap_or(0))
    }

    /// This entry and all older ones were seen.
    pub fn activity_seen(&self, activity: u32) -> Result<AppState, ApiError> {
        let seen = self.seen()?.max(activity);
        self.store().set_setting(SEEN, &seen)?;
        self.app_state()
    }

    pub(crate) fn activity_unseen(&self) -> Result<u32, ApiError> {
        let newest = self.store().activity(1)?.first().map_or(0, |entry| entry.number);
        Ok(newest.saturating_sub(self.seen()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_goes_on_is_not_told_as_an_ingested_batch() {
        let entry = Entry {
            number: 3,
            at: 1,
            kind: Kind::Note,
            manifest: None,
            title: "Allergy safety K=200 goes on".to_owned(),
            body: String::new(),
        };
        let told = shown(&entry, 2);
        assert_eq!((told.kind, told.severity, told.seen), (ActivityKind::RunGoesOn, Severity::Info, false));
    }
}
