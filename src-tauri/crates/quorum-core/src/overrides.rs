//! Overrides: a person's corrections of consensus fields, with their reason, as files carry them.
//!
//! `{topic: [{"review_id", "business_id"?, "original": {..}, "corrected": {field: value}, "reason"}]}`; keys that start with
//! `_` are comments. Not here: the audit trail (quorum-store) and applying ([`crate::tally::Consensus::correct`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    ids::{BusinessId, ReviewId, TopicId},
    schema::Schema,
    tally::Correction,
};

/// The field name that corrects relevance.
pub const RELEVANCE_FIELD: &str = "is_relevant";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Override {
    pub review_id: ReviewId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_id: Option<BusinessId>,
    /// What the consensus said when the correction was made, for the record.
    #[serde(default)]
    pub original: BTreeMap<String, Value>,
    pub corrected: BTreeMap<String, Value>,
    #[serde(default)]
    pub reason: String,
}

#[derive(Debug, thiserror::Error, PartialEq)]
pub enum OverrideError {
    #[error("not JSON: {message} (line {line}, column {column})")]
    Json { line: usize, column: usize, message: String },
    #[error("expected an object of topics at the top")]
    Shape,
    #[error("topic {topic}: expected a list of overrides")]
    NotAList { topic: TopicId },
    #[error("topic {topic}, entry {entry}: {message}")]
    Entry { topic: TopicId, entry: usize, message: String },
}

/// Reads an overrides file; nothing is taken from a file with any error.
pub fn read_overrides(text: &str) -> Result<Vec<(TopicId, Vec<Override>)>, OverrideError> {
    let value: Value = serde_json::from_str(text).map_err(|error| OverrideError::Json {
        line: error.line(),
        column: error.column(),
        message: "the file is damaged or cut short there".to_owned(),
    })?;
    let Value::Object(topics) = value else { return Err(OverrideError::Shape) };
    topics.into_iter().filter(|(key, _)| !key.starts_with('_')).map(read_topic).collect()
}

fn read_topic((topic, entries): (String, Value)) -> Result<(TopicId, Vec<Override>), OverrideError> {
    let topic = TopicId::new(topic);
    let Value::Array(entries) = entries else { return Err(OverrideError::NotAList { topic }) };
    let mut read = Vec::with_capacity(entries.len());
    for (entry, mut value) in (1..).zip(entries) {
        if let Value::Object(object) = &mut value {
            drop_comments(object);
        }
        let parsed: Override = serde_json::from_value(value).map_err(|error| OverrideError::Entry {
            topic: topic.clone(),
            entry,
            message: error.to_string(),
        })?;
        if parsed.corrected.is_empty() {
            let message = "`corrected` names no field".to_owned();
            return Err(OverrideError::Entry { topic, entry, message });
        }
        read.push(parsed);
    }
    Ok((topic, read))
}

fn drop_comments(object: &mut Map<String, Value>) {
    object.retain(|key, _| !key.starts_with('_'));
    for value in object.values_mut() {
        if let Value::Object(inner) = value {
            inner.retain(|key, _| !key.starts_with('_'));
        }
    }
}

/// Writes overrides in the form that [`read_overrides`] reads, topics and entries in the given order.
pub fn write_overrides(topics: &[(TopicId, Vec<Override>)]) -> String {
    let map: Map<String, Value> = topics
        .iter()
        .map(|(topic, entries)| {
            let entries = entries.iter().map(|entry| serde_json::to_value(entry).unwrap_or(Value::Null)).collect();
            (topic.to_string(), Value::Array(entries))
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&Value::Object(map)).unwrap_or_default();
    text.push('\n');
    text
}

/// A corrected field that the schema cannot take.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CorrectionError {
    #[error("the topic has no field `{field}`; it has {known}")]
    Field { field: String, known: String },
    #[error("`{value}` is not a value of {field}; it has {known}")]
    Value { field: String, value: String, known: String },
}

/// Resolves corrected fields against a schema.
pub fn resolve<'a>(
    schema: &Schema,
    corrected: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> Result<Correction, CorrectionError> {
    let mut correction = Correction::default();
    for (name, value) in corrected {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let unknown = |known: Vec<&str>| CorrectionError::Value {
            field: name.to_owned(),
            value: text.clone(),
            known: known.join(", "),
        };
        if crate::answer::is_relevance_key(name) && schema.field(name).is_none() {
            correction.relevant = Some(match text.as_str() {
                "true" => true,
                "false" => false,
                _ => return Err(unknown(vec!["true", "false"])),
            });
            continue;
        }
        let (number, field) = schema.field(name).ok_or_else(|| CorrectionError::Field {
            field: name.to_owned(),
            known: schema.fields().iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        let value = field
            .value(&text)
            .ok_or_else(|| unknown(field.term.values.iter().map(|value| value.id.as_str()).collect()))?;
        correction.values.push((number, value));
    }
    Ok(correction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::tests::term;

    #[test]
    fn comments_are_skipped_and_files_round_trip() {
        let text = r#"{"_note": "by hand", "G1_allergy": [{"review_id": "r1", "_by": "me", "original": {"severity": "mild"},
            "corrected": {"severity": "severe", "_why": 1}, "reason": "hospital"}]}"#;
        let read = read_overrides(text).expect("overrides");
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].1[0].corrected.len(), 1);
        assert_eq!(read_overrides(&write_overrides(&read)), Ok(read));
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(read_overrides("[]"), Err(OverrideError::Shape));
        assert!(matches!(read_overrides("{\n \"a\": [}"), Err(OverrideError::Json { line: 2, .. })));
        assert!(matches!(read_overrides(r#"{"T": [{"review_id": "r"}]}"#), Err(OverrideError::Entry { entry: 1, .. })));
        assert!(matches!(read_overrides(r#"{"T": {}}"#), Err(OverrideError::NotAList { .. })));
    }

    #[test]
    fn corrections_are_checked_against_the_schema() {
        let schema = Schema::new([term("d", "SEVERITY", &["none", "mild"])]);
        let value = |text: &str| Value::String(text.to_owned());
        let mild = value("mild");
        let correction =
            resolve(&schema, [("severity", &mild), ("is_relevant", &Value::Bool(true))]).expect("resolved");
        assert_eq!(correction, Correction { relevant: Some(true), values: vec![(0, 1)] });
        assert!(matches!(resolve(&schema, [("colour", &mild)]), Err(CorrectionError::Field { .. })));
        assert!(matches!(resolve(&schema, [("severity", &value("odd"))]), Err(CorrectionError::Value { .. })));
    }
}
