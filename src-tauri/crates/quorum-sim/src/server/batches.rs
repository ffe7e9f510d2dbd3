//! Creating, reading, listing and cancelling batches.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request};
use axum::http::{Response, Uri};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, Refusal};
use crate::account::batch::{BatchRecord, BatchStatus};
use crate::account::journal::Change;
use crate::draw;
use crate::scenario::{Kind, Stage};
use crate::shared::Shared;

/// The one endpoint whose requests the simulated models answer.
const ENDPOINT: &str = "/v1/chat/completions";
const WINDOW_MS: i64 = 86_400_000;
const CREATE_BODY_MAX: usize = 1 << 20;

/// A creation that has passed the checks that need no account.
struct Wanted {
    input_file_id: String,
    metadata: Value,
    output_expires_after_s: Option<i64>,
}

pub(crate) async fn create(shared: &Arc<Shared>, request: Request) -> Result<Response<Body>, Refusal> {
    let body = axum::body::to_bytes(request.into_body(), CREATE_BODY_MAX)
        .await
        .map_err(|_| Refusal::new(413, "The request body is too large or was cut."))?;
    let wanted = read(&body)?;
    shared.settle(&[])?;

    let now_ms = shared.clock.now_ms();
    let mut account = shared.account();
    if account.recent_creates(now_ms) >= account.limits.creates_per_hour as usize {
        return Err(Refusal::new(429, "Rate limit reached for batch creation. Please try again later.")
            .error_type("requests")
            .code("rate_limit_exceeded")
            .header("retry-after", 60));
    }
    let (faults, counted) = account.faults.on_create();
    account.count_faults(now_ms, counted)?;
    let hidden = faults.iter().any(|fault| matches!(fault.kind, Kind::FileNotVisible { at: Stage::Create }));
    if hidden {
        return Err(Refusal::new(
            400,
            format!("Cannot find file {}, or project proj_sandbox does not have access to it.", wanted.input_file_id),
        )
        .param("file_id"));
    }
    let serial = account.next_batch_serial();
    let batch = BatchRecord {
        id: draw::batch_id(shared.seed, serial),
        serial,
        endpoint: ENDPOINT.to_owned(),
        input_file_id: wanted.input_file_id,
        completion_window: "24h".to_owned(),
        metadata: wanted.metadata,
        output_expires_after_s: wanted.output_expires_after_s,
        status: BatchStatus::Validating,
        created_ms: now_ms,
        expires_ms: now_ms + WINDOW_MS,
        in_progress_ms: None,
        finalizing_ms: None,
        completed_ms: None,
        failed_ms: None,
        expired_ms: None,
        cancelling_ms: None,
        cancelled_ms: None,
        model: None,
        problems: Vec::new(),
        total: 0,
        completed: 0,
        failed: 0,
        usage: None,
        enqueued_tokens: 0,
        output_file_id: None,
        error_file_id: None,
        observations: 0,
        ending: None,
        fraction: 0.0,
        faults,
        gone: false,
    };
    let object = batch.object(0, batch.created_ms);
    account.commit(now_ms, Change::Batch { batch: Box::new(batch) })?;
    drop(account);
    // Validation begins at once, as it does at the provider.
    shared.settle(&[])?;
    Ok(reply::json(&object))
}

fn read(body: &[u8]) -> Result<Wanted, Refusal> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| Refusal::new(400, "We could not parse the JSON body of your request."))?;
    let text = |key: &str| match body.get(key) {
        None | Some(Value::Null) => Err(Refusal::new(400, format!("Missing required parameter: '{key}'."))
            .param(key)
            .code("missing_required_parameter")),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(wrong_type(key, "a string", other)),
    };
    let input_file_id = text("input_file_id")?;
    let endpoint = text("endpoint")?;
    if endpoint != ENDPOINT {
        return Err(Refusal::new(400, format!("Invalid value: '{endpoint}'. Supported values are: '{ENDPOINT}'."))
            .param("endpoint")
            .code("invalid_value"));
    }
    let window = text("completion_window")?;
    if window != "24h" {
        return Err(Refusal::new(400, format!("Invalid value: '{window}'. Supported values are: '24h'."))
            .param("completion_window")
            .code("invalid_value"));
    }
    Ok(Wanted {
        input_file_id,
        metadata: metadata(body.get("metadata"))?,
        output_expires_after_s: expires_after(body.get("output_expires_after"))?,
    })
}

