//! The model table: what is edited in it is what plans, cuts and refusals go by.

use serde_json::Value;

use crate::program::{Data, Ended};

fn plan(data: &Data, models: &str) -> Value {
    let wish = ["plan", "--dataset", "sample", "--topic", "G1_allergy", "--k", "10", "--models", models];
    data.json(&[&["--provider", "sandbox"], &wish[..]].concat()).done()
}

fn models(data: &Data, args: &[&str]) -> Ended {
    data.json(&[&["--provider", "sandbox", "models"], args].concat())
}

fn row<'a>(table: &'a Value, model: &str) -> &'a Value {
    let rows = table["models"].as_array().expect("models");
    rows.iter().find(|row| row["model"] == model).unwrap_or_else(|| panic!("no {model} in {table}"))
}

#[test]
fn an_edited_price_and_allowance_change_the_plan_until_they_are_reset() {
    let data = Data::with_sample();
    let shipped = models(&data, &["list"]).done();
    let mini = row(&shipped, "gpt-5-mini");
    assert_eq!((&mini["input_usd"], &mini["output_usd"]), (&0.25.into(), &2.0.into()));
    assert_eq!((&mini["shutdown_date"], &mini["edited"]), (&"2026-12-11".into(), &serde_json::json!([])));
    let before = plan(&data, "gpt-5-mini:1");
    assert_eq!(before["batches"].as_array().map(Vec::len), Some(1));

    let edits = ["set", "gpt-5-mini", "input_usd=0.5", "cached_usd=0.05", "output_usd=4", "queue_tokens=60,000"];
    let table = models(&data, &edits).done();
    let mini = row(&table, "gpt-5-mini");
    assert_eq!(mini["edited"], serde_json::json!(["input_usd", "cached_usd", "output_usd", "queue_tokens"]));
    assert_eq!((&mini["queue_tokens"], &mini["queue_learned"]), (&60_000.into(), &false.into()));
    assert_eq!(row(&table, "gpt-5-nano"), row(&shipped, "gpt-5-nano"));
    let dear = plan(&data, "gpt-5-mini:1");
    let usd = |plan: &Value| plan["usd"].as_f64().expect("a price");
    assert!((usd(&dear) - 2.0 * usd(&before)).abs() < 1e-9, "{before} {dear}");
    // 120 requests of more than 500 tokens each do not fit into 95 % of 60,000.
    assert!(dear["batches"].as_array().is_some_and(|batches| batches.len() > 1), "{dear}");

    assert_eq!(models(&data, &["reset", "gpt-5-mini"]).done(), shipped);
    assert_eq!(plan(&data, "gpt-5-mini:1"), before);
    models(&data, &["reset", "gpt-9"]).refused(1, &["no model gpt-9"]);
}

#[test]
fn what_is_wrong_is_wrong_usage_and_changes_nothing() {
    let data = Data::with_sample();
    let shipped = models(&data, &["list"]).done();
    for (edit, words) in [
        ("input_usd=-1", "not a price"),
        ("input_usd=NaN", "not a price"),
        ("shutdown_date=2026-02-30", "not a day"),
        ("queue_tokens=many", "not a number of tokens"),
        ("parameters=top_p", "no parameter `top_p`"),
        ("colour=blue", "the fields are input_usd"),
        ("input_usd", "expected it as LEFT=RIGHT"),
    ] {
        models(&data, &["set", "gpt-5-mini", "output_usd=3", edit]).refused(2, &[words]);
    }
    models(&data, &["set", "gpt-5-mini"]).refused(2, &["FIELD=VALUE"]);
    models(&data, &["reset"]).refused(2, &["<MODEL>"]);
    models(&data, &["set", "own", "input_usd=1"]).refused(1, &["own is not in the table yet", "output_usd"]);
    models(&data, &["set", "a:b", "input_usd=1", "output_usd=1"]).refused(1, &["not a model's name", "unchanged"]);
    assert_eq!(models(&data, &["list"]).done(), shipped);
}

#[test]
fn a_model_of_ones_own_has_a_price_and_one_without_a_schema_is_not_asked() {
    let data = Data::with_sample();
    assert_eq!(plan(&data, "llama-4:1")["usd"], Value::Null);
    models(&data, &["set", "llama-4", "input_usd=0", "output_usd=0"]).done();
    assert_eq!(plan(&data, "llama-4:1")["usd"], 0.0);
    models(&data, &["set", "llama-4", "parameters=none"]).done();
    let wish =
        ["extract", "--dataset", "sample", "--topic", "G1_allergy", "--k", "1", "--models", "llama-4:1", "--yes"];
    let refused = data.json(&[&["--provider", "sandbox"], &wish[..]].concat());
    refused.refused(1, &["llama-4 takes no answer schema", "Nothing was sent"]);
    let table = models(&data, &["reset", "--all"]).done();
    assert!(table["models"].as_array().is_some_and(|rows| rows.iter().all(|row| row["model"] != "llama-4")));
}

