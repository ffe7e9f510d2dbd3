//! Lists every YAML file under `data/` as a table of (path, text), so that a new file needs no entry by hand.
//!
//! The texts are named relative to the crate: a checkout that is moved still finds them.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let data = variable("CARGO_MANIFEST_DIR")?.join("data");
    let mut files = Vec::new();
    list(&data, &mut files)?;
    files.sort();
    let mut table = String::from("[\n");
    for file in &files {
        let path = file.strip_prefix(&data).map_err(io::Error::other)?;
        let path = path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        let text = format!(r#"include_str!(concat!(env!("CARGO_MANIFEST_DIR"), {:?}))"#, format!("/data/{path}"));
        let _infallible = writeln!(table, "    ({path:?}, {text}),");
    }
    table.push_str("]\n");
    fs::write(variable("OUT_DIR")?.join("data.rs"), table)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
