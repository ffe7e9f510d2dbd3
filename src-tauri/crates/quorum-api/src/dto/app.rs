//! The state of the whole program: what the status bar, the sidebar and the first-run page need.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// One look at the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AppState {
    /// Version of Quorum, such as `0.1.0`.
    pub version: String,
    /// The directory that holds everything but the key.
    pub data_dir: String,
    pub provider: Provider,
    pub key: KeyState,
    /// No dataset, no run and no key yet: show the welcome page.
    pub first_run: bool,
    pub connection: Connection,
    /// Runs that have something at the provider or still to send.
    pub live_runs: u32,
    /// Requests of all live runs, and how many of them the provider is done with: answered or failed.
    pub live_requests: u32,
    pub live_completed: u32,
    /// Charged since local midnight, US dollars; the sandbox charges nothing.
    #[specta(type = Number)]
    pub spent_today_usd: f64,
    /// What live runs will still be charged, by their estimates, US dollars: spoken for like what is spent.
    #[specta(type = Number)]
    pub outstanding_usd: f64,
    /// The daily budget in US dollars, if there is one.
    #[specta(type = Option<Number>)]
    pub budget_day_usd: Option<f64>,
    pub datasets: u32,
    pub runs: u32,
    /// Entries of the activity list that nobody has seen.
    pub activity_unseen: u32,
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    pub kind: ProviderKind,
    /// What people call it, within a sentence: OpenAI, the sandbox, or the host.
    pub name: String,
    /// Base address, such as `https://api.openai.com/v1`; the sandbox's changes with every start.
    pub url: String,
    /// It is on this computer, built in or not: its votes are kept apart from those of a paid provider, and nothing is charged.
    pub sandbox: bool,
    /// Nothing is sent there without a key. A server on this computer takes one where it is stored.
    pub needs_key: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ProviderKind {
    /// Invented answers, on this computer, at no cost and without a key.
    Sandbox,
    /// `api.openai.com`.
    Openai,
    /// Another server that speaks the same protocol.
    Custom,
}

/// What is known of the API key. Never the key itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct KeyState {
    /// The keyring was asked, or need not be. It is asked after the first picture at the earliest, as that may wait for a person,
    /// and not while the sandbox is used.
    pub looked: bool,
    pub stored: bool,
    /// Prefix and last four characters, such as `sk-proj-…k3Qw`.
    pub hint: Option<String>,
    /// Where it is, if there is one.
    pub kept: Option<KeyPlace>,
    /// When the provider last accepted it.
    pub accepted_at: Option<u32>,
    pub problem: Option<KeyProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum KeyPlace {
    Keyring,
    /// Until Quorum quits.
    Memory,
    /// `QUORUM_API_KEY`: goes before all others, and cannot be removed from here.
    Environment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum KeyProblem {
    /// The system has no keyring service.
    KeyringAbsent,
    /// There is one, and it is locked.
    KeyringLocked,
    /// There is one, and it has no collection to put a key into yet.
    KeyringNotSetUp,
    /// The keyring failed in another way.
    KeyringFailed,
    /// The provider refused the key.
    Refused,
}

/// The link to the provider, as the status bar tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    pub state: ConnectionState,
    /// Since when it is in this state.
    pub since_at: Option<u32>,
    pub last_checked_at: Option<u32>,
    /// `None` while there is nothing to check.
    pub next_check_at: Option<u32>,
    /// A check is under way.
    pub checking: bool,
    /// The provider's or the system's own words, if it is not well.
    pub detail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionState {
    /// Nothing is live, so nothing is asked.
    Idle,
    Online,
    /// The provider cannot be reached; tried again with growing pauses.
    Offline,
    KeyMissing,
    KeyRefused,
    /// It answers, but asks for patience (HTTP 429).
    RateLimited,
    /// It answers with failures (HTTP 5xx), or with something that is no answer.
    ProviderFailing,
}
