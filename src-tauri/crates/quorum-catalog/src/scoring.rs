//! The points of a policy: severities, modifiers, mappings, recency and thresholds.

use quorum_core::{
    date::Date,
    policy::{CUISINE_MODIFIER, Modifier, ModifierMapping, RecencyRule, Scoring, Threshold, same_label},
};

use crate::{
    fields::{Fields, by_k, entries, number, text, whole},
    mapping,
    problem::Problems,
    rules::check_verdict,
    vocabulary::Vocabulary,
    yaml::{Node, Value, quoted},
};

/// Reads `normative.scoring`. `None`: an error says why.
pub(crate) fn read_scoring(
    node: &Node,
    verdicts: &[String],
    vocabulary: &Vocabulary<'_>,
    problems: &mut Problems,
) -> Option<Scoring> {
    let known = [
        "description",
        "severity_points",
        "modifiers",
        "field_mapping",
        "recency_rules",
        "reference_date",
        "thresholds",
    ];
    let fields = Fields::of(node, "`scoring`", &known, problems)?;
    let Some(severities) = fields.get("severity_points") else {
        problems.error(fields.place, "expected `severity_points` in `scoring`, found no such key");
        return None;
    };
    let severities = read_labels(severities, "severity_points", problems);
    let modifiers = fields.get("modifiers").map(|node| read_labels(node, "modifiers", problems)).unwrap_or_default();
    let mut scoring = Scoring {
        description: fields.text("description", problems).unwrap_or_default(),
        severity_points: severities.iter().map(|label| (label.label.clone(), label.points)).collect(),
        modifiers: modifiers
            .iter()
            .map(|Label { label, description, points, .. }| Modifier {
                label: label.clone(),
                description: description.clone(),
                points: *points,
            })
            .collect(),
        severity_field: String::new(),
        value_mappings: Vec::new(),
        modifier_mappings: Vec::new(),
        recency_rules: fields
            .items("recency_rules", problems)
            .iter()
            .filter_map(|rule| read_recency_rule(rule, problems))
            .collect(),
        reference_date: fields.get("reference_date").and_then(|date| read_date(date, problems)),
        thresholds: fields
            .items("thresholds", problems)
            .iter()
            .filter_map(|node| read_threshold(node, verdicts, problems))
            .collect(),
    };
    check_recency(fields, &scoring, problems);
    match fields.get("field_mapping") {
        Some(node) => read_field_mapping(node, &mut scoring, vocabulary, problems)?,
        None => mapping::derive(fields.place, &mut scoring, vocabulary, problems)?,
    }
    note_unmapped(&scoring, &severities, &modifiers, problems);
    Some(scoring)
}

struct Label<'a> {
    label: String,
    description: String,
    points: i64,
    node: &'a Node,
}

/// `[{label, points}]` or `{label: points}`.
fn read_labels<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> Vec<Label<'a>> {
    let mut labels: Vec<Label<'_>> = Vec::new();
    let mut add = |label: Label<'a>, problems: &mut Problems| {
        if labels.iter().any(|known| same_label(&known.label, &label.label)) {
            problems.error(
                &label.node.place,
                format!("the label {} stands a second time in `{what}`", quoted(&label.label)),
            );
        }
        labels.push(label);
    };
    if let Value::Map(pairs) = &node.value {
        for (key, value) in pairs.iter() {
            // A label with wrong points is kept, so that what refers to it is not called wrong too.
            let points = whole(value, "points", problems).unwrap_or(0);
            let label = key.text().unwrap_or_default().to_owned();
            add(Label { label, description: String::new(), points, node: key }, problems);
        }
        return labels;
    }
    for item in crate::fields::items(node, what, problems).unwrap_or_default() {
        let Some(fields) =
            Fields::of(item, &format!("an item of `{what}`"), &["label", "description", "points"], problems)
        else {
            continue;
        };
        let label = fields.required_text("label", &format!("an item of `{what}`"), problems);
        let description = fields.text("description", problems).unwrap_or_default();
        if fields.get("points").is_none() {
            problems.error(fields.place, format!("expected `points` in an item of `{what}`, found no such key"));
        }
        let points = fields.get("points").and_then(|points| whole(points, "points", problems)).unwrap_or(0);
        if let Some(label) = label {
            add(Label { label, description, points, node: item }, problems);
        }
    }
    labels
}

fn read_field_mapping(
    node: &Node,
    scoring: &mut Scoring,
    vocabulary: &Vocabulary<'_>,
    problems: &mut Problems,
) -> Option<()> {
    let fields =
        Fields::of(node, "`field_mapping`", &["severity_field", "value_mappings", "modifier_mappings"], problems)?;
    let values = fields.get("value_mappings");
    if let Some(field) = fields.get("severity_field") {
        vocabulary.term(field, problems);
        scoring.severity_field = text(field, "the name of a field", problems)?.to_owned();
    } else {
        mapping::derive_severity_field(fields.place, scoring, values, vocabulary, problems)?;
    }
    let term = vocabulary.asked().iter().find(|(field, _)| *field == scoring.severity_field).map(|(_, term)| *term);
    match values {
        Some(values) => {
            for (value, label) in entries(values, "`value_mappings`", problems)? {
                // A value that is mapped to nothing is no incident, just like one that is not mapped.
                if label.is_null() {
                    continue;
                }
                let id = vocabulary.value(term, value, problems);
                let (Some(id), Some(text)) = (id, text(label, "a label", problems)) else { continue };
                if scoring.severity_points(text).is_none() {
                    problems
                        .error(&label.place, format!("the label {} has no points in `severity_points`", quoted(text)));
                }
                if scoring.value_mappings.iter().any(|(known, _)| *known == id) {
                    problems.error(&value.place, format!("the value {} is mapped a second time", quoted(&id)));
                }
                scoring.value_mappings.push((id, text.to_owned()));
            }
        }
        None => mapping::derive_values(fields.place, scoring, vocabulary, problems),
    }
    for item in fields.items("modifier_mappings", problems) {
        read_modifier_mapping(item, scoring, vocabulary, problems);
    }
    Some(())
}