fn metadata(value: Option<&Value>) -> Result<Value, Refusal> {
    let pairs = match value {
        None | Some(Value::Null) => return Ok(Value::Null),
        Some(Value::Object(pairs)) => pairs,
        Some(other) => return Err(wrong_type("metadata", "an object", other)),
    };
    let invalid = |message: String, param: &str| Refusal::new(400, message).param(param);
    if pairs.len() > 16 {
        return Err(invalid(
            format!("Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with {} properties instead.", pairs.len()),
            "metadata",
        )
        .code("object_above_max_properties"));
    }
    for (key, value) in pairs {
        let param = format!("metadata.{key}");
        let Value::String(text) = value else {
            return Err(wrong_type(&param, "a string", value));
        };
        if key.chars().count() > 64 {
            return Err(invalid(
                "Invalid 'metadata': property name too long. Expected a name with maximum length 64.".to_owned(),
                "metadata",
            ));
        }
        let length = text.chars().count();
        if length > 512 {
            return Err(invalid(
                format!("Invalid '{param}': string too long. Expected a string with maximum length 512, but got a string with length {length} instead."),
                &param,
            )
            .code("string_above_max_length"));
        }
    }
    Ok(Value::Object(pairs.clone()))
}

fn expires_after(value: Option<&Value>) -> Result<Option<i64>, Refusal> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let seconds = value.get("seconds").and_then(Value::as_i64);
    match seconds {
        Some(seconds)
            if (3_600..=2_592_000).contains(&seconds)
                && value.get("anchor").and_then(Value::as_str) == Some("created_at") =>
        {
            Ok(Some(seconds))
        }
        _ => Err(Refusal::new(
            400,
            "Invalid value for 'output_expires_after'. Expected anchor 'created_at' and seconds between 3600 and 2592000.",
        )
        .param("output_expires_after")
        .code("invalid_value")),
    }
}

fn wrong_type(param: &str, expected: &str, got: &Value) -> Refusal {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Refusal::new(400, format!("Invalid type for '{param}': expected {expected}, but got {got} instead."))
        .param(param)
        .code("invalid_type")
}

pub(crate) async fn get(shared: &Arc<Shared>, id: &str) -> Result<Response<Body>, Refusal> {
    shared.observe(&[id.to_owned()]).await?;
    let account = shared.account();
    let batch = account.batch(id).ok_or_else(|| unknown(id))?;
    let object = account.batch_object(batch, shared.clock.now_ms(), shared.clock.speed());
    Ok(reply::json(&object))
}

#[derive(Deserialize)]
struct Page {
    limit: Option<usize>,
    after: Option<String>,
}

pub(crate) async fn list(shared: &Arc<Shared>, uri: &Uri) -> Result<Response<Body>, Refusal> {
    let Query(page) = Query::<Page>::try_from_uri(uri).map_err(|error| Refusal::new(400, error.body_text()))?;
    let limit = page.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return Err(Refusal::new(400, format!("Invalid 'limit': {limit}. Expected a value between 1 and 100."))
            .param("limit")
            .code("invalid_value"));
    }
    let (shown, more) = {
        let account = shared.account();
        let now_ms = shared.clock.now_ms();
        let mut ids = account.batches().rev().filter(|batch| batch.is_listed(now_ms)).map(|batch| batch.id.clone());
        if let Some(after) = &page.after
            && !ids.by_ref().any(|id| id == *after)
        {
            return Err(unknown(after));
        }
        let shown: Vec<String> = ids.by_ref().take(limit).collect();
        let more = ids.next().is_some();
        (shown, more)
    };
    shared.observe(&shown).await?;
    let account = shared.account();
    let now_ms = shared.clock.now_ms();
    // A batch may have vanished by being observed.
    let batches: Vec<&BatchRecord> = shown.iter().filter_map(|id| account.batch(id)).collect();
    let data: Vec<Value> =
        batches.iter().map(|batch| account.batch_object(batch, now_ms, shared.clock.speed())).collect();
    Ok(reply::json(&json!({
        "object": "list",
        "data": data,
        "first_id": batches.first().map(|batch| batch.id.as_str()),
        "last_id": batches.last().map(|batch| batch.id.as_str()),
        "has_more": more,
    })))
}

pub(crate) async fn cancel(shared: &Arc<Shared>, id: &str) -> Result<Response<Body>, Refusal> {
    shared.observe(&[]).await?;
    let now_ms = shared.clock.now_ms();
    let speed = shared.clock.speed();
    let mut account = shared.account();
    let status = account.batch(id).ok_or_else(|| unknown(id))?.status;
    if matches!(status, BatchStatus::Completed | BatchStatus::Failed | BatchStatus::Expired) {
        return Err(Refusal::new(409, format!("Cannot cancel a batch with status '{}'.", status.as_str())));
    }
    account.cancel(id, now_ms, speed)?;
    let batch = account.batch(id).ok_or_else(|| unknown(id))?;
    let object = account.batch_object(batch, now_ms, speed);
    drop(account);
    shared.settle(&[])?;
    Ok(reply::json(&object))
}

fn unknown(id: &str) -> Refusal {
    Refusal::new(404, format!("No batch found with id '{id}'."))
}
