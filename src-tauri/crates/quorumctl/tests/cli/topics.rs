//! Every topic of the catalog through the whole pipeline.

use serde_json::Value;

use crate::program::{Data, sample, shared_reviews};

#[test]
fn all_topics_are_extracted_and_judged_at_five() {
    // The shared reviews where they are: they speak of more than the sample does.
    let (file, businesses) = match shared_reviews() {
        Some(file) => (file, 40),
        None => (sample().to_str().expect("a path").to_owned(), 12),
    };
    let data = Data::new();
    data.json(&["dataset", "import", &file, "--name", "town"]).done();
    let listed = data.json(&["catalog", "list"]).done();
    let topics: Vec<&str> =
        listed["topics"].as_array().expect("topics").iter().filter_map(|topic| topic["topic"].as_str()).collect();
    assert_eq!(topics.len(), 18);
    for topic in &topics {
        let wish = ["extract", "--dataset", "town", "--topic", topic, "--k", "5", "--yes"];
        let started = data.json(&[&["--provider", "sandbox"], &wish[..]].concat()).done();
        assert_eq!(started["requests"], 4 * 5 * businesses, "{topic}");
    }
    let polled = data.json(&["poll", "--wait"]).done();
    assert_eq!(polled["live"], 0);
    let out = data.beside("out");
    let wish = ["verdicts", "--dataset", "town", "--policy", "all", "--k", "5", "--out", out.to_str().expect("a path")];
    let done = data.json(&wish).done();
    let results = done["results"].as_array().expect("results");
    assert_eq!(results.len(), 72);
    for result in results {
        let counted: u64 = result["distribution"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
        assert_eq!((counted, &result["missing_judgments"]), (businesses, &0.into()), "{result}");
        assert!(std::path::Path::new(result["file"].as_str().expect("a file")).is_file());
    }
    // By topic is the same as by its policies, in several K.
    let by_topic = ["verdicts", "--dataset", "town", "--topic", "G6_loyalty,G2_group", "--k", "1,5"];
    let done = data.json(&by_topic).done();
    assert_eq!(done["results"].as_array().map(Vec::len), Some(16));
}
