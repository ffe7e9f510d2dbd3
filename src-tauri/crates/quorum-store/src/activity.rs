//! The activity log: what happened while nobody looked. The same facts that notifications tell. Append-only.

use quorum_core::manifest::ManifestId;
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError,
    rows::{from_json, next_number, to_json},
    tables,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// 0 until it is stored.
    #[serde(default)]
    pub number: u32,
    /// Unix seconds.
    pub at: u32,
    pub kind: ActivityKind,
    #[serde(default)]
    pub manifest: Option<ManifestId>,
    /// The outcome in at most 45 characters.
    pub title: String,
    /// Counts, then money.
    pub body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    RunStarted,
    BatchSubmitted,
    BatchIngested,
    BatchFailed,
    RunCompleted,
    NeedsUser,
    Note,
}

impl Store {
    /// Appends an entry and gives it its number.
    pub fn log(&self, mut activity: Activity) -> Result<Activity, StoreError> {
        self.write(|write| {
            let mut table = write.open_table(tables::ACTIVITY)?;
            activity.number = next_number(&table, "activity entries")?;
            table.insert(activity.number, to_json(&activity).as_slice())?;
            Ok(activity)
        })
    }

    /// The newest entries, newest first.
    pub fn activity(&self, count: usize) -> Result<Vec<Activity>, StoreError> {
        let table = self.db.begin_read()?.open_table(tables::ACTIVITY)?;
        table
            .range::<u32>(..)?
            .rev()
            .take(count)
            .map(|row| {
                let (key, value) = row?;
                from_json("activity_v1", key.value(), value.value())
            })
            .collect()
    }
}
