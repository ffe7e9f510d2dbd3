//! A policy of one's own in the making: the whole file of another policy, changed value by value and written out again.
//!
//! What is written stands by itself: it extends nothing, so it does not change when the policy that it came from does. Comments of
//! the original are not kept. Not here: which values may change, and where the file goes.

use quorum_core::ids::PolicyId;

use crate::{
    catalog::Catalog,
    extends::Bases,
    identity::{VARIANTS, identify},
    problem::Problems,
    source::Kind,
    yaml::{Node, Value},
};

#[derive(Clone, Debug)]
pub struct Draft {
    node: Node,
}

/// One step from a node to one below it.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    Key(&'a str),
    /// The first item of a list that has this text under this key.
    Where(&'a str, &'a str),
    /// An item of a list by its place.
    At(usize),
}

/// Columns that long texts are folded at.
const WIDTH: usize = 100;

impl Catalog {
    /// The whole file of a policy, with everything that it inherits. `None`: there is no such policy.
    pub fn draft(&self, id: &PolicyId) -> Option<Draft> {
        self.policy(id)?;
        // What is wrong with files was said when they were read.
        let mut problems = Problems::default();
        let sources = self.sources().filter(|source| source.kind == Kind::Policy);
        let files: Vec<_> = sources.filter_map(|source| Some((identify(source, &mut problems)?, source))).collect();
        let bases = Bases::new(files.iter().map(|(identity, source)| (Some(identity.id.as_str()), source.as_ref())));
        let (_, source) = files.iter().find(|(identity, _)| {
            let has =
                |variant| files.iter().any(|(other, _)| other.topic == identity.topic && other.variant == variant);
            identity.numbered(has(VARIANTS) && !has(0)).1 == *id
        })?;
        let whole = bases.whole(source, &mut problems)?;
        let Value::Map(entries) = &whole.value else { return None };
        let own = entries.iter().filter(|(key, _)| key.text() != Some("extends")).cloned().collect();
        Some(Draft { node: Node::map(whole.place.clone(), own) })
    }
}

