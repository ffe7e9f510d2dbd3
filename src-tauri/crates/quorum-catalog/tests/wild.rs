//! Catalogs as they occur: each case edits a small correct catalog and says what is then found.

use quorum_catalog::{Catalog, builtin, read};
use quorum_core::policy::{CheckKind, Logic, Policy};

/// A correct catalog; `=== path` starts a file.
const FIXTURE: &str = "\
=== terms/_shared.yaml
ACCOUNT_TYPE:
  type: enum
  description: Whose story it is.
  values:
    - {id: firsthand, description: Own visit., cues: [i was]}
    - {id: hearsay, description: Told by others.}
  default: hearsay
=== terms/noise.yaml
LEVEL:
  name: Level
  type: enum
  description: How loud it was.
  values:
    - {id: calm, description: Calm.}
    - {id: loud, description: Loud.}
    - {id: painful, description: Ears hurt.}
  default: calm
WARNED:
  type: enum
  description: Whether staff had warned.
  values:
    - {id: 'true', description: They had.}
    - {id: 'false', description: They had not.}
=== policies/G7/room_noise/V0.yaml
policy_id: G7_room_noise_V0
overview:
  title: Noise
  purpose: Tells how loud it is.
  relevant: Noise is mentioned.
normative:
  terms: [{ref: 'shared:ACCOUNT_TYPE'}, {ref: 'noise:LEVEL'}, {ref: 'noise:WARNED'}]
decision:
  verdicts: [Calm, Busy, Deafening]
  ordered: true
  rules:
    - verdict: Deafening
      label: DEAF
      logic: ANY
      conditions:
        - {text: Pain., type: count_threshold, filter: {level: painful}, min_count: 2, min_count_by_k: {25: 1}}
        - {text: Unwarned., type: compound, filter: {level: loud}, requires: {warned: 'false'}}
    - verdict: Busy
      label: BUSY
      logic: ALL
      conditions:
        - {text: Loud., type: exists, filter: {level: [loud, painful]}}
    - {verdict: Calm, label: CALM, default: true}
output: {anything: [goes]}
=== policies/G7/room_noise/V1.yaml
policy_id: G7_room_noise_V1
extends: G7_room_noise_V0
=== policies/G7/room_noise/V2.yaml
policy_id: G7_room_noise_V2
extends: V0
normative:
  scoring:
    severity_points:
      - {label: Loud evening, points: 2}
      - {label: Painful evening, points: 5}
    modifiers:
      - {label: Unwarned guests, description: Nobody said so., points: 3}
    field_mapping:
      severity_field: level
      value_mappings: {loud: Loud evening, painful: Painful evening}
      modifier_mappings:
        - {field: warned, value: 'false', label: Unwarned guests}
    thresholds:
      - {verdict: Deafening, min_score: 9, min_score_by_k: {25: 7}}
      - {verdict: Busy, min_score: 3}
=== policies/G7/room_noise/V3.yaml
policy_id: G7_room_noise_V3
extends: ./V2.yaml
normative:
  scoring:
    recency_rules:
      - {age: new, weight: full, max_age_years: 1, weight_multiplier: 1.0}
      - {age: old, weight: half, max_age_years: 99, weight_multiplier: 0.5}
    reference_date: 2022-01-01
";

fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(FIXTURE.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "the edit must fit once: {from}");
        text.replace(from, to)
    })
}

fn files(text: &str) -> Vec<(String, String)> {
    text.split("=== ")
        .skip(1)
        .map(|file| {
            let (path, content) = file.split_once('\n').expect("a path line");
            (path.to_owned(), content.to_owned())
        })
        .collect()
}

fn read_edited(edits: &[(&str, &str)]) -> (Catalog, String) {
    let (catalog, problems) = read(files(&edited(edits)));
    (catalog, problems.iter().map(|problem| format!("{problem}\n")).collect())
}

/// The problems after these edits, one a line. With an error the topic has to be left out, without one it has to be there.
#[track_caller]
fn check(edits: &[(&str, &str)], expected: &str) {
    let (catalog, problems) = read_edited(edits);
    let expected: String = expected.lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(problems, expected);
    assert_eq!(catalog.topics().is_empty(), problems.contains(": error: "), "{problems}");
}

#[track_caller]
fn policy_of(edits: &[(&str, &str)], id: &str) -> Policy {
    let (catalog, problems) = read_edited(edits);
    catalog.policy(&id.into()).unwrap_or_else(|| panic!("no {id}: {problems}")).1.clone()
}

const LOUD: &str = "{text: Loud., type: exists, filter: {level: [loud, painful]}}";
const PAIN: &str =
    "{text: Pain., type: count_threshold, filter: {level: painful}, min_count: 2, min_count_by_k: {25: 1}}";
const UNWARNED: &str = "{text: Unwarned., type: compound, filter: {level: loud}, requires: {warned: 'false'}}";
const MAPPING: &str = "    field_mapping:
      severity_field: level
      value_mappings: {loud: Loud evening, painful: Painful evening}
      modifier_mappings:
        - {field: warned, value: 'false', label: Unwarned guests}
";
const V1: &str = "policy_id: G7_room_noise_V1\nextends: G7_room_noise_V0\n";

#[test]
fn the_fixture_is_correct() {
    check(&[], "");
    let (catalog, _) = read_edited(&[]);
    let topic = catalog.topic(&"G7_room_noise".into()).expect("topic");
    assert_eq!((topic.name.as_str(), topic.title.as_str()), ("Room noise", "Noise"));
    let fields: Vec<_> = topic.schema.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(fields, ["account_type", "level", "warned"]);
    let ids: Vec<_> = topic.policies.iter().map(|policy| policy.id.as_str()).collect();
    assert_eq!(ids, ["G7_room_noise_V0", "G7_room_noise_V1", "G7_room_noise_V2", "G7_room_noise_V3"]);
}

