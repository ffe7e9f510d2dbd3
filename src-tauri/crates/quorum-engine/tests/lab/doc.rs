//! docs/faults.md names a test for every row: each must exist.

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
        assert!(code.contains(&format!("fn {name}(")), "there is no test {name}");
        rows += 1;
    }
    assert!(rows >= 30, "{rows} rows");
}
