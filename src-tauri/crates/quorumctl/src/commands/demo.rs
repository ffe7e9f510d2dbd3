//! `demo`: the whole pipeline on the bundled sample, in the sandbox, in a fresh data directory.

use std::path::{Path, PathBuf};

use quorum_api::{
    Address, OpenOptions, Quorum, SAMPLE_NAME, Wish, dto::error::ErrorCode, verdicts::VerdictsRequest,
    verdicts::expand_policies,
};
use quorum_core::{ensemble::Ensemble, manifest::Mode};
use quorum_engine::Tick;
use serde_json::json;

use super::Failure;
use crate::{
    args::Global,
    outcome::{Exit, Output, count},
    wait::{self, Waited},
};

const TOPIC: &str = "G1_allergy";
const K: u32 = 25;

pub async fn run(global: &Global, output: Output, out: &Path) -> Result<Exit, Failure> {
    let mut options = OpenOptions::new(global.data.clone().unwrap_or_else(|| fresh_data_dir(out)));
    options.provider = Some(Address::sandbox());
    let quorum = Quorum::open(options)?;
    output.progress("importing the bundled sample: invented reviews");
    let report = quorum.dataset_import_sample()?;
    let wish = Wish {
        dataset: SAMPLE_NAME.into(),
        topic: TOPIC.to_owned(),
        k: K,
        ensemble: Ensemble::standard(),
        mode: Mode::Batch,
        canary: None,
    };
    let (draft, topic) = quorum.draft(&wish)?;
    output.progress(&format!("asking the sandbox for {} votes on {}", count(draft.requests()), topic.name));
    if let Some(manifest) = quorum.start(&wish, draft, &topic, None)? {
        let mut tick = Tick::default();
        let is_settled = |_: &Tick| Ok(!wait::is_live(&quorum, manifest.id)?);
        // A demo without votes would look like one that worked.
        if let Waited::Stuck(trouble) = wait::until(&quorum, output, None, None, &mut tick, is_settled).await? {
            return Err(Failure::new(ErrorCode::Internal, "The sandbox on this computer could not be asked.")
                .detail(wait::explain(&trouble))
                .safe("No ground-truth file was written."));
        }
    }
    let request = VerdictsRequest {
        dataset: SAMPLE_NAME.into(),
        policies: expand_policies(&quorum.catalog(), &[TOPIC])?,
        ks: vec![K],
        ensemble: None,
        partial: false,
    };
    let (files, _) = quorum.ground_truth(&request, &out.join("ground-truth"))?;
    let votes: u64 = quorum.run_list()?.iter().map(|run| u64::from(run.ingested)).sum();
    let verdicts: u32 = files.iter().flat_map(|file| &file.distribution).map(|(_, count)| count).sum();
    let paths: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
    let json = json!({
        "reviews": report.reviews,
        "votes": votes,
        "manifests": quorum.run_list()?.len(),
        "verdicts": verdicts,
        "files": paths,
    });
    output.result(&json, || {
        let mut lines =
            vec![format!("{} reviews, {} votes, {verdicts} verdicts", count(report.reviews.into()), count(votes))];
        for file in &files {
            let counts: Vec<String> =
                file.distribution.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
            lines.push(format!("  {}  {}", file.path.display(), counts.join(", ")));
        }
        lines.join("\n")
    });
    Ok(Exit::Done)
}

/// `data` below the folder, or `data-2` and so on: an earlier demo's data stays as it is.
fn fresh_data_dir(out: &Path) -> PathBuf {
    let numbered = (2..).map(|number| out.join(format!("data-{number}")));
    let mut places = std::iter::once(out.join("data")).chain(numbered);
    places.find(|place| !place.exists()).unwrap_or_else(|| out.join("data"))
}
