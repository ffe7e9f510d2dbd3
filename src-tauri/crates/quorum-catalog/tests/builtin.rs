//! The built-in catalog as a whole: complete, in good order, and true to the facts that it was written from.

mod common;

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use common::Tree;
use quorum_catalog::{Severity, builtin};
use quorum_core::{
    policy::{Check, CheckKind, Filter, Logic, Policy, Scoring},
    schema::hex,
    tokens,
    topic::Topic,
};
use sha2::{Digest, Sha256};

#[test]
fn the_built_in_catalog_has_no_errors_and_no_warnings() {
    let serious: Vec<String> = builtin()
        .problems()
        .iter()
        .filter(|problem| problem.severity != Severity::Note)
        .map(ToString::to_string)
        .collect();
    assert_eq!(serious, Vec::<String>::new());
    assert_eq!((builtin().topics().len(), builtin().policies().count()), (18, 72));
    for topic in builtin().topics() {
        let variants: Vec<_> = topic.policies.iter().map(|policy| policy.variant.as_str()).collect();
        assert_eq!(variants, ["V0", "V1", "V2", "V3"], "{}", topic.id);
        for policy in &topic.policies {
            assert_eq!(policy.id.as_str(), format!("{}_{}", topic.id, policy.variant));
        }
    }
}

#[test]
fn every_topic_says_what_is_relevant() {
    for topic in builtin().topics() {
        let relevance = &topic.relevance;
        assert!(relevance.relevant.len() > 80, "{}: {}", topic.id, relevance.relevant);
        assert!(relevance.not_relevant.len() > 80, "{}: {}", topic.id, relevance.not_relevant);
        assert!(relevance.cues.len() >= 4, "{}", topic.id);
        assert!(!topic.name.is_empty() && !topic.title.is_empty() && !topic.purpose.is_empty(), "{}", topic.id);
        for policy in &topic.policies {
            assert!(!policy.purpose.is_empty() && !policy.incident_definition.is_empty(), "{}", policy.id);
        }
    }
}

#[test]
fn every_value_has_a_description_and_4_to_10_cues() {
    let mut values = 0;
    for term in builtin().libraries().flat_map(|library| &library.terms) {
        let reference = term.reference();
        assert!(!term.description.is_empty() && term.question.is_some(), "{reference}");
        assert!(term.default.is_some(), "{reference}");
        let mut cues = BTreeSet::new();
        for value in &term.values {
            values += 1;
            let name = format!("{reference} {}", value.id);
            assert!(!value.description.is_empty() && !value.label.is_empty(), "{name}");
            assert!((4..=10).contains(&value.cues.len()), "{name} has {} cues", value.cues.len());
            for cue in &value.cues {
                assert!(cues.insert(cue.to_lowercase()), "{name}: the cue {cue:?} stands twice in the term");
                assert!(!cue.trim().is_empty(), "{name}");
            }
        }
        let descriptions: BTreeSet<_> = term.values.iter().map(|value| &value.description).collect();
        assert_eq!(descriptions.len(), term.values.len(), "{reference} describes two values alike");
    }
    assert_eq!(values, 338);
}

/// What of a topic is fixed, as text: ids, order and numbers, and no prose. The facts are brought into the same form.
fn norms(topic: &Topic) -> String {
    let mut out = String::new();
    for field in topic.schema.fields() {
        let values: Vec<_> = field.term.values.iter().map(|value| value.id.as_str()).collect();
        let _infallible = writeln!(out, "{} = {values:?}, default {:?}", field.term.reference(), field.term.default);
    }
    for policy in &topic.policies {
        out.push_str(&policy_norms(policy));
    }
    out
}

fn policy_norms(policy: &Policy) -> String {
    let mut out = format!("{} {:?} {:?} {:?}\n", policy.variant, policy.title, policy.terms, policy.verdicts);
    for rule in &policy.rules {
        let logic = match rule.logic {
            Logic::Any => "ANY",
            Logic::All => "ALL",
        };
        let _infallible = writeln!(out, "rule {} {} {logic} default {}", rule.verdict, rule.label, rule.is_default);
        for check in rule.conditions.iter().filter_map(|condition| condition.check.as_ref()) {
            out.push_str(&check_norms(check));
        }
    }
    if let Some(scoring) = &policy.scoring {
        out.push_str(&scoring_norms(scoring));
    }
    out
}

fn check_norms(check: &Check) -> String {
    let kind = match check.kind {
        CheckKind::CountThreshold => "count_threshold",
        CheckKind::Compound => "compound",
        CheckKind::Exists => "exists",
    };
    let filter = |filter: &Filter| {
        filter.iter().map(|(field, values)| format!("{field}: {}", values.join("|"))).collect::<Vec<_>>().join(", ")
    };
    let (filtered, required) = (filter(&check.filter), filter(&check.requires));
    format!("{kind} {{{filtered}}} {{{required}}} {} {:?}\n", check.min_count, check.min_count_by_k)
}

