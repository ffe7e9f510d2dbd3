//! Batches from creation to their end.

use std::collections::BTreeSet;
use std::time::Duration;

use quorum_sim::{AccountLimits, SimConfig, Speed};
use serde_json::{Value, json};

use crate::support::{Lab, answers, body, create_body, line, requests};

#[tokio::test]
async fn an_instant_batch_moves_one_step_a_poll() {
    let lab = Lab::instant().await;
    let file = lab.upload(&requests(20, "gpt-5-mini")).await;
    let created = lab.create(&file).await;
    assert_eq!(created["status"], "validating");
    assert_eq!(created["request_counts"], json!({"total": 0, "completed": 0, "failed": 0}));
    assert_eq!(created["expires_at"].as_i64().unwrap() - created["created_at"].as_i64().unwrap(), 86_400);
    assert_eq!(created["metadata"]["intent"], "i-1");
    assert_eq!(created["output_file_id"], Value::Null);
    let id = created["id"].as_str().unwrap();

    let mut seen = Vec::new();
    for _ in 0..5 {
        let batch = lab.batch(id).await;
        seen.push((
            batch["status"].as_str().unwrap().to_owned(),
            batch["request_counts"]["completed"].as_u64().unwrap(),
        ));
    }
    let expected = [("in_progress", 0), ("in_progress", 10), ("finalizing", 20), ("completed", 20), ("completed", 20)];
    assert_eq!(seen, expected.map(|(status, count)| (status.to_owned(), count)));
}

#[tokio::test]
async fn results_are_whole_shuffled_and_counted() {
    let lab = Lab::instant().await;
    let id = lab.submit(&requests(200, "gpt-5-nano")).await;
    let batch = lab.finish(&id).await;
    assert_eq!(batch["model"], "gpt-5-nano");
    assert_eq!(batch["error_file_id"], Value::Null);
    let lines = lab.lines(&batch["output_file_id"]).await;
    let ids: Vec<&str> = lines.iter().map(|line| line["custom_id"].as_str().unwrap()).collect();
    let in_order: Vec<String> = (0..200).map(|n| format!("r{n}-1")).collect();
    assert_ne!(ids, in_order, "the order of the output must not be the input's");
    assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), in_order.iter().map(String::as_str).collect());
    let mut tokens = 0;
    for line in &lines {
        assert!(line["id"].as_str().unwrap().starts_with("batch_req_"));
        assert_eq!(line["response"]["status_code"], 200);
        assert_eq!(line["error"], Value::Null);
        let completion = &line["response"]["body"];
        assert_eq!(completion["object"], "chat.completion");
        assert_eq!(completion["choices"][0]["finish_reason"], "stop");
        tokens += completion["usage"]["total_tokens"].as_u64().unwrap();
        let answer: Value =
            serde_json::from_str(completion["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
        assert!(answer["is_relevant"].is_boolean());
    }
    assert_eq!(batch["usage"]["total_tokens"], tokens);
    let executed = lab.sim.executed();
    assert_eq!(executed.len(), 200);
    assert_eq!(lab.sim.duplicates(), []);
}

#[tokio::test]
async fn the_same_request_has_the_same_answer_in_any_batch() {
    let lab = Lab::instant().await;
    let text = requests(40, "gpt-5-nano");
    let reversed: String = text.lines().rev().map(|line| format!("{line}\n")).collect();
    let first = lab.submit(&text).await;
    let first = lab.finish(&first).await;
    let second = lab.submit(&reversed).await;
    let second = lab.finish(&second).await;
    let first = answers(&lab.lines(&first["output_file_id"]).await);
    assert_eq!(first, answers(&lab.lines(&second["output_file_id"]).await));
    // The log tells that each of them was paid twice.
    assert_eq!(lab.sim.duplicates().len(), 40);
}

#[tokio::test]
async fn a_synchronous_answer_equals_the_batchs() {
    let lab = Lab::instant().await;
    let text = "My peanut allergy gave me hives.";
    let id = lab.submit(&line("r1-3", "gpt-5-nano", text)).await;
    let batch = lab.finish(&id).await;
    let lines = lab.lines(&batch["output_file_id"]).await;
    let answer = lab
        .client
        .post(lab.url("/chat/completions"))
        .header("x-client-request-id", "r1-3")
        .json(&body("gpt-5-nano", text))
        .send()
        .await
        .unwrap();
    assert!(answer.headers().contains_key("x-ratelimit-remaining-requests"));
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        lines[0]["response"]["body"]["choices"][0]["message"]["content"]
    );
}

