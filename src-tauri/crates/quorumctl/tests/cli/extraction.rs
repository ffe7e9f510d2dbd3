//! The main job: plan, extract, verdicts. Only what is missing is asked for, and the files are the same everywhere.

use std::{collections::BTreeSet, fs, thread};

use serde_json::Value;

use crate::program::{Data, sample, shared_reviews};

/// A dataset with what is expected of it: businesses with 25 reviews each.
#[derive(Clone)]
struct Corpus {
    file: String,
    businesses: u64,
}

fn import(data: &Data, corpus: &Corpus) {
    let done = data.json(&["dataset", "import", &corpus.file, "--name", "town"]).done();
    let reviews = corpus.businesses * 25;
    assert_eq!(
        done,
        serde_json::json!({"name": "town", "businesses": corpus.businesses, "reviews": reviews, "skipped": 0, "replaced": false})
    );
}

fn extract(data: &Data, k: u32) -> Value {
    let k = k.to_string();
    let wish = ["extract", "--dataset", "town", "--topic", "G1_allergy", "--k", &k, "--yes", "--wait"];
    data.json(&[&["--provider", "sandbox"], &wish[..]].concat()).done()
}

const POLICIES: &str = "G1_allergy_V0,G1_allergy_V1,G1_allergy_V2,G1_allergy_V3";

