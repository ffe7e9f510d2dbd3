//! Files: upload, list, download, delete, expiry.

use std::time::Duration;

use quorum_sim::{AccountLimits, SimConfig, Speed};
use serde_json::Value;

use crate::support::{Lab, requests};

#[tokio::test]
async fn a_file_comes_back_as_it_was_sent() {
    let lab = Lab::instant().await;
    let text = requests(50, "gpt-5-mini");
    let id = lab.upload(&text).await;
    let file = lab.get_json(&format!("/files/{id}")).await;
    assert_eq!(file["bytes"], text.len());
    assert_eq!(file["filename"], "input.jsonl");
    assert_eq!(file["purpose"], "batch");
    assert_eq!(file["expires_at"].as_i64().unwrap() - file["created_at"].as_i64().unwrap(), 2_592_000);
    let answer = lab.get(&format!("/files/{id}/content")).await;
    assert_eq!(answer.headers()["content-length"], text.len().to_string().as_str());
    assert_eq!(answer.text().await.unwrap(), text);
}

#[tokio::test]
async fn a_download_goes_on_where_it_stopped() {
    let lab = Lab::instant().await;
    let text = requests(20, "gpt-5-mini");
    let id = lab.upload(&text).await;
    let url = lab.url(&format!("/files/{id}/content"));
    let etag = lab.get(&format!("/files/{id}/content")).await.headers()["etag"].clone();
    let ask = async |if_range: &str| {
        let request = lab.client.get(&url).header("range", "bytes=100-");
        request.header("if-range", if_range).send().await.unwrap()
    };
    let part = ask(etag.to_str().unwrap()).await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], format!("bytes 100-{}/{}", text.len() - 1, text.len()).as_str());
    assert_eq!(part.text().await.unwrap(), text[100..]);
    let whole = ask("\"another\"").await;
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.text().await.unwrap(), text);
    let outside = lab.client.get(&url).header("range", "bytes=99999999-").send().await.unwrap();
    assert_eq!(outside.status(), 416);
}

#[tokio::test]
async fn bad_batch_files_are_refused_at_upload() {
    let config = SimConfig {
        limits: AccountLimits { upload_bytes: 10_000, ..AccountLimits::default() },
        ..SimConfig::default()
    };
    let lab = Lab::start(config).await;
    let check = async |name: &str, bytes: &[u8], message: &str| {
        let answer = lab.try_upload(name, bytes).await.unwrap();
        assert_eq!(answer.status(), 400);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["message"], message);
    };
    check("a.json", b"{}", "Invalid file format for Batch API. Must be .jsonl").await;
    check("a.jsonl", b"not json\n{}", "Invalid file format for Batch API. Must be .jsonl").await;
    check("a.jsonl", b"{\"a\":\"\xff\"}", "Invalid file for Batch API. Must be utf-8 encoded").await;
    check("a.jsonl", b"", "The file is empty.").await;
    check("a.jsonl", &[b' '; 10_001], "File is too large.").await;
    let files = lab.get_json("/files").await;
    assert_eq!(files["data"], serde_json::json!([]));
}

#[tokio::test]
async fn deleted_and_expired_files_are_gone() {
    let lab = Lab::start(SimConfig { speed: Speed::Manual, ..SimConfig::default() }).await;
    let first = lab.upload("{}").await;
    let second = lab.upload("{}").await;
    let url = lab.url(&format!("/files/{first}"));
    let answer: Value = lab.client.delete(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["deleted"], true);
    assert_eq!(lab.client.delete(&url).send().await.unwrap().status(), 404);
    let gone: Value = lab.get_json(&format!("/files/{first}/content")).await;
    assert_eq!(gone["error"]["message"], format!("No such File object: {first}"));
    assert_eq!(gone["error"]["param"], "id");
    let list = lab.get_json("/files?purpose=batch").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(list["first_id"], second.as_str());
    lab.sim.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(lab.get(&format!("/files/{second}")).await.status(), 404);
}
