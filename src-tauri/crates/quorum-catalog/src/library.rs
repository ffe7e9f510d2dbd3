//! Term libraries: one file per domain, every term a closed list of values.

use std::{collections::HashSet, sync::Arc};

use quorum_core::schema::{Term, TermValue, VALUES_MAX};

use crate::{
    fields::{Fields, entries, items, text, value_id},
    problem::{Place, Problems},
    yaml::{Node, quoted},
};

/// The terms of one domain, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    pub domain: String,
    pub terms: Vec<Term>,
}

impl Library {
    pub fn term(&self, id: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.id == id)
    }
}

/// Names that an answer uses for something else than a term.
const RESERVED_FIELDS: [&str; 2] = ["is_relevant", "is_allergy_related"];

/// Longest term id; it becomes a key of the answer's JSON schema, whose names end at 64 characters.
const TERM_ID_BYTES_MAX: usize = 64;

pub(crate) fn read_library(domain: &str, node: &Node, problems: &mut Problems) -> Library {
    let mut terms: Vec<Term> = Vec::new();
    let mut fields: HashSet<String> = HashSet::new();
    for (key, value) in entries(node, "a term library", problems).unwrap_or_default() {
        let id = key.text().unwrap_or_default();
        check_term_id(id, &key.place, problems);
        if !fields.insert(id.to_lowercase()) {
            problems.error(&key.place, format!("the term {} stands here a second time", quoted(id)));
        }
        terms.extend(read_term(domain, id, value, problems));
    }
    Library { domain: domain.to_owned(), terms }
}

fn check_term_id(id: &str, place: &Place, problems: &mut Problems) {
    let is_name = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id.len() <= TERM_ID_BYTES_MAX;
    if !is_name {
        let message = "expected a term id of letters, digits and underscores that starts with a letter";
        problems.error(place, format!("{message}, at most {TERM_ID_BYTES_MAX} long, found {}", quoted(id)));
    }
    if RESERVED_FIELDS.contains(&id.to_lowercase().as_str()) {
        problems.error(place, format!("a term cannot be named {}: answers use the name for relevance", quoted(id)));
    }
}

fn read_term(domain: &str, id: &str, node: &Node, problems: &mut Problems) -> Option<Term> {
    let known = ["name", "question", "type", "description", "values", "default"];
    let fields = Fields::of(node, "a term", &known, problems)?;
    if let Some(kind) = fields.get("type").filter(|kind| kind.text() != Some("enum")) {
        problems.warning(
            &kind.place,
            format!("expected enum as `type`, found {}; the values are read all the same", kind.shown()),
        );
    }
    let description = fields.text("description", problems).unwrap_or_else(|| {
        problems.warning(fields.place, format!("expected `description` in the term {}, found no such key", quoted(id)));
        String::new()
    });
    let values = read_values(id, fields, problems);
    let default = fields.get("default").and_then(|default| {
        let known = values.iter().map(|value| value.id.as_str());
        let id = value_id(default, known.clone(), problems)?;
        if !values.is_empty() && !known.clone().any(|value| value == id) {
            let known: Vec<_> = known.collect();
            let expected = known.join(", ");
            problems.error(
                &default.place,
                format!("expected one of the values ({expected}) as `default`, found {}", quoted(&id)),
            );
        }
        Some(id)
    });
    Some(Term {
        domain: domain.to_owned(),
        id: id.to_owned(),
        name: fields.text("name", problems).unwrap_or_else(|| id.to_lowercase().replace('_', " ")),
        question: fields.text("question", problems),
        description,
        values,
        default,
    })
}

fn read_values(term: &str, fields: Fields<'_>, problems: &mut Problems) -> Vec<TermValue> {
    let mut values: Vec<TermValue> = Vec::new();
    let Some(list) = fields.get("values") else {
        problems.error(fields.place, format!("expected `values` in the term {}, found no such key", quoted(term)));
        return values;
    };
    let nodes = items(list, "values", problems).unwrap_or_default();
    if nodes.is_empty() {
        problems.error(&list.place, format!("expected at least one value in the term {}", quoted(term)));
    }
    if nodes.len() > VALUES_MAX {
        let found = nodes.len();
        problems.error(&list.place, format!("expected at most {VALUES_MAX} values in a term, found {found}"));
        return values;
    }
    let mut seen: HashSet<Arc<str>> = HashSet::new();
    for node in nodes {
        let Some(value) = read_value(node, problems) else { continue };
        if !seen.insert(value.id.as_str().into()) {
            problems.error(&node.place, format!("the value {} stands here a second time", quoted(&value.id)));
        }
        values.push(value);
    }
    values
}

fn read_value(node: &Node, problems: &mut Problems) -> Option<TermValue> {
    if node.text().is_some() {
        let id = value_id(node, std::iter::empty(), problems)?;
        problems
            .warning(&node.place, format!("the value {} has no description; models see only its name", quoted(&id)));
        return Some(TermValue { label: id.clone(), id, description: String::new(), cues: Vec::new() });
    }
    let fields = Fields::of(node, "a value", &["id", "label", "description", "cues"], problems)?;
    let Some(id) = fields.get("id") else {
        problems.error(fields.place, "expected `id` in a value, found no such key");
        return None;
    };
    let id = value_id(id, std::iter::empty(), problems)?;
    if id.is_empty() || id.chars().any(char::is_control) {
        problems.error(fields.place, format!("expected a text on one line as `id`, found {}", quoted(&id)));
    }
    let description = fields.text("description", problems).unwrap_or_else(|| {
        problems
            .warning(fields.place, format!("the value {} has no description; models see only its name", quoted(&id)));
        String::new()
    });
    let cues = fields.items("cues", problems);
    Some(TermValue {
        label: fields.text("label", problems).unwrap_or_else(|| id.clone()),
        id,
        description,
        cues: cues.iter().filter_map(|cue| text(cue, "a text as a cue", problems)).map(str::to_owned).collect(),
    })
}
