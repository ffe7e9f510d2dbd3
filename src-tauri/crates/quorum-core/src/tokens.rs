//! Token counts with the models' real tokenizer (o200k_base: the gpt-4o, gpt-5 and o series), offline.
//!
//! What a chat adds around its messages is not published as a rule; the constants follow the OpenAI cookbook ("How to count tokens with
//! tiktoken"): 3 tokens a message, 3 to start the answer, 1 for each role's name. How a strict schema is billed is not published either: it is counted as its JSON text.

mod known;

use sha2::{Digest, Sha256};

use crate::{prompt, topic::Topic};

/// Tokens of a text.
pub fn count(text: &str) -> u32 {
    u32::try_from(bpe_openai::o200k_base().count(text)).unwrap_or(u32::MAX)
}

/// Role, separators and the start of the answer, for a system and a user message.
const CHAT_OVERHEAD: u32 = 2 * (3 + 1) + 3;

/// Tokens of the fence lines around a review. The mark's digits vary; this is the mean over many marks, rounded up.
const FENCE: u32 = 21;

/// Tokens that every request of this topic has, whatever the review.
pub fn fixed(topic: &Topic) -> u32 {
    let [instructions, schema, _] = texts(topic);
    count_known(&instructions) + count_known(&schema) + CHAT_OVERHEAD + FENCE
}

/// The texts of a topic that are counted: the instructions, the answer's schema, the longest answer.
pub fn texts(topic: &Topic) -> [String; 3] {
    [prompt::system_message(topic), prompt::answer_schema(&topic.schema).to_string(), longest_answer(topic)]
}

/// As [`count`], without the tokenizer for the texts of the built-in topics: its tables take tens of megabytes, which a program that
/// only plans and shows does not need.
fn count_known(text: &str) -> u32 {
    known(text).unwrap_or_else(|| count(text))
}

/// What the table of known texts says of a text.
pub fn known(text: &str) -> Option<u32> {
    let key = key(text);
    known::KNOWN.binary_search_by_key(&key, |(key, _)| *key).ok().map(|at| known::KNOWN[at].1)
}

/// A text's key in the table of known texts.
pub fn key(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

/// Tokens of a review as it is sent (cut at the limit).
pub fn review(text: &str) -> u32 {
    count(prompt::cut(text).0)
}

/// Tokens of the longest answer to this topic: the form itself, without reasoning.
pub fn answer_max(topic: &Topic) -> u32 {
    count_known(&longest_answer(topic))
}

fn longest_answer(topic: &Topic) -> String {
    let mut answer = serde_json::Map::new();
    answer.insert("is_relevant".to_owned(), serde_json::Value::Bool(false));
    for field in topic.schema.fields() {
        let longest = field.term.values.iter().map(|value| value.id.as_str()).max_by_key(|id| id.len()).unwrap_or("");
        answer.insert(field.name.clone(), serde_json::Value::String(longest.to_owned()));
    }
    serde_json::Value::Object(answer).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_fence_constant_covers_the_fences() {
        let mut sum = 0;
        for text in 0..50 {
            let text = format!("review {text}");
            sum += count(&prompt::user_message(&text)) - count(&text);
        }
        let mean = f64::from(sum) / 50.0;
        assert!((mean - f64::from(FENCE)).abs() <= 2.0, "mean {mean}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn counts_equal_those_of_a_second_tokenizer(text in "([a-zA-Z']{1,9}[ .,!\n]{1,2}){0,30}|\\PC{0,40}") {
            let reference = tiktoken_rs::o200k_base_singleton();
            prop_assert_eq!(usize::try_from(count(&text)).expect("small"), reference.encode_ordinary(&text).len());
        }
    }
}
