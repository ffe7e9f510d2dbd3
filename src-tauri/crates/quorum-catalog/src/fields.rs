//! Reading values out of nodes: every reader says what it expected and what stands there instead.

use quorum_core::policy::same_label;

use crate::{
    problem::{Place, Problems},
    yaml::{Node, Value, quoted},
};

/// A mapping whose keys are known; `None` values (`key:` with nothing behind it) count as absent.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub place: &'a Place,
    node: &'a Node,
}

impl<'a> Fields<'a> {
    /// The node as a mapping; `what` names it in messages. Keys that are not `known` give a warning each.
    pub fn of(node: &'a Node, what: &str, known: &[&str], problems: &mut Problems) -> Option<Self> {
        for (key, _) in entries(node, what, problems)? {
            let name = key.text().unwrap_or_default();
            if !known.contains(&name) {
                let known = known.join(", ");
                problems.warning(&key.place, format!("unknown key {} in {what}; known are {known}", quoted(name)));
            }
        }
        Some(Self { place: &node.place, node })
    }

    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).filter(|value| !value.is_null())
    }

    /// A text that may be absent.
    pub fn text(&self, key: &str, problems: &mut Problems) -> Option<String> {
        text(self.get(key)?, &format!("a text as `{key}`"), problems).map(str::to_owned)
    }

    /// A text that has to be there.
    pub fn required_text(&self, key: &str, what: &str, problems: &mut Problems) -> Option<String> {
        if self.get(key).is_none() {
            problems.error(self.place, format!("expected `{key}` in {what}, found no such key"));
        }
        self.text(key, problems)
    }

    pub fn bool(&self, key: &str, problems: &mut Problems) -> bool {
        self.get(key).is_some_and(|node| bool(node, key, problems))
    }

    /// The items of a list; nothing when it is absent.
    pub fn items(&self, key: &str, problems: &mut Problems) -> &'a [Node] {
        self.get(key).and_then(|node| items(node, key, problems)).unwrap_or_default()
    }
}

/// The entries of a mapping.
pub(crate) fn entries<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> Option<&'a [(Node, Node)]> {
    if let Value::Map(entries) = &node.value {
        return Some(entries);
    }
    problems.error(&node.place, format!("expected a mapping as {what}, found {}", node.shown()));
    None
}

pub(crate) fn items<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> Option<&'a [Node]> {
    if let Value::List(items) = &node.value {
        return Some(items);
    }
    problems.error(&node.place, format!("expected a list as `{what}`, found {}", node.shown()));
    None
}

/// A text; `expected` starts with "a" or "the".
pub(crate) fn text<'a>(node: &'a Node, expected: &str, problems: &mut Problems) -> Option<&'a str> {
    let found = node.text().filter(|_| !node.is_null());
    if found.is_none() {
        problems.error(&node.place, format!("expected {expected}, found {}", node.shown()));
    }
    found
}

/// Most points, counts and scores, either side of zero: sums over all reviews stay far from overflow.
const NUMBER_MAX: i64 = 1_000_000_000;

/// A whole number, also when it is quoted or written as `5.0`.
pub(crate) fn whole(node: &Node, what: &str, problems: &mut Problems) -> Option<i64> {
    let read = |text: &str| {
        let text = text
            .trim()
            .split_once('.')
            .filter(|(_, zeros)| zeros.bytes().all(|b| b == b'0'))
            .map_or(text.trim(), |(whole, _)| whole);
        text.parse::<i64>().ok().filter(|number| (-NUMBER_MAX..=NUMBER_MAX).contains(number))
    };
    let number = node.text().and_then(read);
    if number.is_none() {
        problems.error(&node.place, format!("expected a whole number as `{what}`, found {}", node.shown()));
    }
    number
}

/// A whole number from 0.
pub(crate) fn count(node: &Node, what: &str, problems: &mut Problems) -> Option<u32> {
    let number = whole(node, what, problems)?;
    let count = u32::try_from(number).ok();
    if count.is_none() {
        problems.error(&node.place, format!("expected a number from 0 as `{what}`, found {}", node.shown()));
    }
    count
}

/// A number with a fraction; `.inf` is one.
pub(crate) fn number(node: &Node, what: &str, problems: &mut Problems) -> Option<f64> {
    let read = |text: &str| match text.trim() {
        ".inf" | ".Inf" | ".INF" => Some(f64::INFINITY),
        // Rust reads `inf` and `nan` too, YAML does not.
        text if text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => text.parse::<f64>().ok(),
        _ => None,
    };
    let number = node.text().and_then(read);
    if number.is_none() {
        problems.error(&node.place, format!("expected a number as `{what}`, found {}", node.shown()));
    }
    number
}

/// `{25: 12, '50': 6}`: a number for exactly that K.
pub(crate) fn by_k<T>(
    node: &Node,
    what: &str,
    problems: &mut Problems,
    mut read: impl FnMut(&Node, &mut Problems) -> Option<T>,
) -> std::collections::BTreeMap<u32, T> {
    let mut numbers = std::collections::BTreeMap::new();
    for (key, value) in entries(node, &format!("`{what}`"), problems).unwrap_or_default() {
        let Some(k) = key.text().and_then(|text| text.trim().parse::<u32>().ok()).filter(|k| *k > 0) else {
            problems.error(&key.place, format!("expected a K from 1 as the key in `{what}`, found {}", key.shown()));
            continue;
        };
        if let Some(value) = read(value, problems)
            && numbers.insert(k, value).is_some()
        {
            problems.error(&key.place, format!("K {k} stands a second time in `{what}`"));
        }
    }
    numbers
}

/// The spellings of YAML 1.1 booleans, quoted or not.
pub(crate) fn read_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

fn bool(node: &Node, what: &str, problems: &mut Problems) -> bool {
    let read = node.text().and_then(read_bool);
    if read.is_none() {
        problems.error(&node.place, format!("expected true or false as `{what}`, found {}", node.shown()));
    }
    read.unwrap_or(false)
}

/// The text of a value id. A value that is not among `known` but is a boolean finds the one known value that spells the
/// same boolean: `yes`, `True` and `'true'` mean one thing in files that several tools have written.
pub(crate) fn value_id<'a>(
    node: &Node,
    known: impl Iterator<Item = &'a str> + Clone,
    problems: &mut Problems,
) -> Option<String> {
    let text = text(node, "a value", problems)?;
    if known.clone().any(|value| value == text) {
        return Some(text.to_owned());
    }
    let Some(meant) = read_bool(text) else { return Some(text.to_owned()) };
    let mut same = known.filter(|value| read_bool(value) == Some(meant));
    Some(match (same.next(), same.next()) {
        (Some(value), None) => value.to_owned(),
        // `True` and `true` are one thing unless they are quoted.
        _ if node.is_plain() && ["true", "false"].contains(&text.to_ascii_lowercase().as_str()) => {
            text.to_ascii_lowercase()
        }
        _ => text.to_owned(),
    })
}

/// One of these words in any letter case, or an error.
pub(crate) fn one_of<T: Copy>(node: &Node, what: &str, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let found = node.text().and_then(|text| words.iter().find(|(word, _)| same_label(word, text)));
    if found.is_none() {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        problems.error(&node.place, format!("expected {} as `{what}`, found {}", words.join(" or "), node.shown()));
    }
    found.map(|(_, value)| *value)
}
