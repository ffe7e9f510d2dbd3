//! The line reader on files that are not as they should be.

use std::io::{BufReader, Cursor};

use proptest::prelude::*;
use quorum_provider::lines::{LineProblem, Outcome, ResultReader, parse_line};

/// Every item: line number and custom_id, or the problem.
fn read(bytes: &[u8], buffer_bytes: usize, line_bytes_max: usize) -> Vec<(u64, String)> {
    let input = BufReader::with_capacity(buffer_bytes, Cursor::new(bytes));
    let mut reader = ResultReader::with_line_bytes_max(input, line_bytes_max);
    let mut items = Vec::new();
    while let Some(line) = reader.next_line().expect("memory has no faults") {
        let told = match line.content {
            Ok(parsed) => parsed.custom_id.into_owned(),
            Err(problem) => problem.to_string(),
        };
        items.push((line.number, told));
    }
    items
}

#[test]
fn numbers_lines_through_all_kinds_of_ends() {
    let text =
        b"\xef\xbb\xbf{\"custom_id\":\"a\"}\r\n\n  \n\x00\xffgarbage\n{\"custom_id\":\"b\"}  \n{\"custom_id\":\"c\"}";
    for buffer_bytes in [1, 2, 7, 64, 4_096] {
        let items = read(text, buffer_bytes, 1_000);
        let items: Vec<(u64, &str)> = items.iter().map(|(number, told)| (*number, told.as_str())).collect();
        assert_eq!(items, [(1, "a"), (4, "not a result line"), (5, "b"), (6, "c")]);
    }
    assert!(read(b"", 8, 8).is_empty());
    assert!(read(b"\n\n", 8, 8).is_empty());
}

#[test]
fn a_line_that_is_too_long_is_read_past() {
    let text = format!("{{\"custom_id\":\"a\"}}\n{{\"custom_id\":\"{}\"}}\n{{\"custom_id\":\"b\"}}\n", "x".repeat(500));
    let items = read(text.as_bytes(), 16, 40);
    let told: Vec<&str> = items.iter().map(|(_, told)| told.as_str()).collect();
    assert_eq!(told, ["a", "longer than 40 bytes", "b"]);
    // Exactly at the limit fits.
    assert_eq!(read(b"{\"custom_id\":\"a\"}\n", 4, 17), [(1, "a".to_owned())]);
    assert_eq!(read(b"{\"custom_id\":\"a\"}\n", 4, 16), [(1, "longer than 16 bytes".to_owned())]);
}

#[test]
fn a_fault_of_the_file_is_not_the_end_of_it() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("bad sector"))
        }
    }
    let error = ResultReader::new(BufReader::new(Broken)).next_line().expect_err("a fault");
    assert_eq!(error.to_string(), "bad sector");
}

/// Any JSON, with the keys of result lines in it more often than chance.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let key = prop_oneof![
        Just("custom_id".to_owned()),
        Just("response".to_owned()),
        Just("status_code".to_owned()),
        Just("body".to_owned()),
        Just("choices".to_owned()),
        Just("message".to_owned()),
        Just("content".to_owned()),
        Just("error".to_owned()),
        Just("usage".to_owned()),
        Just("code".to_owned()),
        Just("refusal".to_owned()),
        Just("finish_reason".to_owned()),
        Just("prompt_tokens".to_owned()),
        Just("prompt_tokens_details".to_owned()),
        "[a-z]{0,3}",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        Just(serde_json::Value::from(200)),
        Just("{\"choices\":[]}".into()),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_the_end(bytes in proptest::collection::vec(any::<u8>(), 0..600), buffer_bytes in 1_usize..64) {
        let items = read(&bytes, buffer_bytes, 100);
        let held = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        // A byte order mark alone on the first line is the one line that is blank without looking so.
        let mark_alone = bytes.strip_prefix(b"\xef\xbb\xbf").is_some_and(|rest| {
            rest.split(|byte| *byte == b'\n').next().is_none_or(|line| line.trim_ascii().is_empty())
        });
        prop_assert_eq!(items.len(), held - usize::from(mark_alone));
    }

    #[test]
    fn whole_lines_between_garbage_are_all_seen(
        garbage in proptest::collection::vec("[^\n]{0,40}", 1..12),
        crlf in any::<bool>(),
        last_newline in any::<bool>(),
        buffer_bytes in 1_usize..100,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = String::new();
        for (index, garbage) in garbage.iter().enumerate() {
            text.push_str(garbage);
            text.push_str(end);
            text.push_str(&format!("{{\"custom_id\":\"whole-{index}\",\"response\":{{\"status_code\":0}}}}"));
            text.push_str(end);
        }
        if !last_newline {
            text.truncate(text.len() - end.len());
        }
        let seen: Vec<(u64, String)> =
            read(text.as_bytes(), buffer_bytes, 10_000).into_iter().filter(|(_, told)| told.starts_with("whole-")).collect();
        let expected: Vec<(u64, String)> =
            (0..garbage.len()).map(|index| (2 * index as u64 + 2, format!("whole-{index}"))).collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn any_object_with_an_id_has_an_outcome(mut value in json()) {
        // Shapes that make no sense are someone's failed row, never a lost one.
        if let Some(object) = value.as_object_mut() {
            object.insert("custom_id".to_owned(), "r1-1".into());
        }
        let text = value.to_string();
        match parse_line(text.as_bytes()) {
            Ok(line) => prop_assert_eq!(line.custom_id, "r1-1"),
            Err(LineProblem::NotAnObject) => prop_assert!(!value.is_object(), "{}", text),
            Err(problem) => prop_assert!(false, "{problem}: {text}"),
        }
    }

    #[test]
    fn any_answer_text_arrives_unchanged(content in ".{1,80}") {
        let line = serde_json::json!({"custom_id": "r1-1", "response": {"status_code": 200, "body": {
            "choices": [{"finish_reason": "stop", "message": {"content": content}}]}}}).to_string();
        match parse_line(line.as_bytes()).expect("a line").outcome {
            Outcome::Ok(completion) => prop_assert_eq!(completion.content, content),
            Outcome::Failed(failure) => prop_assert!(false, "{failure:?}"),
        }
    }
}
