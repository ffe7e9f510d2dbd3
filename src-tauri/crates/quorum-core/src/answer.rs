//! Reading a model's answer: strict first, tolerant second, and never a guess.
//!
//! What cannot be read at all is [`Unreadable`] and becomes a failed request, kept and retryable. A field whose value is not
//! in the term's list is an abstention on that field. Nothing is replaced by a default.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::schema::Schema;

/// A read answer: one value per field in field order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub relevant: bool,
    /// Index of the value in term order; `None` is an abstention.
    pub values: Vec<Option<u8>>,
}

impl Answer {
    /// Fields without a valid value.
    pub fn abstentions(&self) -> usize {
        self.values.iter().filter(|value| value.is_none()).count()
    }
}

/// Why an answer is no vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the answer is empty")]
    Empty,
    #[error("the answer holds no JSON object")]
    NoObject,
    #[error("the answer's JSON is broken")]
    Broken,
    #[error("the answer does not say whether the review is relevant")]
    NoRelevance,
}

/// Reads an answer to this schema.
pub fn read_answer(schema: &Schema, content: &str) -> Result<Answer, Unreadable> {
    let content = content.trim();
    if content.is_empty() {
        return Err(Unreadable::Empty);
    }
    if let Ok(answer) = read_object(schema, content) {
        return answer.ok_or(Unreadable::NoRelevance);
    }
    // Fences and prose around the object: try every object that starts at a brace, keep the first that says relevance.
    let mut verdict = Unreadable::NoObject;
    for (start, _) in content.match_indices('{').take(OBJECTS_TRIED_MAX) {
        let mut stream = serde_json::Deserializer::from_str(&content[start..]);
        match (AnswerSeed { schema }).deserialize(&mut stream) {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => verdict = Unreadable::NoRelevance,
            Err(_) if verdict == Unreadable::NoObject => verdict = Unreadable::Broken,
            Err(_) => {}
        }
    }
    Err(verdict)
}

/// How many opening braces are tried before an answer is called unreadable.
const OBJECTS_TRIED_MAX: usize = 16;

fn read_object(schema: &Schema, content: &str) -> Result<Option<Answer>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(content);
    let answer = AnswerSeed { schema }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(answer)
}

/// Reads one object straight into values, without a tree in between. `None`: it has no usable relevance.
struct AnswerSeed<'a> {
    schema: &'a Schema,
}

impl<'de> DeserializeSeed<'de> for AnswerSeed<'_> {
    type Value = Option<Answer>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AnswerSeed<'_> {
    type Value = Option<Answer>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an answer object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut relevant = None;
        let mut values = vec![None; self.schema.fields().len()];
        while let Some(Key(key)) = map.next_key()? {
            if let Some((at, field)) = self.schema.field(&key) {
                values[at] = match map.next_value()? {
                    Scalar::Text(text) => field.value(&text),
                    Scalar::Bool(value) => field.value(if value { "true" } else { "false" }),
                    Scalar::Other => None,
                };
            } else if is_relevance_key(&key) {
                relevant = match map.next_value()? {
                    Scalar::Bool(value) => Some(value),
                    Scalar::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
                    Scalar::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
                    _ => relevant,
                };
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(relevant.map(|relevant| Answer { relevant, values }))
    }
}

/// `is_relevant`, or `is_allergy_related` as the predecessor's older files have it for every topic.
pub fn is_relevance_key(key: &str) -> bool {
    key == "is_relevant" || (key.starts_with("is_") && key.ends_with("_related"))
}

struct Key<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(reader)? {
            Scalar::Text(text) => Ok(Self(text)),
            _ => Ok(Self(Cow::Borrowed(""))),
        }
    }
}

/// A JSON value as far as answers use one; anything else is skipped. `true` for a term whose values are `'true'` and
/// `'false'` reads as that text, because models without strict schemas answer so.
enum Scalar<'de> {
    Bool(bool),
    Text(Cow<'de, str>),
    Other,
}

impl<'de> serde::Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar<'de>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a JSON value")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Bool(value))
            }
            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(value)))
            }
            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(value.to_owned())))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        reader.deserialize_any(ScalarVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::tests::term;

    fn schema() -> Schema {
        Schema::new([term("d", "SEVERITY", &["none", "mild"]), term("d", "CLAIM", &["true", "false"])])
    }

    fn check(content: &str, expected: Result<(bool, &[Option<u8>]), Unreadable>) {
        let expected = expected.map(|(relevant, values)| Answer { relevant, values: values.to_vec() });
        assert_eq!(read_answer(&schema(), content), expected, "{content}");
    }

    #[test]
    fn strict_answers() {
        check(r#"{"is_relevant":true,"severity":"mild","claim":"false"}"#, Ok((true, &[Some(1), Some(1)])));
        check(
            r#"{"is_relevant":false,"severity":"none","claim":"true","more":{"a":[1]}}"#,
            Ok((false, &[Some(0), Some(0)])),
        );
    }

    #[test]
    fn tolerant_answers() {
        check(
            "```json\n{\"is_relevant\": true, \"severity\": \"mild\", \"claim\": \"true\"}\n```",
            Ok((true, &[Some(1), Some(0)])),
        );
        check("Here {you} go: {\"is_relevant\":\"True\",\"severity\":\"mild\"} bye", Ok((true, &[Some(1), None])));
        check(r#"{"is_allergy_related":true,"severity":"none"}"#, Ok((true, &[Some(0), None])));
        check(r#"{"is_relevant":true,"claim":true}"#, Ok((true, &[None, Some(0)])));
    }

    #[test]
    fn a_value_out_of_the_list_is_an_abstention_never_a_default() {
        check(r#"{"is_relevant":true,"severity":"terrible","claim":7}"#, Ok((true, &[None, None])));
        check(r#"{"is_relevant":true,"severity":null,"claim":["true"]}"#, Ok((true, &[None, None])));
    }

    #[test]
    fn unreadable_answers_are_failures() {
        check("  ", Err(Unreadable::Empty));
        check("I cannot say.", Err(Unreadable::NoObject));
        check(r#"{"is_relevant":true,"severity":"mi"#, Err(Unreadable::Broken));
        check(r#"{"severity":"mild"}"#, Err(Unreadable::NoRelevance));
        check(r#"{"is_relevant":null,"severity":"mild"}"#, Err(Unreadable::NoRelevance));
        check("[1,2]", Err(Unreadable::NoObject));
    }

    proptest! {
        #[test]
        fn no_text_panics(content in "\\PC{0,80}") {
            let _any_outcome = read_answer(&schema(), &content);
        }

        #[test]
        fn prose_around_an_answer_changes_nothing(before in "[a-z .:]{0,20}", after in "[a-z .:{]{0,20}") {
            let content = format!("{before}{{\"is_relevant\":true,\"severity\":\"mild\",\"claim\":\"true\"}}{after}");
            let answer = Answer { relevant: true, values: vec![Some(1), Some(0)] };
            prop_assert_eq!(read_answer(&schema(), &content), Ok(answer));
        }
    }
}
