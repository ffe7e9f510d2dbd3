//! `extends`: a policy file that states only what differs from another one.
//!
//! Mappings are merged key by key, at every depth; lists and texts are replaced. `extends` names a policy id, or a file:
//! beside this one (`V0`, `V0.yaml`, `../allergy/V0.yaml`) or by the end of its path.

use std::collections::HashMap;

use crate::{
    problem::Problems,
    source::{Source, stem},
    yaml::{Node, Value, quoted},
};

/// Longest chain of `extends`.
const CHAIN_MAX: usize = 16;

/// The policy files by the names that `extends` may use.
pub(crate) struct Bases<'a> {
    /// File number by policy id, as it stands in the file.
    by_id: HashMap<&'a str, usize>,
    /// File number by path without its ending.
    by_path: HashMap<&'a str, usize>,
    sources: Vec<&'a Source>,
}

impl<'a> Bases<'a> {
    pub fn new(policies: impl IntoIterator<Item = (Option<&'a str>, &'a Source)>) -> Self {
        let (mut by_id, mut by_path, mut sources) = (HashMap::new(), HashMap::new(), Vec::new());
        for (id, source) in policies {
            if let Some(id) = id {
                by_id.entry(id).or_insert(sources.len());
            }
            by_path.entry(stem(&source.path)).or_insert(sources.len());
            sources.push(source);
        }
        Self { by_id, by_path, sources }
    }

    fn find(&self, from: &Source, name: &str) -> Option<usize> {
        let beside = beside(&from.path, stem(name));
        let ends = || {
            let end = format!("/{}", stem(name).trim_start_matches('/'));
            let mut fitting = self.by_path.iter().filter(|(path, _)| path.ends_with(&end)).map(|(_, number)| *number);
            fitting.next().filter(|_| fitting.next().is_none())
        };
        self.by_id.get(stem(name)).or_else(|| self.by_path.get(beside.as_str())).copied().or_else(ends)
    }

    /// The whole policy of a file, with everything that it inherits. `None`: an error says why.
    pub fn whole(&self, source: &Source, problems: &mut Problems) -> Option<Node> {
        let mut chain: Vec<&Source> = vec![source];
        let mut node = source.node.as_ref()?;
        let mut layers: Vec<&Node> = vec![node];
        while let Some(extends) = node.get("extends").filter(|extends| !extends.is_null()) {
            let Some(name) = extends.text() else {
                problems.error(
                    &extends.place,
                    format!("expected a policy id or a file as `extends`, found {}", extends.shown()),
                );
                return None;
            };
            let Some(base) = self.find(chain[chain.len() - 1], name).map(|number| self.sources[number]) else {
                problems.error(
                    &extends.place,
                    format!(
                        "expected the id or file of a policy as `extends`, found {}, which is neither",
                        quoted(name)
                    ),
                );
                return None;
            };
            if let Some(start) = chain.iter().position(|known| std::ptr::eq(*known, base)) {
                let path: Vec<_> = chain[start..].iter().chain([&base]).map(|source| source.path.as_ref()).collect();
                problems.error(&extends.place, format!("`extends` goes round in a circle: {}", path.join(" -> ")));
                return None;
            }
            let Some(base_node) = base.node.as_ref() else {
                problems.error(
                    &extends.place,
                    format!("the file {} cannot be extended because it is not readable", quoted(&base.path)),
                );
                return None;
            };
            if chain.len() >= CHAIN_MAX {
                problems.error(&extends.place, format!("expected at most {CHAIN_MAX} files in a chain of `extends`"));
                return None;
            }
            chain.push(base);
            layers.push(base_node);
            node = base_node;
        }
        // From the nearest base to the farthest: what is already there wins.
        Some(layers[1..].iter().fold(raised(layers[0]), |merged, base| merge(&merged, &raised(base))))
    }
}

/// `decision` and `output` stand at the top of a policy, or in its `normative`; here they always stand at the top, so that
/// a policy of one kind may extend one of the other.
fn raised(policy: &Node) -> Node {
    let Value::Map(entries) = &policy.value else { return policy.clone() };
    let normative = entries.iter().find(|(key, _)| key.text() == Some("normative")).map(|(_, value)| value);
    let Some(Value::Map(inner)) = normative.map(|normative| &normative.value) else { return policy.clone() };
    let is_raised = |key: &Node| {
        let name = key.text().filter(|name| matches!(*name, "decision" | "output"));
        name.is_some_and(|name| !entries.iter().any(|(known, _)| known.text() == Some(name)))
    };
    let (up, stay): (Vec<_>, Vec<_>) = inner.iter().cloned().partition(|(key, _)| is_raised(key));
    if up.is_empty() {
        return policy.clone();
    }
    let mut all = entries.to_vec();
    for (key, value) in &mut all {
        if key.text() == Some("normative") {
            *value = Node::map(value.place.clone(), stay.clone());
        }
    }
    all.extend(up);
    Node::map(policy.place.clone(), all)
}

/// `own` with everything of `base` that it does not say itself.
fn merge(own: &Node, base: &Node) -> Node {
    let (Value::Map(entries), Value::Map(inherited)) = (&own.value, &base.value) else { return own.clone() };
    let base_of = |key: &Node| inherited.iter().find(|(other, _)| other.text() == key.text()).map(|(_, value)| value);
    let mut merged: Vec<(Node, Node)> = entries
        .iter()
        .map(|(key, value)| (key.clone(), base_of(key).map_or_else(|| value.clone(), |base| merge(value, base))))
        .collect();
    let is_missing = |key: &Node| !entries.iter().any(|(known, _)| known.text() == key.text());
    merged.extend(inherited.iter().filter(|(key, _)| is_missing(key)).cloned());
    Node::map(own.place.clone(), merged)
}

/// A path relative to the folder of `file`.
fn beside(file: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