fn read_modifier_mapping(
    node: &Node,
    scoring: &mut Scoring,
    vocabulary: &Vocabulary<'_>,
    problems: &mut Problems,
) -> Option<()> {
    let fields = Fields::of(node, "an item of `modifier_mappings`", &["field", "value", "label"], problems)?;
    for key in ["field", "value", "label"] {
        if fields.get(key).is_none() {
            problems
                .error(fields.place, format!("expected `{key}` in an item of `modifier_mappings`, found no such key"));
        }
    }
    let field = fields.get("field")?;
    let term = vocabulary.term(field, problems);
    let value = vocabulary.value(term, fields.get("value")?, problems)?;
    let label = text(fields.get("label")?, "a label", problems)?;
    if scoring.modifier(label).is_none() {
        problems
            .error(&fields.get("label")?.place, format!("the label {} is not among the `modifiers`", quoted(label)));
    }
    let mapping = ModifierMapping { field: field.text()?.to_owned(), value, label: label.to_owned() };
    if scoring.modifier_mappings.contains(&mapping) {
        problems.warning(fields.place, "the same mapping stands here a second time, so its points count twice");
    }
    scoring.modifier_mappings.push(mapping);
    Some(())
}

fn note_unmapped(scoring: &Scoring, severities: &[Label<'_>], modifiers: &[Label<'_>], problems: &mut Problems) {
    for Label { label, node, .. } in severities {
        if !scoring.value_mappings.iter().any(|(_, mapped)| same_label(mapped, label)) {
            problems.note(
                &node.place,
                format!("no value maps to the severity {}: its points are never given", quoted(label)),
            );
        }
    }
    for Label { label, node, .. } in modifiers {
        let is_mapped = scoring.modifier_mappings.iter().any(|mapping| same_label(&mapping.label, label));
        if !is_mapped && !same_label(label, CUISINE_MODIFIER) {
            problems.note(&node.place, format!("nothing maps to the modifier {}: it never applies", quoted(label)));
        }
    }
}

fn read_recency_rule(node: &Node, problems: &mut Problems) -> Option<RecencyRule> {
    // `age` and `weight` say in words what the two numbers say.
    let fields =
        Fields::of(node, "a recency rule", &["age", "weight", "max_age_years", "weight_multiplier"], problems)?;
    for key in ["max_age_years", "weight_multiplier"] {
        if fields.get(key).is_none() {
            problems.error(fields.place, format!("expected `{key}` in a recency rule, found no such key"));
        }
    }
    let max_age_years = number(fields.get("max_age_years")?, "max_age_years", problems)?;
    let multiplier = fields.get("weight_multiplier")?;
    let weight = number(multiplier, "weight_multiplier", problems)?;
    if !weight.is_finite() || weight < 0.0 {
        problems.error(
            &multiplier.place,
            format!("expected a number from 0 as `weight_multiplier`, found {}", multiplier.shown()),
        );
    }
    Some(RecencyRule { max_age_years, weight })
}

fn read_date(node: &Node, problems: &mut Problems) -> Option<Date> {
    let date = node.text().and_then(Date::read);
    if date.is_none() {
        problems
            .error(&node.place, format!("expected a date (YYYY-MM-DD) as `reference_date`, found {}", node.shown()));
    }
    date
}

fn check_recency(fields: Fields<'_>, scoring: &Scoring, problems: &mut Problems) {
    let Some(node) = fields.get("recency_rules") else { return };
    if !scoring.recency_rules.is_empty() && fields.get("reference_date").is_none() {
        problems.warning(
            &node.place,
            "expected `reference_date` beside `recency_rules`; without it every review has full weight",
        );
    }
    let rising = |pair: &[RecencyRule]| pair[0].max_age_years < pair[1].max_age_years;
    if !scoring.recency_rules.windows(2).all(rising) {
        problems.warning(
            &node.place,
            "expected recency rules with rising `max_age_years`; the first that fits is used, so one of them never is",
        );
    }
}

fn read_threshold(node: &Node, verdicts: &[String], problems: &mut Problems) -> Option<Threshold> {
    let known = ["verdict", "min_score", "min_score_by_k", "max_score", "max_score_by_k"];
    let fields = Fields::of(node, "a threshold", &known, problems)?;
    let Some(verdict) = fields.get("verdict") else {
        problems.error(fields.place, "expected `verdict` in a threshold, found no such key");
        return None;
    };
    let mut score = |key: &str| fields.get(key).and_then(|node| whole(node, key, problems));
    let (min_score, max_score) = (score("min_score"), score("max_score"));
    let mut scores = |key: &str| {
        let node = fields.get(key);
        node.map(|node| by_k(node, key, problems, |node, problems| whole(node, key, problems))).unwrap_or_default()
    };
    let (min_score_by_k, max_score_by_k) = (scores("min_score_by_k"), scores("max_score_by_k"));
    let verdict = check_verdict(verdict, verdicts, problems)?;
    Some(Threshold { verdict, min_score, min_score_by_k, max_score, max_score_by_k })
}
