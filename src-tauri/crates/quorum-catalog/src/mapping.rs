//! Field mappings that a file leaves out, taken from the labels' first words where these are unambiguous.
//!
//! "Mild incident" starts with the value `mild`, "One of a kind experience" with `one_of_a_kind`. Every mapping that is
//! derived is named in a warning, so that nobody takes it for given.

use quorum_core::{
    policy::{CUISINE_MODIFIER, ModifierMapping, Scoring, same_label},
    schema::Term,
};

use crate::{
    fields::{entries, read_bool},
    problem::{Place, Problems},
    vocabulary::Vocabulary,
    yaml::Node,
};

/// The whole mapping. `None`: no severity field can be told, and an error says so.
pub(crate) fn derive(
    place: &Place,
    scoring: &mut Scoring,
    vocabulary: &Vocabulary<'_>,
    problems: &mut Problems,
) -> Option<()> {
    derive_severity_field(place, scoring, None, vocabulary, problems)?;
    derive_values(place, scoring, vocabulary, problems);
    derive_modifiers(place, scoring, vocabulary, problems);
    Some(())
}

/// The one field that has most of the mapped values, or else of the values that labels start with.
pub(crate) fn derive_severity_field(
    place: &Place,
    scoring: &mut Scoring,
    value_mappings: Option<&Node>,
    vocabulary: &Vocabulary<'_>,
    problems: &mut Problems,
) -> Option<()> {
    let labels: Vec<String> = match value_mappings {
        Some(node) => entries(node, "`value_mappings`", problems)?
            .iter()
            .filter_map(|(value, _)| value.text())
            .map(str::to_owned)
            .collect(),
        None => scoring.severity_points.iter().map(|(label, _)| label.clone()).collect(),
    };
    let fit = |term: &Term| labels.iter().filter(|label| value_of(term, label).is_some()).count();
    let best = vocabulary.asked().iter().map(|(_, term)| fit(term)).max().filter(|best| *best > 0);
    let mut fitting = vocabulary.asked().iter().filter(|(_, term)| Some(fit(term)) == best);
    match (fitting.next(), fitting.next()) {
        (Some((field, _)), None) => {
            problems
                .warning(place, format!("expected `field_mapping` with `severity_field`; the labels tell `{field}`"));
            scoring.severity_field.clone_from(field);
            Some(())
        }
        _ => {
            problems.error(place, "expected `field_mapping` with `severity_field`, found none, and the labels do not tell which field it is");
            None
        }
    }
}

/// Maps every value that exactly one severity label starts with.
pub(crate) fn derive_values(
    place: &Place,
    scoring: &mut Scoring,
    vocabulary: &Vocabulary<'_>,
    problems: &mut Problems,
) {
    let term = vocabulary.asked().iter().find(|(field, _)| *field == scoring.severity_field).map(|(_, term)| *term);
    let starts: Vec<(&str, &str)> = term
        .into_iter()
        .flat_map(|term| {
            scoring.severity_points.iter().filter_map(|(label, _)| Some((value_of(term, label)?, label.as_str())))
        })
        .collect();
    let is_single = |value: &str| starts.iter().filter(|(other, _)| *other == value).count() == 1;
    let derived: Vec<(String, String)> = starts
        .iter()
        .filter(|(value, _)| is_single(value))
        .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()))
        .collect();
    let told: Vec<_> = derived.iter().map(|(value, label)| format!("{value}: {label}")).collect();
    let told = if told.is_empty() { "nothing".to_owned() } else { told.join(", ") };
    problems.warning(place, format!("expected `value_mappings` in `field_mapping`; the labels tell {told}"));
    scoring.value_mappings = derived;
}

/// Maps every modifier whose label starts with a value of exactly one field other than the severity field. Values such as
/// `true` and `none` are not taken: "False assurance" does not mean that the answer was false.
fn derive_modifiers(place: &Place, scoring: &mut Scoring, vocabulary: &Vocabulary<'_>, problems: &mut Problems) {
    let telling = |value: &str| read_bool(value).is_none() && !["none", "unknown"].contains(&value);
    for modifier in scoring.modifiers.iter().filter(|modifier| !same_label(&modifier.label, CUISINE_MODIFIER)) {
        let label = &modifier.label;
        let mut found = vocabulary
            .asked()
            .iter()
            .filter(|(field, _)| *field != scoring.severity_field)
            .filter_map(|(field, term)| Some((field, value_of(term, label).filter(|value| telling(value))?)));
        if let (Some((field, value)), None) = (found.next(), found.next()) {
            problems.warning(
                place,
                format!("expected `modifier_mappings` in `field_mapping`; the label {label} tells {field}: {value}"),
            );
            let mapping = ModifierMapping { field: field.clone(), value: value.to_owned(), label: label.clone() };
            scoring.modifier_mappings.push(mapping);
        }
    }
}

/// The value of a term that a label starts with; of several the longest.
fn value_of<'a>(term: &'a Term, label: &str) -> Option<&'a str> {
    let words = words(label);
    let starts = term.values.iter().map(|value| value.id.as_str()).filter(|value| {
        let wanted = self::words(value);
        !wanted.is_empty() && words.starts_with(&wanted)
    });
    starts.max_by_key(|value| self::words(value).len())
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}
