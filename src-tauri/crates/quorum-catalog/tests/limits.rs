//! Catalogs that are too large, no text, or made to exhaust the reader.

mod common;

use std::fs;

use common::Random;
use quorum_catalog::{
    CATALOG_BYTES_MAX, CATALOG_FILES_MAX, FILE_BYTES_MAX, FolderError, Severity, builtin, builtin_files, load_folder,
    read, read_dir,
};

#[track_caller]
fn check<B: AsRef<[u8]>>(files: impl IntoIterator<Item = (String, B)>, expected: &str) {
    let (catalog, problems) = read(files);
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(shown.join("\n"), expected);
    assert!(catalog.topics().is_empty());
}

#[test]
fn what_is_not_utf8_is_refused_where_it_starts() {
    let one = |bytes: &[u8]| [("terms/a.yaml".to_owned(), bytes.to_vec())];
    check(one(b"A:\n  name: caf\xe9\n"), "terms/a.yaml:2:12: error: not UTF-8; save the file as UTF-8");
    check(
        one("A:\n  näme: \u{fffd}".as_bytes().split_last().expect("bytes").1),
        "terms/a.yaml:2:9: error: not UTF-8; save the file as UTF-8",
    );
    check(one(b"\xff\xfeA\0:\0"), "terms/a.yaml:1:1: error: not UTF-8; save the file as UTF-8");
    check(one(b""), "terms/a.yaml:1:1: error: expected a mapping, found an empty file");
    check(one(b"- a\n"), "terms/a.yaml:1:1: error: expected a mapping as a term library, found a list");
}

#[test]
fn large_files_and_catalogs_are_refused_before_they_are_parsed() {
    let fifty_megabytes = vec![b'a'; 50_000_000];
    let file = |path: &str, bytes: &[u8]| (path.to_owned(), bytes.to_vec());
    check(
        [file("terms/a.yaml", &fifty_megabytes)],
        "terms/a.yaml:1:1: error: the catalog has more than 16000000 bytes of YAML; not read from here on",
    );
    check(
        [file("terms/a.yaml", &fifty_megabytes[..=FILE_BYTES_MAX])],
        "terms/a.yaml:1:1: error: expected at most 4000000 bytes in a file, found 4000001",
    );
    // Many files, each small enough.
    let comment = "#".repeat(2_000_000);
    let many = (0..25).map(|n| (format!("terms/t{n:02}.yaml"), &comment));
    let (catalog, problems) = read(many);
    assert!(catalog.topics().is_empty());
    let last = problems.last().expect("a problem").to_string();
    assert_eq!(
        last,
        "terms/t08.yaml:1:1: error: the catalog has more than 16000000 bytes of YAML; not read from here on"
    );
    let (_, problems) =
        read((0..=CATALOG_FILES_MAX).map(|n| (format!("terms/t{n:04}.yaml"), "A: {description: x, values: [a]}")));
    let refused = problems.iter().find(|problem| problem.file == "terms/t2000.yaml").expect("a problem").to_string();
    assert_eq!(refused, "terms/t2000.yaml:1:1: error: the catalog has more than 2000 files; not read from here on");
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut bomb = String::from("A0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        bomb.push_str(&format!("A{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")));
    }
    check(
        [("terms/a.yaml".to_owned(), bomb)],
        "terms/a.yaml:6:10: error: more than 200000 nodes with every alias written out",
    );
}

#[test]
fn a_term_has_at_most_255_values_and_a_topic_255_fields() {
    let values = |n: usize| (0..n).map(|n| format!("v{n}")).collect::<Vec<_>>().join(", ");
    let (catalog, problems) = read([("terms/a.yaml", format!("A: {{description: x, values: [{}]}}", values(255)))]);
    assert_eq!(catalog.term("a:A").map(|term| term.values.len()), Some(255), "{problems:?}");
    let text = format!("A: {{description: x, values: [{}]}}", values(256));
    let expected = "terms/a.yaml:1:29: error: expected at most 255 values in a term, found 256";
    check([("terms/a.yaml".to_owned(), text)], expected);

    let terms: String =
        (0..256).map(|n| format!("T{n}: {{description: x, values: [{{id: a, description: b}}]}}\n")).collect();
    let policy = |n: usize| {
        let refs = (0..n).map(|n| format!("'a:T{n}'")).collect::<Vec<_>>().join(", ");
        format!(
            "policy_id: G9_wide_V0\noverview: {{title: t, purpose: p, relevant: r}}\nnormative: {{terms: [{refs}]}}\n\
             decision: {{verdicts: [A], rules: [{{verdict: A, default: true}}]}}\n"
        )
    };
    let (catalog, problems) = read([("terms/a.yaml", &terms), ("policies/w.yaml", &policy(255))]);
    assert_eq!(catalog.topics().len(), 1, "{problems:?}");
    let (catalog, problems) = read([("terms/a.yaml", terms), ("policies/w.yaml", policy(256))]);
    assert!(catalog.topics().is_empty());
    assert!(problems.iter().any(|problem| problem.message == "expected at most 255 terms in a topic"), "{problems:?}");
}

#[test]
fn problems_do_not_pile_up_without_end() {
    let unknown: String = (0..60_000).map(|n| format!("k{n}: 1\n")).collect();
    let (_, problems) = read([("policies/G7/x/V0.yaml", unknown)]);
    // 60,005 in all: unknown keys, a warning on the id, a note on missing variants and three errors, of which 1,002 are kept.
    let of = |severity: Severity| problems.iter().filter(|problem| problem.severity == severity).count();
    assert_eq!((of(Severity::Error), of(Severity::Warning) + of(Severity::Note)), (3, 1_000), "{problems:?}");
    let told: Vec<_> = problems.iter().filter(|problem| problem.message.ends_with("are not listed")).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message, "59003 more problems from here on are not listed");
}