#[tokio::test]
async fn a_timed_batch_keeps_the_virtual_clock() {
    let lab = Lab::manual().await;
    let id = lab.submit(&requests(100, "gpt-5-mini")).await;
    let created = lab.sim.now();
    assert_eq!(lab.batch(&id).await["status"], "validating");
    lab.sim.advance(Duration::from_secs(3));
    let batch = lab.batch(&id).await;
    assert_eq!(batch["status"], "in_progress");
    assert_eq!(batch["in_progress_at"], created + 3);
    lab.sim.advance(Duration::from_secs(30));
    let half = lab.batch(&id).await;
    assert_eq!(half["request_counts"]["total"], 100);
    let done = half["request_counts"]["completed"].as_u64().unwrap();
    assert!((48..=50).contains(&done), "{done}");
    lab.sim.advance(Duration::from_secs(3_600));
    let batch = lab.batch(&id).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!(batch["completed_at"].as_i64().unwrap() - batch["finalizing_at"].as_i64().unwrap(), 2);
}

#[tokio::test]
async fn a_cancelled_batch_keeps_what_was_done() {
    let lab = Lab::manual().await;
    let id = lab.submit(&requests(200, "gpt-5-mini")).await;
    lab.sim.advance(Duration::from_secs(3 + 30));
    lab.batch(&id).await;
    let (status, cancelling) = lab.post(&format!("/batches/{id}/cancel"), &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(cancelling["status"], "cancelling");
    lab.sim.advance(Duration::from_secs(60));
    let batch = lab.batch(&id).await;
    assert_eq!(batch["status"], "cancelled");
    let output = lab.lines(&batch["output_file_id"]).await;
    let errors = lab.lines(&batch["error_file_id"]).await;
    assert_eq!(output.len() + errors.len(), 200);
    assert!(output.len() > 60 && errors.len() > 60, "{}", output.len());
    assert_eq!(errors[0]["response"], Value::Null);
    assert_eq!(errors[0]["error"]["code"], "batch_cancelled");
    assert_eq!(batch["request_counts"]["completed"], output.len());
    assert_eq!(lab.sim.executed().len(), output.len());
    // Again is accepted.
    assert_eq!(lab.post(&format!("/batches/{id}/cancel"), &json!({})).await.0, 200);
}

#[tokio::test]
async fn cancelling_what_has_ended_is_a_conflict() {
    let lab = Lab::instant().await;
    let id = lab.submit(&requests(3, "gpt-5-mini")).await;
    lab.finish(&id).await;
    let (status, error) = lab.post(&format!("/batches/{id}/cancel"), &json!({})).await;
    assert_eq!(status, 409);
    assert_eq!(error["error"]["message"], "Cannot cancel a batch with status 'completed'.");
    assert_eq!(error["error"]["type"], "invalid_request_error");
}

#[tokio::test]
async fn cancelling_during_validation_leaves_no_files() {
    let lab = Lab::manual().await;
    let id = lab.submit(&requests(3, "gpt-5-mini")).await;
    lab.post(&format!("/batches/{id}/cancel"), &json!({})).await;
    lab.sim.advance(Duration::from_secs(60));
    let batch = lab.batch(&id).await;
    assert_eq!(batch["status"], "cancelled");
    assert_eq!(batch["output_file_id"], Value::Null);
    assert_eq!(lab.sim.executed(), []);
}

#[tokio::test]
async fn a_batch_expires_after_24_hours_with_partial_output() {
    let config = SimConfig {
        speed: Speed::Manual,
        durations: quorum_sim::Durations { in_progress_ms: 2 * 86_400_000, ..quorum_sim::Durations::default() },
        ..SimConfig::default()
    };
    let lab = Lab::start(config).await;
    let id = lab.submit(&requests(200, "gpt-5-mini")).await;
    lab.sim.advance(Duration::from_secs(25 * 3_600));
    let batch = lab.batch(&id).await;
    assert_eq!(batch["status"], "expired");
    let output = lab.lines(&batch["output_file_id"]).await.len();
    let errors = lab.lines(&batch["error_file_id"]).await;
    assert_eq!(output + errors.len(), 200);
    assert!((70..130).contains(&output), "{output}");
    assert_eq!(errors[0]["error"]["code"], "batch_expired");
    assert_eq!(
        errors[0]["error"]["message"],
        "This request could not be executed before the completion window expired."
    );
    assert_eq!(batch["request_counts"]["failed"], 0);
}

#[tokio::test]
async fn invalid_lines_fail_the_batch_and_cost_nothing() {
    let lab = Lab::instant().await;
    let text = format!("{}\n{}\nnot json\n", line("a", "gpt-5-mini", "x"), line("a", "gpt-5-nano", "x"));
    let id = lab.submit(&text).await;
    let batch = lab.finish(&id).await;
    assert_eq!(batch["status"], "failed");
    let codes: Vec<_> = batch["errors"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["code"].as_str().unwrap(), error["line"].as_u64()))
        .collect();
    assert_eq!(
        codes,
        [("duplicate_custom_id", Some(2)), ("mismatched_model", Some(2)), ("invalid_json_line", Some(3))]
    );
    assert_eq!(lab.sim.executed(), []);
}

