//! The answer that a strict schema makes a model give, read where it stands in a result line.
//!
//! Such an answer is one flat object of known fields with listed values. Inside a line it is a JSON text, so its quotation
//! marks stand escaped. [`AnswerForm::read`] reads it there, without unescaping and straight into codes; whatever is not exactly
//! so is left to [`crate::answer::read_answer`], which decides. Both give the same where this one gives anything.

use crate::schema::Schema;

/// The fields and values of a schema as they stand in a result line.
#[derive(Clone, Debug)]
pub struct AnswerForm {
    fields: Vec<FormField>,
}

#[derive(Clone, Debug)]
struct FormField {
    /// With its quotation marks: `\"severity\"`.
    name: Vec<u8>,
    slot: usize,
    /// With the closing quotation mark, and the code.
    values: Vec<(Vec<u8>, u8)>,
}

const RELEVANCE: &[u8] = br#"\"is_relevant\""#;
const QUOTE: &[u8] = br#"\""#;

impl AnswerForm {
    /// `None`: a name or value of this schema is not plain ASCII, so that nothing can be read without unescaping, or a field
    /// has the name of the relevance.
    pub fn new(schema: &Schema) -> Option<Self> {
        let plain = |text: &str| {
            let is_plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\'));
            is_plain.then(|| [text.as_bytes(), QUOTE].concat())
        };
        let fields = schema.fields().iter().enumerate().map(|(at, field)| {
            let values = (0..=u8::MAX).zip(&field.term.values);
            Some(FormField {
                name: [QUOTE, &plain(&field.name)?].concat(),
                slot: schema.slot(at),
                values: values
                    .map(|(value, named)| Some((plain(&named.id)?, field.code(value))))
                    .collect::<Option<_>>()?,
            })
        });
        let is_ambiguous = schema.field("is_relevant").is_some();
        Some(Self { fields: fields.collect::<Option<_>>()? }).filter(|_| !is_ambiguous)
    }

    /// Reads an answer that begins here and ends at a quotation mark: whether it says relevant, and how many bytes it takes. Its
    /// codes are written in slot order; a field that it does not have is an abstention. `None`: it is not of this form.
    pub fn read(&self, raw: &[u8], codes: &mut [u8]) -> Option<(bool, usize)> {
        codes.fill(0);
        let mut rest = blank(raw.strip_prefix(b"{")?);
        let mut relevant = None;
        // The order of the schema is the usual one, so the next field is tried first.
        let mut next = 0;
        loop {
            if let Some(value) = rest.strip_prefix(RELEVANCE) {
                let value = colon(value)?;
                let (said, behind) = match value {
                    [b't', b'r', b'u', b'e', behind @ ..] => (true, behind),
                    [b'f', b'a', b'l', b's', b'e', behind @ ..] => (false, behind),
                    _ => return None,
                };
                relevant = Some(said);
                rest = behind;
            } else {
                let is_next = self.fields.get(next).is_some_and(|field| rest.starts_with(&field.name));
                let at =
                    if is_next { next } else { self.fields.iter().position(|field| rest.starts_with(&field.name))? };
                let field = &self.fields[at];
                let value = colon(&rest[field.name.len()..])?.strip_prefix(QUOTE)?;
                let (id, code) = field.values.iter().find(|(id, _)| value.starts_with(id))?;
                codes[field.slot] = *code;
                rest = &value[id.len()..];
                next = at + 1;
            }
            match blank(rest) {
                [b',', behind @ ..] => rest = blank(behind),
                [b'}', behind @ ..] => {
                    behind.starts_with(b"\"").then_some(())?;
                    return Some((relevant?, raw.len() - behind.len()));
                }
                _ => return None,
            }
        }
    }
}

fn colon(raw: &[u8]) -> Option<&[u8]> {
    blank(raw).strip_prefix(b":").map(blank)
}

fn blank(mut raw: &[u8]) -> &[u8] {
    while let [b' ', behind @ ..] = raw {
        raw = behind;
    }
    raw
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{answer::read_answer, schema::tests::term, votes::encode};

    fn schema() -> Schema {
        Schema::new([
            term("d", "SEVERITY", &["none", "mild", "mild_2", "severe"]),
            term("d", "ACCOUNT", &["true", "false"]),
            term("d", "CLAIM_2", &["a", "b"]),
        ])
    }

    /// Reads an answer as it stands in a line, by the form.
    fn by_form(schema: &Schema, answer: &str) -> Option<(bool, Vec<u8>)> {
        let line = serde_json::to_string(answer).expect("text is JSON");
        let mut codes = vec![9; schema.fields().len()];
        let (relevant, taken) = AnswerForm::new(schema)?.read(&line.as_bytes()[1..], &mut codes)?;
        assert_eq!(taken + 2, line.len(), "it ends where the text does: {line}");
        Some((relevant, codes))
    }

    #[test]
    fn the_usual_answers_are_read() {
        let schema = schema();
        let all = Some((true, encode(&schema, &[Some(2), Some(1), Some(0)])));
        for answer in [
            r#"{"is_relevant":true,"severity":"mild_2","account":"false","claim_2":"a"}"#,
            r#"{"account": "false", "claim_2": "a", "is_relevant": true, "severity": "mild_2"}"#,
        ] {
            assert_eq!(by_form(&schema, answer), all, "{answer}");
        }
        assert_eq!(by_form(&schema, r#"{"is_relevant":false}"#), Some((false, vec![0, 0, 0])));
    }

    #[test]
    fn a_schema_beyond_ascii_has_no_form() {
        assert!(AnswerForm::new(&Schema::new([term("d", "A", &["é"])])).is_none());
        assert!(AnswerForm::new(&Schema::new([term("d", "A", &["a\"b"])])).is_none());
    }

    proptest! {
        #[test]
        fn what_the_form_reads_is_what_the_answer_says(
            members in prop::collection::vec(
                (
                    prop::sample::select(vec!["is_relevant", "severity", "account", "claim_2", "other", "is_x_related"]),
                    prop::sample::select(vec![
                        "true", "false", "null", "1", "\"none\"", "\"mild\"", "\"mild_2\"", "\"mild_23\"", "\"true\"", "\"a\"",
                        "\"b\"", "\"\"", "\"no\\u006ee\"", "{}", "[\"a\"]",
                    ]),
                ),
                0..6,
            ),
            gap in prop::sample::select(vec!["", " ", "  ", "\n"]),
            behind in prop::sample::select(vec!["", " ", "}", "x", "\n"]),
        ) {
            let schema = schema();
            let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\"{gap}:{gap}{value}")).collect();
            let answer = format!("{{{gap}{}{gap}}}{behind}", members.join(&format!("{gap},{gap}")));
            if let Some((relevant, codes)) = by_form(&schema, &answer) {
                let read = read_answer(&schema, &answer).expect("the form reads nothing that cannot be read");
                prop_assert_eq!((relevant, codes), (read.relevant, encode(&schema, &read.values)));
            }
        }
    }
}