#[test]
fn damaged_files_never_panic() {
    let noise = b"{}[]:-&*!|>'\"%@`,#?\n\t \xff\0<~=";
    for seed in 0..120 {
        let mut random = Random::new(seed);
        let files = builtin_files().iter().filter(|(path, _)| path.contains("allergy") || path.contains("_shared"));
        let damaged = files.map(|(path, text)| {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..random.below(4) {
                let at = random.below(bytes.len());
                match random.below(3) {
                    0 => bytes[at] = *random.pick(noise),
                    1 => bytes.insert(at, *random.pick(noise)),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            (*path, bytes)
        });
        let (catalog, problems) = read(damaged.collect::<Vec<_>>());
        let is_broken = problems.iter().any(|problem| problem.severity == Severity::Error);
        assert!(is_broken || catalog.topics().len() == 1, "seed {seed}: {problems:?}");
    }
}

#[test]
fn a_folder_is_read_like_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in builtin_files() {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    fs::write(folder.path().join("README.md"), "not YAML").expect("a file");
    fs::write(folder.path().join(".hidden.yaml"), "not: read").expect("a file");
    let (catalog, problems) = read_dir(folder.path()).expect("a catalog");
    assert_eq!(problems, builtin().problems());
    let hashes = |catalog: &quorum_catalog::Catalog| {
        catalog.topics().iter().map(|topic| (topic.id.clone(), topic.schema.term_hash())).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&catalog), hashes(builtin()));
    assert_eq!(load_folder(folder.path()).expect("files").len(), builtin_files().len());
}

#[test]
fn folders_have_limits_too() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(read_dir(folder.path()), Err(FolderError::Empty { .. })));
    assert!(matches!(read_dir(&folder.path().join("none")), Err(FolderError::List { .. })));
    fs::write(folder.path().join("large.yaml"), vec![b'#'; 50_000_000]).expect("a file");
    let files = load_folder(folder.path()).expect("files");
    assert_eq!(files[0].1.len(), FILE_BYTES_MAX + 1);
    for n in 0..10 {
        fs::write(folder.path().join(format!("m{n}.yaml")), vec![b'#'; 3_900_000]).expect("a file");
    }
    let bytes: usize = load_folder(folder.path()).expect("files").iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= CATALOG_BYTES_MAX + FILE_BYTES_MAX, "{bytes}");
    let (catalog, problems) = read_dir(folder.path()).expect("problems");
    assert!(catalog.topics().is_empty());
    assert!(problems.iter().any(|problem| problem.message.contains("more than 16000000 bytes")), "{problems:?}");
    let deep = folder.path().join(["d"; 10].join("/"));
    fs::create_dir_all(&deep).expect("folders");
    assert!(matches!(read_dir(folder.path()), Err(FolderError::Depth { .. })));
}
