//! `/_sim/…`: the hand on the clock and the faults, for tests that hold no [`crate::Simulator`] (another process, a window).
//!
//! `POST /_sim/advance?seconds=N` · `POST /_sim/fault` (body: one fault as TOML, without `[[fault]]`) · `DELETE /_sim/faults` ·
//! `GET /_sim/duplicates` · `GET /_sim/executed` · `GET /_sim/calls` · `GET /_sim/now`. None of it is in the call log.
//! The three before the last need [`crate::SimConfig::evidence`].

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request};
use axum::http::{Method, Response};
use serde::Deserialize;
use serde_json::json;

use super::reply::{self, Refusal};
use crate::scenario::Scenario;
use crate::shared::Shared;

#[derive(Deserialize)]
struct Advance {
    seconds: i64,
}

pub(crate) async fn control(shared: &Arc<Shared>, command: &str, request: Request) -> Response<Body> {
    match run(shared, command, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.response(),
    }
}

async fn run(shared: &Arc<Shared>, command: &str, request: Request) -> Result<Response<Body>, Refusal> {
    let method = request.method().clone();
    match (command, &method) {
        ("advance", &Method::POST) => {
            let Query(by) =
                Query::<Advance>::try_from_uri(request.uri()).map_err(|error| Refusal::new(400, error.body_text()))?;
            shared.clock.advance_ms(by.seconds.saturating_mul(1_000));
            shared.settle(&[])?;
        }
        ("fault", &Method::POST) => {
            let body = axum::body::to_bytes(request.into_body(), 1 << 16)
                .await
                .map_err(|_| Refusal::new(413, "The fault is too long."))?;
            let text = format!("[[fault]]\n{}", String::from_utf8_lossy(&body));
            let scenario = Scenario::parse(&text).map_err(|error| {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                Refusal::new(400, format!("{error} {}", source.unwrap_or_default()))
            })?;
            let mut account = shared.account();
            scenario.faults.into_iter().for_each(|fault| account.faults.add(fault));
        }
        ("faults", &Method::DELETE) => shared.account().faults.clear(),
        ("now", &Method::GET) => {}
        ("executed" | "duplicates" | "calls", &Method::GET) => return evidence(shared, command),
        _ => return Err(Refusal::new(404, "The simulator has no such control.")),
    }
    Ok(reply::json(&json!({"now": shared.clock.now_ms().div_euclid(1000)})))
}

fn evidence(shared: &Shared, command: &str) -> Result<Response<Body>, Refusal> {
    let account = shared.account();
    let kept = account.logs.evidence().ok_or_else(|| Refusal::new(404, "This simulator keeps no evidence."))?;
    Ok(match command {
        "executed" => reply::json(&json!(kept.executed)),
        "calls" => reply::json(&json!(kept.called)),
        _ => reply::json(&json!(kept.duplicates())),
    })
}
