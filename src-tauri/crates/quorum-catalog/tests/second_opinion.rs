//! The policy rules a second time, as simply as `domain.md` states them, against `quorum_core::verdict`.
//!
//! Nothing here is shared with the first implementation: values are texts, dates are counted day by day, and
//! weights are decimal fractions in whole numbers. It reads the embedded files by itself; they state every
//! policy whole, so `extends` is not needed (the comparison would fail if it were).

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Random, Tree};
use quorum_catalog::{builtin, builtin_files};
use quorum_core::{
    date::Date,
    verdict::{Judge, Judgment},
};

/// A judgment in texts.
#[derive(Clone, Debug)]
struct Opinion<'a> {
    relevant: bool,
    date: String,
    values: BTreeMap<&'a str, &'a str>,
}

#[derive(Debug, PartialEq)]
struct Outcome {
    verdict: String,
    score: Option<i64>,
    rule: Option<String>,
    incidents: Option<usize>,
}

/// The verdict of a policy file over judgments, straight from the text of `domain.md`.
fn second_opinion(
    policy: &Tree,
    asked: &BTreeSet<String>,
    opinions: &[Opinion<'_>],
    categories: &str,
    k: u32,
) -> Outcome {
    let relevant: Vec<&Opinion<'_>> = opinions.iter().filter(|opinion| opinion.relevant).collect();
    match policy.at("normative").get("scoring") {
        None => by_rules(policy, &relevant, k),
        Some(scoring) => by_points(policy, scoring, asked, &relevant, categories, k),
    }
}

fn default_rule(policy: &Tree) -> &Tree {
    let rules = policy.at("decision.rules").items();
    rules
        .iter()
        .find(|rule| rule.get("default").is_some_and(|default| default.text() == "true"))
        .expect("a default rule")
}

fn by_rules(policy: &Tree, relevant: &[&Opinion<'_>], k: u32) -> Outcome {
    let holds = |condition: &Tree| {
        let fits = |opinion: &Opinion<'_>, filter: &Tree| {
            let wanted = |(field, values): &(String, Tree)| {
                opinion.values.get(field.as_str()).is_some_and(|value| values.texts().contains(value))
            };
            filter.pairs().iter().all(wanted)
        };
        let mut count = 0;
        for opinion in relevant {
            let also = condition.get("requires").is_none_or(|requires| fits(opinion, requires));
            if fits(opinion, condition.at("filter")) && also {
                count += 1;
            }
        }
        let needed = match condition.at("type").text() {
            "exists" => 1,
            "count_threshold" | "compound" => number_for(condition, "min_count", k).unwrap_or(1),
            other => panic!("unknown type {other}"),
        };
        count >= needed
    };
    let rules = policy.at("decision.rules").items();
    let held = rules.iter().filter(|rule| rule.get("conditions").is_some()).find(|rule| {
        let mut conditions = rule.at("conditions").items().iter();
        match rule.at("logic").text() {
            "ANY" => conditions.any(holds),
            "ALL" => conditions.all(holds),
            other => panic!("unknown logic {other}"),
        }
    });
    let rule = held.unwrap_or_else(|| default_rule(policy));
    let text = |key: &str| rule.at(key).text().to_owned();
    Outcome { verdict: text("verdict"), score: None, rule: Some(text("label")), incidents: None }
}

/// `key`, or the number that `key_by_k` has for exactly this K.
fn number_for(tree: &Tree, key: &str, k: u32) -> Option<i64> {
    let exact = tree.get(&format!("{key}_by_k")).and_then(|by_k| by_k.get(&k.to_string()));
    exact.or_else(|| tree.get(key)).map(Tree::int)
}

fn by_points(
    policy: &Tree,
    scoring: &Tree,
    asked: &BTreeSet<String>,
    relevant: &[&Opinion<'_>],
    categories: &str,
    k: u32,
) -> Outcome {
    let points_of = |list: &str, label: &str| {
        let same = |item: &&Tree| item.at("label").text().to_lowercase() == label.to_lowercase();
        scoring.list(list).iter().find(same).map(|item| item.at("points").int())
    };
    let mapping = scoring.at("field_mapping");
    let severity_field = mapping.at("severity_field").text();
    let mut score = 0;
    let mut incidents = 0;
    for opinion in relevant {
        let value = |field: &str| opinion.values.get(field).copied();
        if asked.contains("account_type") && value("account_type") != Some("firsthand") {
            continue;
        }
        let Some(label) = value(severity_field).and_then(|value| mapping.at("value_mappings").get(value)) else {
            continue;
        };
        let Some(mut points) = points_of("severity_points", label.text()) else { continue };
        for modifier in mapping.list("modifier_mappings") {
            if value(modifier.at("field").text()) == Some(modifier.at("value").text()) {
                points += points_of("modifiers", modifier.at("label").text()).unwrap_or(0);
            }
        }
        incidents += 1;
        let (over, under) = weight(scoring, &opinion.date);
        // Division of whole numbers truncates toward zero.
        score += points * over / under;
    }
    let is_risky =
        ["thai", "vietnamese", "chinese", "asian"].iter().any(|cuisine| categories.to_lowercase().contains(cuisine));
    if incidents > 0 && is_risky {
        score += points_of("modifiers", "High-risk cuisine").unwrap_or(0);
    }
    let mut highest: Option<(i64, &str)> = None;
    let mut lowest: Option<(i64, &str)> = None;
    for threshold in scoring.at("thresholds").items() {
        let verdict = threshold.at("verdict").text();
        if let Some(min) = number_for(threshold, "min_score", k)
            && score >= min
            && highest.is_none_or(|(known, _)| min > known)
        {
            highest = Some((min, verdict));
        }
        if let Some(max) = number_for(threshold, "max_score", k)
            && score <= max
            && lowest.is_none_or(|(known, _)| max < known)
        {
            lowest = Some((max, verdict));
        }
    }
    let verdict = highest.or(lowest).map_or_else(|| default_rule(policy).at("verdict").text(), |(_, verdict)| verdict);
    Outcome { verdict: verdict.to_owned(), score: Some(score), rule: None, incidents: Some(incidents) }
}

/// The weight for a date as a fraction of whole numbers.
fn weight(scoring: &Tree, date: &str) -> (i64, i64) {
    let rules = scoring.list("recency_rules");
    let (Some(reference), Some(last)) = (scoring.get("reference_date"), rules.last()) else { return (1, 1) };
    let (Some(day), Some(reference)) = (day_number(date), day_number(reference.text())) else { return (1, 1) };
    // days / 365.25 <= years, in hundredths of days and thousandths of years.
    let is_young = |rule: &&Tree| {
        let (years, under) = decimal(rule.at("max_age_years").text());
        (reference - day) * 100 * under <= years * 36_525
    };
    decimal(rules.iter().find(is_young).unwrap_or(last).at("weight_multiplier").text())
}

/// `0.25` as (25, 100).
fn decimal(text: &str) -> (i64, i64) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    (
        format!("{whole}{fraction}").parse().expect("a decimal"),
        10_i64.pow(u32::try_from(fraction.len()).expect("short")),
    )
}

/// Days since 1990-01-01, counted; `None` for what is no date from 1990 on.
fn day_number(text: &str) -> Option<i64> {
    let parts: Vec<i64> = text.get(..10)?.split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [year, month, day] = parts[..] else { return None };
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = |year: i64| [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month_index = usize::try_from(month - 1).ok()?;
    if year < 1990 || !(1..=*lengths(year).get(month_index)?).contains(&day) {
        return None;
    }
    let years: i64 = (1990..year).map(|year| lengths(year).iter().sum::<i64>()).sum();
    Some(years + lengths(year)[..month_index].iter().sum::<i64>() + day - 1)
}

const KS: [u32; 5] = [25, 50, 100, 200, 7];
const CASES_PER_POLICY_AND_K: u64 = 56;
const CATEGORIES: [&str; 6] =
    ["", "Burgers, American", "Thai, Noodles", "Bars, VIETNAMESE", "Dim Sum, chinese, Seafood", "Pan-Asian Fusion"];

/// Judgments that lean towards some values, so that high counts and scores come up as well as low ones.
fn random_opinions<'a>(random: &mut Random, fields: &'a [(String, Vec<String>)], k: u32) -> Vec<Opinion<'a>> {
    let most = usize::try_from(k).expect("small");
    // Every fourth case is extreme: the largest scores need many recent reviews that agree.
    let is_extreme = random.percent(25);
    let number = if is_extreme || random.percent(50) { most } else { random.below(most + 1) };
    let leaning = if is_extreme { 95 } else { *random.pick(&[0, 50, 80, 95]) };
    let favourites: Vec<&str> = fields.iter().map(|(_, values)| random.pick(values).as_str()).collect();
    let relevant = if is_extreme { 100 } else { *random.pick(&[30, 90, 100]) };
    let unset = if is_extreme { 0 } else { *random.pick(&[0, 0, 10, 60]) };
    let first_year = if is_extreme { 2021 } else { 2008 };
    let opinion = |random: &mut Random| {
        let mut values = BTreeMap::new();
        for ((field, known), favourite) in fields.iter().zip(&favourites) {
            let value = if random.percent(leaning) { *favourite } else { random.pick(known).as_str() };
            // First-hand judgments are needed for points to add up.
            let value = if field == "account_type" && random.percent(if is_extreme { 95 } else { 70 }) {
                "firsthand"
            } else {
                value
            };
            if !random.percent(unset) {
                values.insert(field.as_str(), value);
            }
        }
        let date = match random.below(20) {
            0 => String::new(),
            1 => (*random.pick(&["2021-02-29", "not a date", "2021-13-01 10:00:00"])).to_owned(),
            2 => (*random.pick(&["2020-01-01", "2020-01-02", "2019-01-01", "2022-01-01", "2017-01-01"])).to_owned(),
            _ => {
                format!(
                    "{}-{:02}-{:02} 12:34:56",
                    first_year + random.below(2024 - first_year),
                    1 + random.below(12),
                    1 + random.below(28)
                )
            }
        };
        Opinion { relevant: random.percent(relevant), date, values }
    };
    (0..number).map(|_| opinion(random)).collect()
}