#[test]
fn decision_and_output_may_stand_in_normative() {
    let start = FIXTURE.find("decision:\n").expect("a decision");
    let end = FIXTURE.find("=== policies/G7/room_noise/V1").expect("the next file");
    let within: String = FIXTURE[start..end].lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("{}{within}{}", &FIXTURE[..start], &FIXTURE[end..]);
    let ((nested, problems), (flat, _)) = (read(files(&text)), read(files(FIXTURE)));
    assert_eq!(problems, []);
    let policies = |catalog: &Catalog| catalog.policies().map(|(_, policy)| policy.clone()).collect::<Vec<_>>();
    assert_eq!((policies(&nested).len(), policies(&nested)), (4, policies(&flat)));
    // In both places the one at the top holds, and the other is told.
    let twice = format!("{}  decision: {{verdicts: [A]}}\n{}", &FIXTURE[..start], &FIXTURE[start..]);
    let (catalog, problems) = read(files(&twice));
    assert_eq!(policies(&catalog), policies(&flat));
    assert!(problems[0].message.contains("unknown key `decision` in `normative`"), "{problems:?}");
}

#[test]
fn extends_merges_mappings_and_replaces_lists() {
    let (v2, v3) = (policy_of(&[], "G7_room_noise_V2"), policy_of(&[], "G7_room_noise_V3"));
    let (two, three) = (v2.scoring.expect("points"), v3.scoring.expect("points"));
    assert_eq!((two.severity_points, &two.thresholds), (three.severity_points.clone(), &three.thresholds));
    assert_eq!((two.recency_rules.len(), three.recency_rules.len()), (0, 2));
    assert_eq!(three.reference_date.map(|date| date.epoch_days()), Some(18_993));
    let replaced = policy_of(
        &[(
            "    reference_date: 2022-01-01\n",
            "    reference_date: '2022-01-01 00:00:00'\n    severity_points: {Loud evening: 1, Painful evening: 4}\n    field_mapping: {value_mappings: {calm: Loud evening}}\n",
        )],
        "G7_room_noise_V3",
    );
    let scoring = replaced.scoring.expect("points");
    assert_eq!(scoring.severity_points, [("Loud evening".to_owned(), 1), ("Painful evening".to_owned(), 4)]);
    let mapped: Vec<_> = scoring.value_mappings.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!(mapped, ["calm", "loud", "painful"]);
}

