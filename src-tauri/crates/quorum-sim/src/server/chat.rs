//! `POST /v1/chat/completions`: the same models, synchronously, with rate-limit headers.
//!
//! Runs of a model are told apart by the last part of the `x-client-request-id` header, where a batch row has its custom_id;
//! without the header, the request is run 1.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Response};
use serde_json::Value;

use super::reply::{self, Refusal};
use crate::account::journal::Change;
use crate::execute::{ExecutedRow, sha256_hex};
use crate::model::completion::run_of;
use crate::shared::Shared;

const BODY_MAX: usize = 16 << 20;

pub(crate) async fn complete(shared: &Arc<Shared>, request: Request) -> Result<Response<Body>, Refusal> {
    let custom_id =
        request.headers().get("x-client-request-id").and_then(|id| id.to_str().ok()).unwrap_or("1").to_owned();
    let body = axum::body::to_bytes(request.into_body(), BODY_MAX)
        .await
        .map_err(|_| Refusal::new(413, "The request body is too large or was cut."))?;
    let now_ms = shared.clock.now_ms();
    let limit = shared.account().limits.chat_requests_per_minute;
    let (used, reset_s) = shared.chat_window(now_ms);
    let rate = |response: &mut Response<Body>| {
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-limit-requests", HeaderValue::from(limit));
        headers.insert("x-ratelimit-remaining-requests", HeaderValue::from(limit.saturating_sub(used)));
        if let Ok(reset) = HeaderValue::try_from(format!("{reset_s}s")) {
            headers.insert("x-ratelimit-reset-requests", reset);
        }
    };
    if used > limit {
        let mut response = Refusal::new(
            429,
            format!("Rate limit reached for requests. Limit: {limit} / min. Please try again in {reset_s}s."),
        )
        .error_type("requests")
        .code("rate_limit_exceeded")
        .header("retry-after", reset_s)
        .response();
        rate(&mut response);
        return Ok(response);
    }
    let text = std::str::from_utf8(&body)
        .map_err(|_| Refusal::new(400, "We could not parse the JSON body of your request."))?;
    let answer = shared.models.complete(text, run_of(&custom_id), now_ms.div_euclid(1000), None);
    let model = serde_json::from_slice::<Value>(&body)
        .ok()
        .and_then(|body| body.get("model")?.as_str().map(str::to_owned))
        .unwrap_or_default();
    let row = ExecutedRow {
        batch: Arc::from("chat"),
        custom_id,
        model: Arc::from(model.as_str()),
        body_sha256: sha256_hex(&body),
        status: answer.status,
    };
    let mut account = shared.account();
    // Only the log's length is journalled: without evidence there is nothing to remember.
    if let Some(requests_bytes) = account.logs.add_executed(vec![row])? {
        account.commit(now_ms, Change::Answered { requests_bytes })?;
    }
    drop(account);
    let mut response = reply::json_text(answer.status, answer.body);
    rate(&mut response);
    response.headers_mut().insert("openai-processing-ms", HeaderValue::from_static("1"));
    Ok(response)
}
