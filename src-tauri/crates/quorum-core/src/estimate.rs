//! The estimate: what a plan costs before anything is sent.
//!
//! Input tokens are counted; output tokens are expected: from the topic's own history where there is one, else the longest answer
//! plus the model's typical reasoning. No cache hits are assumed (they are best effort at the provider), so the true cost tends to
//! be lower.

use crate::{
    models::{BATCH_PRICE_SHARE, Model, Usage},
    plan::BatchPlan,
};

/// What one model's share of a plan takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ModelEstimate {
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// With the batch discount; `None` when the model has no price.
    pub usd: Option<f64>,
    /// Without it.
    pub usd_full: Option<f64>,
}

/// Where the expected output tokens come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutputBasis {
    /// Mean output tokens per request in this topic's own history.
    History(f64),
    /// Tokens of the longest answer, and typical reasoning on top.
    Guess { answer: u32, reasoning: u32 },
}

impl OutputBasis {
    /// Of all requests, rounded up: a budget that is the estimate is enough for what its batches are expected to cost, one by one.
    pub fn tokens(self, requests: u64) -> u64 {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an expectation, far below 2^53 and never negative; `as` saturates"
            )]
            Self::History(mean) => (requests as f64 * mean).ceil() as u64,
            Self::Guess { answer, reasoning } => requests * u64::from(answer + reasoning),
        }
    }
}

/// The estimate of one model's batches.
pub fn estimate(batches: &[BatchPlan], model: Option<&Model>, output: OutputBasis) -> ModelEstimate {
    let requests = batches.iter().map(|batch| batch.requests.len() as u64).sum();
    let input_tokens = batches.iter().map(|batch| batch.tokens).sum();
    estimate_of(requests, input_tokens, model, output)
}

/// The estimate of so many requests with so many prompt tokens, however they are split.
pub fn estimate_of(requests: u64, input_tokens: u64, model: Option<&Model>, output: OutputBasis) -> ModelEstimate {
    let output_tokens = output.tokens(requests);
    let usage = Usage { input: input_tokens, output: output_tokens, ..Usage::default() };
    ModelEstimate {
        requests,
        input_tokens,
        output_tokens,
        usd: model.map(|model| model.usd(usage, BATCH_PRICE_SHARE)),
        usd_full: model.map(|model| model.usd(usage, 1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{models::ModelTable, plan::Request, votes::ReviewNo};

    #[test]
    fn the_fixed_prompt_is_paid_for_every_row() {
        let request = Request { review: ReviewNo(1), run: 1 };
        let batch =
            BatchPlan { model: "gpt-5-nano".into(), requests: vec![request; 1000], bytes: 0, tokens: 1000 * 900 };
        let table = ModelTable::default();
        let guess = OutputBasis::Guess { answer: 40, reasoning: 320 };
        let estimate = estimate(&[batch], table.get("gpt-5-nano"), guess);
        assert_eq!((estimate.requests, estimate.input_tokens, estimate.output_tokens), (1000, 900_000, 360_000));
        let full = 0.9 * 0.05 + 0.36 * 0.40;
        assert!(estimate.usd_full.is_some_and(|usd| (usd - full).abs() < 1e-12));
        assert!(estimate.usd.is_some_and(|usd| (usd - full / 2.0).abs() < 1e-12));
    }

    #[test]
    fn history_beats_the_guess_and_unknown_models_have_no_price() {
        assert_eq!(OutputBasis::History(10.5).tokens(4), 42);
        assert_eq!(OutputBasis::History(10.1).tokens(4), 41, "never below what its batches are expected to cost");
        assert_eq!(estimate(&[], None, OutputBasis::History(1.0)).usd, None);
    }
}
