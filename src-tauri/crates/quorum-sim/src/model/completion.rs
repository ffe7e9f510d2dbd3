//! One chat completion: parameters checked as the gpt-5 family checks them, an answer, and usage figures.
//!
//! Token counts are estimates, not a tokenizer's: bytes ÷ 4, rounded up. Prompt tokens count all message contents and the
//! response schema. A prefix (the system message) of at least 1,024 tokens is served from the prompt cache for about four
//! requests in five, in steps of 128 tokens, with gpt-5 and later only.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::form::{self, Form};
use super::judge::Judge;
use super::lexicon::Lexicon;
use super::ordered::Ordered;
use super::parameters::check_parameters;
use super::roster::{self, Model};
use crate::draw::{Draw, hash_bytes, hex32};

/// Everything the models share: the seed, their error rates, and the topics that they have read so far.
#[derive(Debug)]
pub(crate) struct Models {
    seed: u64,
    error_rates: BTreeMap<String, f64>,
    retire: bool,
    topics: Mutex<HashMap<(u64, u64), Arc<Topic>>>,
}

/// Topics kept in memory; one is a few kilobytes.
const TOPICS_MAX: usize = 64;

#[derive(Debug)]
struct Topic {
    lexicon: Lexicon,
    form: Form,
}

/// Token figures of one request or of a whole batch.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Usage {
    pub(crate) prompt: u64,
    pub(crate) cached: u64,
    pub(crate) completion: u64,
    pub(crate) reasoning: u64,
}

impl Usage {
    pub(crate) fn add(&mut self, other: Usage) {
        self.prompt += other.prompt;
        self.cached += other.cached;
        self.completion += other.completion;
        self.reasoning += other.reasoning;
    }

    /// The `usage` object of a batch.
    pub(crate) fn of_batch(&self) -> Value {
        json!({
            "input_tokens": self.prompt,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.completion,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.prompt + self.completion,
        })
    }

    fn of_completion(&self) -> Value {
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }
}

/// How a fault spoils an answer that would have been good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spoil {
    Length,
    Refusal,
    OutOfList,
    Prose,
    Fenced,
    BrokenJson,
}

/// What the endpoint answers: an HTTP status and a JSON body.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) usage: Usage,
}

/// The part of a custom_id that tells runs apart: all after the last `-`.
pub(crate) fn run_of(custom_id: &str) -> &str {
    custom_id.rsplit('-').next().unwrap_or(custom_id)
}

/// The error envelope's JSON.
pub(crate) fn error_body(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> String {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}}).to_string()
}

pub(crate) fn refuse(message: &str, param: Option<&str>, code: Option<&str>) -> Reply {
    Reply { status: 400, body: error_body(message, "invalid_request_error", param, code), usage: Usage::default() }
}

impl Models {
    pub(crate) fn new(seed: u64, error_rates: BTreeMap<String, f64>, retire: bool) -> Self {
        Self { seed, error_rates, retire, topics: Mutex::default() }
    }

