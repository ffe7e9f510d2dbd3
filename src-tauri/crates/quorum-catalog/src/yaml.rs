//! YAML as a tree in which every node knows its place.
//!
//! The parser's events are turned into a tree here and not by its own loader, because that one copies what an alias
//! stands for: a few lines can then fill the memory. Here an alias shares its target, counts as many nodes as the target
//! has, and the count is limited. Duplicate keys are errors. Not here: what the nodes mean.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::problem::{Place, Problems};

/// Most nodes of one file, with every alias counted as what it stands for.
pub(crate) const NODES_MAX: usize = 200_000;

/// Deepest nesting of lists and mappings.
pub(crate) const DEPTH_MAX: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub place: Place,
    pub value: Value,
    /// Nodes in this tree, with aliases expanded.
    nodes: usize,
    depth: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar {
        text: Arc<str>,
        /// Written without quotes, so that `true` is a boolean and `null` is nothing.
        plain: bool,
    },
    List(Arc<[Node]>),
    Map(Arc<[(Node, Node)]>),
}

impl Node {
    pub fn map(place: Place, entries: Vec<(Node, Node)>) -> Self {
        let nodes = entries.iter().map(|(key, value)| key.nodes + value.nodes).sum::<usize>() + 1;
        let depth = entries.iter().map(|(key, value)| key.depth.max(value.depth)).max().unwrap_or(0) + 1;
        Self { place, value: Value::Map(entries.into()), nodes, depth }
    }

    pub fn scalar(place: Place, text: &str, plain: bool) -> Self {
        Self { place, value: Value::Scalar { text: text.into(), plain }, nodes: 1, depth: 0 }
    }

    pub fn list(place: Place, items: Vec<Node>) -> Self {
        let nodes = items.iter().map(|item| item.nodes).sum::<usize>() + 1;
        let depth = items.iter().map(|item| item.depth).max().unwrap_or(0) + 1;
        Self { place, value: Value::List(items.into()), nodes, depth }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    pub fn is_plain(&self) -> bool {
        matches!(&self.value, Value::Scalar { plain: true, .. })
    }

    /// Whether nothing stands here: an empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.is_plain() && matches!(self.text(), Some("" | "~" | "null" | "Null" | "NULL"))
    }

    /// What stands here, for messages.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => "nothing".to_owned(),
            Value::Scalar { text, .. } => quoted(text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The value of a key in a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(known, _)| known.text() == Some(key)).map(|(_, value)| value)
    }
}

/// A text in backquotes on one line, cut when it is long.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    let mut shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_CHARS_MAX).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A list or mapping whose end has not come yet.
struct Open {
    place: Place,
    anchor: usize,
    is_map: bool,
    items: Vec<Node>,
}

struct Loader<'a> {
    file: &'a Arc<str>,
    problems: &'a mut Problems,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
}

/// The one document of a file. `None`: not readable, and an error says why. A tree that has duplicate keys is returned
/// with errors.
pub(crate) fn load(file: &Arc<str>, text: &str, problems: &mut Problems) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser::new_from_str(text);
    let mut loader = Loader { file, problems, open: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0 };
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => loader.event(event, span)?,
            Err(error) => {
                let mark = error.marker();
                let place = loader.place_of(mark.line(), mark.col());
                loader.problems.error(&place, format!("not readable as YAML: {}", error.info()));
                return None;
            }
        }
    }
    if loader.root.is_none() {
        loader.problems.error(&Place::start_of(file), "expected a mapping, found an empty file");
    }
    loader.root
}

