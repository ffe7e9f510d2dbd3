//! Tokens that were used, of one answer or of a whole batch.

use serde::Deserialize;

use crate::lenient::{Maybe, Number};

/// Tokens, as billed. `cached` and `written` (to the prompt cache) are parts of `input` and `reasoning` is a part of `output`: do
/// not add them again.
/// Source: API reference, CompletionUsage and Batch.usage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "RawUsage")]
pub struct Usage {
    pub input: u64,
    pub cached: u64,
    pub written: u64,
    pub output: u64,
    pub reasoning: u64,
}

/// Both spellings: chat completions say prompt and completion, batches say input and output.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawUsage {
    prompt_tokens: Number,
    input_tokens: Number,
    completion_tokens: Number,
    output_tokens: Number,
    prompt_tokens_details: Maybe<InputDetails>,
    input_tokens_details: Maybe<InputDetails>,
    completion_tokens_details: Maybe<OutputDetails>,
    output_tokens_details: Maybe<OutputDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Number,
    cache_write_tokens: Number,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Number,
}

impl From<RawUsage> for Usage {
    fn from(raw: RawUsage) -> Self {
        let input_details = raw.prompt_tokens_details.0.or(raw.input_tokens_details.0).unwrap_or_default();
        let output_details = raw.completion_tokens_details.0.or(raw.output_tokens_details.0).unwrap_or_default();
        Usage {
            input: raw.prompt_tokens.0.or(raw.input_tokens.0).unwrap_or(0),
            cached: input_details.cached_tokens.or_zero(),
            written: input_details.cache_write_tokens.or_zero(),
            output: raw.completion_tokens.0.or(raw.output_tokens.0).unwrap_or(0),
            reasoning: output_details.reasoning_tokens.or_zero(),
        }
    }
}