    /// The model, unless it does not exist or is gone at `now_s`.
    pub(crate) fn find(&self, id: &str, now_s: i64) -> Option<&'static Model> {
        roster::find(id).filter(|model| !(self.retire && model.shut_down(now_s)))
    }

    /// Answers one request body. `run` tells runs of a model apart; `now_s` is the answer's `created`.
    pub(crate) fn complete(&self, body: &str, run: &str, now_s: i64, spoil: Option<Spoil>) -> Reply {
        match self.try_complete(body, run, now_s, spoil) {
            Ok(reply) | Err(reply) => reply,
        }
    }

    fn try_complete(&self, body: &str, run: &str, now_s: i64, spoil: Option<Spoil>) -> Result<Reply, Reply> {
        let body: Ordered<'_> = serde_json::from_str(body).map_err(|_| {
            refuse(
                "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
                None,
                None,
            )
        })?;
        let id = body.string("model").ok_or_else(|| refuse("you must provide a model parameter", None, None))?;
        let model = self.find(&id, now_s).ok_or_else(|| Reply {
            status: 404,
            body: error_body(
                &format!("The model `{id}` does not exist or you do not have access to it."),
                "invalid_request_error",
                None,
                Some("model_not_found"),
            ),
            usage: Usage::default(),
        })?;
        let (system, user) = messages(&body)?;
        check_parameters(&body, model)?;
        let format = body.get("response_format");
        let topic = match format {
            Some(format) => self.topic(&system, format)?,
            None => None,
        };

        let judge = Judge {
            seed: self.seed,
            model: model.id,
            run,
            error_rate: self.error_rates.get(model.id).copied().unwrap_or_else(|| model.error_rate()),
        };
        let mut content = match &topic {
            Some(topic) => judge.answer(&topic.lexicon, &topic.form, &user),
            None => "This is a simulated answer.".to_owned(),
        };
        let draw = Draw::new(self.seed).with_str(model.id).with_str(run).with(hash_bytes(user.as_bytes()));
        let prompt = tokens(system.len() + user.len() + format.map_or(0, |format| format.get().len())) + 8;
        let mut usage = Usage {
            prompt,
            cached: cached(model, &system, draw),
            reasoning: reasoning(model, body.string("reasoning_effort").as_deref(), draw),
            completion: 0,
        };
        usage.completion = tokens(content.len()) + usage.reasoning;

        let limit = number(&body, "max_completion_tokens").or_else(|| number(&body, "max_tokens"));
        let cut_at = match (spoil, limit) {
            (Some(Spoil::Length), _) => Some(usage.completion / 2),
            (_, Some(limit)) if limit < usage.completion => Some(limit),
            _ => None,
        };
        if let Some(at) = cut_at {
            let for_text = at.saturating_sub(usage.reasoning);
            content.truncate(content.floor_char_boundary(usize::try_from(for_text * 4).unwrap_or(usize::MAX)));
            usage.completion = at;
            usage.reasoning = usage.reasoning.min(at);
        }
        let (content, refusal) = match spoil {
            Some(Spoil::Refusal) => (Value::Null, Value::from("I'm sorry, but I can't help with that.")),
            _ => (Value::from(spoiled(content, spoil, topic.as_deref())), Value::Null),
        };
        let finish_reason = if cut_at.is_some() { "length" } else { "stop" };
        let answer = json!({
            "id": format!("chatcmpl-{}", &hex32(draw.with_str("completion"))[..29]),
            "object": "chat.completion",
            "created": now_s,
            "model": model.snapshot,
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": refusal, "annotations": []},
                "logprobs": null,
                "finish_reason": finish_reason,
            }],
            "usage": usage.of_completion(),
            "service_tier": "default",
            "system_fingerprint": null,
        });
        Ok(Reply { status: 200, body: answer.to_string(), usage })
    }

    /// The topic of that prompt and format, read once; `None` if no schema is asked for.
    fn topic(&self, system: &str, format: &RawValue) -> Result<Option<Arc<Topic>>, Reply> {
        let key = (hash_bytes(system.as_bytes()), hash_bytes(format.get().as_bytes()));
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(&key) {
            return Ok(Some(Arc::clone(topic)));
        }
        let form = form::read(format).map_err(|problem| refuse(&problem.message, Some(problem.param), problem.code))?;
        let Some(form) = form else {
            return Ok(None);
        };
        let lexicon = Lexicon::parse(system)
            .map_err(|_| refuse("The prompt lists more cues than the simulator can hold.", Some("messages"), None))?;
        if topics.len() >= TOPICS_MAX {
            topics.clear();
        }
        let topic = Arc::new(Topic { lexicon, form });
        topics.insert(key, Arc::clone(&topic));
        Ok(Some(topic))
    }
}

/// What a body holds of the enqueued-token allowance: message and schema bytes ÷ 5. Less than a tokenizer counts in English
/// prose, on purpose: a client that cuts its batches to the limit by the real tokenizer must not be refused.
pub(crate) fn enqueued_tokens(body: &Ordered<'_>) -> u64 {
    let bytes = |key| body.get(key).map_or(0, |value| value.get().len() as u64);
    (bytes("messages") + bytes("response_format")) / 5 + 1
}

/// What is left of a model's text.
fn spoiled(mut content: String, spoil: Option<Spoil>, topic: Option<&Topic>) -> String {
    match spoil {
        Some(Spoil::OutOfList) => out_of_list(&content, topic),
        Some(Spoil::Prose) => format!("Here is the filled form:\n\n{content}\n\nTell me if you need more."),
        Some(Spoil::Fenced) => format!("```json\n{content}\n```"),
        Some(Spoil::BrokenJson) => {
            content.truncate(content.floor_char_boundary(content.len() / 2));
            content
        }
        Some(Spoil::Length | Spoil::Refusal) | None => content,
    }
}

fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

fn cached(model: &Model, system: &str, draw: Draw) -> u64 {
    let prefix = tokens(system.len());
    if model.gpt5_or_later() && prefix >= 1_024 && draw.with_str("cache").unit() < 0.8 { prefix / 128 * 128 } else { 0 }
}

fn reasoning(model: &Model, effort: Option<&str>, draw: Draw) -> u64 {
    if !model.reasons() {
        return 0;
    }
    let steps = draw.with_str("reasoning").below(4);
    match effort.unwrap_or("medium") {
        "none" | "minimal" => 0,
        "low" => 64 * steps,
        "medium" => 128 + 64 * steps,
        _ => 512 + 256 * steps,
    }
}