fn scoring_norms(scoring: &Scoring) -> String {
    let mut out = String::new();
    let mut line = |text: String| out.push_str(&(text + "\n"));
    line(format!("severity {:?}", scoring.severity_points));
    for modifier in &scoring.modifiers {
        line(format!("modifier {} {}", modifier.label, modifier.points));
    }
    line(format!("field {} {:?}", scoring.severity_field, scoring.value_mappings));
    for mapping in &scoring.modifier_mappings {
        line(format!("maps {} {} {}", mapping.field, mapping.value, mapping.label));
    }
    for rule in &scoring.recency_rules {
        line(format!("recency {:?} {:?}", rule.max_age_years, rule.weight));
    }
    line(format!("reference {:?}", scoring.reference_date.map(|date| date.epoch_days())));
    for threshold in &scoring.thresholds {
        let (min, max) = (&threshold.min_score_by_k, &threshold.max_score_by_k);
        line(format!(
            "threshold {} {:?} {min:?} {:?} {max:?}",
            threshold.verdict, threshold.min_score, threshold.max_score
        ));
    }
    out
}

/// [`norms`] of a facts file.
fn norms_of_facts(facts: &Tree, terms: &Tree) -> String {
    let mut out = String::new();
    let mut seen = BTreeSet::new();
    let policies = facts.at("policies").pairs();
    for reference in policies.iter().flat_map(|(_, policy)| policy.at("terms").texts()) {
        if seen.insert(reference) {
            let term = terms.at(&reference.replace(':', "."));
            let default = term.get("default").map(Tree::text);
            let _infallible = writeln!(out, "{reference} = {:?}, default {default:?}", term.at("values").texts());
        }
    }
    for (variant, policy) in policies {
        let (title, terms) = (policy.at("title").text(), policy.at("terms").texts());
        let _infallible = writeln!(out, "{variant} {title:?} {terms:?} {:?}", policy.at("verdicts").texts());
        for rule in policy.at("rules").items() {
            let text = |key: &str, absent: &'static str| rule.get(key).map_or(absent, Tree::text).to_owned();
            let (verdict, label, logic) = (text("verdict", "-"), text("label", "-"), text("logic", "ANY"));
            let _infallible = writeln!(out, "rule {verdict} {label} {logic} default {}", text("default", "false"));
            for condition in rule.list("conditions") {
                let kind = condition.at("type").text();
                let filter = |key: &str| {
                    let pairs = condition.get(key).map_or(&[][..], Tree::pairs).iter();
                    let pairs = pairs.map(|(field, values)| format!("{field}: {}", values.texts().join("|")));
                    pairs.collect::<Vec<_>>().join(", ")
                };
                let by_k = numbers(condition, "min_count_by_k");
                let (filtered, required, min) = (filter("filter"), filter("requires"), condition.at("min_count").int());
                let _infallible = writeln!(out, "{kind} {{{filtered}}} {{{required}}} {min} {by_k}");
            }
        }
        if let Some(scoring) = policy.get("scoring") {
            out.push_str(&scoring_norms_of_facts(scoring));
        }
    }
    out
}

fn scoring_norms_of_facts(scoring: &Tree) -> String {
    let mut out = String::new();
    let mut line = |text: String| out.push_str(&(text + "\n"));
    let pairs = |tree: &Tree| tree.pairs().iter().map(|(key, value)| (key.clone(), value.int())).collect::<Vec<_>>();
    line(format!("severity {:?}", pairs(scoring.at("severity_points"))));
    for (label, points) in pairs(scoring.at("modifiers")) {
        line(format!("modifier {label} {points}"));
    }
    let mapping = scoring.at("field_mapping");
    let values: Vec<_> =
        mapping.at("value_mappings").pairs().iter().map(|(value, label)| (value, label.text())).collect();
    line(format!("field {} {values:?}", mapping.at("severity_field").text()));
    for item in mapping.list("modifier_mappings") {
        line(format!("maps {} {} {}", item.at("field").text(), item.at("value").text(), item.at("label").text()));
    }
    for rule in scoring.list("recency_rules") {
        let number = |key: &str| rule.at(key).text().parse::<f64>().expect("a number");
        line(format!("recency {:?} {:?}", number("max_age_years"), number("weight_multiplier")));
    }
    let reference = scoring.get("reference_date").map(Tree::text);
    // 2022-01-01 is the only date in the facts: 18,993 days after 1970-01-01.
    assert!(matches!(reference, None | Some("2022-01-01")), "{reference:?}");
    line(format!("reference {:?}", reference.map(|_| 18_993)));
    for threshold in scoring.at("thresholds").items() {
        let score = |key: &str| threshold.get(key).map(Tree::int);
        let (min, max) = (numbers(threshold, "min_score_by_k"), numbers(threshold, "max_score_by_k"));
        let verdict = threshold.at("verdict").text();
        line(format!("threshold {verdict} {:?} {min} {:?} {max}", score("min_score"), score("max_score")));
    }
    out
}

