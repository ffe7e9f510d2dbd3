//! A policy from its (already merged) file.

use quorum_core::{
    ids::{PolicyId, TopicId},
    policy::Policy,
    topic::Relevance,
};

use crate::{
    fields::{Fields, text},
    problem::Problems,
    rules::read_decision,
    scoring::read_scoring,
    thresholds,
    vocabulary::{TermRef, Vocabulary},
    yaml::{Node, quoted},
};

const POLICY_KEYS: [&str; 7] = ["policy_id", "extends", "version", "overview", "normative", "decision", "output"];

/// What a policy says about its topic; keys of Quorum's own that other catalogs lack.
#[derive(Clone, Debug, Default)]
pub(crate) struct TopicText {
    pub name: Option<String>,
    pub relevance: Relevance,
}

/// The term references of a policy, in order; plain texts are read like `{ref: text}`.
pub(crate) fn read_terms(node: &Node, problems: &mut Problems) -> Vec<TermRef> {
    // The keys of the two mappings are checked where they are read whole.
    let Some(terms) =
        node.get("normative").and_then(|normative| normative.get("terms")).filter(|terms| !terms.is_null())
    else {
        let place = node.get("normative").map_or(&node.place, |normative| &normative.place);
        problems.error(place, "expected `normative` with `terms`, found no such key");
        return Vec::new();
    };
    let mut refs: Vec<TermRef> = Vec::new();
    for item in crate::fields::items(terms, "terms", problems).unwrap_or_default() {
        let node = match item.text() {
            Some(_) => Some(item),
            None => Fields::of(item, "an item of `terms`", &["ref"], problems).and_then(|fields| {
                if fields.get("ref").is_none() {
                    problems.error(fields.place, "expected `ref` in an item of `terms`, found no such key");
                }
                fields.get("ref")
            }),
        };
        let Some((node, reference)) = node.and_then(|node| Some((node, text(node, "`domain:TERM_ID`", problems)?)))
        else {
            continue;
        };
        if refs.iter().any(|known| known.text == reference) {
            problems.warning(&node.place, format!("the term {} stands here a second time", quoted(reference)));
            continue;
        }
        refs.push(TermRef { text: reference.to_owned(), place: node.place.clone() });
    }
    if refs.is_empty() {
        problems.error(&terms.place, "expected at least one term in `terms`");
    }
    refs
}

/// Reads a policy. `None`: errors say why; a policy may also be returned with errors.
pub(crate) fn read_policy(
    node: &Node,
    (id, topic, variant): (PolicyId, TopicId, String),
    terms: &[TermRef],
    vocabulary: &Vocabulary<'_>,
    problems: &mut Problems,
) -> Option<(Policy, TopicText)> {
    let fields = Fields::of(node, "a policy", &POLICY_KEYS, problems)?;
    for key in ["overview", "decision"] {
        if fields.get(key).is_none() {
            problems.error(fields.place, format!("expected `{key}` in a policy, found no such key"));
        }
    }
    let overview = fields.get("overview")?;
    let known = ["title", "purpose", "incident_definition", "topic_name", "relevant", "not_relevant", "relevance_cues"];
    let overview = Fields::of(overview, "`overview`", &known, problems)?;
    let normative = Fields::of(fields.get("normative")?, "`normative`", &["terms", "scoring"], problems)?;
    let scoring_node = normative.get("scoring");
    let decision = read_decision(fields.get("decision")?, vocabulary, scoring_node.is_some(), problems)?;
    let default = decision.rules.iter().find(|rule| rule.is_default).map(|rule| rule.verdict.as_str());
    let scoring = match scoring_node {
        None => None,
        Some(node) => {
            let scoring = read_scoring(node, &decision.verdicts, vocabulary, problems)?;
            let list = node.get("thresholds").filter(|list| !list.is_null());
            let nodes = list.and_then(|list| crate::fields::items(list, "thresholds", problems)).unwrap_or_default();
            // Where something else is wrong, thresholds may only seem wrong.
            if !problems.has_errors() {
                let place = list.map_or(&node.place, |list| &list.place);
                thresholds::check(&scoring, default, &decision.verdict_nodes, nodes, place, problems);
            }
            Some(scoring)
        }
    };
    let title = overview.text("title", problems).unwrap_or_else(|| {
        problems.warning(overview.place, "expected `title` in `overview`; the policy is shown by its id");
        id.as_str().to_owned()
    });
    let cues = overview.items("relevance_cues", problems);
    let topic_text = TopicText {
        name: overview.text("topic_name", problems),
        relevance: Relevance {
            relevant: overview.text("relevant", problems).unwrap_or_default(),
            not_relevant: overview.text("not_relevant", problems).unwrap_or_default(),
            cues: cues.iter().filter_map(|cue| text(cue, "a text as a cue", problems)).map(str::to_owned).collect(),
        },
    };
    let policy = Policy {
        id,
        topic,
        variant,
        title,
        purpose: overview.text("purpose", problems).unwrap_or_default(),
        incident_definition: overview.text("incident_definition", problems).unwrap_or_default(),
        terms: terms.iter().map(|term| term.text.clone()).collect(),
        verdicts: decision.verdicts,
        rules: decision.rules,
        scoring,
    };
    Some((policy, topic_text))
}
