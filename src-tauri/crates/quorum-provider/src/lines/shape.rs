//! The JSON of a line, of all four error shapes and of compatible servers, before it is judged.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::lenient::{Maybe, Number, Text, drain_seq};
use crate::wire::Usage;

#[derive(Deserialize)]
pub(super) struct RawLine<'a> {
    #[serde(default, borrow)]
    pub(super) custom_id: Text<'a>,
    #[serde(default, borrow)]
    pub(super) response: Maybe<RawResponse<'a>>,
    #[serde(default, borrow)]
    pub(super) error: RawError<'a>,
}

#[derive(Deserialize)]
pub(super) struct RawResponse<'a> {
    #[serde(default)]
    pub(super) status_code: Number,
    #[serde(default, borrow)]
    pub(super) body: RawBody<'a>,
}

/// A response body: an object, an object printed into a string, or nothing.
#[derive(Default)]
pub(super) enum RawBody<'a> {
    #[default]
    Absent,
    Object(Box<ChatBody<'a>>),
    Printed(Cow<'a, str>),
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ChatBody<'a> {
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) choices: FirstChoice<'a>,
    pub(super) usage: Maybe<Usage>,
    #[serde(borrow)]
    pub(super) error: RawError<'a>,
}

/// The first of `choices`; Quorum asks for one.
#[derive(Default)]
pub(super) struct FirstChoice<'a>(pub(super) Option<Choice<'a>>);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    #[serde(borrow)]
    pub(super) finish_reason: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Maybe<Message<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) content: Content<'a>,
    #[serde(borrow)]
    pub(super) refusal: Text<'a>,
}

/// Text, or a list of parts that hold text.
#[derive(Default)]
pub(super) struct Content<'a>(pub(super) Option<Cow<'a, str>>);

/// An error as an object or as bare text; `code` falls back on `type`.
#[derive(Default)]
pub(super) struct RawError<'a> {
    pub(super) is_present: bool,
    pub(super) code: Cow<'a, str>,
    pub(super) message: Cow<'a, str>,
}

/// Visits of shapes that say nothing here: they read as the default.
macro_rules! nothing_from_scalars {
    () => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

impl<'de: 'a, 'a> Deserialize<'de> for RawBody<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BodyVisitor;
        impl<'de> Visitor<'de> for BodyVisitor {
            type Value = RawBody<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a response body")
            }
            nothing_from_scalars!();
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(if v.is_empty() { RawBody::Absent } else { RawBody::Printed(Cow::Borrowed(v)) })
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(if v.is_empty() { RawBody::Absent } else { RawBody::Printed(Cow::Owned(v.to_owned())) })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                drain_seq(seq).map(|()| RawBody::Absent)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let body = ChatBody::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawBody::Object(Box::new(body)))
            }
        }
        deserializer.deserialize_any(BodyVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for FirstChoice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChoicesVisitor;
        impl<'de> Visitor<'de> for ChoicesVisitor {
            type Value = FirstChoice<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of choices")
            }
            nothing_from_scalars!();
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(FirstChoice::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let first = seq.next_element::<Maybe<Choice>>()?.and_then(|choice| choice.0);
                drain_seq(seq)?;
                Ok(FirstChoice(first))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                crate::lenient::drain_map(map).map(|()| FirstChoice::default())
            }
        }
        deserializer.deserialize_any(ChoicesVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Part<'a> {
            #[serde(borrow)]
            text: Text<'a>,
        }
        struct ContentVisitor;
        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an answer's text")
            }
            nothing_from_scalars!();
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Content((!v.is_empty()).then_some(Cow::Borrowed(v))))
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Content((!v.is_empty()).then(|| Cow::Owned(v.to_owned()))))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut whole = String::new();
                while let Some(part) = seq.next_element::<Maybe<Part>>()? {
                    whole.push_str(&part.0.unwrap_or_default().text.or_empty());
                }
                Ok(Content((!whole.is_empty()).then_some(Cow::Owned(whole))))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                crate::lenient::drain_map(map).map(|()| Content::default())
            }
        }
        deserializer.deserialize_any(ContentVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawError<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Members<'a> {
            #[serde(borrow)]
            code: Text<'a>,
            #[serde(borrow, rename = "type")]
            kind: Text<'a>,
            #[serde(borrow)]
            message: Text<'a>,
        }
        struct ErrorVisitor;
        impl<'de> Visitor<'de> for ErrorVisitor {
            type Value = RawError<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an error")
            }
            nothing_from_scalars!();
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(RawError { is_present: !v.is_empty(), code: Cow::Borrowed(""), message: Cow::Borrowed(v) })
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(RawError { is_present: !v.is_empty(), code: Cow::Borrowed(""), message: Cow::Owned(v.to_owned()) })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let is_present = seq.next_element::<IgnoredAny>()?.is_some();
                drain_seq(seq)?;
                Ok(RawError { is_present, ..RawError::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let members = Members::deserialize(MapAccessDeserializer::new(map))?;
                let is_present = [&members.code, &members.kind, &members.message].iter().any(|m| m.0.is_some());
                let code = members.code.0.or(members.kind.0).unwrap_or_default();
                Ok(RawError { is_present, code, message: members.message.or_empty() })
            }
        }
        deserializer.deserialize_any(ErrorVisitor)
    }
}
