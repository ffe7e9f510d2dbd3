//! A minimal client and sample requests.

use std::collections::BTreeMap;

use quorum_sim::{SimConfig, Simulator, Speed};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response};
use serde_json::{Value, json};

pub(crate) const SYSTEM: &str = "You read one customer review and answer a fixed form about it.\n\n# Topic: Allergy\nAllergies.\nRelevant: it speaks of allergies\nNot relevant: else\nRelevance cues: \"allerg\"; \"peanut\"\n\n# Field: incident_severity\nHow bad it was.\n- none: No incident.\n- mild: Slight. Cues: \"itch\"; \"hives\"\n- moderate: Worse. Cues: \"vomit\"\n- severe: Worst. Cues: \"epipen\"; \"hospital\"\n\n# Field: account_type\nWho tells.\n- firsthand: Own.\n- secondhand: Another's. Cues: \"my friend\"\n- hypothetical: Nobody's.\n";

/// A simulator and a client of it.
pub(crate) struct Lab {
    pub(crate) sim: Simulator,
    pub(crate) client: Client,
}

impl Lab {
    pub(crate) async fn start(config: SimConfig) -> Self {
        Self {
            sim: Simulator::start(config).await.unwrap(),
            // Connections are not kept, so that a closed one is always the simulator's doing.
            client: Client::builder().pool_max_idle_per_host(0).build().unwrap(),
        }
    }

    pub(crate) async fn instant() -> Self {
        Self::start(SimConfig::default()).await
    }

    pub(crate) async fn manual() -> Self {
        Self::start(SimConfig { speed: Speed::Manual, ..SimConfig::default() }).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.base_url())
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.client.post(self.url(path)).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) async fn try_upload(&self, name: &str, text: impl Into<Vec<u8>>) -> reqwest::Result<Response> {
        let form =
            Form::new().text("purpose", "batch").part("file", Part::bytes(text.into()).file_name(name.to_owned()));
        self.client.post(self.url("/files")).multipart(form).send().await
    }

    pub(crate) async fn upload(&self, text: &str) -> String {
        let answer = self.try_upload("input.jsonl", text).await.unwrap();
        assert_eq!(answer.status(), 200);
        let file: Value = answer.json().await.unwrap();
        file["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn create(&self, file: &str) -> Value {
        let (status, batch) = self.post("/batches", &create_body(file)).await;
        assert_eq!(status, 200, "{batch}");
        batch
    }

    /// Uploads, creates, and answers the batch's id.
    pub(crate) async fn submit(&self, text: &str) -> String {
        let file = self.upload(text).await;
        self.create(&file).await["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn batch(&self, id: &str) -> Value {
        self.get_json(&format!("/batches/{id}")).await
    }

    /// Polls until the batch has ended; every poll moves an instant batch.
    pub(crate) async fn finish(&self, id: &str) -> Value {
        for _ in 0..50 {
            let batch = self.batch(id).await;
            let status = batch["status"].as_str().unwrap();
            if ["completed", "failed", "expired", "cancelled"].contains(&status) {
                return batch;
            }
        }
        panic!("batch {id} did not end within 50 polls");
    }

    /// The lines of a file.
    pub(crate) async fn lines(&self, file: &Value) -> Vec<Value> {
        let Some(id) = file.as_str() else {
            return Vec::new();
        };
        let answer = self.get(&format!("/files/{id}/content")).await;
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn create_body(file: &str) -> Value {
    json!({
        "input_file_id": file,
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"intent": "i-1"},
    })
}

pub(crate) fn body(model: &str, text: &str) -> Value {
    let fields = json!({
        "is_relevant": {"type": "boolean"},
        "incident_severity": {"type": "string", "enum": ["none", "mild", "moderate", "severe"]},
        "account_type": {"type": "string", "enum": ["firsthand", "secondhand", "hypothetical"]},
    });
    json!({
        "model": model,
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": format!("<review fence=\"0a1b2c3d\">\n{text}\n</review fence=\"0a1b2c3d\">")},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "G1_allergy", "strict": true, "schema": {
            "type": "object",
            "properties": fields,
            "required": ["is_relevant", "incident_severity", "account_type"],
            "additionalProperties": false,
        }}},
    })
}

pub(crate) fn line(custom_id: &str, model: &str, text: &str) -> String {
    json!({"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body(model, text)})
        .to_string()
}

/// So many requests of one model with varied reviews, as a file.
pub(crate) fn requests(count: usize, model: &str) -> String {
    let texts = [
        "Great pasta, friendly staff.",
        "My peanut allergy gave me hives.",
        "They took my friend's allergy seriously.",
        "Ended in the hospital with an EpiPen.",
    ];
    (0..count).map(|n| line(&format!("r{n}-1"), model, &format!("Visit {n}. {}", texts[n % 4])) + "\n").collect()
}

/// custom_id → answer content.
pub(crate) fn answers(lines: &[Value]) -> BTreeMap<String, String> {
    lines
        .iter()
        .map(|line| {
            (
                line["custom_id"].as_str().unwrap().to_owned(),
                line["response"]["body"]["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect()
}
