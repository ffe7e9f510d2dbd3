//! `backup`, `restore`, `doctor`.

use std::path::Path;

use quorum_api::{Check, Quorum};
use quorum_store::{Store, StoreFile};
use serde_json::json;

use super::Failure;
use crate::outcome::{Exit, Output, count};

pub fn backup(quorum: &Quorum, output: Output, file: &Path) -> Result<Exit, Failure> {
    let copy = quorum.store().backup(file)?;
    say(output, "backup", file, &copy);
    Ok(Exit::Done)
}

/// Verifies the backup first, then puts it in place; the store that was there stays beside it, whatever its state: a damaged one
/// is what people restore for.
pub fn restore(data_dir: &Path, output: Output, file: &Path) -> Result<Exit, Failure> {
    let restored = quorum_api::restore(data_dir, file)?;
    if let Some(kept) = &restored.kept {
        output.progress(&format!("the store that was here is kept as {}", kept.display()));
    }
    for words in &restored.paused {
        say!("quorumctl: {words}");
    }
    say(output, "restored", file, &restored.found);
    Ok(Exit::Done)
}

fn say(output: Output, what: &str, file: &Path, found: &StoreFile) {
    let json = json!({
        "file": file.display().to_string(),
        "datasets": found.datasets,
        "reviews": found.reviews,
        "votes": found.votes,
        "manifests": found.manifests,
        "checks": [{"name": what, "ok": true, "detail": format!("{} bytes, every page checked", found.bytes)}],
    });
    output.result(&json, || {
        format!(
            "{what}: {} ({} datasets, {} reviews, {} votes, {} runs)",
            file.display(),
            found.datasets,
            count(found.reviews),
            count(found.votes),
            found.manifests
        )
    });
}

/// Every page of the store first, as only a file that nobody has open can be read so; then what the open program leans on. A store
/// that cannot be opened is a finding, not the end of looking.
pub async fn doctor(
    data_dir: &Path,
    open: impl FnOnce() -> Result<Quorum, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    let file = data_dir.join("quorum.redb");
    let mut checks: Vec<_> = file.exists().then(|| check_pages(&file)).into_iter().collect();
    match open() {
        Ok(quorum) => checks.extend(quorum.doctor().await),
        Err(error) => checks.push(Check { name: "store", ok: false, detail: error.to_string() }),
    }
    let rows: Vec<_> =
        checks.iter().map(|check| json!({"name": check.name, "ok": check.ok, "detail": check.detail})).collect();
    output.result(&json!({"checks": rows}), || {
        let line = |check: &quorum_api::Check| {
            format!("{}  {:14} {}", if check.ok { "ok  " } else { "FAIL" }, check.name, check.detail)
        };
        checks.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(if checks.iter().all(|check| check.ok) { Exit::Done } else { Exit::Failed })
}

fn check_pages(file: &Path) -> Check {
    let (ok, detail) = match Store::verify_file(file) {
        Ok(found) => (true, format!("{} bytes, every page checked", count(found.bytes))),
        Err(error) => (false, Failure::from(error).to_string()),
    };
    Check { name: "pages", ok, detail }
}