#[tokio::test]
async fn an_unsupported_parameter_fails_every_row_and_not_the_batch() {
    let lab = Lab::instant().await;
    let mut request: Value = serde_json::from_str(&line("a-1", "gpt-5-mini", "x")).unwrap();
    request["body"]["temperature"] = json!(0);
    let id = lab.submit(&request.to_string()).await;
    let batch = lab.finish(&id).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!(batch["output_file_id"], Value::Null);
    assert_eq!(batch["request_counts"], json!({"total": 1, "completed": 0, "failed": 1}));
    let errors = lab.lines(&batch["error_file_id"]).await;
    assert_eq!(errors[0]["response"]["status_code"], 400);
    assert_eq!(
        errors[0]["response"]["body"]["error"]["message"],
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
    );
}

#[tokio::test]
async fn the_allowance_is_held_by_live_batches_and_freed_at_their_end() {
    let mut limits = AccountLimits::default();
    limits.enqueued_tokens.insert("gpt-5-nano".to_owned(), 400_000);
    let config = SimConfig { limits, ..SimConfig::default() };
    let lab = Lab::start(config).await;
    // Some 250 tokens a request: one such batch fits, two do not.
    let text = requests(1_000, "gpt-5-nano");
    let first = lab.submit(&text).await;
    assert_eq!(lab.batch(&first).await["status"], "in_progress");
    let second = lab.submit(&text).await;
    let failed = lab.finish(&second).await;
    assert_eq!(failed["status"], "failed");
    let error = &failed["errors"]["data"][0];
    assert_eq!(error["code"], "token_limit_exceeded");
    assert_eq!(
        error["message"],
        "Enqueued token limit reached for gpt-5-nano in organization org-sandbox. Limit: 400,000 enqueued tokens. Please try again once some in_progress batches have been completed."
    );
    assert_eq!((&error["param"], &error["line"]), (&Value::Null, &Value::Null));
    lab.finish(&first).await;
    let third = lab.submit(&text).await;
    assert_eq!(lab.finish(&third).await["status"], "completed");
}