fn numbers(tree: &Tree, key: &str) -> String {
    let pairs = tree.get(key).map_or(&[][..], Tree::pairs).iter();
    let numbers: std::collections::BTreeMap<u32, i64> =
        pairs.map(|(k, number)| (k.parse().expect("a K"), number.int())).collect();
    format!("{numbers:?}")
}

#[test]
fn the_built_in_catalog_holds_to_the_facts() {
    // The facts are not in the repository; the digests below hold the catalog to them where they are missing.
    let Some(folder) =
        quorum_outside::needed("catalog/terms.yaml").and_then(|terms| terms.parent().map(Path::to_owned))
    else {
        return;
    };
    let read = |name: &str| Tree::parse(&fs::read_to_string(folder.join(name)).expect("a facts file"));
    let terms = read("terms.yaml");
    for topic in builtin().topics() {
        let facts = read(&format!("{}.yaml", topic.id));
        assert_eq!(facts.at("topic").text(), topic.id.as_str());
        let (found, expected) = (norms(topic), norms_of_facts(&facts, &terms));
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected, "{}", topic.id);
        }
        assert_eq!(found, expected, "{}", topic.id);
    }
    let known: BTreeSet<String> = terms
        .pairs()
        .iter()
        .flat_map(|(domain, terms)| {
            terms.pairs().iter().map(move |(id, term)| {
                format!("{domain}:{id} {:?} {:?}", term.at("values").texts(), term.get("default").map(Tree::text))
            })
        })
        .collect();
    let found: BTreeSet<String> = builtin()
        .libraries()
        .flat_map(|library| &library.terms)
        .map(|term| {
            let values: Vec<_> = term.values.iter().map(|value| value.id.as_str()).collect();
            format!("{} {values:?} {:?}", term.reference(), term.default)
        })
        .collect();
    assert_eq!(found, known);
}

/// First 16 hex digits of the SHA-256 of each topic's [`norms`], made from the catalog while it agreed with the facts.
const DIGESTS: [(&str, &str); 18] = [
    ("G1_allergy", "c332ff6bf4b64846"),
    ("G1_dietary", "2d57ee04a6a7f4f8"),
    ("G1_hygiene", "4b5ac592b723476c"),
    ("G2_business", "1e204d63f8ebe483"),
    ("G2_group", "73d69d8e7aa6a0ad"),
    ("G2_romance", "5b13685089fc99cb"),
    ("G3_hidden_costs", "261121868592738e"),
    ("G3_price_worth", "6de911fe95179bb8"),
    ("G3_time_value", "1e2402a13f50d564"),
    ("G4_environment", "6b91654693a5025e"),
    ("G4_kitchen", "b642551a6553ae9e"),
    ("G4_server", "563a5de205c734f9"),
    ("G5_capacity", "d1d2eae1ec47bbb2"),
    ("G5_consistency", "3f1b39facf95d8f6"),
    ("G5_execution", "4548403ee68ca662"),
    ("G6_comparison", "0b42798b5b8a772a"),
    ("G6_loyalty", "813386622feb436c"),
    ("G6_uniqueness", "e89835a8c509be09"),
];

#[test]
fn the_built_in_catalog_keeps_its_numbers() {
    let found: Vec<(&str, String)> = builtin()
        .topics()
        .iter()
        .map(|topic| (topic.id.as_str(), hex(&Sha256::digest(norms(topic).as_bytes())[..8])))
        .collect();
    let expected: Vec<(&str, String)> = DIGESTS.iter().map(|(topic, digest)| (*topic, (*digest).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_tokens_of_built_in_texts_are_known_without_a_tokenizer() {
    let texts = || builtin().topics().iter().flat_map(|topic| tokens::texts(topic));
    if std::env::var_os("UPDATE_TOKENS").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quorum-core/src/tokens/known.rs");
        let source = fs::read_to_string(&file).expect("readable");
        let (head, _) = source.split_once("&[\n").expect("the table");
        let rows: BTreeSet<(u64, u32)> = texts().map(|text| (tokens::key(&text), tokens::count(&text))).collect();
        let rows = rows.iter().fold(String::new(), |mut rows, (key, count)| {
            writeln!(rows, "    (0x{key:016x}, {count}),").expect("a string takes everything");
            rows
        });
        fs::write(&file, format!("{head}&[\n{rows}];\n")).expect("writable");
        return;
    }
    for text in texts() {
        assert_eq!(
            tokens::known(&text),
            Some(tokens::count(&text)),
            "of {:.60}…; UPDATE_TOKENS=1 cargo test -p quorum-catalog --test builtin",
            text
        );
    }
}
