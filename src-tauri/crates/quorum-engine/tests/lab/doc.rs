//! docs/faults.md names a test for every row: each must exist, and be run as a test.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a function of that name is there with a test attribute, and none that ignores it.
fn is_test(code: &str, name: &str) -> bool {
    code.match_indices(&format!("fn {name}(")).any(|(at, _)| {
        // What stands before `fn` on its own line: nothing, or `async`.
        let (above, same_line) = code[..at].rsplit_once('\n').unwrap_or(("", &code[..at]));
        let attributes: Vec<&str> =
            above.lines().rev().map(str::trim).take_while(|line| line.starts_with("#[")).collect();
        matches!(same_line.trim(), "" | "async")
            && attributes.iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
            && !attributes.iter().any(|line| line.starts_with("#[ignore"))
    })
}

#[test]
fn what_is_no_test_does_not_count() {
    assert!(is_test("#[test]\nfn a() {}", "a") && is_test("#[tokio::test]\n    async fn a() {}", "a"));
    for no_test in ["fn a() {}", "// fn a() {}", "#[test]\n#[ignore]\nfn a() {}", "#[test]\nfn ab() {}"] {
        assert!(!is_test(no_test, "a"), "{no_test}");
    }
}

#[test]
fn every_fault_in_the_table_has_its_test() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crates");
    let table = fs::read_to_string(crates.join("../../docs/faults.md")).expect("docs/faults.md");
    let mut files = Vec::new();
    sources(crates, &mut files);
    let code: String = files.iter().map(|file| fs::read_to_string(file).expect("a source file")).collect();
    let mut rows = 0;
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Fault")) {
        let name = row.rsplit('`').nth(1).unwrap_or_else(|| panic!("no test is named in: {row}"));
        assert!(is_test(&code, name), "there is no test {name}");
        rows += 1;
    }
    assert!(rows >= 30, "{rows} rows");
}
