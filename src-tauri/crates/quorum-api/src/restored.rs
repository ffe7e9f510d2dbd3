//! A backup in the place of the data, and what of it must not go on unasked.
//!
//! Batches have a mark at the provider: what the original sent after the backup was made is found and adopted. A call that is
//! answered at once leaves nothing to look for, so the restored data would ask again what the original asked, and pay again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use quorum_core::{
    manifest::{ManifestId, Pause, PauseKind, Realm},
    models::total_usd,
    words::{about_usd, counted},
};
use quorum_engine::{Clock as _, SystemClock, outstanding};
use quorum_store::{Activity, ActivityKind, Store, StoreFile};

use crate::dto::error::{ApiError, ErrorCode};

/// What was put in place.
pub struct Restored {
    pub found: StoreFile,
    /// Where the store is that was there.
    pub kept: Option<PathBuf>,
    /// Runs that wait for the user's word, in words.
    pub paused: Vec<String>,
}

/// Puts a backup in the place of the data of a folder. Runs that ask one by one are paused in it.
pub fn restore(data_dir: &Path, file: &Path) -> Result<Restored, ApiError> {
    fs::create_dir_all(data_dir).map_err(|error| {
        ApiError::new(ErrorCode::FileUnwritable, format!("{} could not be written.", data_dir.display()))
            .safe("The present store is unchanged.")
            .detail(error.to_string())
    })?;
    let kept = free_name(data_dir);
    let mut paused = Vec::new();
    let prepare = |copy: &Store| -> Result<(), ApiError> {
        paused = pause_calls(copy)?;
        Ok(())
    };
    let (found, was_there) = Store::restore(file, &data_dir.join("quorum.redb"), &kept, prepare)?;
    Ok(Restored { found, kept: was_there.then_some(kept), paused })
}

fn free_name(data_dir: &Path) -> PathBuf {
    let name = |number: u32| data_dir.join(format!("quorum.redb.before-restore-{number}"));
    (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

/// Pauses runs with calls at the full price that are not all answered, whatever else stopped them: going on asks first.
fn pause_calls(store: &Store) -> Result<Vec<String>, ApiError> {
    let mut paused = Vec::new();
    for manifest in store.manifests()? {
        if manifest.realm != Realm::Live || manifest.finished_at.is_some() || manifest.cancelled {
            continue;
        }
        let batches = store.batches(manifest.id)?;
        let open: Vec<_> = batches.iter().filter(|batch| batch.at_once && batch.requests_unsent() > 0).collect();
        let requests: u64 = open.iter().map(|batch| u64::from(batch.requests_unsent())).sum();
        if requests == 0 {
            continue;
        }
        let usd = total_usd(open.iter().map(|batch| outstanding(&manifest, batch)));
        let words = format!(
            "this data is a backup, and what was asked one by one after it was made is not known here. Resuming asks {} \
             at the full price, {}, and pays a second time for those that were answered since",
            counted(requests, "request", "requests"),
            about_usd(usd)
        );
        paused.push(format!("run {} is paused: {words}", manifest.id));
        tell(store, manifest.id, &words)?;
    }
    Ok(paused)
}

fn tell(store: &Store, id: ManifestId, words: &str) -> Result<(), ApiError> {
    let pause = Pause { kind: PauseKind::Elsewhere, words: words.to_owned() };
    store.change_manifest(id, |manifest| manifest.paused = Some(pause))?;
    store.log(Activity {
        number: 0,
        at: SystemClock.now(),
        kind: ActivityKind::NeedsUser,
        manifest: Some(id),
        title: format!("Run {id} is paused"),
        body: words.to_owned(),
    })?;
    Ok(())
}
