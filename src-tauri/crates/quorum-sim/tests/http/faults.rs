//! Every fault as its client sees it.

use std::path::Path;
use std::time::Duration;

use quorum_sim::{Call, Fault, Kind, Scenario, SimConfig, Stage};
use serde_json::{Value, json};

use crate::support::{Lab, create_body, requests};

fn status(status: u16, after_effect: bool) -> Kind {
    Kind::Status {
        status,
        message: None,
        error_type: None,
        code: None,
        retry_after_s: Some(7),
        retry_after_ms: None,
        should_retry: None,
        after_effect,
    }
}

async fn with_batch_fault(kind: Kind) -> (Lab, Value) {
    with_fault(Fault::from(kind)).await
}

/// A lab with one ended batch of 40 rows that the fault concerned.
async fn with_fault(fault: Fault) -> (Lab, Value) {
    let lab = Lab::instant().await;
    lab.sim.fault(fault);
    let id = lab.submit(&requests(40, "gpt-5-mini")).await;
    let batch = lab.finish(&id).await;
    (lab, batch)
}

#[tokio::test]
async fn a_lost_answer_leaves_a_batch_that_can_be_found() {
    let lab = Lab::instant().await;
    let file = lab.upload(&requests(2, "gpt-5-mini")).await;
    lab.sim.fault(Fault::once(Kind::LostAnswer, Some(Call::CreateBatch)));
    let lost = lab.client.post(lab.url("/batches")).json(&create_body(&file)).send().await;
    assert!(lost.is_err());
    let list = lab.get_json("/batches").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(list["data"][0]["metadata"]["intent"], "i-1");
    assert_eq!(list["data"][0]["input_file_id"], file.as_str());
    assert!(lab.sim.calls().iter().any(|call| call.status == 0));
}

#[tokio::test]
async fn a_dropped_request_does_nothing() {
    let lab = Lab::instant().await;
    let file = lab.upload(&requests(2, "gpt-5-mini")).await;
    lab.sim.fault(Fault::once(Kind::DropRequest, Some(Call::CreateBatch)));
    let lost = lab.client.post(lab.url("/batches")).json(&create_body(&file)).send().await;
    assert!(lost.is_err());
    assert_eq!(lab.get_json("/batches").await["data"], json!([]));
}

#[tokio::test]
async fn an_error_status_can_hide_an_effect() {
    let lab = Lab::instant().await;
    let file = lab.upload(&requests(2, "gpt-5-mini")).await;
    lab.sim.fault(Fault::once(status(500, true), Some(Call::CreateBatch)));
    assert_eq!(lab.post("/batches", &create_body(&file)).await.0, 500);
    assert_eq!(lab.sim.batches().len(), 1);
}

#[tokio::test]
async fn a_429_says_when_to_come_back() {
    let lab = Lab::instant().await;
    lab.sim.fault(Fault::once(status(429, false), None));
    let answer = lab.try_upload("a.jsonl", "{}").await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "7");
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["error"]["code"], "rate_limit_exceeded");
    assert_eq!(lab.get_json("/files").await["data"], json!([]));
}

