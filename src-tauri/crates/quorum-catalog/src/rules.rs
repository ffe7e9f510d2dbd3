//! The decision of a policy: its outcomes and the rules that lead to them.

use std::collections::HashSet;

use quorum_core::policy::{Check, CheckKind, Condition, Logic, Rule};

use crate::{
    fields::{Fields, by_k, count, one_of, text},
    problem::Problems,
    vocabulary::Vocabulary,
    yaml::{Node, quoted},
};

pub(crate) struct Decision<'a> {
    pub verdicts: Vec<String>,
    pub rules: Vec<Rule>,
    /// Where the outcomes stand, in their order.
    pub verdict_nodes: Vec<&'a Node>,
}

/// Reads `decision`. `has_points`: the policy counts points, so that its rules only name the outcomes.
pub(crate) fn read_decision<'a>(
    node: &'a Node,
    vocabulary: &Vocabulary<'_>,
    has_points: bool,
    problems: &mut Problems,
) -> Option<Decision<'a>> {
    let fields = Fields::of(node, "`decision`", &["verdicts", "ordered", "rules"], problems)?;
    fields.bool("ordered", problems);
    for key in ["verdicts", "rules"] {
        if fields.get(key).is_none() {
            problems.error(fields.place, format!("expected `{key}` in `decision`, found no such key"));
        }
    }
    fields.get("verdicts").and(fields.get("rules"))?;
    let verdict_nodes = fields.items("verdicts", problems);
    let mut verdicts: Vec<String> = Vec::new();
    for node in verdict_nodes {
        let Some(verdict) = text(node, "the name of a verdict", problems) else { continue };
        if verdicts.iter().any(|known| known == verdict) {
            problems.error(&node.place, format!("the verdict {} stands here a second time", quoted(verdict)));
        }
        verdicts.push(verdict.to_owned());
    }
    let nodes = fields.items("rules", problems);
    let rules: Vec<Rule> =
        nodes.iter().filter_map(|rule| read_rule(rule, &verdicts, vocabulary, has_points, problems)).collect();
    match rules.iter().filter(|rule| rule.is_default).count() {
        0 => {
            let place = nodes.first().map_or(fields.place, |rule| &rule.place);
            problems.error(place, "expected one rule with `default: true`, found none");
        }
        1 => {}
        _ => problems.error(&nodes[0].place, "expected one rule with `default: true`, found several"),
    }
    if !has_points && rules.len() == nodes.len() {
        let given: HashSet<&str> = rules.iter().map(|rule| rule.verdict.as_str()).collect();
        for node in verdict_nodes.iter().filter(|node| node.text().is_some_and(|verdict| !given.contains(verdict))) {
            problems
                .warning(&node.place, format!("no rule gives the verdict {}: it can never be reached", node.shown()));
        }
    }
    Some(Decision { verdicts, rules, verdict_nodes: verdict_nodes.iter().collect() })
}

/// Says so when a verdict is not in the list.
pub(crate) fn check_verdict(node: &Node, verdicts: &[String], problems: &mut Problems) -> Option<String> {
    let verdict = text(node, "the name of a verdict", problems)?;
    if !verdicts.iter().any(|known| known == verdict) {
        let known = verdicts.join(", ");
        problems.error(&node.place, format!("expected one of the verdicts ({known}), found {}", quoted(verdict)));
    }
    Some(verdict.to_owned())
}

fn read_rule(
    node: &Node,
    verdicts: &[String],
    vocabulary: &Vocabulary<'_>,
    has_points: bool,
    problems: &mut Problems,
) -> Option<Rule> {
    // The predecessor's files also spell `preconditon`. Preconditions and remarks are prose and decide nothing.
    let known =
        ["verdict", "label", "precondition", "preconditon", "logic", "conditions", "default", "especially_when"];
    let fields = Fields::of(node, "a rule", &known, problems)?;
    let Some(verdict) = fields.get("verdict") else {
        problems.error(fields.place, "expected `verdict` in a rule, found no such key");
        return None;
    };
    let verdict = check_verdict(verdict, verdicts, problems)?;
    let is_default = fields.bool("default", problems);
    let nodes = fields.items("conditions", problems);
    let conditions: Vec<Condition> =
        nodes.iter().filter_map(|condition| read_condition(condition, vocabulary, problems)).collect();
    let logic = fields
        .get("logic")
        .and_then(|logic| one_of(logic, "logic", &[("ANY", Logic::Any), ("ALL", Logic::All)], problems));
    if logic.is_none() && fields.get("logic").is_none() && conditions.len() > 1 {
        problems.warning(fields.place, "expected `logic` (ANY or ALL) in a rule with several conditions; ANY is taken");
    }
    let is_readable = conditions.len() == nodes.len();
    if is_readable && !is_default && !has_points && conditions.iter().all(|condition| condition.check.is_none()) {
        problems.warning(
            fields.place,
            format!("the rule for {} has no condition that can be checked: it never holds", quoted(&verdict)),
        );
    }
    let label = fields.text("label", problems).unwrap_or_else(|| verdict.clone());
    Some(Rule { verdict, label, logic: logic.unwrap_or(Logic::Any), conditions, is_default })
}

