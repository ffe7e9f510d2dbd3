//! CSV text in, codes or one clear error out.

use super::super::csv::{CsvError, Source, VoteFile, read};

fn votes(text: &str) -> Result<VoteFile, CsvError> {
    let source = Source { file: "label.csv", text };
    read(source, None, true)
}

fn message(text: &str) -> String {
    votes(text).expect_err("the text is broken").to_string()
}

#[test]
fn columns_are_found_by_name_and_names_may_be_quoted() {
    let text = "\u{feff}label,extra,item,worker\r\nyes,1,\"a, b\",\"gpt/\"\"1\"\"\"\r\n\r\nno,2,c,gpt/2\r\n";
    let file = votes(text).expect("well formed");
    assert_eq!(file.items, ["a, b", "c"]);
    assert_eq!(file.matrix.labels(), ["no", "yes"]);
    assert_eq!(file.matrix.judges()[0].name, "gpt/\"1\"");
    assert_eq!(file.matrix.judges()[0].model, "gpt");
    assert_eq!(file.matrix.votes(0).collect::<Vec<_>>(), [(0, 1)]);
}

#[test]
fn numbers_are_ordered_as_numbers() {
    let file = votes("item,worker,label\na,w,10\na,v,9\na,u,-1\n").expect("well formed");
    assert_eq!(file.matrix.labels(), ["-1", "9", "10"]);
}

#[test]
fn repeated_votes_are_counted() {
    let file = votes("item,worker,label\na,w,1\na,w,1\na,v,0\n").expect("well formed");
    assert_eq!((file.repeated_votes, file.matrix.n_votes()), (1, 3));
}

#[test]
fn errors_name_file_line_and_column() {
    let header = "item,worker,label\n";
    let cases = [
        (String::new(), "label.csv:1: no header; expected the columns item,worker,label"),
        ("a,b,c\n".into(), "label.csv:1: no column \"item\" in the header \"a,b,c\""),
        (format!("{header}a,w,1\nb,w\n"), "label.csv:3: column \"label\" is missing or empty"),
        (format!("{header}a,,1\n"), "label.csv:2: column \"worker\" is missing or empty"),
        (format!("{header}a,\"w,1\n"), "label.csv:2: a quote is opened and not closed"),
        (header.to_owned(), "label.csv: no votes below the header"),
    ];
    for (text, expected) in cases {
        assert_eq!(message(&text), expected);
    }
}

#[test]
fn a_truth_that_contradicts_itself_names_both_lines() {
    let labels = Source { file: "label.csv", text: "item,worker,label\na,w,1\n" };
    let truth = Source { file: "truth.csv", text: "item,truth\na,1\na,1\na,0\n" };
    let error = read(labels, Some(truth), false).expect_err("a is 1 and 0").to_string();
    let expected = "truth.csv:4: column \"truth\" says \"0\", but line 3 says \"1\" of item \"a\"";
    assert_eq!(error, expected);
}
