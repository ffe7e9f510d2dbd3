//! A backup in the place of the data: calls at the full price wait for the user's word.

use quorum_api::{Address, OpenOptions, Quorum, SAMPLE_NAME, Wish, dto::run::RunState, restore};
use quorum_core::{
    ensemble::Ensemble,
    manifest::{Batch, ManifestId, Mode, PauseKind},
};

fn opened(folder: &std::path::Path) -> Quorum {
    let address = Address::read("https://provider.invalid/v1").expect("an address");
    Quorum::open(OpenOptions { provider: Some(address), ..OpenOptions::new(folder) }).expect("the data")
}

fn begin(quorum: &Quorum, topic: &str, mode: Mode) -> ManifestId {
    let wish = Wish {
        dataset: SAMPLE_NAME.into(),
        topic: topic.to_owned(),
        k: 1,
        ensemble: Ensemble::read("gpt-5.1:1").expect("an ensemble"),
        mode,
        canary: Some(false),
    };
    let (draft, of) = quorum.draft(&wish).expect("a draft");
    quorum.start(&wish, draft, &of, None).expect("room").expect("something is missing").id
}

#[test]
fn a_restored_backup_asks_nothing_at_the_full_price_before_the_user_says_so() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("backup.redb");
    let (calls, batches) = {
        let quorum = opened(&folder.path().join("data"));
        quorum.dataset_import_sample().expect("the sample");
        let runs = (begin(&quorum, "G1_allergy", Mode::OnDemand), begin(&quorum, "G1_hygiene", Mode::Batch));
        // Five of twelve are answered when the backup is made.
        let batch = quorum.store().batches(runs.0).expect("batches")[0].id;
        quorum.store().change_batch(batch, |batch: &mut Batch| batch.votes = 5).expect("written");
        quorum.store().backup(&file).expect("a backup");
        runs
    };
    let restored = restore(other.path(), &file).expect("restored");
    assert_eq!((restored.kept, restored.paused.len()), (None, 1));
    assert!(restored.paused[0].starts_with(&format!("run {calls} is paused: this data is a backup")));

    let quorum = opened(other.path());
    let manifest = |run| quorum.store().manifest(run).expect("the run");
    let pause = manifest(calls).paused.expect("it waits");
    assert_eq!(pause.kind, PauseKind::Elsewhere);
    assert!(pause.words.contains("asks 7 requests at the full price, about $0.0"), "{pause:?}");
    assert!(pause.words.contains("pays a second time"), "{pause:?}");
    let detail = quorum.run_detail(&calls.to_string()).expect("the run");
    assert_eq!((detail.summary.state, detail.resume.map(|offer| offer.requests)), (RunState::NeedsYou, Some(7)));
    assert_eq!(manifest(batches).paused, None, "what was sent of a batch is found by its mark");
    assert_eq!(quorum.run_resume_all().expect("the store"), 0);
    quorum.run_resume(&calls.to_string()).expect("the user says so");
    assert_eq!(manifest(calls).paused, None);
}