#[test]
fn two_implementations_agree_on_every_verdict_and_score() {
    let files: BTreeMap<String, Tree> = builtin_files()
        .iter()
        .filter(|(path, _)| path.starts_with("policies/"))
        .map(|(_, text)| Tree::parse(text))
        .map(|policy| (policy.at("policy_id").text().to_owned(), policy))
        .collect();
    let mut cases = 0_u64;
    let mut reached: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (topic, policy) in builtin().policies() {
        let file = &files[policy.id.as_str()];
        let fields: Vec<(String, Vec<String>)> = topic
            .schema
            .fields()
            .iter()
            .map(|field| (field.name.clone(), field.term.values.iter().map(|value| value.id.clone()).collect()))
            .collect();
        let asked: BTreeSet<String> = fields.iter().map(|(field, _)| field.clone()).collect();
        let judge = Judge::new(policy, &topic.schema);
        for k in KS {
            for _ in 0..CASES_PER_POLICY_AND_K {
                cases += 1;
                let seed = cases;
                let mut random = Random::new(seed);
                let opinions = random_opinions(&mut random, &fields, k);
                let categories = *random.pick(&CATEGORIES);
                let expected = second_opinion(file, &asked, &opinions, categories, k);
                let packed: Vec<Vec<Option<u8>>> = opinions
                    .iter()
                    .map(|opinion| {
                        let value =
                            |field: &quorum_core::schema::Field| field.value(opinion.values.get(field.name.as_str())?);
                        topic.schema.fields().iter().map(value).collect()
                    })
                    .collect();
                let judgments: Vec<Judgment<'_>> = (0..)
                    .zip(opinions.iter().zip(&packed))
                    .map(|(review, (opinion, values))| Judgment {
                        review,
                        relevant: opinion.relevant,
                        date: Date::read(&opinion.date),
                        values,
                    })
                    .collect();
                let verdict = judge.judge(&judgments, categories, k);
                let found = Outcome {
                    incidents: verdict.score.map(|_| verdict.incidents.len()),
                    verdict: verdict.verdict,
                    score: verdict.score,
                    rule: verdict.matched_rule,
                };
                let case = format!("{} at K = {k}, {} reviews, seed {seed}", policy.id, opinions.len());
                assert_eq!(found, expected, "{case}");
                reached.entry(policy.id.as_str()).or_default().insert(found.verdict);
            }
        }
    }
    assert!(cases >= 20_000, "{cases} cases");
    assert_eq!(reached.len(), 72);
    for (_, policy) in builtin().policies() {
        let verdicts = &reached[policy.id.as_str()];
        let all: BTreeSet<String> = policy.verdicts.iter().cloned().collect();
        assert_eq!(*verdicts, all, "{}: the cases do not reach every verdict", policy.id);
    }
}
