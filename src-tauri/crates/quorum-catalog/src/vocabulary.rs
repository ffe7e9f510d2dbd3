//! The terms that a topic asks for, by field name: what filters and mappings may refer to.

use std::collections::BTreeMap;

use quorum_core::{policy::Filter, schema::Term};

use crate::{
    fields::{entries, items, value_id},
    library::Library,
    problem::{Place, Problems},
    yaml::{Node, Value, quoted},
};

/// Most fields of a topic: a field's number has to fit one byte.
const FIELDS_MAX: usize = 255;

/// A `domain:TERM_ID` of a policy and where it stands.
pub(crate) struct TermRef {
    pub text: String,
    pub place: Place,
}

pub(crate) struct Vocabulary<'a> {
    /// In order of first mention.
    asked: Vec<(String, &'a Term)>,
    libraries: &'a Libraries,
    /// Every reference was found. Otherwise a field may only seem unknown, and nothing is said about it.
    is_complete: bool,
}

/// What a domain has; `None`: its file has errors.
pub(crate) type Libraries = BTreeMap<String, Option<Library>>;

/// The terms of all libraries without errors, by reference.
pub(crate) fn find<'a>(libraries: &'a Libraries, reference: &str) -> Option<&'a Term> {
    let (domain, id) = reference.split_once(':')?;
    libraries.get(domain)?.as_ref()?.term(id)
}

impl<'a> Vocabulary<'a> {
    /// The vocabulary of the policies of one topic, whose references come in variant order.
    pub fn new<'r>(
        refs: impl IntoIterator<Item = &'r TermRef>,
        libraries: &'a Libraries,
        problems: &mut Problems,
    ) -> Self {
        let mut asked: Vec<(String, &Term)> = Vec::new();
        let mut is_complete = true;
        for TermRef { text, place } in refs {
            let Some(term) = resolve(libraries, text, place, problems) else {
                is_complete = false;
                continue;
            };
            let field = term.field();
            match asked.iter().find(|(known, _)| *known == field) {
                None if asked.len() == FIELDS_MAX => {
                    problems.error(place, format!("expected at most {FIELDS_MAX} terms in a topic"));
                    break;
                }
                None => asked.push((field, term)),
                Some((_, known)) if known.reference() == *text => {}
                Some((_, known)) => {
                    let known = quoted(&known.reference());
                    problems.error(
                        place,
                        format!("{} and {known} give the same field `{field}` in one topic", quoted(text)),
                    );
                }
            }
        }
        Self { asked, libraries, is_complete }
    }

    pub fn asked(&self) -> &[(String, &'a Term)] {
        &self.asked
    }

    /// The term behind a field name. A field that the topic does not ask for is a note when some library knows it, and
    /// an error otherwise.
    pub fn term(&self, field: &Node, problems: &mut Problems) -> Option<&'a Term> {
        let name = crate::fields::text(field, "the name of a field", problems)?;
        let asked = self.asked.iter().find(|(known, _)| known == name).map(|(_, term)| *term);
        if asked.is_none() && self.is_complete {
            let mut known = self.libraries.values().flatten().flat_map(|library| &library.terms);
            if known.any(|term| term.field() == name) {
                problems.note(
                    &field.place,
                    format!("the field {} is not among the terms of this topic: it never matches", quoted(name)),
                );
            } else {
                problems.error(&field.place, format!("no term of any library has the field {}", quoted(name)));
            }
        }
        asked
    }

    /// The id of a value of this term; a note when the term does not have it.
    pub fn value(&self, term: Option<&Term>, node: &Node, problems: &mut Problems) -> Option<String> {
        let known = term.map_or(&[][..], |term| &term.values).iter().map(|value| value.id.as_str());
        let id = value_id(node, known.clone(), problems)?;
        if let Some(term) = term
            && !known.clone().any(|value| value == id)
        {
            let known: Vec<_> = known.collect();
            let message = format!(
                "the term {} has no value {} ({}): it never matches",
                quoted(&term.reference()),
                quoted(&id),
                known.join(", ")
            );
            problems.note(&node.place, message);
        }
        Some(id)
    }

    /// `{field: value}` or `{field: [value, value]}`.
    pub fn filter(&self, node: &Node, what: &str, problems: &mut Problems) -> Filter {
        let entries = entries(node, &format!("`{what}`"), problems).unwrap_or_default();
        let read = |(field, wanted): &(Node, Node)| {
            let term = self.term(field, problems);
            let nodes = match &wanted.value {
                Value::List(_) => items(wanted, what, problems)?,
                Value::Scalar { .. } | Value::Map(_) => std::slice::from_ref(wanted),
            };
            if nodes.is_empty() {
                problems.warning(&wanted.place, "expected at least one value, found an empty list: it never matches");
            }
            let values = nodes.iter().filter_map(|value| self.value(term, value, problems)).collect();
            Some((field.text()?.to_owned(), values))
        };
        entries.iter().filter_map(read).collect()
    }
}

fn resolve<'a>(libraries: &'a Libraries, reference: &str, place: &Place, problems: &mut Problems) -> Option<&'a Term> {
    let Some((domain, id)) = reference.split_once(':') else {
        problems.error(place, format!("expected `domain:TERM_ID`, found {}", quoted(reference)));
        return None;
    };
    let message = match libraries.get(domain) {
        None => format!("no library of the domain {} for the term {}", quoted(domain), quoted(reference)),
        Some(None) => format!(
            "the library of the domain {} has errors, so the term {} cannot be used",
            quoted(domain),
            quoted(reference)
        ),
        Some(Some(library)) => match library.term(id) {
            Some(term) => return Some(term),
            None => format!("the library of the domain {} has no term {}", quoted(domain), quoted(id)),
        },
    };
    problems.error(place, message);
    None
}
