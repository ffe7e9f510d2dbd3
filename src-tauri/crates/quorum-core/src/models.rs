//! The model table: prices, limits and shutdown dates as data that the user can edit.
//!
//! Shipped values: OpenAI's pricing, deprecations and model pages as of November 2026. Prices are USD per million tokens at the
//! standard rate; a batch costs half. What a provider announces ([`announced`]) lies over them, and what the user changes
//! ([`edits`]) over that. Nothing here decides anything by a model's name.

pub mod announced;
pub mod edits;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{date::Date, ids::ModelId};

/// What a batch costs of the standard price.
pub const BATCH_PRICE_SHARE: f64 = 0.5;

/// Adds amounts of money up from nothing. The standard library starts at -0, and nobody has spent "$-0.00".
pub fn total_usd(amounts: impl IntoIterator<Item = f64>) -> f64 {
    amounts.into_iter().fold(0.0, |total, usd| total + usd)
}

/// What writing to the prompt cache costs of the input price, where it costs more, and for models that the table does not know.
pub const WRITE_FACTOR: f64 = 1.25;

/// The day that the shipped values are from.
pub const SHIPPED_AS_OF: &str = "2026-11-01";

/// What a request to a model may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// A strict schema for the answer. Every request of Quorum carries one: a model without it cannot be asked.
    JsonSchema,
    /// How long to think. Not sent; a model that takes it bills its reasoning as output.
    ReasoningEffort,
    /// Sampling. Never sent: the gpt-5 family refuses it line by line.
    Temperature,
}

impl Parameter {
    pub const ALL: [Self; 3] = [Self::JsonSchema, Self::ReasoningEffort, Self::Temperature];

    pub fn name(self) -> &'static str {
        match self {
            Self::JsonSchema => "json_schema",
            Self::ReasoningEffort => "reasoning_effort",
            Self::Temperature => "temperature",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub model: ModelId,
    /// USD per million input tokens.
    pub input_usd: f64,
    /// USD per million input tokens served from the prompt cache.
    pub cached_usd: f64,
    /// USD per million input tokens written to the prompt cache, where the user says so; else `write_factor` times the input's.
    pub write_usd: Option<f64>,
    /// What writing to the prompt cache costs of the input price.
    pub write_factor: f64,
    /// USD per million output tokens, reasoning included.
    pub output_usd: f64,
    /// `YYYY-MM-DD`: the provider refuses the model from this day on.
    pub shutdown_date: Option<String>,
    /// Reasoning tokens to expect per answer before there is any history.
    pub reasoning_tokens: u32,
    /// Enqueued prompt tokens that the account may have at a time for this model; `None`: not known, learned from a refusal.
    pub queue_tokens: Option<u64>,
    pub parameters: BTreeSet<Parameter>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModelTable(pub Vec<Model>);

impl Default for ModelTable {
    fn default() -> Self {
        let row =
            |model: &str, input_usd, cached_usd, output_usd, shutdown_date: Option<&str>, reasoning_tokens| Model {
                model: model.into(),
                input_usd,
                cached_usd,
                write_usd: None,
                write_factor: 1.0,
                output_usd,
                shutdown_date: shutdown_date.map(str::to_owned),
                reasoning_tokens,
                queue_tokens: None,
                parameters: BTreeSet::from([Parameter::JsonSchema, Parameter::ReasoningEffort]),
            };
        // From GPT-5.6 on, what is written to the prompt cache costs more than plain input.
        let writes = |row: Model| Model { write_factor: WRITE_FACTOR, ..row };
        Self(vec![
            row("gpt-5-nano", 0.05, 0.005, 0.40, Some("2026-12-11"), 320),
            row("gpt-5-mini", 0.25, 0.025, 2.00, Some("2026-12-11"), 320),
            row("gpt-5", 1.25, 0.125, 10.00, Some("2026-12-11"), 320),
            row("gpt-5.1", 1.25, 0.125, 10.00, Some("2027-04-01"), 320),
            row("gpt-5.4-nano", 0.20, 0.02, 1.25, Some("2027-04-01"), 320),
            row("gpt-5.4-mini", 0.75, 0.075, 4.50, None, 320),
            writes(row("gpt-5.6-luna", 0.20, 0.02, 1.20, None, 320)),
            writes(row("gpt-6-luna", 0.10, 0.01, 0.50, None, 320)),
            writes(row("gpt-6-sol", 2.00, 0.20, 10.00, None, 320)),
        ])
    }
}

impl ModelTable {
    pub fn get(&self, model: &str) -> Option<&Model> {
        self.0.iter().find(|row| row.model.as_str() == model)
    }
}

/// How close a model's end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    None,
    /// Within [`SHUTDOWN_WARNING_DAYS`] days.
    Soon {
        days: i32,
    },
    Past,
}

/// Days before a shutdown from which on it is said.
pub const SHUTDOWN_WARNING_DAYS: i32 = 60;

/// How close a shutdown on that day is.
pub fn shutdown_on(date: Option<&str>, today: Date) -> Shutdown {
    let Some(date) = date.and_then(Date::read) else { return Shutdown::None };
    match date.epoch_days() - today.epoch_days() {
        ..=0 => Shutdown::Past,
        days if days <= SHUTDOWN_WARNING_DAYS => Shutdown::Soon { days },
        _ => Shutdown::None,
    }
}

impl Model {
    pub fn shutdown(&self, today: Date) -> Shutdown {
        shutdown_on(self.shutdown_date.as_deref(), today)
    }

