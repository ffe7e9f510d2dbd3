//! Trust in the votes through the command line.

use crate::program::Data;

#[test]
fn eval_says_where_models_differ() {
    let data = Data::new();
    // The runs of `a` say x, y, y; `b` says x, x, x.
    let votes = "item,worker,label\n1,a/1,x\n1,a/2,x\n1,b,x\n2,a/1,y\n2,a/2,y\n2,b,x\n3,a/1,y\n3,b,x\n";
    let file = data.file("label.csv", votes);
    let told = data.run(&["trust", "eval", &file]);
    let words = "a and b say the same 33.3 % of the time; most often a says y where b says x (2)";
    assert!(told.code == Some(0) && told.out.contains(words), "{told:?}");
    let found = data.json(&["trust", "eval", &file]).done();
    assert_eq!(found["labels"], serde_json::json!(["x", "y"]));
    assert_eq!(found["confusions"][0]["counts"], serde_json::json!([[1, 0], [2, 0]]));
}

#[test]
fn many_models_are_not_compared_two_by_two() {
    let data = Data::new();
    let votes: String = (0..13).map(|worker| format!("1,w{worker},x\n2,w{worker},y\n")).collect();
    let file = data.file("label.csv", format!("item,worker,label\n{votes}"));
    assert_eq!(data.json(&["trust", "eval", &file]).done()["confusions"], serde_json::Value::Null);
}

#[test]
fn without_votes_nothing_is_minus_nothing() {
    let data = Data::with_sample();
    for command in ["verdicts", "queue"] {
        let about = ["trust", command, "--dataset", "sample", "--topic", "G1_allergy"];
        let (told, found) = (data.run(&about), data.json(&about));
        assert!(told.code == Some(0) && !told.out.contains("-0"), "{told:?}");
        assert!(found.code == Some(0) && !found.out.contains("-0"), "{found:?}");
    }
}
