//! Which request parameters a model takes, and the 400 that it gives for others.
//!
//! Only what the gpt-5 family is known to refuse is refused; older models take everything.

use super::completion::{Reply, refuse};
use super::ordered::Ordered;
use super::roster::Model;

pub(crate) fn check_parameters(body: &Ordered<'_>, model: &Model) -> Result<(), Reply> {
    if body.get("stream").is_some_and(|value| value.get() == "true") {
        return Err(refuse(
            "The simulator does not stream chat completions.",
            Some("stream"),
            Some("unsupported_value"),
        ));
    }
    if !model.gpt5_or_later() {
        return Ok(());
    }
    let unsupported = |name: &str| {
        refuse(
            &format!("Unsupported parameter: '{name}' is not supported with this model."),
            Some(name),
            Some("unsupported_parameter"),
        )
    };
    if body.get("max_tokens").is_some() {
        return Err(refuse(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            Some("max_tokens"),
            Some("unsupported_parameter"),
        ));
    }
    let effort = body.string("reasoning_effort");
    if let Some(effort) = &effort
        && !model.efforts.contains(&effort.as_str())
    {
        return Err(refuse(
            &format!(
                "Unsupported value: '{effort}' is not supported with the '{}' model. Supported values are: {}.",
                model.id,
                listed(model.efforts)
            ),
            Some("reasoning_effort"),
            Some("unsupported_value"),
        ));
    }
    if let Some(verbosity) = body.string("verbosity")
        && !["low", "medium", "high"].contains(&verbosity.as_str())
    {
        return Err(refuse(
            &format!("Invalid value: '{verbosity}'. Supported values are: 'low', 'medium', and 'high'."),
            Some("verbosity"),
            Some("invalid_value"),
        ));
    }
    // From gpt-5.1 on, effort "none" lifts the ban on sampling parameters.
    if effort.as_deref() == Some("none") {
        return Ok(());
    }
    for name in ["temperature", "top_p", "presence_penalty", "frequency_penalty"] {
        let default = if name.ends_with("penalty") { 0.0 } else { 1.0 };
        if let Some(value) = body.get(name)
            && serde_json::from_str::<f64>(value.get()).ok() != Some(default)
        {
            if name == "temperature" {
                return Err(refuse(
                    &format!(
                        "Unsupported value: 'temperature' does not support {} with this model. Only the default (1) value is supported.",
                        value.get()
                    ),
                    Some(name),
                    Some("unsupported_value"),
                ));
            }
            return Err(unsupported(name));
        }
    }
    for name in ["logprobs", "top_logprobs", "logit_bias"] {
        if body.get(name).is_some_and(|value| value.get() != "false") {
            return Err(unsupported(name));
        }
    }
    Ok(())
}

/// `'a', 'b', and 'c'`.
fn listed(values: &[&str]) -> String {
    match values {
        [] => String::new(),
        [one] => format!("'{one}'"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|value| format!("'{value}'")).collect();
            format!("{}, and '{last}'", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use crate::model::completion::Models;

    fn complete(extra: &str, model: &str) -> (u16, Value) {
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"U"}}]{extra}}}"#);
        let reply = Models::new(3, BTreeMap::new(), false).complete(&body, "1", 5, None);
        (reply.status, serde_json::from_str(&reply.body).expect("replies are JSON"))
    }

    #[track_caller]
    fn check_refused(extra: &str, model: &str, message: &str, param: &str, code: &str) {
        let (status, body) = complete(extra, model);
        assert_eq!(status, 400);
        assert_eq!(body["error"]["message"], message);
        assert_eq!(body["error"]["param"], param);
        assert_eq!(body["error"]["code"], code);
    }

    #[test]
    fn the_gpt5_family_refuses_sampling_parameters() {
        check_refused(
            r#","temperature":0.2"#,
            "gpt-5-mini",
            "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        );
        check_refused(
            r#","max_tokens":5"#,
            "gpt-5-nano",
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        );
        check_refused(
            r#","reasoning_effort":"minimal""#,
            "gpt-5.1",
            "Unsupported value: 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: 'none', 'low', 'medium', and 'high'.",
            "reasoning_effort",
            "unsupported_value",
        );
        assert_eq!(complete(r#","temperature":1"#, "gpt-5-mini").0, 200);
        assert_eq!(complete(r#","temperature":0"#, "gpt-4o").0, 200);
        assert_eq!(complete(r#","temperature":0,"reasoning_effort":"none""#, "gpt-5.1").0, 200);
    }
}