    /// USD per million input tokens written to the prompt cache.
    pub fn write_price(&self) -> f64 {
        self.write_usd.unwrap_or(self.input_usd * self.write_factor)
    }

    /// USD for this usage.
    pub fn usd(&self, usage: Usage, share: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "token sums stay far below 2^53")]
        let millions = |tokens: u64| tokens as f64 / 1e6;
        let full = millions(usage.plain_input()) * self.input_usd
            + millions(usage.cached_input()) * self.cached_usd
            + millions(usage.written_input()) * self.write_price()
            + millions(usage.output) * self.output_usd;
        full * share
    }
}

/// Tokens of one or many requests, as the provider bills them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All prompt tokens, cached and written ones included.
    pub input: u64,
    pub cached: u64,
    /// Written to the prompt cache.
    #[serde(default)]
    pub written: u64,
    /// All completion tokens, reasoning included.
    pub output: u64,
    pub reasoning: u64,
}

/// The input in three parts that are never more than it, whatever a server says.
impl Usage {
    pub fn cached_input(self) -> u64 {
        self.cached.min(self.input)
    }

    pub fn written_input(self) -> u64 {
        self.written.min(self.input - self.cached_input())
    }

    pub fn plain_input(self) -> u64 {
        self.input - self.cached_input() - self.written_input()
    }
}

/// The counts are what a server says, up to absurd ones: a sum that no number holds stays at the largest.
impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.cached = self.cached.saturating_add(other.cached);
        self.written = self.written.saturating_add(other.written);
        self.output = self.output.saturating_add(other.output);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_counts_of_tokens_add_up_to_the_largest_number() {
        let absurd = Usage { input: u64::MAX, cached: 1, written: 0, output: u64::MAX - 1, reasoning: u64::MAX };
        let mut sum = Usage { input: 2, cached: 2, written: 1, output: 2, reasoning: 2 };
        sum += absurd;
        assert_eq!(sum, Usage { input: u64::MAX, cached: 3, written: 1, output: u64::MAX, reasoning: u64::MAX });
    }

    #[test]
    fn nothing_adds_up_to_a_plain_zero() {
        assert_eq!(format!("{:.2}", total_usd([])), "0.00");
        assert_eq!(total_usd([1.0, 0.5]), 1.5);
    }

    #[test]
    fn cached_input_is_not_billed_twice() {
        let table = ModelTable::default();
        let nano = table.get("gpt-5-nano").expect("shipped");
        let usage = Usage { input: 2_000_000, cached: 1_000_000, written: 0, output: 1_000_000, reasoning: 900_000 };
        let usd = nano.usd(usage, BATCH_PRICE_SHARE);
        assert!((usd - (0.05 + 0.005 + 0.40) / 2.0).abs() < 1e-12, "{usd}");
    }

    #[test]
    fn what_is_written_to_the_prompt_cache_has_its_own_price() {
        let table = ModelTable::default();
        let price = |model: &str| table.get(model).expect("shipped").write_price();
        let known = [("gpt-5.6-luna", 0.25), ("gpt-6-luna", 0.125), ("gpt-6-sol", 2.5), ("gpt-5-nano", 0.05)];
        for (model, usd) in known {
            assert!((price(model) - usd).abs() < 1e-12, "{model}: {}", price(model));
        }
        let luna = table.get("gpt-6-luna").expect("shipped");
        let usage = Usage { input: 3_000_000, cached: 1_000_000, written: 1_000_000, ..Usage::default() };
        assert!((luna.usd(usage, BATCH_PRICE_SHARE) - (0.10 + 0.01 + 0.125) / 2.0).abs() < 1e-12);
        // More than there is of input is not billed.
        let absurd = Usage { input: 1_000_000, cached: 600_000, written: 600_000, ..Usage::default() };
        assert_eq!((absurd.cached_input(), absurd.written_input(), absurd.plain_input()), (600_000, 400_000, 0));
        // Where the user says so, it does not go by the input.
        let own = Model { write_usd: Some(0.2), ..luna.clone() };
        assert_eq!(own.write_price(), 0.2);
    }

    #[test]
    fn shutdowns_are_said_sixty_days_ahead() {
        let table = ModelTable::default();
        let mini = table.get("gpt-5-mini").expect("shipped");
        let day = |text| Date::read(text).expect("date");
        assert_eq!(mini.shutdown(day("2026-11-24")), Shutdown::Soon { days: 17 });
        assert_eq!(mini.shutdown(day("2026-10-01")), Shutdown::None);
        assert_eq!(mini.shutdown(day("2026-12-11")), Shutdown::Past);
    }
}