/// The four files at K=25, without the time that they were computed at.
fn ground_truth(data: &Data, corpus: &Corpus, out: &str) -> Vec<String> {
    let dir = data.beside(out);
    let wish = ["verdicts", "--dataset", "town", "--policy", POLICIES, "--k", "25", "--out"];
    let done = data.json(&[&wish[..], &[dir.to_str().expect("a path")]].concat()).done();
    let results = done["results"].as_array().expect("results");
    assert_eq!(results.len(), 4);
    results
        .iter()
        .map(|result| {
            assert_eq!((&result["k"], &result["provisional"]), (&25.into(), &false.into()), "{result}");
            let counted: u64 =
                result["distribution"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
            assert_eq!(counted, corpus.businesses, "{result}");
            let text = fs::read_to_string(result["file"].as_str().expect("a file")).expect("a file");
            check_file(&text, corpus);
            let without_time = text.lines().filter(|line| !line.trim_start().starts_with("\"computed_at\""));
            without_time.collect::<Vec<_>>().join("\n")
        })
        .collect()
}

/// Every key that the format names, and a verdict for each business.
fn check_file(text: &str, corpus: &Corpus) {
    let file: Value = serde_json::from_str(text).expect("JSON");
    for key in ["policy_id", "topic", "domain", "k", "computed_at", "has_scoring", "restaurants", "summary"] {
        assert!(file.get(key).is_some(), "no {key}");
    }
    let restaurants = file["restaurants"].as_object().expect("restaurants");
    assert_eq!(restaurants.len() as u64, corpus.businesses);
    for (id, restaurant) in restaurants {
        assert_eq!((&restaurant["n_reviews"], &restaurant["n_judgments"]), (&25.into(), &25.into()), "{id}");
        let truth = &restaurant["ground_truth"];
        assert!(truth["verdict"].is_string(), "{id}: {truth}");
        assert_eq!(truth["n_incidents"].as_u64(), truth["incidents"].as_array().map(|all| all.len() as u64));
    }
    assert_eq!(file["summary"]["total_restaurants"].as_u64(), Some(corpus.businesses));
    assert_eq!(file["summary"]["missing_judgments"], 0);
}

#[test]
fn only_what_is_missing_is_asked_and_verdicts_are_the_same_everywhere() {
    prove(&Corpus { file: sample().to_str().expect("a path").to_owned(), businesses: 12 });
}

#[test]
fn and_so_for_the_shared_reviews() {
    match shared_reviews() {
        Some(file) => prove(&Corpus { file, businesses: 40 }),
        None => quorum_outside::skipped("there are no shared reviews; the sample's are proved by the test before"),
    }
}

fn prove(corpus: &Corpus) {
    let data = Data::new();
    import(&data, corpus);
    let plan = |k: &str| data.json(&["plan", "--dataset", "town", "--topic", "G1_allergy", "--k", k]).done();
    let whole = plan("25");
    let reviews = corpus.businesses * 25;
    assert_eq!((&whole["requests"], &whole["missing_votes"]), (&(4 * reviews).into(), &(4 * reviews).into()));
    let batches: Vec<(&str, Option<u64>)> = whole["batches"]
        .as_array()
        .expect("batches")
        .iter()
        .map(|batch| (batch["model"].as_str().expect("a model"), batch["requests"].as_u64()))
        .collect();
    assert_eq!(batches, [("gpt-5-mini", Some(reviews)), ("gpt-5-nano", Some(3 * reviews))]);
    assert!(whole["usd"].as_f64().is_some_and(|usd| usd > 0.0) && whole["input_tokens"].as_u64() > Some(0));
    let part = corpus.businesses * 10;
    assert_eq!((&plan("10")["reviews"], &plan("10")["requests"]), (&part.into(), &(4 * part).into()));

    let in_one_go = {
        let corpus = corpus.clone();
        thread::spawn(move || {
            let other = Data::new();
            import(&other, &corpus);
            extract(&other, 25);
            ground_truth(&other, &corpus, "three")
        })
    };
    assert_eq!(extract(&data, 10)["requests"], 4 * part);
    let second = extract(&data, 25);
    assert_eq!((&second["requests"], &second["ingested"]), (&(4 * (reviews - part)).into(), &second["requests"]));
    let third = extract(&data, 25);
    assert_eq!(
        (&third["manifest"], &third["requests"], &third["state"]),
        (&Value::Null, &0.into(), &"completed".into())
    );
    let executed = data.executed();
    assert_eq!(executed.len() as u64, 4 * reviews);
    assert_eq!(executed.iter().collect::<BTreeSet<_>>().len(), executed.len(), "a request was sent twice");

    let files = ground_truth(&data, corpus, "one");
    assert_eq!(ground_truth(&data, corpus, "two"), files, "another time");
    assert_eq!(in_one_go.join().expect("done"), files, "another data directory, in one go");
}

#[test]
fn verdicts_of_reviews_without_votes_are_provisional_and_none() {
    let data = Data::with_votes();
    let done = data.json(&["verdicts", "--dataset", "sample", "--policy", "G1_allergy_V2", "--k", "10,25"]).done();
    let results = done["results"].as_array().expect("results");
    assert_eq!((&results[0]["provisional"], &results[1]["provisional"]), (&false.into(), &true.into()));
    assert_eq!(results[1]["missing_judgments"], 180);
    let none = data.json(&["verdicts", "--dataset", "sample", "--policy", "G4_server_V0", "--k", "10"]).done();
    assert_eq!(
        (&none["results"][0]["without_verdict"], &none["results"][0]["missing_judgments"]),
        (&12.into(), &120.into())
    );
}

#[test]
fn the_report_of_gaps_names_each_review_and_run() {
    let data = Data::with_votes();
    let missing = |k: &str| {
        let query = ["votes", "missing", "--dataset", "sample", "--topic", "G1_allergy", "--k", k];
        data.json(&query).done()["reviews"].as_array().expect("reviews").clone()
    };
    assert!(missing("10").is_empty());
    let one_more = missing("11");
    assert_eq!(one_more.len(), 12);
    assert_eq!(one_more[0]["place"], 11);
    let asked: Vec<String> = one_more[0]["missing"]
        .as_array()
        .expect("votes")
        .iter()
        .map(|vote| format!("{} {} {}", vote["model"].as_str().expect("a model"), vote["run"], vote["reason"]))
        .collect();
    let never = |vote: &str| format!("{vote} \"never_asked\"");
    assert_eq!(asked, ["gpt-5-mini 1", "gpt-5-nano 1", "gpt-5-nano 2", "gpt-5-nano 3"].map(never));
    let wider =
        ["votes", "stats", "--dataset", "sample", "--topic", "G1_allergy", "--k", "10", "--models", "gpt-5-nano:5"];
    let stats = data.json(&wider).done();
    assert_eq!(
        (&stats["complete"], &stats["partial"], &stats["missing"]),
        (&0.into(), &120.into(), &serde_json::json!({"gpt-5-nano": 240}))
    );
}
