//! Every reader of bytes from outside, as one function each: it reads whatever it is given and panics when the reader breaks a promise.
//!
//! `make test` runs them on `corpus/` and on seeded damage of it; `make fuzz` lets libFuzzer look for worse, see `fuzz/`. What it finds
//! goes into `corpus/`, so that it stays found.
//!
//! Deliberately not here: whether a well-formed file is read rightly. That is tested beside each reader.

use std::{collections::BTreeMap, io::Cursor, path::Path};

use quorum_api::vote_cache::{read_key, read_vote, read_votes};
use quorum_catalog::builtin;
use quorum_core::{
    answer::read_answer,
    dataset::{DatasetReader, Line},
    schema::Schema,
};
use quorum_provider::{lines::ResultReader, queue_limit, refusal_of};

/// A reader's name, which is also that of its folder of the corpus and of its fuzz target.
pub type Reader = (&'static str, fn(&[u8]));

pub const READERS: [Reader; 6] = [
    ("result_line", result_line),
    ("answer", answer),
    ("dataset", dataset),
    ("catalog", catalog),
    ("vote_cache", vote_cache),
    ("error_body", error_body),
];

/// Lines of a provider's output or error file.
pub fn result_line(bytes: &[u8]) {
    // As another system ends its lines: nothing changes by it.
    let returned = bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
    let (mut lines, mut same) = (ResultReader::new(bytes), ResultReader::new(returned.as_slice()));
    let mut before = 0;
    while let Some(line) = lines.next_line().expect("reading memory does not fail") {
        assert!(line.number > before, "line {} after line {before}", line.number);
        before = line.number;
        let twin = same.next_line().expect("reading memory does not fail").expect("as many lines");
        assert_eq!((line.number, line.content.is_ok()), (twin.number, twin.content.is_ok()));
        if let (Ok(line), Ok(twin)) = (line.content, twin.content) {
            assert_eq!(line.custom_id, twin.custom_id);
        }
    }
    assert!(same.next_line().expect("reading memory does not fail").is_none());
}

/// What a model answered.
pub fn answer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for topic in builtin().topics() {
        let schema = &topic.schema;
        if let Ok(answer) = read_answer(schema, &text) {
            assert_in_schema(schema, &answer.values);
        }
    }
}

fn assert_in_schema(schema: &Schema, values: &[Option<u8>]) {
    assert_eq!(values.len(), schema.fields().len(), "one value a field");
    for (field, value) in schema.fields().iter().zip(values) {
        assert!(value.is_none_or(|value| usize::from(value) < field.term.values.len()), "{value:?} of {}", field.name);
    }
}

/// A dataset.
pub fn dataset(bytes: &[u8]) {
    let mut before = 0;
    for line in DatasetReader::new(bytes) {
        let problems = match line {
            Err(_) => return,
            Ok(Line::Problem(problem)) => vec![problem],
            Ok(Line::Business(business, problems)) => {
                assert!(!business.id.as_str().is_empty());
                assert!(
                    business.reviews.iter().all(|review| !review.id.as_str().is_empty() && !review.text.is_empty())
                );
                problems
            }
        };
        for problem in problems {
            assert!(problem.line >= before, "line {} after line {before}", problem.line);
            assert!(!problem.message.is_empty());
            before = problem.line;
        }
    }
}

