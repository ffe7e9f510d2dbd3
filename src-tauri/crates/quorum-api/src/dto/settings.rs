//! What a user may choose. The key and the provider have commands of their own, as they are checked when set.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub theme: Theme,
    pub notifications: NotificationSettings,
    /// Closing the window leaves Quorum in the tray, polling.
    pub close_to_tray: bool,
    /// Quorum starts with the desktop, hidden in the tray.
    pub start_at_login: bool,
    /// Single-letter keys act when no field has focus.
    pub letter_keys: bool,
    /// Size of everything in the window, percent, 50 to 200.
    pub zoom_percent: u32,
    /// The tour of the first run was seen or closed.
    pub tour_seen: bool,
    /// The address of a compatible server, kept while another provider is in use.
    pub custom_url: Option<String>,
    /// Requests in one batch, 1 to 50,000.
    pub batch_requests_max: u32,
    /// US dollars a day; a plan above it asks first.
    #[specta(type = Option<Number>)]
    pub budget_day_usd: Option<f64>,
    /// Seconds between looks at the provider while something is live, 5 to 3,600; `None` lets Quorum adapt.
    pub poll_seconds: Option<u32>,
    /// Delete input and output files at the provider once they are ingested.
    pub delete_remote_files: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    System,
    Light,
    Dark,
}

/// One switch a kind of notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NotificationSettings {
    pub run_done: bool,
    pub batch_failed: bool,
    pub needs_you: bool,
    /// Holds all but `needs_you` until then.
    pub quiet_until_at: Option<u32>,
}