#[test]
fn the_provider_says_which_models_it_has_and_when_they_end() {
    let data = Data::with_sample();
    let own = ["set", "llama-4", "input_usd=0", "output_usd=0"];
    models(&data, &own).done();
    models(&data, &["set", "gpt-5.1", "shutdown_date=2030-01-01"]).done();
    let asked = models(&data, &["ask"]).done();
    assert!(asked["asked_at"].is_u64(), "{asked}");
    let said = |model: &str, key: &str| row(&asked, model)[key].clone();
    assert_eq!((said("gpt-5-mini", "shutdown_announced"), said("gpt-5-mini", "listed")), (true.into(), true.into()));
    assert_eq!(said("llama-4", "listed"), false);
    // What the user says goes before what the provider says.
    assert_eq!(
        (said("gpt-5.1", "shutdown_date"), said("gpt-5.1", "shutdown_announced")),
        ("2030-01-01".into(), false.into())
    );
    assert_eq!(models(&data, &["list"]).done(), asked);
}

#[test]
fn another_model_is_asked_only_what_the_one_that_ends_has_not_answered() {
    let data = Data::with_votes();
    models(&data, &["set", "gpt-5-nano", "shutdown_date=2000-01-01"]).done();
    let asked = |command: &str, k: &str, more: &[&str]| {
        let wish = [command, "--dataset", "sample", "--topic", "G1_allergy", "--k", k];
        data.json(&[&["--provider", "sandbox"], &wish[..], more].concat())
    };
    let ending = asked("plan", "12", &[]).done();
    let warnings = ending["warnings"].to_string();
    assert!(warnings.contains("gpt-5-nano was shut down on 2000-01-01"), "{ending}");
    let words =
        data.run(&["--provider", "sandbox", "plan", "--dataset", "sample", "--topic", "G1_allergy", "--k", "12"]);
    assert!(words.out.contains("--replace gpt-5-nano=NEW"), "{words:?}");

    // 12 businesses with two more reviews each; what K=10 has is not asked again, whoever answered it.
    let replace = ["--replace", "gpt-5-nano=gpt-6-luna"];
    assert_eq!(asked("plan", "10", &replace).done()["requests"], 0);
    let plan = asked("plan", "12", &replace).done();
    let of = |model: &str| {
        let batches = plan["batches"].as_array().expect("batches").iter();
        batches.filter(|batch| batch["model"] == model).filter_map(|batch| batch["requests"].as_u64()).sum::<u64>()
    };
    assert_eq!((of("gpt-5-mini"), of("gpt-6-luna"), of("gpt-5-nano")), (24, 72, 0), "{plan}");
    let done = asked("extract", "12", &[&replace[..], &["--yes", "--wait"]].concat()).done();
    assert_eq!((&done["state"], &done["ingested"]), (&"completed".into(), &96.into()), "{done}");

    // Complete by the run's own ensemble, and by one that is given; without the replacement the old model lacks its votes.
    let stats = |more: &[&str]| {
        let query = ["votes", "stats", "--dataset", "sample", "--topic", "G1_allergy", "--k", "12"];
        data.json(&[&["--provider", "sandbox"], &query[..], more].concat()).done()
    };
    assert_eq!(stats(&[])["complete"], 144);
    assert_eq!(stats(&["--models", "gpt-5-mini:1:2,gpt-6-luna=gpt-5-nano:3"])["complete"], 144);
    let old = stats(&["--models", "gpt-5-mini:1:2,gpt-5-nano:3"]);
    assert_eq!((&old["complete"], &old["missing"]["gpt-5-nano"]), (&120.into(), &72.into()), "{old}");
    assert_eq!(asked("plan", "12", &replace).done()["requests"], 0);
    asked("plan", "12", &["--replace", "gpt-9=gpt-6-luna"]).refused(1, &["--replace", "gpt-9"]);
    asked("plan", "12", &["--replace", "gpt-9"]).refused(2, &["--replace"]);
}

#[test]
fn a_batch_that_waits_for_room_says_plainly_that_its_time_is_not_known_yet() {
    let data = Data::with_sample();
    let sandbox = crate::providers::Sandbox::start(&data, &["--speed", "1"]);
    let address = sandbox.address();
    let at = |args: &[&str]| data.json(&[&["--provider", address.as_str()], args].concat());
    at(&["models", "set", "gpt-5-mini", "queue_tokens=60000"]).done();
    let wish = ["--dataset", "sample", "--topic", "G1_allergy", "--k", "10", "--models", "gpt-5-mini:1", "--yes"];
    at(&[&["extract"], &wish[..]].concat()).done();
    let status = at(&["status"]).done();
    let batches = status["manifests"][0]["batches"].as_array().expect("batches");
    assert!(batches.len() > 1 && batches.iter().all(|batch| batch["expected_end_at"].is_null()), "{status}");
    assert_eq!(batches.last().map(|batch| &batch["state"]), Some(&"waiting".into()), "{status}");
    let words = data.run(&["status"]).out;
    assert!(words.contains("end not known yet: no batch of this account has ended"), "{words}");
    at(&["cancel", "1"]).done();
}
