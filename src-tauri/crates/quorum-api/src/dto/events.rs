//! What the program tells unasked, as past-tense facts. An event may be lost; asking again always gives the truth.
//!
//! Deliberately not here: how an event travels. The desktop shell wraps each payload in a type of the variant's name and
//! emits that to its windows; the command line prints what it needs.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::activity::Activity;
use super::app::{Connection, KeyState};
use super::dataset::ImportProgress;
use super::run::RunSummary;

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A run or one of its batches changed; at most one a second a run.
    RunChanged(RunSummary),
    ConnectionChanged(Connection),
    /// The keyring was asked.
    KeyChanged(KeyState),
    ActivityAdded(Activity),
    /// At most ten a second.
    ImportProgressed(ImportProgress),
    /// A dataset was added or removed; how many there are now.
    DatasetsChanged(u32),
    /// The tray, a notification or a second launch asks for a page.
    PageRequested(PageRequest),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PageRequest {
    pub page: Page,
    /// The run to show, for `runs`.
    pub run: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Page {
    Extraction,
    Runs,
    Results,
    Activity,
    Settings,
}