#[tokio::test]
async fn bodies_can_be_html_truncated_cut_reset_or_slow() {
    let lab = Lab::instant().await;
    let text = requests(40, "gpt-5-mini");
    let id = lab.upload(&text).await;
    let path = format!("/files/{id}/content");
    let once = |kind| lab.sim.fault(Fault::once(kind, Some(Call::Download)));

    once(Kind::Html { status: 200, after_effect: false });
    let page = lab.get(&path).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().starts_with("<!DOCTYPE html>"));

    once(Kind::TruncatedBody { bytes: 1_000 });
    let short = lab.get(&path).await;
    assert_eq!(short.headers()["content-length"], "1000");
    assert_eq!(short.text().await.unwrap(), text[..1_000]);

    for kind in [Kind::Cut { bytes: 1_000 }, Kind::Reset { bytes: 1_000 }] {
        once(kind);
        let mut cut = lab.get(&path).await;
        assert_eq!(cut.headers()["content-length"], text.len().to_string().as_str());
        let mut got = Vec::new();
        let ended = loop {
            match cut.chunk().await {
                Ok(Some(chunk)) => got.extend_from_slice(&chunk),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        assert!(!ended, "a cut body must not end in order");
        assert!(got.len() <= 1_000);
        assert_eq!(got, text.as_bytes()[..got.len()]);
    }

    once(Kind::Slow { bytes_per_s: 400_000 });
    let began = std::time::Instant::now();
    assert_eq!(lab.get(&path).await.text().await.unwrap(), text);
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_hanging_call_ends_by_the_clients_patience() {
    let lab = Lab::instant().await;
    lab.sim.fault(Fault::once(Kind::Hang { after_effect: false }, None));
    let request = lab.client.get(lab.url("/models")).timeout(Duration::from_millis(100));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(lab.get("/models").await.status(), 200);
}

#[tokio::test]
async fn a_revoked_key_gets_401_and_others_do_not() {
    let lab = Lab::instant().await;
    lab.sim.fault(Fault::once(Kind::RevokeKey, None));
    let with = async |key: &str| {
        let request = lab.client.get(lab.url("/models")).bearer_auth(key);
        request.send().await.unwrap()
    };
    let answer = with("sk-one").await;
    assert_eq!(answer.status(), 401);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["error"]["code"], "invalid_api_key");
    assert_eq!(with("sk-two").await.status(), 200);
    assert_eq!(with("sk-one").await.status(), 401);
    lab.sim.restore_keys();
    assert_eq!(with("sk-one").await.status(), 200);
}

#[tokio::test]
async fn offline_refuses_connections_on_the_same_port() {
    let mut lab = Lab::instant().await;
    let address = lab.sim.address();
    lab.sim.go_offline().await.unwrap();
    let refused = lab.client.get(lab.url("/models")).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    lab.sim.go_online().await.unwrap();
    assert_eq!(lab.sim.address(), address);
    assert_eq!(lab.get("/models").await.status(), 200);
}

#[tokio::test]
async fn a_clock_jump_expires_what_was_running() {
    let lab = Lab::instant().await;
    let id = lab.submit(&requests(40, "gpt-5-mini")).await;
    lab.batch(&id).await;
    lab.sim.fault(Fault::once(Kind::ClockJump { seconds: 30 * 3_600 }, Some(Call::GetBatch)));
    assert_eq!(lab.finish(&id).await["status"], "expired");
}

#[tokio::test]
async fn a_file_may_be_invisible_at_both_stages() {
    let lab = Lab::instant().await;
    let file = lab.upload(&requests(2, "gpt-5-mini")).await;
    lab.sim.fault(Fault::once(Kind::FileNotVisible { at: Stage::Create }, None));
    let (code, error) = lab.post("/batches", &create_body(&file)).await;
    assert_eq!((code, &error["error"]["param"]), (400, &json!("file_id")));
    lab.sim.fault(Fault::once(Kind::FileNotVisible { at: Stage::Validation }, None));
    let id = lab.create(&file).await["id"].as_str().unwrap().to_owned();
    let batch = lab.finish(&id).await;
    assert_eq!(batch["status"], "failed");
    assert_eq!(
        batch["errors"]["data"][0]["message"],
        format!("Cannot find file {file}, or organization org-sandbox does not have access to it.")
    );
    let id = lab.create(&file).await["id"].as_str().unwrap().to_owned();
    assert_eq!(lab.finish(&id).await["status"], "completed");
}

#[tokio::test]
async fn batches_end_badly_on_demand() {
    let (_, batch) = with_batch_fault(Kind::TokenLimitExceeded { limit: 900_000 }).await;
    assert_eq!(batch["status"], "failed");
    assert!(batch["errors"]["data"][0]["message"].as_str().unwrap().contains("Limit: 900,000 enqueued tokens."));

    let (lab, batch) = with_batch_fault(Kind::Expire { fraction: 0.5 }).await;
    assert_eq!(batch["status"], "expired");
    let output = lab.lines(&batch["output_file_id"]).await.len();
    assert!((8..=32).contains(&output), "{output}");
    assert_eq!(lab.lines(&batch["error_file_id"]).await.len(), 40 - output);

    let (_, batch) = with_batch_fault(Kind::Cancel { fraction: 0.0 }).await;
    assert_eq!(batch["status"], "cancelled");
    assert_eq!(batch["output_file_id"], Value::Null);

    let (_, batch) = with_batch_fault(Kind::NoOutputFile).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!((&batch["output_file_id"], &batch["error_file_id"]), (&Value::Null, &Value::Null));

    let (lab, batch) = with_batch_fault(Kind::BreakOff { fraction: 0.5 }).await;
    assert_eq!((&batch["status"], &batch["errors"]), (&json!("failed"), &Value::Null));
    let output = lab.lines(&batch["output_file_id"]).await.len();
    assert!((8..=32).contains(&output), "{output}");
    assert_eq!(batch["error_file_id"], Value::Null);

    let (lab, batch) = with_batch_fault(Kind::FilesLate { seconds: 60 }).await;
    assert_eq!((&batch["status"], &batch["output_file_id"]), (&json!("completed"), &Value::Null));
    lab.sim.advance(std::time::Duration::from_secs(61));
    let batch = lab.batch(batch["id"].as_str().unwrap()).await;
    assert_eq!(lab.lines(&batch["output_file_id"]).await.len(), 40);

    let (lab, batch) = with_batch_fault(Kind::OutputFileLate { seconds: 60 }).await;
    assert_eq!((&batch["status"], &batch["output_file_id"]), (&json!("completed"), &Value::Null));
    lab.sim.advance(std::time::Duration::from_secs(61));
    let batch = lab.batch(batch["id"].as_str().unwrap()).await;
    assert_eq!(lab.lines(&batch["output_file_id"]).await.len(), 40);

    let (_, batch) = with_batch_fault(Kind::NoMetadata).await;
    assert_eq!((&batch["status"], &batch["metadata"]), (&json!("completed"), &Value::Null));

    let (_, batch) = with_batch_fault(Kind::CountsOff { completed: -3, failed: 2 }).await;
    assert_eq!(batch["request_counts"], json!({"total": 40, "completed": 37, "failed": 2}));

    let (_, batch) = with_batch_fault(Kind::EmptyErrorFileId).await;
    assert_eq!(batch["error_file_id"], "");
}

#[tokio::test]
async fn a_vanished_batch_is_404_and_not_listed() {
    let lab = Lab::instant().await;
    lab.sim.fault(Fault::once(Kind::Vanish { live: false }, None));
    let id = lab.submit(&requests(2, "gpt-5-mini")).await;
    let mut polls = 0;
    while lab.get(&format!("/batches/{id}")).await.status() == 200 {
        polls += 1;
        assert!(polls < 20);
    }
    assert!(polls >= 3);
    assert_eq!(lab.get_json("/batches").await["data"], json!([]));
}

#[tokio::test]
async fn long_finalizing_takes_more_polls() {
    let lab = Lab::instant().await;
    lab.sim.fault(Fault::once(Kind::LongFinalizing { seconds: 0, observations: 5 }, None));
    let id = lab.submit(&requests(2, "gpt-5-mini")).await;
    let mut finalizing = 0;
    while lab.batch(&id).await["status"] != "completed" {
        finalizing += 1;
        assert!(finalizing < 20);
    }
    assert_eq!(finalizing, 3 + 5);
}

#[tokio::test]
async fn rows_fail_in_each_of_the_contracts_shapes() {
    let first_rows = |kind| Fault { rows: Some(3), ..Fault::from(kind) };

    let (lab, batch) = with_fault(first_rows(Kind::StatusZero)).await;
    let errors = lab.lines(&batch["error_file_id"]).await;
    assert_eq!(errors.len(), 3);
    assert_eq!(errors[0]["response"], json!({"status_code": 0, "request_id": "", "body": {}}));
    assert_eq!(errors[0]["error"], Value::Null);
    assert_eq!(batch["request_counts"], json!({"total": 40, "completed": 37, "failed": 3}));
    // The rows that failed were not billed, the others were.
    assert_eq!(lab.sim.executed().iter().filter(|row| row.status == 200).count(), 37);

    let (lab, batch) = with_fault(first_rows(Kind::RequestTimeout)).await;
    let errors = lab.lines(&batch["error_file_id"]).await;
    assert_eq!((&errors[0]["response"], &errors[0]["error"]["code"]), (&Value::Null, &json!("request_timeout")));

    let (lab, batch) = with_fault(first_rows(Kind::ServerText)).await;
    let errors = lab.lines(&batch["error_file_id"]).await;
    assert_eq!(errors[0]["response"]["status_code"], 500);
    let message = errors[0]["response"]["body"]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("An error occurred while processing your request."));

    let (lab, batch) = with_fault(first_rows(Kind::Missing)).await;
    assert_eq!(lab.lines(&batch["output_file_id"]).await.len(), 37);
    assert_eq!(batch["error_file_id"], Value::Null);

    let (lab, batch) = with_fault(first_rows(Kind::Duplicate)).await;
    assert_eq!(lab.lines(&batch["output_file_id"]).await.len(), 43);

    let (lab, batch) = with_fault(first_rows(Kind::UnknownId)).await;
    let lines = lab.lines(&batch["output_file_id"]).await;
    let unknown = lines.iter().filter(|line| line["custom_id"].as_str().unwrap().starts_with("unknown-"));
    assert_eq!(unknown.count(), 3);
}

