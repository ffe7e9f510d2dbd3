//! The answer form: what a `json_schema` response format asks for, and the provider's complaints about a bad one.
//!
//! Checked are the rules of strict structured outputs; the provider's size limits are checked only for enum values and depth.

use serde_json::Value;
use serde_json::value::RawValue;

use super::ordered::Ordered;

/// The fields of an answer, in schema order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    pub(crate) fields: Vec<(String, Slot)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Slot {
    Boolean,
    Choice(Vec<String>),
    Text,
    Number,
    Other,
}

/// A refused response format: the provider's message and error code.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FormProblem {
    pub(crate) message: String,
    pub(crate) code: Option<&'static str>,
    pub(crate) param: &'static str,
}

/// Reads `response_format`; `None` where it asks for plain text or any JSON object.
pub(crate) fn read(format: &RawValue) -> Result<Option<Form>, FormProblem> {
    let malformed =
        |message: &str, param| FormProblem { message: message.to_owned(), code: Some("invalid_type"), param };
    let outer: Ordered<'_> = serde_json::from_str(format.get())
        .map_err(|_| malformed("Invalid type for 'response_format': expected an object.", "response_format"))?;
    match outer.string("type").as_deref() {
        Some("json_schema") => {}
        Some("text" | "json_object") => return Ok(None),
        _ => {
            return Err(FormProblem {
                message: "Invalid value for 'response_format.type'. Supported values are: 'json_object', 'json_schema', and 'text'.".to_owned(),
                code: Some("invalid_value"),
                param: "response_format.type",
            });
        }
    }
    let inner: Ordered<'_> = outer
        .get("json_schema")
        .and_then(|value| serde_json::from_str(value.get()).ok())
        .ok_or_else(|| missing("response_format.json_schema"))?;
    let name = inner.string("name").ok_or_else(|| missing("response_format.json_schema.name"))?;
    let well_named = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !well_named {
        return Err(FormProblem {
            message: "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.".to_owned(),
            code: Some("invalid_value"),
            param: "response_format.json_schema.name",
        });
    }
    let schema = inner.get("schema").ok_or_else(|| missing("response_format.json_schema.schema"))?;
    let strict = inner.get("strict").is_some_and(|value| value.get() == "true");
    if strict {
        let value: Value = serde_json::from_str(schema.get()).map_err(|_| {
            malformed(
                "Invalid type for 'response_format.json_schema.schema': expected an object.",
                "response_format.json_schema.schema",
            )
        })?;
        lint_root(&name, &value)?;
    }
    Ok(Some(fields(schema)))
}

fn missing(param: &'static str) -> FormProblem {
    FormProblem {
        message: format!("Missing required parameter: '{param}'."),
        code: Some("missing_required_parameter"),
        param,
    }
}