/// A catalog of one's own: the bytes as a library of terms and as a policy, over the built-in one.
pub fn catalog(bytes: &[u8]) {
    let lines = u32::try_from(bytes.split(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX);
    for path in ["terms/allergy.yaml", "policies/G1/allergy/V9.yaml"] {
        let (user, problems) = quorum_catalog::read([(path, bytes)]);
        for problem in problems {
            assert_eq!(problem.file, path);
            assert!((1..=lines + 1).contains(&problem.line) && problem.column >= 1, "{problem}");
        }
        let (_, problems) = builtin().overlay(&user);
        for problem in problems {
            assert!(!problem.message.is_empty());
        }
    }
}

/// A predecessor's vote cache.
pub fn vote_cache(bytes: &[u8]) {
    let topic = &builtin().topics()[0];
    let (mut metadata, mut told) = (BTreeMap::new(), 0);
    let pass = read_votes(Path::new("votes.json"), Cursor::new(bytes), &mut metadata, |key, value| {
        told += 1;
        if let Some(key) = read_key(key) {
            assert!(key.run > 0);
        }
        if let Some((answer, _)) = read_vote(&topic.schema, value) {
            assert_in_schema(&topic.schema, &answer.values);
        }
        Ok(())
    });
    if let Ok(pass) = pass {
        assert_eq!(pass.entries, told + pass.damaged, "every entry is told or counted as damaged");
    }
}

/// The body of a refusal, and what it says about the account's queue.
pub fn error_body(bytes: &[u8]) {
    for status in [400, 401, 403, 404, 408, 409, 413, 429, 500, 503, 529] {
        let error = refusal_of(status, bytes);
        assert!(!error.to_string().contains('\u{1b}'), "no control characters reach a terminal");
        let _any = (error.retryable(), error.stops_account(), error.provider_words().map(str::len));
    }
    let _any = queue_limit(&String::from_utf8_lossy(bytes));
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use proptest::prelude::*;

    use super::*;

    fn corpus(name: &str) -> Vec<Vec<u8>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files: Vec<_> =
            fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
        files.sort();
        assert!(files.len() >= 3, "{name} has hardly a corpus");
        files.iter().map(|file| fs::read(file).expect("readable")).collect()
    }

    #[test]
    fn every_reader_has_a_corpus_and_a_target_and_keeps_its_promises() {
        for (name, read) in READERS {
            let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{name}.rs"));
            let target = fs::read_to_string(&target).expect("a fuzz target");
            assert!(target.contains(&format!("quorum_fuzz::{name}(bytes)")), "{name}: {target}");
            for bytes in corpus(name) {
                read(&bytes);
            }
        }
    }

    /// What a broken disk, connection or program does to bytes.
    #[derive(Clone, Debug)]
    enum Damage {
        Cut,
        Flip(u8),
        Insert(Vec<u8>),
        Repeat(u8),
        Splice(prop::sample::Index),
    }

    fn damage() -> impl Strategy<Value = (prop::sample::Index, Damage)> {
        let tokens = [
            "{",
            "}",
            "[",
            "]",
            "\"",
            "\\",
            ":",
            ",",
            "\n",
            "\r\n",
            "- ",
            "  ",
            "null",
            "0",
            "-1",
            "1e999",
            "\u{feff}",
            "\0",
            "\u{202e}",
            "😀",
            "\\ud800",
            "&a *a",
            "<<: ",
            "!!binary ",
            "%YAML 9",
            "---\n",
            "::",
            "run256",
        ];
        let insert = prop::sample::select(tokens.to_vec()).prop_map(|token| Damage::Insert(token.as_bytes().to_vec()));
        let kinds = prop_oneof![
            Just(Damage::Cut),
            any::<u8>().prop_map(Damage::Flip),
            insert,
            any::<u8>().prop_map(Damage::Repeat),
            any::<prop::sample::Index>().prop_map(Damage::Splice),
        ];
        (any::<prop::sample::Index>(), kinds)
    }

    fn damaged(mut bytes: Vec<u8>, corpus: &[Vec<u8>], damages: &[(prop::sample::Index, Damage)]) -> Vec<u8> {
        for (place, damage) in damages {
            let at = place.index(bytes.len() + 1);
            match damage {
                Damage::Cut => bytes.truncate(at),
                Damage::Flip(mask) => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= mask;
                    }
                }
                Damage::Insert(token) => drop(bytes.splice(at..at, token.iter().copied())),
                Damage::Repeat(times) => {
                    let piece: Vec<u8> = bytes[at..].iter().take(12).copied().collect();
                    drop(bytes.splice(at..at, piece.repeat(usize::from(*times))));
                }
                Damage::Splice(other) => bytes.extend_from_slice(other.get::<Vec<u8>>(corpus)),
            }
        }
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_damage_breaks_a_promise(seed: prop::sample::Index, damages in prop::collection::vec(damage(), 1..6)) {
            for (name, read) in READERS {
                let corpus = corpus(name);
                read(&damaged(seed.get::<Vec<u8>>(&corpus).clone(), &corpus, &damages));
            }
        }
    }
}