#[tokio::test]
async fn answers_are_spoiled_on_demand() {
    let first = async |kind| {
        let (lab, batch) = with_fault(Fault { row: Some(1), ..Fault::from(kind) }).await;
        let lines = lab.lines(&batch["output_file_id"]).await;
        assert_eq!(lines.len(), 40);
        let line = lines.into_iter().find(|line| line["custom_id"] == "r0-1").unwrap();
        line["response"]["body"]["choices"][0].clone()
    };
    let text = |choice: &Value| choice["message"]["content"].as_str().unwrap().to_owned();

    let choice = first(Kind::Length).await;
    assert_eq!(choice["finish_reason"], "length");
    assert!(serde_json::from_str::<Value>(&text(&choice)).is_err());

    let choice = first(Kind::Refusal).await;
    assert_eq!(choice["message"]["content"], Value::Null);
    assert!(choice["message"]["refusal"].is_string());

    let choice = first(Kind::OutOfList).await;
    let answer: Value = serde_json::from_str(&text(&choice)).unwrap();
    // The first choice of the form; the sample schema has its keys in alphabetical order.
    assert_eq!(answer["account_type"], "not_in_the_list");

    assert!(text(&first(Kind::Prose).await).starts_with("Here is"));
    assert!(text(&first(Kind::Fenced).await).starts_with("```json\n{"));
    assert!(serde_json::from_str::<Value>(&text(&first(Kind::BrokenJson).await)).is_err());
}

