//! A plain tree of YAML for tests: texts, lists and pairs, with nothing of the crate's own reader in it.

#![allow(dead_code, reason = "every test binary uses another part")]

use quorum_core::prng::Prng;
use saphyr_parser::{Event, Parser};

#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    pub fn parse(text: &str) -> Tree {
        let mut parser = Parser::new_from_str(text);
        let mut events = std::iter::from_fn(|| parser.next_event()).map(|event| event.expect("YAML").0);
        let is_content = |event: &Event<'_>| !matches!(event, Event::StreamStart | Event::DocumentStart(_));
        let first = events.find(is_content).expect("a document");
        Self::node(first, &mut events)
    }

    fn node<'a>(event: Event<'a>, events: &mut impl Iterator<Item = Event<'a>>) -> Tree {
        match event {
            Event::Scalar(text, ..) => Tree::Text(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match events.next().expect("the end of a list") {
                        Event::SequenceEnd => return Tree::List(items),
                        event => items.push(Self::node(event, events)),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut pairs = Vec::new();
                loop {
                    match events.next().expect("the end of a mapping") {
                        Event::MappingEnd => return Tree::Map(pairs),
                        Event::Scalar(key, ..) => {
                            let value = events.next().expect("a value");
                            pairs.push((key.into_owned(), Self::node(value, events)));
                        }
                        other => panic!("unexpected {other:?}"),
                    }
                }
            }
            other => panic!("unexpected {other:?}"),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Tree> {
        self.pairs().iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The value at a path of keys.
    pub fn at(&self, path: &str) -> &Tree {
        path.split('.').fold(self, |tree, key| tree.get(key).unwrap_or_else(|| panic!("no {key} of {path}")))
    }

    pub fn text(&self) -> &str {
        match self {
            Tree::Text(text) => text,
            other => panic!("expected a text, found {other:?}"),
        }
    }

    pub fn int(&self) -> i64 {
        self.text().parse().expect("a whole number")
    }

    pub fn items(&self) -> &[Tree] {
        match self {
            Tree::List(items) => items,
            other => panic!("expected a list, found {other:?}"),
        }
    }

    pub fn pairs(&self) -> &[(String, Tree)] {
        match self {
            Tree::Map(pairs) => pairs,
            other => panic!("expected a mapping, found {other:?}"),
        }
    }

    /// A text as itself, a list as its texts.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Tree::Text(text) => vec![text],
            Tree::List(items) => items.iter().map(Tree::text).collect(),
            Tree::Map(_) => panic!("expected texts, found a mapping"),
        }
    }

    /// The items of a list that may be absent.
    pub fn list(&self, key: &str) -> &[Tree] {
        self.get(key).map_or(&[], Tree::items)
    }
}

/// Draws from a seed.
pub struct Random(Prng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(Prng::new(seed))
    }

    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).expect("small")).expect("small")
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