#[test]
fn extends_refuses_circles_and_missing_bases() {
    check(
        &[(V1, "policy_id: G7_room_noise_V1\nextends: G7_room_noise_V1\n")],
        "policies/G7/room_noise/V1.yaml:2:10: error: `extends` goes round in a circle: policies/G7/room_noise/V1.yaml -> policies/G7/room_noise/V1.yaml",
    );
    check(&[("policy_id: G7_room_noise_V0\n", "policy_id: G7_room_noise_V0\nextends: G7_room_noise_V3\n")], "policies/G7/room_noise/V0.yaml:2:10: error: `extends` goes round in a circle: policies/G7/room_noise/V3.yaml -> policies/G7/room_noise/V2.yaml -> policies/G7/room_noise/V0.yaml -> policies/G7/room_noise/V3.yaml
         policies/G7/room_noise/V2.yaml:2:10: error: `extends` goes round in a circle: policies/G7/room_noise/V0.yaml -> policies/G7/room_noise/V3.yaml -> policies/G7/room_noise/V2.yaml -> policies/G7/room_noise/V0.yaml
         policies/G7/room_noise/V3.yaml:2:10: error: `extends` goes round in a circle: policies/G7/room_noise/V2.yaml -> policies/G7/room_noise/V0.yaml -> policies/G7/room_noise/V3.yaml -> policies/G7/room_noise/V2.yaml");
    check(
        &[(V1, "policy_id: G7_room_noise_V1\nextends: G8_other_V0\n")],
        "policies/G7/room_noise/V1.yaml:2:10: error: expected the id or file of a policy as `extends`, found `G8_other_V0`, which is neither",
    );
    check(
        &[(V1, "policy_id: G7_room_noise_V1\nextends: [a]\n")],
        "policies/G7/room_noise/V1.yaml:2:10: error: expected a policy id or a file as `extends`, found a list",
    );
}

#[test]
fn unknown_keys_are_warnings_and_known_oddities_are_not() {
    check(
        &[("  purpose: Tells", "  porpose: Tells")],
        "policies/G7/room_noise/V0.yaml:4:3: warning: unknown key `porpose` in `overview`; known are title, purpose, incident_definition, topic_name, relevant, not_relevant, relevance_cues",
    );
    check(
        &[("  name: Level\n", "  name: Level\n  colour: red\n")],
        "terms/noise.yaml:3:3: warning: unknown key `colour` in a term; known are name, question, type, description, values, default",
    );
    check(
        &[("description: Calm.}", "description: Calm., cue: [x]}")],
        "terms/noise.yaml:6:38: warning: unknown key `cue` in a value; known are id, label, description, cues",
    );
    check(
        &[(PAIN, "{text: Pain., type: exists, filter: {level: painful}, mincount: 2}")],
        "policies/G7/room_noise/V0.yaml:16:65: warning: unknown key `mincount` in a condition; known are text, type, filter, min_count, min_count_by_k, requires",
    );
    check(
        &[(
            "      label: BUSY\n",
            "      label: BUSY\n      preconditon: none\n      precondition: none\n      especially_when: x\n",
        )],
        "",
    );
}

#[test]
fn duplicates_are_errors() {
    check(&[("WARNED:\n", "LEVEL:\n")], "policies/G7/room_noise/V0.yaml:7:47: error: the library of the domain `noise` has errors, so the term `noise:LEVEL` cannot be used
         policies/G7/room_noise/V0.yaml:7:69: error: the library of the domain `noise` has errors, so the term `noise:WARNED` cannot be used
         terms/noise.yaml:10:1: error: the key `LEVEL` stands here a second time");
    check(&[("WARNED:\n", "Level:\n")], "policies/G7/room_noise/V0.yaml:7:47: error: the library of the domain `noise` has errors, so the term `noise:LEVEL` cannot be used
         policies/G7/room_noise/V0.yaml:7:69: error: the library of the domain `noise` has errors, so the term `noise:WARNED` cannot be used
         terms/noise.yaml:10:1: error: the term `Level` stands here a second time");
    check(&[("{id: loud, description: Loud.}", "{id: calm, description: Loud.}")], "policies/G7/room_noise/V0.yaml:7:47: error: the library of the domain `noise` has errors, so the term `noise:LEVEL` cannot be used
         policies/G7/room_noise/V0.yaml:7:69: error: the library of the domain `noise` has errors, so the term `noise:WARNED` cannot be used
         terms/noise.yaml:7:7: error: the value `calm` stands here a second time");
    check(&[(V1, "policy_id: G7_room_noise_V2\nextends: G7_room_noise_V0\n")], "policies/G7/room_noise/V0.yaml:1:12: note: the topic G7_room_noise has no V1
         policies/G7/room_noise/V1.yaml:1:12: warning: the policy id `G7_room_noise_V2` does not fit its path, which tells `G7_room_noise_V1`; the id decides
         policies/G7/room_noise/V2.yaml:1:12: error: the policy `G7_room_noise_V2` stands in `policies/G7/room_noise/V1.yaml` already");
    check(
        &[(
            "=== terms/noise.yaml",
            "=== terms/shared.yaml\nX: {description: x, values: [{id: a, description: b}]}\n=== terms/noise.yaml",
        )],
        "policies/G7/room_noise/V0.yaml:7:17: error: the library of the domain `shared` has errors, so the term `shared:ACCOUNT_TYPE` cannot be used
         terms/shared.yaml:1:1: error: the domain `shared` has a library already, in another file",
    );
    check(
        &[("  verdicts: [Calm, Busy, Deafening]", "  verdicts: [Calm, Calm, Busy, Deafening]")],
        "policies/G7/room_noise/V0.yaml:9:20: error: the verdict `Calm` stands here a second time",
    );
    check(
        &[("{label: Painful evening, points: 5}", "{label: LOUD evening, points: 5}")],
        "policies/G7/room_noise/V2.yaml:7:9: error: the label `LOUD evening` stands a second time in `severity_points`
         policies/G7/room_noise/V2.yaml:12:53: error: the label `Painful evening` has no points in `severity_points`",
    );
    check(
        &[("{ref: 'noise:WARNED'}", "{ref: 'noise:WARNED'}, {ref: 'noise:LEVEL'}")],
        "policies/G7/room_noise/V0.yaml:7:92: warning: the term `noise:LEVEL` stands here a second time",
    );
    let other = "=== terms/echo.yaml\nLevel: {description: x, values: [{id: a, description: b}]}\n=== terms/noise.yaml";
    check(
        &[("=== terms/noise.yaml", other), ("{ref: 'noise:WARNED'}", "{ref: 'noise:WARNED'}, {ref: 'echo:Level'}")],
        "policies/G7/room_noise/V0.yaml:7:92: error: `echo:Level` and `noise:LEVEL` give the same field `level` in one topic",
    );
}

#[test]
fn broken_references_are_errors() {
    check(
        &[("{ref: 'noise:WARNED'}", "{ref: 'noise:WARMED'}")],
        "policies/G7/room_noise/V0.yaml:7:69: error: the library of the domain `noise` has no term `WARMED`",
    );
    check(
        &[("{ref: 'noise:WARNED'}", "{ref: 'noisy:WARNED'}")],
        "policies/G7/room_noise/V0.yaml:7:69: error: no library of the domain `noisy` for the term `noisy:WARNED`",
    );
    check(
        &[("{ref: 'noise:WARNED'}", "{ref: WARNED}")],
        "policies/G7/room_noise/V0.yaml:7:69: error: expected `domain:TERM_ID`, found `WARNED`",
    );
    check(
        &[(LOUD, "{text: Loud., type: exists, filter: {levels: loud}}")],
        "policies/G7/room_noise/V0.yaml:22:48: error: no term of any library has the field `levels`",
    );
    check(&[("label: BUSY", "label: BUSY\n      verdict: Bussy"), ("    - verdict: Busy\n", "    -\n")], "policies/G7/room_noise/V0.yaml:9:20: warning: no rule gives the verdict `Busy`: it can never be reached
         policies/G7/room_noise/V0.yaml:20:16: error: expected one of the verdicts (Calm, Busy, Deafening), found `Bussy`");
    check(
        &[("{verdict: Busy, min_score: 3}", "{verdict: Bussy, min_score: 3}")],
        "policies/G7/room_noise/V2.yaml:17:19: error: expected one of the verdicts (Calm, Busy, Deafening), found `Bussy`",
    );
    check(&[("{loud: Loud evening, painful: Painful evening}", "{loud: Loud evening, painful: Awful evening}")], "policies/G7/room_noise/V2.yaml:7:9: note: no value maps to the severity `Painful evening`: its points are never given
         policies/G7/room_noise/V2.yaml:12:53: error: the label `Awful evening` has no points in `severity_points`");
    check(
        &[("value: 'false', label: Unwarned guests}", "value: 'false', label: Warned guests}")],
        "policies/G7/room_noise/V2.yaml:9:9: note: nothing maps to the modifier `Unwarned guests`: it never applies
         policies/G7/room_noise/V2.yaml:14:50: error: the label `Warned guests` is not among the `modifiers`",
    );
    check(
        &[("severity_field: level", "severity_field: loudness")],
        "policies/G7/room_noise/V2.yaml:11:23: error: no term of any library has the field `loudness`",
    );
    check(&[("  default: calm\n", "  default: silent\n")], "policies/G7/room_noise/V0.yaml:7:47: error: the library of the domain `noise` has errors, so the term `noise:LEVEL` cannot be used
         policies/G7/room_noise/V0.yaml:7:69: error: the library of the domain `noise` has errors, so the term `noise:WARNED` cannot be used
         terms/noise.yaml:9:12: error: expected one of the values (calm, loud, painful) as `default`, found `silent`");
}

#[test]
fn what_never_matches_is_a_note() {
    check(
        &[(LOUD, "{text: Loud., type: exists, filter: {level: [loud, noisy]}}")],
        "policies/G7/room_noise/V0.yaml:22:62: note: the term `noise:LEVEL` has no value `noisy` (calm, loud, painful): it never matches",
    );
    check(
        &[(", {ref: 'noise:WARNED'}", ""), (UNWARNED, "{text: Loud., type: exists, filter: {level: loud}}")],
        "policies/G7/room_noise/V2.yaml:14:19: note: the field `warned` is not among the terms of this topic: it never matches",
    );
    check(
        &[("{loud: Loud evening, painful: Painful evening}", "{loud: Loud evening}")],
        "policies/G7/room_noise/V2.yaml:7:9: note: no value maps to the severity `Painful evening`: its points are never given",
    );
    check(
        &[(
            "{loud: Loud evening, painful: Painful evening}",
            "{loud: Loud evening, painful: Painful evening, deafening: Loud evening}",
        )],
        "policies/G7/room_noise/V2.yaml:12:70: note: the term `noise:LEVEL` has no value `deafening` (calm, loud, painful): it never matches",
    );
    check(
        &[("  relevant: Noise is mentioned.\n", "")],
        "policies/G7/room_noise/V0.yaml:1:12: note: no `relevant` in any `overview` of this topic: models decide by title and purpose what is relevant",
    );
    check(
        &[(V1, ""), ("=== policies/G7/room_noise/V1.yaml\n", "")],
        "policies/G7/room_noise/V0.yaml:1:12: note: the topic G7_room_noise has no V1",
    );
}

#[test]
fn rules_need_a_default_and_conditions_that_can_hold() {
    check(&[("{verdict: Calm, label: CALM, default: true}", "{verdict: Calm, label: CALM}")], "policies/G7/room_noise/V0.yaml:12:7: error: expected one rule with `default: true`, found none
         policies/G7/room_noise/V0.yaml:23:7: warning: the rule for `Calm` has no condition that can be checked: it never holds");
    check(
        &[("      label: BUSY\n", "      label: BUSY\n      default: true\n")],
        "policies/G7/room_noise/V0.yaml:12:7: error: expected one rule with `default: true`, found several",
    );
    check(
        &[(LOUD, "It is loud.")],
        "policies/G7/room_noise/V0.yaml:18:7: warning: the rule for `Busy` has no condition that can be checked: it never holds",
    );
    check(
        &[(LOUD, "{text: Loud., type: some, filter: {level: loud}}")],
        "policies/G7/room_noise/V0.yaml:22:31: error: expected count_threshold or compound or exists as `type`, found `some`",
    );
    check(
        &[(LOUD, "{text: Loud., filter: {level: loud}}")],
        "policies/G7/room_noise/V0.yaml:22:11: warning: expected `type` in a condition with a filter; count_threshold is taken",
    );
    check(
        &[(LOUD, "{text: Loud., type: exists}")],
        "policies/G7/room_noise/V0.yaml:22:11: error: expected `filter` in a condition with a type, found no such key",
    );
    check(
        &[(LOUD, "{type: exists, filter: {}}")],
        "policies/G7/room_noise/V0.yaml:22:34: warning: an empty filter matches every relevant review",
    );
    check(
        &[(LOUD, "{text: Loud., type: compound, filter: {level: loud}}")],
        "policies/G7/room_noise/V0.yaml:22:11: warning: expected `requires` in a compound condition; it is checked as count_threshold",
    );
    check(
        &[(LOUD, "{text: Loud., type: exists, filter: {level: []}}")],
        "policies/G7/room_noise/V0.yaml:22:55: warning: expected at least one value, found an empty list: it never matches",
    );
    check(
        &[("min_count: 2", "min_count: two")],
        "policies/G7/room_noise/V0.yaml:16:85: error: expected a whole number as `min_count`, found `two`",
    );
    check(
        &[("min_count: 2", "min_count: 0")],
        "policies/G7/room_noise/V0.yaml:16:85: warning: `min_count` is 0: the condition always holds",
    );
    check(
        &[("min_count: 2", "min_count: -1")],
        "policies/G7/room_noise/V0.yaml:16:85: error: expected a number from 0 as `min_count`, found `-1`",
    );
    check(
        &[("{25: 1}}\n", "{25: 1, K50: 2, '25': 3}}\n")],
        "policies/G7/room_noise/V0.yaml:16:112: error: expected a K from 1 as the key in `min_count_by_k`, found `K50`
         policies/G7/room_noise/V0.yaml:16:120: error: the key `25` stands here a second time",
    );
    check(
        &[("logic: ALL", "logic: MOST")],
        "policies/G7/room_noise/V0.yaml:20:14: error: expected ANY or ALL as `logic`, found `MOST`",
    );
    check(
        &[("      logic: ANY\n", "")],
        "policies/G7/room_noise/V0.yaml:12:7: warning: expected `logic` (ANY or ALL) in a rule with several conditions; ANY is taken",
    );
    check(
        &[("    - verdict: Busy\n", "    - verdict: Deafening\n")],
        "policies/G7/room_noise/V0.yaml:9:20: warning: no rule gives the verdict `Busy`: it can never be reached",
    );
    check(&[("  rules:\n", "  rulers:\n")], "policies/G7/room_noise/V0.yaml:9:3: error: expected `rules` in `decision`, found no such key
         policies/G7/room_noise/V0.yaml:11:3: warning: unknown key `rulers` in `decision`; known are verdicts, ordered, rules");
}

#[test]
fn points_need_fields_labels_and_numbers() {
    check(
        &[("points: 3}", "points: many}")],
        "policies/G7/room_noise/V2.yaml:9:72: error: expected a whole number as `points`, found `many`",
    );
    check(
        &[("points: 3}", "points: 9999999999}")],
        "policies/G7/room_noise/V2.yaml:9:72: error: expected a whole number as `points`, found `9999999999`",
    );
    check(
        &[(", description: Nobody said so., points: 3}", ", description: Nobody said so.}")],
        "policies/G7/room_noise/V2.yaml:9:9: error: expected `points` in an item of `modifiers`, found no such key",
    );
    check(
        &[("reference_date: 2022-01-01", "reference_date: soon")],
        "policies/G7/room_noise/V3.yaml:8:21: error: expected a date (YYYY-MM-DD) as `reference_date`, found `soon`",
    );
    check(
        &[("    reference_date: 2022-01-01\n", "")],
        "policies/G7/room_noise/V3.yaml:6:7: warning: expected `reference_date` beside `recency_rules`; without it every review has full weight",
    );
    check(
        &[("weight_multiplier: 0.5", "weight_multiplier: -0.5")],
        "policies/G7/room_noise/V3.yaml:7:72: error: expected a number from 0 as `weight_multiplier`, found `-0.5`",
    );
    check(
        &[("max_age_years: 99, ", "max_age_years: 0.5, ")],
        "policies/G7/room_noise/V3.yaml:6:7: warning: expected recency rules with rising `max_age_years`; the first that fits is used, so one of them never is",
    );
    check(
        &[("max_age_years: 99, ", "")],
        "policies/G7/room_noise/V3.yaml:7:9: error: expected `max_age_years` in a recency rule, found no such key",
    );
}

#[test]
fn thresholds_that_never_lead_or_leave_gaps_are_warnings() {
    check(
        &[("{verdict: Busy, min_score: 3}", "{verdict: Busy, min_score: 9}")],
        "policies/G7/room_noise/V2.yaml:17:9: warning: the threshold for `Busy` can never be reached, except at a K with numbers of its own",
    );
    check(
        &[("min_score_by_k: {25: 7}", "min_score_by_k: {25: 3}")],
        "policies/G7/room_noise/V2.yaml:17:9: warning: the threshold for `Busy` can never be reached at K = 25",
    );
    check(
        &[("min_score_by_k: {25: 7}", "min_score_by_k: {25: 201}")],
        "policies/G7/room_noise/V2.yaml:16:9: warning: the threshold for `Deafening` can never be reached at K = 25",
    );
    check(&[("min_score_by_k: {25: 7}", "min_score_by_k: {25: 200}")], "");
    check(
        &[("{verdict: Busy, min_score: 3}", "{verdict: Busy, max_score: -1}")],
        "policies/G7/room_noise/V2.yaml:17:9: warning: the threshold for `Busy` can never be reached",
    );
    check(
        &[("{verdict: Busy, min_score: 3}", "{verdict: Busy, min_score: 3}\n      - {verdict: Calm, max_score: 1}")],
        "policies/G7/room_noise/V2.yaml:16:7: warning: the thresholds leave a gap: the default verdict `Calm` is taken for the score 2",
    );
    check(
        &[("{verdict: Busy, min_score: 3}", "{verdict: Busy, min_score: 3}\n      - {verdict: Calm, max_score: 2}")],
        "",
    );
    check(
        &[("{verdict: Busy, min_score: 3}", "{verdict: Busy}")],
        "policies/G7/room_noise/V2.yaml:17:9: warning: the threshold for `Busy` can never be reached",
    );
    check(
        &[("      - {verdict: Busy, min_score: 3}\n", "")],
        "policies/G7/room_noise/V0.yaml:9:20: warning: no score leads to the verdict `Busy`: it can never be reached",
    );
    check(
        &[("      - {verdict: Busy, min_score: 3}\n", "      - {verdict: Busy, max_score: 8}\n")],
        "policies/G7/room_noise/V0.yaml:9:14: warning: no score leads to the verdict `Calm`: it can never be reached",
    );
}

#[test]
fn ids_and_paths_are_cross_checked() {
    check(&[("policy_id: G7_room_noise_V1", "policy_id: G7_room_noise_V9")], "policies/G7/room_noise/V0.yaml:1:12: note: the topic G7_room_noise has no V1
         policies/G7/room_noise/V1.yaml:1:12: error: expected a policy id such as G1_allergy_V0 (variants V0 to V4, own ones V10 to V99), found `G7_room_noise_V9`");
    check(&[("policy_id: G7_room_noise_V1", "policy_id: 'G7 room::noise_V1'")], "policies/G7/room_noise/V0.yaml:1:12: note: the topic G7_room_noise has no V1
         policies/G7/room_noise/V1.yaml:1:12: error: expected a policy id such as G1_allergy_V0 (variants V0 to V4, own ones V10 to V99), found `G7 room::noise_V1`");
    check(
        &[("policy_id: G7_room_noise_V1\n", "")],
        "policies/G7/room_noise/V1.yaml:1:1: warning: expected `policy_id`, found no such key; the path tells `G7_room_noise_V1`",
    );
    check(
        &[("=== policies/G7/room_noise/V1.yaml", "=== policies/G7/room/V1.yaml")],
        "policies/G7/room/V1.yaml:1:12: warning: the policy id `G7_room_noise_V1` does not fit its path, which tells `G7_room_V1`; the id decides",
    );
    check(&[("=== policies/G7/room_noise/V1.yaml", "=== policies/my own/first.yaml")], "");
    check(
        &[("=== terms/_shared.yaml", "=== readme.yaml\na: b\n=== terms/_shared.yaml")],
        "readme.yaml:1:1: warning: neither a term library (terms/*.yaml) nor a policy (with `policy_id`); not read",
    );
}

#[test]
fn what_is_no_yaml_keeps_its_topic_out() {
    check(
        &[(V1, "policy_id: [\n")],
        "policies/G7/room_noise/V1.yaml:2:1: error: not readable as YAML: while parsing a node, did not find expected node content",
    );
    check(&[(V1, "")], "policies/G7/room_noise/V1.yaml:1:1: error: expected a mapping, found an empty file");
    check(&[("WARNED:\n", "WARNED: }\n")], "policies/G7/room_noise/V0.yaml:7:47: error: the library of the domain `noise` has errors, so the term `noise:LEVEL` cannot be used
         policies/G7/room_noise/V0.yaml:7:69: error: the library of the domain `noise` has errors, so the term `noise:WARNED` cannot be used
         terms/noise.yaml:10:9: error: not readable as YAML: misplaced bracket");
    check(&[("  description: How loud it was.\n  values:", "  description: How loud it was.\n  value:")], "policies/G7/room_noise/V0.yaml:7:47: error: the library of the domain `noise` has errors, so the term `noise:LEVEL` cannot be used
         policies/G7/room_noise/V0.yaml:7:69: error: the library of the domain `noise` has errors, so the term `noise:WARNED` cannot be used
         terms/noise.yaml:2:3: error: expected `values` in the term `LEVEL`, found no such key
         terms/noise.yaml:5:3: warning: unknown key `value` in a term; known are name, question, type, description, values, default");
}

#[test]
fn field_mappings_are_derived_from_first_words() {
    check(&[(MAPPING, "")], "policies/G7/room_noise/V2.yaml:5:5: warning: expected `field_mapping` with `severity_field`; the labels tell `level`
         policies/G7/room_noise/V2.yaml:5:5: warning: expected `value_mappings` in `field_mapping`; the labels tell loud: Loud evening, painful: Painful evening
         policies/G7/room_noise/V2.yaml:9:9: note: nothing maps to the modifier `Unwarned guests`: it never applies
         policies/G7/room_noise/V3.yaml:5:5: warning: expected `field_mapping` with `severity_field`; the labels tell `level`
         policies/G7/room_noise/V3.yaml:5:5: warning: expected `value_mappings` in `field_mapping`; the labels tell loud: Loud evening, painful: Painful evening");
    let labels = ("{label: Loud evening, points: 2}", "{label: Evening, points: 2}");
    check(
        &[(MAPPING, ""), labels, ("{label: Painful evening, points: 5}", "{label: Sore ears, points: 5}")],
        "policies/G7/room_noise/V2.yaml:5:5: error: expected `field_mapping` with `severity_field`, found none, and the labels do not tell which field it is",
    );
    check(&[(MAPPING, "    field_mapping: {severity_field: level}\n")], "policies/G7/room_noise/V2.yaml:9:9: note: nothing maps to the modifier `Unwarned guests`: it never applies
         policies/G7/room_noise/V2.yaml:10:20: warning: expected `value_mappings` in `field_mapping`; the labels tell loud: Loud evening, painful: Painful evening");
    check(&[(MAPPING, "    field_mapping: {value_mappings: {loud: Loud evening, painful: Painful evening}}\n")], "policies/G7/room_noise/V2.yaml:9:9: note: nothing maps to the modifier `Unwarned guests`: it never applies
         policies/G7/room_noise/V2.yaml:10:20: warning: expected `field_mapping` with `severity_field`; the labels tell `level`");
    check(&[(MAPPING, ""), ("{label: Painful evening, points: 5}", "{label: loud party, points: 5}")], "policies/G7/room_noise/V2.yaml:5:5: warning: expected `field_mapping` with `severity_field`; the labels tell `level`
         policies/G7/room_noise/V2.yaml:5:5: warning: expected `value_mappings` in `field_mapping`; the labels tell nothing
         policies/G7/room_noise/V2.yaml:6:9: note: no value maps to the severity `Loud evening`: its points are never given
         policies/G7/room_noise/V2.yaml:7:9: note: no value maps to the severity `loud party`: its points are never given
         policies/G7/room_noise/V2.yaml:9:9: note: nothing maps to the modifier `Unwarned guests`: it never applies
         policies/G7/room_noise/V2.yaml:11:9: warning: the threshold for `Deafening` can never be reached
         policies/G7/room_noise/V2.yaml:12:9: warning: the threshold for `Busy` can never be reached
         policies/G7/room_noise/V3.yaml:5:5: warning: expected `field_mapping` with `severity_field`; the labels tell `level`
         policies/G7/room_noise/V3.yaml:5:5: warning: expected `value_mappings` in `field_mapping`; the labels tell nothing");
}

#[test]
fn variants_may_count_from_one() {
    let from_one: Vec<(String, String)> = files(FIXTURE)
        .into_iter()
        .map(|(path, text)| {
            // From the last to the first, so that no number is raised twice.
            let raise = |text: String| {
                (0..4).rev().fold(text, |text, n| text.replace(&format!("V{n}"), &format!("V{}", n + 1)))
            };
            (raise(path), raise(text))
        })
        .collect();
    let (catalog, problems) = read(from_one);
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        (0..4)
            .map(|n| format!(
                "policies/G7/room_noise/V{}.yaml:1:12: note: variants are counted from V0 here: this one is V{n}, with the id G7_room_noise_V{n}",
                n + 1
            ))
            .collect::<Vec<_>>()
    );
    let (original, _) = read_edited(&[]);
    let topic = |catalog: &Catalog| catalog.topic(&"G7_room_noise".into()).expect("topic").clone();
    assert_eq!(topic(&catalog).policies, topic(&original).policies);
    let both = [(
        "=== terms/_shared.yaml",
        "=== policies/x.yaml\npolicy_id: G7_room_noise_V4\nextends: G7_room_noise_V0\n=== terms/_shared.yaml",
    )];
    check(
        &both,
        "policies/x.yaml:1:12: error: expected variants V0 to V3, or V1 to V4; G7_room_noise has both V0 and V4",
    );
}

#[test]
fn one_thing_may_be_written_in_several_ways() {
    let original = policy_of(&[], "G7_room_noise_V0");
    let same_v0 = [
        ("min_count_by_k: {25: 1}", "min_count_by_k: {'25': '1'}"),
        ("requires: {warned: 'false'}", "requires: {warned: false}"),
        ("requires: {warned: 'false'}", "requires: {warned: no}"),
        ("requires: {warned: 'false'}", "requires: {warned: False}"),
        ("requires: {warned: 'false'}", "requires: {warned: [\"false\"]}"),
        ("default: true}", "default: yes}"),
        ("default: true}", "default: 'true'}"),
        ("logic: ALL", "logic: all"),
        ("min_count: 2", "min_count: 2.0"),
        ("  ordered: true", "  ordered: on"),
        ("[{ref: 'shared:ACCOUNT_TYPE'}, ", "['shared:ACCOUNT_TYPE', "),
    ];
    for edit in same_v0 {
        check(&[edit], "");
        assert_eq!(policy_of(&[edit], "G7_room_noise_V0"), original, "{edit:?}");
    }
    let quoted = ("{id: 'true', description: They had.}", "{id: true, description: They had.}");
    assert_eq!(policy_of(&[quoted, ("{id: 'false', ", "{id: False, ")], "G7_room_noise_V0"), original);
    let points = policy_of(&[], "G7_room_noise_V2");
    let labels = "      - {label: Loud evening, points: 2}\n      - {label: Painful evening, points: 5}\n";
    let mapping = "        Loud evening: 2\n        Painful evening: '5'\n";
    assert_eq!(policy_of(&[(labels, mapping)], "G7_room_noise_V2"), points);
}

#[test]
fn a_condition_in_words_carries_no_rule() {
    let policy = policy_of(&[(UNWARNED, "Somebody fainted."), (LOUD, "{text: It is loud.}")], "G7_room_noise_V0");
    let checks: Vec<Vec<bool>> = policy
        .rules
        .iter()
        .map(|rule| rule.conditions.iter().map(|condition| condition.check.is_some()).collect())
        .collect();
    assert_eq!(checks, [vec![true, false], vec![false], vec![]]);
    assert_eq!(policy.rules[0].conditions[1].text, "Somebody fainted.");
    assert_eq!((policy.rules[0].logic, policy.rules[1].logic), (Logic::Any, Logic::All));
    let whole = policy_of(&[], "G7_room_noise_V0");
    let check = whole.rules[0].conditions[1].check.clone().expect("check");
    assert_eq!((check.kind, check.min_count), (CheckKind::Compound, 1));
    assert_eq!(check.requires, [("warned".to_owned(), vec!["false".to_owned()])]);
}

#[test]
fn modifiers_are_derived_where_a_label_starts_with_a_value() {
    let warned = (
        "    - {id: 'true', description: They had.}\n",
        "    - {id: unwarned, description: Nobody.}\n    - {id: 'true', description: They had.}\n",
    );
    let policy = policy_of(&[(MAPPING, ""), warned], "G7_room_noise_V2");
    let scoring = policy.scoring.expect("points");
    let mapped: Vec<_> =
        scoring.modifier_mappings.iter().map(|m| (m.field.as_str(), m.value.as_str(), m.label.as_str())).collect();
    assert_eq!(mapped, [("warned", "unwarned", "Unwarned guests")]);
    let falsely = [(MAPPING, ""), ("label: Unwarned guests, description", "label: False promise, description")];
    assert!(policy_of(&falsely, "G7_room_noise_V2").scoring.expect("points").modifier_mappings.is_empty());
}

#[test]
fn a_users_catalog_lies_on_top() {
    let base = read_edited(&[]).0;
    let user = |files: &[(&str, &str)]| base.overlay(&read(files.iter().copied()).0);
    let shown = |problems: &[quorum_catalog::Problem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let topic = |catalog: &Catalog| catalog.topic(&"G7_room_noise".into()).cloned();

    // A policy that refers to terms of the base is complete on top of it, and replaces the whole topic.
    let text = FIXTURE.split("=== ").find(|file| file.contains("policy_id: G7_room_noise_V0")).expect("V0");
    let v0 = text.split_once('\n').expect("a path line").1.replace("title: Noise", "title: Mine");
    let (merged, problems) = user(&[("policies/mine.yaml", &v0)]);
    assert_eq!(shown(&problems), ["policies/mine.yaml:1:12: note: the topic G7_room_noise has no V1, V2, V3"]);
    let mine = topic(&merged).expect("topic");
    assert_eq!((mine.title.as_str(), mine.policies.len()), ("Mine", 1));

    // A library replaces the one of its domain, and the topics that use it get a new hash.
    let library = FIXTURE.split("=== ").find(|file| file.starts_with("terms/noise.yaml")).expect("library");
    let library = library.split_once('\n').expect("a path line").1;
    let (merged, problems) = user(&[("terms/noise.yaml", &library.replace("Ears hurt.", "Ears hurt badly."))]);
    assert_eq!(shown(&problems), Vec::<String>::new());
    let (before, after) = (topic(&base).expect("topic"), topic(&merged).expect("topic"));
    assert_ne!(before.schema.term_hash(), after.schema.term_hash());
    assert_eq!(before.policies, after.policies);

    // A library that lacks a term takes the topics with it that refer to the term, and says so.
    let (merged, problems) = user(&[("terms/noise.yaml", library.split("WARNED").next().expect("a part"))]);
    assert!(topic(&merged).is_none());
    assert_eq!(
        shown(&problems),
        ["policies/G7/room_noise/V0.yaml:7:69: error: the library of the domain `noise` has no term `WARNED`"]
    );

    // A broken file of the user does not leave the base's topic in its place.
    let (merged, problems) = user(&[("policies/G7/room_noise/V2.yaml", "policy_id: G7_room_noise_V2\nnormative: [")]);
    assert!(topic(&merged).is_none());
    assert!(shown(&problems)[0].starts_with("policies/G7/room_noise/V2.yaml:"), "{problems:?}");

    // Another topic, with a library of its own, stands beside those of the base.
    let own = FIXTURE.replace("terms/_shared.yaml", "terms/common.yaml").replace("shared:", "common:");
    let (merged, problems) = builtin().overlay(&read(files(&own)).0);
    assert_eq!((merged.topics().len(), shown(&problems)), (19, Vec::<String>::new()));
    let hash = |catalog: &Catalog| catalog.topic(&"G1_allergy".into()).map(|topic| topic.schema.term_hash());
    assert_eq!(hash(&merged), hash(builtin()));
}

#[test]
fn a_broken_policy_of_ones_own_is_left_out_alone() {
    let base = read_edited(&[]).0;
    let own = |number: u32, more: &str| {
        let path = format!("policies/G7/room_noise/V{number}.yaml");
        (path, format!("policy_id: G7_room_noise_V{number}\nextends: G7_room_noise_V2\n{more}"))
    };
    let files = [
        own(10, ""),
        own(11, "normative: ["),
        own(12, "normative:\n  terms: [{ref: 'noise:NOWHERE'}]\n"),
        ("policies/G7/room_noise/V13.yaml".to_owned(), "policy_id: [1]\n".to_owned()),
        own(14, ""),
    ];
    let (merged, problems) = base.overlay(&read(files.iter().map(|(path, text)| (path, text))).0);
    let (before, after) = (base.topic(&"G7_room_noise".into()), merged.topic(&"G7_room_noise".into()));
    let (before, after) = (before.expect("the topic"), after.expect("the topic stays"));
    let variants: Vec<&str> = after.policies.iter().map(|policy| policy.variant.as_str()).collect();
    assert_eq!(variants, ["V0", "V1", "V2", "V3", "V10", "V14"]);
    assert_eq!(after.schema.term_hash(), before.schema.term_hash(), "no vote becomes stale");
    assert_eq!(after.policies[..4], before.policies);

    let of = |file: &str| -> Vec<String> {
        let found = problems.iter().filter(|problem| problem.file.ends_with(file));
        found.map(|problem| format!("{}: {}", problem.severity, problem.message)).collect()
    };
    let left_out = |number: u32| {
        format!(
            "warning: the policy `G7_room_noise_V{number}` is left out until its errors are mended; the topic's others are not affected"
        )
    };
    for (number, error) in
        [(11, "not readable as YAML"), (12, "the library of the domain `noise` has no term `NOWHERE`")]
    {
        let said = of(&format!("V{number}.yaml"));
        assert!(said.iter().any(|problem| problem.starts_with("error: ") && problem.contains(error)), "{said:?}");
        assert!(said.contains(&left_out(number)), "{said:?}");
    }
    assert!(of("V13.yaml")[0].starts_with("error: "), "{problems:?}");
    assert_eq!((of("V10.yaml"), of("V14.yaml")), (vec![], vec![]));
}