impl Draft {
    /// Puts a number in the place of the value there. `false`: no single value stands there, and nothing was changed.
    pub fn set_number(&mut self, path: &[Step<'_>], value: f64) -> bool {
        self.set(path, &value.to_string(), true)
    }

    pub fn set_text(&mut self, path: &[Step<'_>], text: &str) -> bool {
        self.set(path, text, false)
    }

    /// The text there.
    pub fn text(&self, path: &[Step<'_>]) -> Option<&str> {
        path.iter().try_fold(&self.node, |node, step| below(node, *step).map(|at| child(node, at)))?.text()
    }

    fn set(&mut self, path: &[Step<'_>], text: &str, plain: bool) -> bool {
        match replaced(&self.node, path, text, plain) {
            Some(node) => {
                self.node = node;
                true
            }
            None => false,
        }
    }

    /// The file.
    pub fn yaml(&self) -> String {
        let mut out = String::new();
        write_below(&self.node, 0, &mut out);
        out
    }
}

/// The number of the child that a step leads to.
fn below(node: &Node, step: Step<'_>) -> Option<usize> {
    match (&node.value, step) {
        (Value::Map(entries), Step::Key(key)) => entries.iter().position(|(known, _)| known.text() == Some(key)),
        (Value::List(items), Step::Where(key, text)) => {
            items.iter().position(|item| item.get(key).and_then(Node::text) == Some(text))
        }
        (Value::List(items), Step::At(at)) => (at < items.len()).then_some(at),
        _ => None,
    }
}

fn child(node: &Node, at: usize) -> &Node {
    match &node.value {
        Value::Map(entries) => &entries[at].1,
        Value::List(items) => &items[at],
        Value::Scalar { .. } => unreachable!("`below` finds children of lists and mappings only"),
    }
}

fn replaced(node: &Node, path: &[Step<'_>], text: &str, plain: bool) -> Option<Node> {
    let Some((step, rest)) = path.split_first() else {
        return node.text().is_some().then(|| Node::scalar(node.place.clone(), text, plain));
    };
    let at = below(node, *step)?;
    let new = replaced(child(node, at), rest, text, plain)?;
    let place = node.place.clone();
    Some(match &node.value {
        Value::Map(entries) => {
            let mut entries = entries.to_vec();
            entries[at].1 = new;
            Node::map(place, entries)
        }
        Value::List(items) => {
            let mut items = items.to_vec();
            items[at] = new;
            Node::list(place, items)
        }
        Value::Scalar { .. } => return None,
    })
}

/// Writes what stands below a node, each part on lines of its own.
fn write_below(node: &Node, indent: usize, out: &mut String) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries.iter() {
                pad(indent, out);
                out.push_str(&inline(key));
                out.push(':');
                write_value(value, indent, out);
            }
        }
        Value::List(items) => {
            for item in items.iter() {
                pad(indent, out);
                out.push('-');
                write_item(item, indent, out);
            }
        }
        Value::Scalar { .. } => {
            pad(indent, out);
            out.push_str(&inline(node));
            out.push('\n');
        }
    }
}

/// A value behind its key.
fn write_value(value: &Node, indent: usize, out: &mut String) {
    match &value.value {
        Value::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Value::List(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Map(_) | Value::List(_) => {
            out.push('\n');
            write_below(value, indent + 2, out);
        }
        Value::Scalar { .. } => write_scalar(value, indent, out),
    }
}

/// An item behind its dash; the first key of a mapping stands on the dash's line.
fn write_item(item: &Node, indent: usize, out: &mut String) {
    match &item.value {
        Value::Map(entries) if !entries.is_empty() => {
            let mut own = String::new();
            write_below(item, indent + 2, &mut own);
            out.push(' ');
            out.push_str(&own[indent + 2..]);
        }
        Value::List(items) if !items.is_empty() => {
            let mut own = String::new();
            write_below(item, indent + 2, &mut own);
            out.push(' ');
            out.push_str(&own[indent + 2..]);
        }
        _ => write_value(item, indent, out),
    }
}

fn write_scalar(node: &Node, indent: usize, out: &mut String) {
    let text = node.text().unwrap_or_default();
    if !is_foldable(text) {
        out.push(' ');
        out.push_str(&inline(node));
        out.push('\n');
        return;
    }
    out.push_str(" >-\n");
    let mut width = 0;
    for word in text.split(' ') {
        if width > 0 && width + 1 + word.chars().count() > WIDTH {
            out.push('\n');
            width = 0;
        }
        if width == 0 {
            pad(indent + 2, out);
            width = indent + 2;
        } else {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += word.chars().count();
    }
    out.push('\n');
}

/// Whether a folded block gives the text back: long words of one paragraph with single spaces.
fn is_foldable(text: &str) -> bool {
    text.chars().count() > WIDTH - 20
        && text.contains(char::is_alphabetic)
        && text.split(' ').all(|word| !word.is_empty() && !word.contains(|c: char| c.is_control() || c.is_whitespace()))
}

/// A scalar on one line.
fn inline(node: &Node) -> String {
    let text = node.text().unwrap_or_default();
    let is_one_line =
        !text.contains(|c: char| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'));
    if node.is_null() {
        "~".to_owned()
    } else if is_one_line && (node.is_plain() || is_word(text)) {
        text.to_owned()
    } else if is_one_line {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        double_quoted(text)
    }
}

/// Words that are text without quotes too: they begin with a letter, have nothing that YAML reads, and are no boolean or null.
fn is_word(text: &str) -> bool {
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | ','))
        && text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    is_plain && !reserved.contains(&text.to_lowercase().as_str())
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{builtin, read};

    /// The built-in catalog with one more file.
    fn with(path: &str, text: &str) -> (Catalog, Vec<crate::Problem>) {
        builtin().overlay(&read([(path, text)]).0)
    }

    #[test]
    fn every_policy_is_written_so_that_it_reads_the_same() {
        for (topic, policy) in builtin().policies() {
            let mut draft = builtin().draft(&policy.id).expect("a draft");
            let own = format!("{}_V10", topic.id);
            assert!(draft.set_text(&[Step::Key("policy_id")], &own));
            let (catalog, problems) = with("policies/V10.yaml", &draft.yaml());
            let (found, read) = catalog.policy(&own.as_str().into()).unwrap_or_else(|| panic!("{own}: {problems:?}"));
            assert_eq!(found.policies.len(), topic.policies.len() + 1, "the others stay");
            assert_eq!(found.schema.term_hash(), topic.schema.term_hash(), "no vote becomes stale");
            let expected = quorum_core::policy::Policy { id: read.id.clone(), variant: "V10".into(), ..policy.clone() };
            assert_eq!(*read, expected);
        }
    }

    #[test]
    fn a_changed_number_changes_one_line() {
        let id = "G1_allergy_V3".into();
        let before = builtin().draft(&id).expect("a draft");
        let mut after = before.clone();
        let thresholds = [Step::Key("normative"), Step::Key("scoring"), Step::Key("thresholds")];
        let critical = Step::Where("verdict", "Critical Risk");
        let path = [&thresholds[..], &[critical, Step::Key("min_score_by_k"), Step::Key("50")]].concat();
        assert_eq!(after.text(&path), Some("6"));
        assert!(after.set_number(&path, 8.0));
        let (before, after) = (before.yaml(), after.yaml());
        let changed: Vec<_> = before.lines().zip(after.lines()).filter(|(one, other)| one != other).collect();
        assert_eq!(changed, [("          50: 6", "          50: 8")]);
        assert!(builtin().draft(&"G1_allergy_V9".into()).is_none());
        let mut draft = builtin().draft(&id).expect("a draft");
        assert!(!draft.set_number(&thresholds, 1.0), "a list is no value");
        assert!(!draft.set_number(&[Step::Key("normative"), Step::Key("nothing")], 1.0));
    }

    #[test]
    fn texts_survive_whatever_they_hold() {
        let texts = [
            "plain",
            "yes",
            "a: b",
            "# no comment",
            "it's",
            "- dash",
            "",
            " lead",
            "trail ",
            "two\nlines",
            "tab\there",
            "\"quoted\" \\ back",
            "{x}",
            "50",
            "1e3",
            "~",
            "é → 食べ物",
            "🍜",
            "key:",
            "@at",
            "%",
            "'",
            "null",
            "\u{2028}",
        ];
        let long = "word ".repeat(40);
        for text in texts.into_iter().chain([long.trim(), long.as_str()]) {
            let mut draft = builtin().draft(&"G1_allergy_V0".into()).expect("a draft");
            assert!(draft.set_text(&[Step::Key("overview"), Step::Key("title")], text));
            assert!(draft.set_text(&[Step::Key("policy_id")], "G1_allergy_V17"));
            let mut problems = Problems::default();
            let node = crate::yaml::load(&"a.yaml".into(), &draft.yaml(), &mut problems).expect("YAML");
            let title = node.get("overview").and_then(|overview| overview.get("title")).expect("a title");
            assert_eq!(title.text(), Some(text));
            assert!(!title.is_null() && !problems.has_errors(), "{text:?}");
        }
    }
}
