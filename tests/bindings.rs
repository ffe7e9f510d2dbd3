//! The window's typed bindings are what the commands and events say. `UPDATE_BINDINGS=1 cargo test --test bindings` writes them anew.

use std::{fs, path::Path};

use specta_typescript::Typescript;

const BINDINGS: &str = "ui/src/lib/backend/bindings.ts";

#[test]
fn the_committed_bindings_are_fresh() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join(BINDINGS);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let made = folder.path().join("bindings.ts");
    quorum_app_lib::builder().export(Typescript::default(), &made).expect("every type can be exported");
    let made = fs::read_to_string(made).expect("the export was just written");
    if std::env::var_os("UPDATE_BINDINGS").is_some_and(|wanted| wanted == "1") {
        fs::write(&committed, made).expect("the bindings can be written");
        return;
    }
    let known = fs::read_to_string(&committed).expect("the committed bindings can be read");
    if let Some((line, (made, known))) =
        made.lines().zip(known.lines()).enumerate().find(|(_, (made, known))| made != known)
    {
        panic!("{BINDINGS} is stale from line {}:\n  has   {known}\n  wants {made}\n{HOW}", line + 1);
    }
    assert_eq!(made.lines().count(), known.lines().count(), "{BINDINGS} has another length. {HOW}");
}

const HOW: &str = "Run `UPDATE_BINDINGS=1 cargo test --test bindings` and commit the file.";