fn number(body: &Ordered<'_>, key: &str) -> Option<u64> {
    serde_json::from_str(body.get(key)?.get()).ok()
}

/// System and user text. Content may be a string or a list of text parts.
fn messages(body: &Ordered<'_>) -> Result<(String, String), Reply> {
    #[derive(Deserialize)]
    struct Message {
        role: String,
        content: Option<Content>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content {
        Text(String),
        Parts(Vec<Part>),
    }
    #[derive(Deserialize)]
    struct Part {
        #[serde(default)]
        text: String,
    }
    let raw = body.get("messages").ok_or_else(|| {
        refuse("Missing required parameter: 'messages'.", Some("messages"), Some("missing_required_parameter"))
    })?;
    let list: Vec<Message> = serde_json::from_str(raw.get()).map_err(|_| {
        refuse("Invalid type for 'messages': expected an array of objects.", Some("messages"), Some("invalid_type"))
    })?;
    if list.is_empty() {
        return Err(refuse(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            Some("messages"),
            Some("empty_array"),
        ));
    }
    let (mut system, mut user) = (String::new(), String::new());
    for message in list {
        let text = match message.content {
            Some(Content::Text(text)) => text,
            Some(Content::Parts(parts)) => parts.into_iter().map(|part| part.text).collect(),
            None => String::new(),
        };
        match message.role.as_str() {
            "system" | "developer" => system.push_str(&text),
            _ => user.push_str(&text),
        }
    }
    Ok((system, user))
}

/// The answer with one choice replaced by a value that no list has.
fn out_of_list(content: &str, topic: Option<&Topic>) -> String {
    let field =
        topic.and_then(|topic| topic.form.fields.iter().find(|(_, slot)| matches!(slot, form::Slot::Choice(_))));
    let (Some((name, _)), Ok(mut answer)) = (field, serde_json::from_str::<Value>(content)) else {
        return content.to_owned();
    };
    answer[name] = Value::from("not_in_the_list");
    answer.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models() -> Models {
        Models::new(3, BTreeMap::new(), false)
    }

    fn complete(extra: &str, model: &str) -> (u16, Value) {
        let body = format!(
            r#"{{"model":"{model}","messages":[{{"role":"system","content":"S"}},{{"role":"user","content":"U"}}]{extra}}}"#
        );
        let reply = models().complete(&body, "1", 5, None);
        (reply.status, serde_json::from_str(&reply.body).expect("replies are JSON"))
    }

    #[test]
    fn too_few_tokens_end_with_length() {
        let (status, body) = complete(r#","max_completion_tokens":1"#, "gpt-5-mini");
        assert_eq!(status, 200);
        assert_eq!(body["choices"][0]["finish_reason"], "length");
        assert_eq!(body["choices"][0]["message"]["content"], "");
        assert_eq!(body["usage"]["completion_tokens"], 1);
    }

    #[test]
    fn answers_in_any_script_are_cut_between_characters() {
        let format = json!({"type": "json_schema", "json_schema": {"name": "T", "strict": true, "schema": {
            "type": "object", "additionalProperties": false,
            "properties": {"würze": {"type": "string", "enum": ["schön", "größer", "größtenteils größer"]}},
            "required": ["würze"]}}});
        let body = |limit: usize| {
            let messages = json!([{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]);
            json!({"model": "gpt-4.1-nano", "messages": messages, "response_format": format, "max_completion_tokens": limit})
                .to_string()
        };
        for limit in 1..12 {
            assert_eq!(models().complete(&body(limit), "1", 5, None).status, 200);
        }
        for run in ["1", "2", "3", "4"] {
            for spoil in [Spoil::Length, Spoil::BrokenJson] {
                assert_eq!(models().complete(&body(99), run, 5, Some(spoil)).status, 200);
            }
        }
        // The bytes at which it is cut fall into a character somewhere.
        let whole = models().complete(&body(99), "1", 5, None).body;
        assert!((0..whole.len()).any(|at| !whole.is_char_boundary(at)), "{whole}");
    }

    #[test]
    fn an_unknown_model_is_404() {
        let (status, body) = complete("", "gpt-9");
        assert_eq!(status, 404);
        assert_eq!(body["error"]["code"], "model_not_found");
    }

    #[test]
    fn a_long_prefix_is_mostly_cached() {
        let system = "s".repeat(8_200);
        let cached = (0..200)
            .filter(|number| {
                let body = json!({"model": "gpt-5-nano", "messages": [
                    {"role": "system", "content": system}, {"role": "user", "content": number.to_string()}]});
                let usage = models().complete(&body.to_string(), "1", 5, None).usage;
                assert!(usage.cached == 0 || usage.cached == 2_048);
                assert!(usage.prompt >= 2_050);
                usage.cached > 0
            })
            .count();
        assert!((130..190).contains(&cached), "{cached}");
    }
}
