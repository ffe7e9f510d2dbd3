//! Terms and the schema they form: what is asked of a review, and the hash that identifies it.
//!
//! Two orders live side by side. *Term order* is the order of values in the term; ties go to the earlier value.
//! *Code order* is the order of value ids sorted as bytes; packed votes use it, because the term hash ignores the
//! order of values, so that a vote stays readable when a term is only reordered.

use sha2::{Digest, Sha256};

use crate::ids::TermHash;

/// One categorical question with a closed list of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// `allergy` of `allergy:INCIDENT_SEVERITY`.
    pub domain: String,
    /// `INCIDENT_SEVERITY` of `allergy:INCIDENT_SEVERITY`.
    pub id: String,
    pub name: String,
    /// The term as a plain-words question for people; falls back to the name.
    pub question: Option<String>,
    pub description: String,
    pub values: Vec<TermValue>,
    pub default: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermValue {
    pub id: String,
    /// A short answer in plain words.
    pub label: String,
    pub description: String,
    /// Phrases that point to this value.
    pub cues: Vec<String>,
}

impl Term {
    /// `domain:ID`, the way policies refer to a term.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.domain, self.id)
    }

    /// The field's name in answers: the id in lower case.
    pub fn field(&self) -> String {
        self.id.to_lowercase()
    }
}

/// A term in its place in a schema, with the maps between term order and code order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub term: Term,
    /// `code_of[value] - 1` is the rank of the value's id in byte order.
    code_of: Vec<u8>,
    /// `value_of[code - 1]` is the value's index in term order.
    value_of: Vec<u8>,
}

/// Most values that one term may have: a value's code is one byte, and 0 means "no valid answer".
pub const VALUES_MAX: usize = 255;

impl Field {
    fn new(term: Term) -> Self {
        debug_assert!(term.values.len() <= VALUES_MAX, "the catalog refuses longer terms");
        let mut by_id: Vec<u8> = (0..=u8::MAX).take(term.values.len()).collect();
        by_id.sort_by(|a, b| term.values[usize::from(*a)].id.cmp(&term.values[usize::from(*b)].id));
        let mut code_of = vec![0; term.values.len()];
        for (code, value) in (1..).zip(&by_id) {
            code_of[usize::from(*value)] = code;
        }
        Self { name: term.field(), term, code_of, value_of: by_id }
    }

    /// The index in term order of the value with this id.
    pub fn value(&self, id: &str) -> Option<u8> {
        (0..=u8::MAX).zip(&self.term.values).find(|(_, value)| value.id == id).map(|(index, _)| index)
    }

    /// The packed code (1..) of a value given by its index in term order.
    pub fn code(&self, value: u8) -> u8 {
        self.code_of[usize::from(value)]
    }

    /// The index in term order for a packed code; `None` for 0 (no valid answer) and for codes out of range.
    pub fn decode(&self, code: u8) -> Option<u8> {
        self.value_of.get(usize::from(code.checked_sub(1)?)).copied()
    }

    pub fn value_id(&self, value: u8) -> &str {
        &self.term.values[usize::from(value)].id
    }
}

/// The fields that a topic asks for, in order of first mention.
///
/// Packed votes hold one code per field in the order of *sorted* field names ([`Schema::slot`]), again because the
/// hash does not know the order of mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    fields: Vec<Field>,
    slots: Vec<usize>,
}