#[tokio::test]
async fn lists_page_newest_first() {
    let lab = Lab::manual().await;
    let file = lab.upload(&requests(1, "gpt-5-mini")).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(lab.create(&file).await["id"].as_str().unwrap().to_owned());
    }
    ids.reverse();
    let page = lab.get_json("/batches?limit=2").await;
    assert_eq!(page["has_more"], true);
    assert_eq!(page["first_id"], ids[0].as_str());
    assert_eq!(page["last_id"], ids[1].as_str());
    let page = lab.get_json(&format!("/batches?limit=3&after={}", ids[1])).await;
    assert_eq!(page["has_more"], false);
    let got: Vec<_> = page["data"].as_array().unwrap().iter().map(|batch| &batch["id"]).collect();
    assert_eq!(got, [ids[2].as_str(), &ids[3], &ids[4]]);
    assert_eq!(lab.get("/batches?limit=101").await.status(), 400);
    assert_eq!(lab.get_json("/batches").await["data"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn creation_errors_are_the_contracts() {
    let lab = Lab::instant().await;
    let check = async |change: (&str, Value), code: Option<&str>, param: &str, message: &str| {
        let mut body = create_body("file-x");
        body[change.0] = change.1;
        let (status, answer) = lab.post("/batches", &body).await;
        assert_eq!(status, 400, "{answer}");
        assert_eq!(answer["error"]["code"].as_str(), code);
        assert_eq!(answer["error"]["param"], param);
        assert!(answer["error"]["message"].as_str().unwrap().starts_with(message), "{answer}");
    };
    check(
        ("input_file_id", Value::Null),
        Some("missing_required_parameter"),
        "input_file_id",
        "Missing required parameter: 'input_file_id'.",
    )
    .await;
    check(
        ("endpoint", json!("/v1/invalid/endpoint")),
        Some("invalid_value"),
        "endpoint",
        "Invalid value: '/v1/invalid/endpoint'. Supported values are: '/v1/chat/completions'",
    )
    .await;
    check(
        ("metadata", json!({"tags": ["a"]})),
        Some("invalid_type"),
        "metadata.tags",
        "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
    )
    .await;
    check(("completion_window", json!("48h")), Some("invalid_value"), "completion_window", "Invalid value: '48h'.")
        .await;

    // An unknown file passes creation and fails in validation.
    let id = lab.create("file-unknown").await["id"].as_str().unwrap().to_owned();
    let batch = lab.finish(&id).await;
    assert_eq!(batch["errors"]["data"][0]["param"], "file_id");
    assert_eq!(batch["errors"]["data"][0]["code"], "invalid_request");

    let missing = lab.get("/batches/batch_0").await;
    assert_eq!(missing.status(), 404);
    let missing: Value = missing.json().await.unwrap();
    assert_eq!(missing["error"]["message"], "No batch found with id 'batch_0'.");
}

#[tokio::test]
async fn creations_are_limited_per_hour() {
    let config = SimConfig {
        speed: Speed::Manual,
        limits: AccountLimits { creates_per_hour: 2, ..AccountLimits::default() },
        ..SimConfig::default()
    };
    let lab = Lab::start(config).await;
    let file = lab.upload(&requests(1, "gpt-5-mini")).await;
    lab.create(&file).await;
    lab.create(&file).await;
    let answer = lab.client.post(lab.url("/batches")).json(&create_body(&file)).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after"));
    lab.sim.advance(Duration::from_secs(3_601));
    lab.create(&file).await;
}

#[tokio::test]
async fn models_tell_their_shutdown_date() {
    let lab = Lab::instant().await;
    let answer = lab.get("/models").await;
    assert_eq!(answer.headers()["x-quorum-simulator"], "1");
    assert!(answer.headers().contains_key("x-request-id"));
    let models: Value = answer.json().await.unwrap();
    let mini = models["data"].as_array().unwrap().iter().find(|model| model["id"] == "gpt-5-mini").unwrap();
    assert_eq!(mini["shutdown_date"], "2026-12-11");
    assert_eq!(lab.get_json("/models/gpt-6-sol").await["shutdown_date"], Value::Null);
    assert_eq!(lab.get("/models/gpt-9").await.status(), 404);
}
