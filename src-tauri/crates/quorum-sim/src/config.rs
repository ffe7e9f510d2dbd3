//! What a simulator is started with: port, folder, speed, seed, account limits and durations.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::clock::Speed;
use crate::scenario::Scenario;

/// Settings of one simulator. The default: free port, no folder, instant, no limits, no faults, with evidence.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Loopback port; 0 takes a free one.
    pub port: u16,
    /// Where files, batches and logs live and survive a crash; `None` uses a temporary folder that goes away.
    pub state_dir: Option<PathBuf>,
    pub speed: Speed,
    /// Decides ids, answers and faults.
    pub seed: u64,
    /// Its account limits and durations, where it names any, take the place of those below; so does its seed.
    pub scenario: Option<Scenario>,
    pub limits: AccountLimits,
    pub durations: Durations,
    /// Share of wrong answers per model id; a model that is not named has the rate of its class
    /// (mini 4 %, nano 12 %, gpt-5.1 2 %, others 6 %).
    pub error_rates: BTreeMap<String, f64>,
    /// Whether `/content` honours `Range`.
    pub ranges: bool,
    /// Whether a model answers `model_not_found` from its shutdown date on. Off in the sandbox, which must outlive gpt-5.
    pub retire_models: bool,
    /// Whether every executed request and every API call is kept, in memory and in the folder, for whoever asks later. It
    /// grows without end, so what runs for long has it off.
    pub evidence: bool,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            port: 0,
            state_dir: None,
            speed: Speed::Instant,
            seed: 20_261_122,
            scenario: None,
            limits: AccountLimits::default(),
            durations: Durations::default(),
            error_rates: BTreeMap::new(),
            ranges: true,
            retire_models: false,
            evidence: true,
        }
    }
}

/// What the account may do. Figures: the provider's guide and model pages, November 2026.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountLimits {
    /// Usage tier 1 to 5, which sets an enqueued-token limit for the known classes; `None` is unlimited.
    pub tier: Option<u8>,
    /// Enqueued prompt tokens per model, ahead of the tier's figure.
    pub enqueued_tokens: BTreeMap<String, u64>,
    pub creates_per_hour: u32,
    pub requests_per_batch: u64,
    pub batch_bytes: u64,
    pub upload_bytes: u64,
    /// Synchronous chat completions a minute; beyond it 429 with `retry-after`.
    pub chat_requests_per_minute: u32,
    /// If not empty, any other key gets 401.
    pub keys: Vec<String>,
    /// If true a request without a key gets 401.
    pub key_required: bool,
}

impl Default for AccountLimits {
    fn default() -> Self {
        Self {
            tier: None,
            enqueued_tokens: BTreeMap::new(),
            creates_per_hour: 2_000,
            requests_per_batch: 50_000,
            batch_bytes: 209_715_200,
            upload_bytes: 512 * 1024 * 1024,
            chat_requests_per_minute: 5_000,
            keys: Vec::new(),
            key_required: false,
        }
    }
}

impl AccountLimits {
    /// Enqueued prompt tokens that the account may hold for a model; `None` is unlimited.
    pub fn enqueued_tokens_max(&self, model: &str) -> Option<u64> {
        if let Some(limit) = self.enqueued_tokens.get(model) {
            return Some(*limit);
        }
        let tier = usize::from(self.tier?.clamp(1, 5) - 1);
        let row: [u64; 5] = if model.ends_with("-nano") {
            [2_000_000, 20_000_000, 40_000_000, 1_000_000_000, 15_000_000_000]
        } else if model.ends_with("-mini") || model.ends_with("-luna") {
            [5_000_000, 20_000_000, 40_000_000, 1_000_000_000, 15_000_000_000]
        } else {
            [1_500_000, 3_000_000, 100_000_000, 200_000_000, 15_000_000_000]
        };
        Some(row[tier])
    }
}

/// How long a batch takes, in virtual time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Durations {
    pub validating_ms: i64,
    pub in_progress_ms: i64,
    pub in_progress_ms_per_request: i64,
    pub finalizing_ms: i64,
    pub finalizing_ms_per_1000_requests: i64,
    pub cancelling_ms: i64,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            validating_ms: 3_000,
            in_progress_ms: 60_000,
            in_progress_ms_per_request: 5,
            finalizing_ms: 2_000,
            finalizing_ms_per_1000_requests: 100,
            cancelling_ms: 5_000,
        }
    }
}

impl Durations {
    pub(crate) fn running_ms(&self, requests: u64) -> i64 {
        let requests = i64::try_from(requests).unwrap_or(i64::MAX);
        self.in_progress_ms.saturating_add(self.in_progress_ms_per_request.saturating_mul(requests)).max(1)
    }

    pub(crate) fn closing_ms(&self, requests: u64) -> i64 {
        let thousands = i64::try_from(requests / 1000).unwrap_or(i64::MAX);
        self.finalizing_ms.saturating_add(self.finalizing_ms_per_1000_requests.saturating_mul(thousands)).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tier_table_is_the_contracts() {
        let tier1 = AccountLimits { tier: Some(1), ..AccountLimits::default() };
        assert_eq!(tier1.enqueued_tokens_max("gpt-5"), Some(1_500_000));
        assert_eq!(tier1.enqueued_tokens_max("gpt-5-mini"), Some(5_000_000));
        assert_eq!(tier1.enqueued_tokens_max("gpt-5-nano"), Some(2_000_000));
        assert_eq!(AccountLimits::default().enqueued_tokens_max("gpt-5"), None);
    }

    #[test]
    fn a_named_limit_goes_before_the_tier() {
        let mut limits = AccountLimits { tier: Some(2), ..AccountLimits::default() };
        limits.enqueued_tokens.insert("gpt-5-nano".to_owned(), 9);
        assert_eq!(limits.enqueued_tokens_max("gpt-5-nano"), Some(9));
        assert_eq!(limits.enqueued_tokens_max("gpt-5.1"), Some(3_000_000));
    }
}