impl Loader<'_> {
    fn place_of(&self, line: usize, column: usize) -> Place {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Place { file: Arc::clone(self.file), line: number(line.max(1)), column: number(column + 1) }
    }

    fn place(&self, span: Span) -> Place {
        self.place_of(span.start.line(), span.start.col())
    }

    /// `None`: the file is given up, and an error says why.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(&place, 1, 0)?;
                let is_tagged_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let plain = style == ScalarStyle::Plain && !is_tagged_text;
                self.finish(Node::scalar(place, &text, plain), anchor);
                Some(())
            }
            Event::SequenceStart(anchor, _) => self.start(place, anchor, false),
            Event::MappingStart(anchor, _) => self.start(place, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { place, anchor, is_map, items } = self.open.pop()?;
                let node = if is_map { self.map(place, items) } else { Node::list(place, items) };
                self.finish(node, anchor);
                Some(())
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    self.problems.error(&place, "an alias stands inside of what it refers to");
                    return None;
                };
                self.count(&place, target.nodes, target.depth)?;
                // The alias shares the target's nodes, and their places: that is where a wrong value has to be mended.
                self.finish(target, 0);
                Some(())
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                self.problems.error(&place, "expected one document in the file, found another");
                None
            }
            _ => Some(()),
        }
    }

    fn start(&mut self, place: Place, anchor: usize, is_map: bool) -> Option<()> {
        self.count(&place, 1, 1)?;
        self.open.push(Open { place, anchor, is_map, items: Vec::new() });
        Some(())
    }

    /// Counts nodes that come in, before they take up room.
    fn count(&mut self, place: &Place, nodes: usize, depth: usize) -> Option<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            self.problems.error(place, format!("more than {NODES_MAX} nodes with every alias written out"));
            return None;
        }
        if self.open.len() + depth > DEPTH_MAX {
            self.problems.error(place, format!("nested deeper than {DEPTH_MAX} levels"));
            return None;
        }
        Some(())
    }

    fn finish(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }

    /// A mapping of the keys and values that came in turn, with merge keys (`<<`) resolved.
    fn map(&mut self, place: Place, items: Vec<Node>) -> Node {
        let mut entries: Vec<(Node, Node)> = Vec::with_capacity(items.len() / 2);
        let mut merged: Vec<Node> = Vec::new();
        let mut seen: HashSet<Arc<str>> = HashSet::new();
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let Value::Scalar { text, plain } = &key.value else {
                self.problems.error(&key.place, format!("expected a text as the key, found {}", key.shown()));
                continue;
            };
            if *plain && text.as_ref() == "<<" {
                merged.push(value);
            } else if seen.insert(Arc::clone(text)) {
                entries.push((key, value));
            } else {
                self.problems.error(&key.place, format!("the key {} stands here a second time", quoted(text)));
            }
        }
        for source in merged {
            let sources = match &source.value {
                Value::List(sources) => sources.to_vec(),
                Value::Map(_) | Value::Scalar { .. } => vec![source],
            };
            for source in sources {
                let Value::Map(inherited) = &source.value else {
                    let found = source.shown();
                    self.problems.error(&source.place, format!("expected a mapping to merge, found {found}"));
                    continue;
                };
                for (key, value) in inherited.iter() {
                    let is_new = key.text().is_some_and(|text| seen.insert(text.into()));
                    if is_new {
                        entries.push((key.clone(), value.clone()));
                    }
                }
            }
        }
        Node::map(place, entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(node: &Node) -> String {
        match &node.value {
            Value::Scalar { text, plain: true } => text.to_string(),
            Value::Scalar { text, plain: false } => format!("'{text}'"),
            Value::List(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{}: {}", shape(k), shape(v))).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn check(input: &str, expected: &str) {
        let mut problems = Problems::default();
        let node = load(&"a.yaml".into(), input, &mut problems);
        let mut found: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
        found.splice(0..0, node.as_ref().map(shape));
        assert_eq!(found.join("\n"), expected, "{}", quoted(input));
    }

    #[test]
    fn reads_trees_with_aliases_and_merge_keys() {
        check("a: [1, 'x', \"y\", null]\nb: !!str true\n", "{a: [1, 'x', 'y', null], b: 'true'}");
        check("\u{feff}a: |\n  x\n  y\n", "{a: 'x\ny\n'}");
        check("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\n", "{a: {x: 1}, b: {x: 1}, c: {y: 2, x: 1}}");
        check("a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b]}", "{a: {x: 1}, b: {x: 2, y: 3}, c: {x: 1, y: 3}}");
    }

    #[test]
    fn refuses_what_is_no_plain_tree() {
        check("", "a.yaml:1:1: error: expected a mapping, found an empty file");
        check("a: 1\nb: 2\na: 3\n", "{a: 1, b: 2}\na.yaml:3:1: error: the key `a` stands here a second time");
        check("a: 1\n---\nb: 2\n", "a.yaml:2:1: error: expected one document in the file, found another");
        check("a: &a [*a]\n", "a.yaml:1:8: error: an alias stands inside of what it refers to");
        check("[a]: 1\n", "{}\na.yaml:1:1: error: expected a text as the key, found a list");
        check("<<: 1\n", "{}\na.yaml:1:5: error: expected a mapping to merge, found `1`");
    }

    #[test]
    fn refuses_bombs_before_they_grow() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..20 {
            let below = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        check(&bomb, "a.yaml:6:10: error: more than 200000 nodes with every alias written out");
        let deep = "- ".repeat(100_000);
        check(&deep, "a.yaml:1:129: error: nested deeper than 64 levels");
        let chained = "a0: &a0 [x]\n".to_owned()
            + &(1..100).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)).collect::<String>();
        check(&chained, "a.yaml:64:12: error: nested deeper than 64 levels");
    }
}