#[tokio::test]
async fn a_models_fault_leaves_other_models_alone() {
    let lab = Lab::instant().await;
    lab.sim.fault(Fault { model: Some("gpt-5-nano".to_owned()), ..Fault::from(Kind::Missing) });
    let mini = lab.submit(&requests(4, "gpt-5-mini")).await;
    let nano = lab.submit(&requests(4, "gpt-5-nano")).await;
    let mini = lab.finish(&mini).await;
    assert_eq!(lab.lines(&mini["output_file_id"]).await.len(), 4);
    assert_eq!(lab.finish(&nano).await["output_file_id"], Value::Null);
}

#[tokio::test]
async fn a_scenario_file_drives_the_server() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/token_limit.toml");
    let lab = Lab::start(SimConfig { scenario: Some(Scenario::read(&path).unwrap()), ..SimConfig::default() }).await;
    let text = requests(2, "gpt-5-mini");
    let mut ends = Vec::new();
    for _ in 0..3 {
        let id = lab.submit(&text).await;
        ends.push(lab.finish(&id).await["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(ends, ["failed", "failed", "completed"]);
}

#[tokio::test]
async fn the_control_paths_work_from_another_process() {
    let lab = Lab::manual().await;
    let control = lab.url("").replace("/v1", "/_sim");
    let before = lab.sim.now();
    let answer = lab.client.post(format!("{control}/advance?seconds=3600")).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["now"], before + 3_600);
    let armed = lab
        .client
        .post(format!("{control}/fault"))
        .body("do = \"status\"\nstatus = 503\ncount = 1\n")
        .send()
        .await
        .unwrap();
    assert_eq!(armed.status(), 200);
    assert_eq!(lab.get("/models").await.status(), 503);
    assert_eq!(lab.get("/models").await.status(), 200);
    let wrong = lab.client.post(format!("{control}/fault")).body("do = \"x\"").send().await.unwrap();
    assert_eq!(wrong.status(), 400);
    let calls: Value = lab.client.get(format!("{control}/calls")).send().await.unwrap().json().await.unwrap();
    assert_eq!(calls.as_array().unwrap().len(), 2);
}