const KINDS: [(&str, CheckKind); 3] =
    [("count_threshold", CheckKind::CountThreshold), ("compound", CheckKind::Compound), ("exists", CheckKind::Exists)];

fn read_condition(node: &Node, vocabulary: &Vocabulary<'_>, problems: &mut Problems) -> Option<Condition> {
    if let Some(text) = node.text() {
        return Some(Condition { text: text.to_owned(), check: None });
    }
    let known = ["text", "type", "filter", "min_count", "min_count_by_k", "requires"];
    let fields = Fields::of(node, "a condition", &known, problems)?;
    let words = fields.text("text", problems);
    let (kind, filter, requires) = (fields.get("type"), fields.get("filter"), fields.get("requires"));
    if kind.is_none() && filter.is_none() && requires.is_none() {
        if words.is_none() {
            problems.error(fields.place, "expected `text`, or `type` and `filter`, in a condition, found neither");
        }
        return words.map(|text| Condition { text, check: None });
    }
    let kind = read_kind(fields, kind, requires, problems)?;
    let Some(filter) = filter else {
        problems.error(fields.place, "expected `filter` in a condition with a type, found no such key");
        return None;
    };
    let place = &filter.place;
    let filter = vocabulary.filter(filter, "filter", problems);
    if filter.is_empty() {
        problems.warning(place, "an empty filter matches every relevant review");
    }
    let requires = requires.map(|requires| vocabulary.filter(requires, "requires", problems)).unwrap_or_default();
    let mut counted = |node: &Node, what: &str| {
        let needed = count(node, what, problems)?;
        if needed == 0 {
            problems.warning(&node.place, format!("`{what}` is 0: the condition always holds"));
        }
        Some(needed)
    };
    let min_count = fields.get("min_count").map_or(Some(1), |node| counted(node, "min_count"))?;
    let by_k_node = fields.get("min_count_by_k");
    let min_count_by_k = by_k_node
        .map(|node| by_k(node, "min_count_by_k", problems, |node, problems| count(node, "min_count_by_k", problems)))
        .unwrap_or_default();
    if kind == CheckKind::Exists && (min_count > 1 || by_k_node.is_some()) {
        problems
            .warning(fields.place, "a condition of the type exists asks for one review; its other counts are not used");
    }
    let text = words.unwrap_or_else(|| describe(&filter, min_count));
    Some(Condition { text, check: Some(Check { kind, filter, requires, min_count, min_count_by_k }) })
}

fn read_kind(
    fields: Fields<'_>,
    kind: Option<&Node>,
    requires: Option<&Node>,
    problems: &mut Problems,
) -> Option<CheckKind> {
    let kind = match kind {
        Some(kind) => one_of(kind, "type", &KINDS, problems)?,
        None => {
            let (word, kind) = if requires.is_some() { KINDS[1] } else { KINDS[0] };
            problems.warning(fields.place, format!("expected `type` in a condition with a filter; {word} is taken"));
            kind
        }
    };
    match (kind, requires) {
        (CheckKind::Compound, None) => {
            problems
                .warning(fields.place, "expected `requires` in a compound condition; it is checked as count_threshold");
            Some(CheckKind::CountThreshold)
        }
        (CheckKind::CountThreshold, Some(requires)) => {
            problems.warning(
                &requires.place,
                "`requires` belongs to the type compound; the condition is checked as compound",
            );
            Some(CheckKind::Compound)
        }
        _ => Some(kind),
    }
}

/// Words for a condition that has none.
fn describe(filter: &quorum_core::policy::Filter, min_count: u32) -> String {
    let tests: Vec<_> = filter.iter().map(|(field, values)| format!("{field} is {}", values.join(" or "))).collect();
    let reviews = if min_count == 1 { "review" } else { "reviews" };
    format!("At least {min_count} {reviews} where {}.", tests.join(" and "))
}
