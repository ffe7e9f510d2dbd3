//! A topic: what is asked of a review, the schema that asks it and the policies that judge the answers.

use crate::{
    ids::TopicId,
    policy::Policy,
    schema::{Schema, Term},
};

#[derive(Clone, Debug)]
pub struct Topic {
    pub id: TopicId,
    /// The name people see, for example "Allergy safety".
    pub name: String,
    pub title: String,
    /// What the topic is for, in a sentence or two.
    pub purpose: String,
    pub relevance: Relevance,
    pub schema: Schema,
    /// In variant order.
    pub policies: Vec<Policy>,
}

/// What makes a review relevant to a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relevance {
    pub relevant: String,
    pub not_relevant: String,
    pub cues: Vec<String>,
}

impl Topic {
    /// The schema of a topic: the union, in order of first mention, of the terms of its policies in variant order.
    ///
    /// `find` gives the term for a reference; references that it does not know are left out, so the caller checks them.
    pub fn schema_of<'a>(policies: &[Policy], find: impl Fn(&str) -> Option<&'a Term>) -> Schema {
        let mut seen: Vec<&str> = Vec::new();
        for reference in policies.iter().flat_map(|policy| &policy.terms) {
            if !seen.contains(&reference.as_str()) {
                seen.push(reference);
            }
        }
        Schema::new(seen.into_iter().filter_map(find).cloned())
    }
}
