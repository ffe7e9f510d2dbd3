//! What a simulated model understands of a topic: the cues that the system prompt lists, and where they occur in a review.
//!
//! The prompt's lines that count: `Relevance cues: "a"; "b"`, `# Field: name`, `- id: description Cues: "a"; "b"`. All other
//! lines are prose to it. A prompt without such lines gives an empty lexicon, and every answer then falls back.

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

/// A topic as read from one system prompt.
#[derive(Debug)]
pub(crate) struct Lexicon {
    fields: Vec<Field>,
    /// Finds all cues at once; `None` if there are none.
    finder: Option<AhoCorasick>,
    /// For every pattern of `finder`, what it speaks for.
    owners: Vec<Owner>,
    pub(crate) has_relevance_cues: bool,
}

#[derive(Debug, PartialEq)]
struct Field {
    name: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Owner {
    Relevance,
    Value { field: usize, value: usize },
}

/// How often each value's cues occur in one text, and how much of it they cover.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Hits {
    pub(crate) count: u32,
    pub(crate) bytes: usize,
}

/// The reading of one review.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) relevance: Hits,
    /// By field, then value, in prompt order.
    pub(crate) values: Vec<Vec<Hits>>,
}

impl Lexicon {
    pub(crate) fn parse(system: &str) -> Result<Self, BuildError> {
        let mut fields: Vec<Field> = Vec::new();
        let mut patterns = Vec::new();
        let mut owners = Vec::new();
        let mut in_field = false;
        let mut has_relevance_cues = false;
        for line in system.lines() {
            if let Some(name) = line.strip_prefix("# Field:") {
                fields.push(Field { name: name.trim().to_owned(), values: Vec::new() });
                in_field = true;
            } else if line.starts_with("# ") {
                in_field = false;
            } else if let Some(cues) = line.strip_prefix("Relevance cues:") {
                for cue in quoted(cues) {
                    has_relevance_cues = true;
                    patterns.push(cue);
                    owners.push(Owner::Relevance);
                }
            } else if let Some((id, rest)) = value_line(line)
                && in_field
                && let Some(field) = fields.len().checked_sub(1)
            {
                let value = fields[field].values.len();
                fields[field].values.push(id.to_owned());
                let cues = rest.rfind("Cues: ").map_or("", |at| &rest[at..]);
                for cue in quoted(cues) {
                    patterns.push(cue);
                    owners.push(Owner::Value { field, value });
                }
            }
        }
        let finder = if patterns.is_empty() {
            None
        } else {
            Some(AhoCorasick::builder().match_kind(MatchKind::Standard).build(&patterns)?)
        };
        Ok(Self { fields, finder, owners, has_relevance_cues })
    }

    /// The field's place and its values in prompt order.
    pub(crate) fn field(&self, name: &str) -> Option<(usize, &[String])> {
        self.fields
            .iter()
            .enumerate()
            .find(|(_, field)| field.name == name)
            .map(|(place, field)| (place, field.values.as_slice()))
    }

    /// Counts the cues that begin at a word's start, in any letter case.
    pub(crate) fn read(&self, text: &str) -> Reading {
        let mut reading = Reading {
            relevance: Hits::default(),
            values: self.fields.iter().map(|field| vec![Hits::default(); field.values.len()]).collect(),
        };
        let Some(finder) = &self.finder else {
            return reading;
        };
        let text = fold(text);
        for hit in finder.find_overlapping_iter(&text) {
            let at_word_start = text[..hit.start()].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
            if !at_word_start {
                continue;
            }
            let hits = match self.owners[hit.pattern().as_usize()] {
                Owner::Relevance => &mut reading.relevance,
                Owner::Value { field, value } => &mut reading.values[field][value],
            };
            hits.count += 1;
            hits.bytes += hit.len();
        }
        reading
    }
}

/// `- id: rest`, where the id is one word.
fn value_line(line: &str) -> Option<(&str, &str)> {
    let (id, rest) = line.strip_prefix("- ")?.split_once(": ")?;
    (!id.is_empty() && !id.contains(char::is_whitespace)).then_some((id, rest))
}

/// The texts between pairs of double quotes, folded.
fn quoted(text: &str) -> impl Iterator<Item = String> {
    text.split('"').skip(1).step_by(2).map(|cue| fold(cue.trim())).filter(|cue| !cue.is_empty())
}

/// Lower case, plain apostrophes, single spaces.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut space = false;
    for character in text.chars() {
        if character.is_whitespace() {
            space = true;
            continue;
        }
        if space {
            folded.push(' ');
            space = false;
        }
        match character {
            '\u{2018}' | '\u{2019}' => folded.push('\''),
            ascii if ascii.is_ascii() => folded.push(ascii.to_ascii_lowercase()),
            other => folded.extend(other.to_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: &str = "You read one customer review.\n\n# Topic: Allergy\nRelevant: it speaks of \"x\".\nRelevance cues: \"allerg\"; \"peanut\"\n\n# Field: severity\nHow bad.\n- none: nothing happened: really.\n- mild: A little. Cues: \"hives\"; \"didn't feel\"\n- severe: Much. Cues: \"epipen\"\n";

    #[test]
    fn cues_and_values_come_from_the_prompt() {
        let lexicon = Lexicon::parse(PROMPT).expect("the prompt has few cues");
        let (place, values) = lexicon.field("severity").expect("the field is in the prompt");
        assert_eq!(place, 0);
        assert_eq!(values, ["none", "mild", "severe"]);
        let reading = lexicon.read("My ALLERGIES! Hives, hives; I didn\u{2019}t\n feel well");
        assert_eq!(reading.relevance.count, 1);
        assert_eq!(reading.values[0].iter().map(|hits| hits.count).collect::<Vec<_>>(), [0, 3, 0]);
    }

    #[test]
    fn a_cue_counts_only_from_a_words_start() {
        let lexicon = Lexicon::parse(PROMPT).expect("the prompt has few cues");
        assert_eq!(lexicon.read("archives of unallergic food").relevance.count, 0);
        assert_eq!(lexicon.read("archives").values[0][1].count, 0);
        assert_eq!(lexicon.read("(peanuts)").relevance.count, 1);
    }

    #[test]
    fn a_foreign_prompt_gives_an_empty_lexicon() {
        let lexicon = Lexicon::parse("Say hello.\n- a: b").expect("no cues at all");
        assert!(lexicon.field("a").is_none());
        assert_eq!(lexicon.read("hello").relevance, Hits::default());
    }
}