fn fields(schema: &RawValue) -> Form {
    let properties = serde_json::from_str::<Ordered<'_>>(schema.get())
        .ok()
        .and_then(|schema| schema.get("properties"))
        .and_then(|properties| serde_json::from_str::<Ordered<'_>>(properties.get()).ok());
    let fields = properties.map_or_else(Vec::new, |properties| {
        properties.0.into_iter().map(|(name, slot)| (name, read_slot(slot))).collect()
    });
    Form { fields }
}

fn read_slot(slot: &RawValue) -> Slot {
    let Ok(value) = serde_json::from_str::<Value>(slot.get()) else {
        return Slot::Other;
    };
    if let Some(choices) = value.get("enum").and_then(Value::as_array) {
        return Slot::Choice(choices.iter().filter_map(|choice| choice.as_str().map(str::to_owned)).collect());
    }
    match value.get("type").and_then(Value::as_str) {
        Some("boolean") => Slot::Boolean,
        Some("string") => Slot::Text,
        Some("integer" | "number") => Slot::Number,
        _ => Slot::Other,
    }
}

fn lint_root(name: &str, schema: &Value) -> Result<(), FormProblem> {
    let problem = |context: &str, text: &str| FormProblem {
        message: format!("Invalid schema for response_format '{name}': In context={context}, {text}"),
        code: Some("invalid_json_schema"),
        param: "response_format",
    };
    if schema.get("type").and_then(Value::as_str) != Some("object") || schema.get("anyOf").is_some() {
        return Err(FormProblem {
            message: format!(
                "Invalid schema for response_format '{name}': schema must be a JSON Schema of 'type: \"object\"', got 'type: {}'.",
                schema.get("type").unwrap_or(&Value::Null)
            ),
            code: Some("invalid_json_schema"),
            param: "response_format",
        });
    }
    let mut enum_values = 0_usize;
    lint(schema, &mut Vec::new(), &mut enum_values, &problem)?;
    if enum_values > 1_000 {
        return Err(problem("()", "the schema has more than 1,000 enum values."));
    }
    Ok(())
}

fn lint(
    schema: &Value,
    path: &mut Vec<String>,
    enum_values: &mut usize,
    problem: &impl Fn(&str, &str) -> FormProblem,
) -> Result<(), FormProblem> {
    let context = match path.as_slice() {
        [] => "()".to_owned(),
        [one] => format!("('{one}',)"),
        many => format!("('{}')", many.join("', '")),
    };
    if path.len() > 20 {
        return Err(problem(&context, "the schema is nested more than 10 levels deep."));
    }
    for word in ["allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"] {
        if schema.get(word).is_some() {
            return Err(problem(&context, &format!("'{word}' is not permitted.")));
        }
    }
    *enum_values += schema.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Err(problem(&context, "'additionalProperties' is required to be supplied and to be false."));
        }
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map_or_else(Vec::new, |keys| keys.iter().filter_map(Value::as_str).collect());
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (key, property) in properties {
                if !required.contains(&key.as_str()) {
                    return Err(problem(
                        &context,
                        &format!(
                            "'required' is required to be supplied and to be an array including every key in properties. Missing '{key}'."
                        ),
                    ));
                }
                path.extend(["properties".to_owned(), key.clone()]);
                lint(property, path, enum_values, problem)?;
                path.truncate(path.len() - 2);
            }
        }
    }
    if let Some(items) = schema.get("items") {
        path.push("items".to_owned());
        lint(items, path, enum_values, problem)?;
        path.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(schema: &str) -> Result<Option<Form>, FormProblem> {
        let format =
            format!(r#"{{"type":"json_schema","json_schema":{{"name":"T","strict":true,"schema":{schema}}}}}"#);
        read(&RawValue::from_string(format).expect("the test wrote JSON"))
    }

    #[test]
    fn fields_keep_the_schemas_order() {
        let form = form(r#"{"type":"object","properties":{"z":{"type":"boolean"},"a":{"type":"string","enum":["y","x"]}},"required":["z","a"],"additionalProperties":false}"#)
            .expect("the schema is strict")
            .expect("a schema was asked for");
        assert_eq!(
            form.fields,
            [("z".to_owned(), Slot::Boolean), ("a".to_owned(), Slot::Choice(vec!["y".to_owned(), "x".to_owned()]))]
        );
    }

    #[test]
    fn strict_rules_speak_the_providers_words() {
        let open = form(r#"{"type":"object","properties":{},"required":[]}"#).expect_err("open object");
        assert_eq!(open.code, Some("invalid_json_schema"));
        assert_eq!(
            open.message,
            "Invalid schema for response_format 'T': In context=(), 'additionalProperties' is required to be supplied and to be false."
        );
        let short = form(
            r#"{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}"#,
        )
        .expect_err("a key is not required");
        assert_eq!(
            short.message,
            "Invalid schema for response_format 'T': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'a'."
        );
        assert!(form(r#"{"type":"array"}"#).is_err());
    }
}