impl Schema {
    /// The schema of these terms. Callers (the catalog) have checked that field names are unique.
    pub fn new(terms: impl IntoIterator<Item = Term>) -> Self {
        let fields: Vec<Field> = terms.into_iter().map(Field::new).collect();
        let mut by_name: Vec<usize> = (0..fields.len()).collect();
        by_name.sort_by(|a, b| fields[*a].name.cmp(&fields[*b].name));
        let mut slots = vec![0; fields.len()];
        for (slot, field) in by_name.into_iter().enumerate() {
            slots[field] = slot;
        }
        Self { fields, slots }
    }

    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }

    /// Where the codes of field number `field` stand in a packed vote.
    pub fn slot(&self, field: usize) -> usize {
        self.slots[field]
    }

    /// `{field: {value_id: description}}` as Python's `json.dumps(.., sort_keys=True)` writes it: keys sorted at both
    /// levels, separators `", "` and `": "`, everything outside ASCII as `\uXXXX` (surrogate pairs beyond the BMP).
    pub fn canonical_json(&self) -> String {
        let mut fields: Vec<&Field> = self.fields.iter().collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        let mut out = String::from("{");
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            push_json_string(&mut out, &field.name);
            out.push_str(": {");
            let mut values: Vec<&TermValue> = field.term.values.iter().collect();
            values.sort_by(|a, b| a.id.cmp(&b.id));
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                push_json_string(&mut out, &value.id);
                out.push_str(": ");
                push_json_string(&mut out, &value.description);
            }
            out.push('}');
        }
        out.push('}');
        out
    }

    /// Identifies the schema: votes belong to a (topic, term hash).
    pub fn term_hash(&self) -> TermHash {
        let digest = Sha256::digest(self.canonical_json().as_bytes());
        TermHash::new(hex(&digest[..8]))
    }
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
        }
        out
    })
}

fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    for unit_or_char in text.chars() {
        match unit_or_char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // DEL is ASCII to Python and stays as it is.
            ' '..='\u{7f}' => out.push(unit_or_char),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    out.push_str("\\u");
                    out.push_str(&hex(&unit.to_be_bytes()));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A term for tests: values get the description `"<id> described"`.
    pub(crate) fn term(domain: &str, id: &str, values: &[&str]) -> Term {
        Term {
            domain: domain.to_owned(),
            id: id.to_owned(),
            name: id.to_owned(),
            question: None,
            description: format!("{id} asked"),
            values: values
                .iter()
                .map(|value| TermValue {
                    id: (*value).to_owned(),
                    label: (*value).to_owned(),
                    description: format!("{value} described"),
                    cues: vec![format!("{value} cue")],
                })
                .collect(),
            default: values.first().map(|value| (*value).to_owned()),
        }
    }

    #[test]
    fn the_term_hash_is_what_python_computes() {
        // Vector made with CPython 3.11:
        //   s = {"b": {"y": "é \"q\" \u2028", "x": "1"}, "a": {"v": "😀/"}}
        //   hashlib.sha256(json.dumps(s, sort_keys=True).encode()).hexdigest()[:16] == "c129a4b19e260e26"
        let mut b = term("d", "B", &["y", "x"]);
        b.values[0].description = "é \"q\" \u{2028}".to_owned();
        b.values[1].description = "1".to_owned();
        let mut a = term("d", "A", &["v"]);
        a.values[0].description = "😀/".to_owned();
        let schema = Schema::new([b, a]);
        assert_eq!(
            schema.canonical_json(),
            r#"{"a": {"v": "\ud83d\ude00/"}, "b": {"x": "1", "y": "\u00e9 \"q\" \u2028"}}"#
        );
        assert_eq!(schema.term_hash().as_str(), "c129a4b19e260e26");
    }

    #[test]
    fn reordering_values_or_fields_keeps_hash_and_codes() {
        let one = Schema::new([term("d", "SEVERITY", &["none", "mild", "severe"]), term("d", "ACCOUNT", &["x"])]);
        let two = Schema::new([term("d", "ACCOUNT", &["x"]), term("d", "SEVERITY", &["severe", "none", "mild"])]);
        assert_eq!(one.term_hash(), two.term_hash());
        let (one_no, one_field) = one.field("severity").expect("field");
        let (two_no, two_field) = two.field("severity").expect("field");
        assert_eq!(one.slot(one_no), two.slot(two_no));
        for id in ["none", "mild", "severe"] {
            let value = one_field.value(id).expect("value");
            let code = one_field.code(value);
            assert_eq!(one_field.decode(code), Some(value));
            assert_eq!(two_field.value_id(two_field.decode(code).expect("code")), id);
        }
        assert_eq!((one_field.decode(0), one_field.decode(4)), (None, None));
    }
}
