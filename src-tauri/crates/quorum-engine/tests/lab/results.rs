//! Results that come late, short, in part or not at all: what is paid is taken, and what may be paid is not asked again by itself.

use quorum_core::manifest::{BatchState, Cause, ManifestState, TroubleKind};
use quorum_sim::{Call, Fault, Kind, SimConfig, Simulator};

use crate::{
    once::{assert_whole, creations, planned, status},
    world::{World, options, provider, simulator, votes},
};

#[tokio::test]
async fn an_ended_batch_that_names_its_files_late_is_waited_for() {
    let (sim, world) = planned([Fault::once(Kind::FilesLate { seconds: 80 }, None)]).await;
    world.run(&sim, 20).await;
    assert_whole(&sim, &world);
    assert_eq!((creations(&sim), world.manifest().round), (1, 0));
}

#[tokio::test]
async fn an_ended_batch_that_names_no_file_is_not_paid_for_again_by_itself() {
    let (sim, world) = planned([Fault::once(Kind::NoOutputFile, None)]).await;
    world.run(&sim, 60).await;
    let trouble = world.batches()[0].trouble.as_ref().map(|trouble| trouble.kind);
    assert_eq!((world.states(), trouble), (vec![BatchState::Failed], Some(TroubleKind::ResultsGone)));
    assert_eq!((world.state(), creations(&sim)), (ManifestState::NeedsUser, 1));
    assert!(world.logged("were answered, but the result files are not at the provider"));
}

/// Twenty requests of which four fail, in a batch whose output file is named so much later than the error file.
async fn output_named_late(seconds: i64) -> (Simulator, World) {
    let kind = Kind::RowStatus { status: 400, message: "no".to_owned(), error_type: None, param: None, code: None };
    let some_fail = Fault { rows: Some(4), ..Fault::once(kind, None) };
    let (sim, world) = planned([some_fail, Fault::once(Kind::OutputFileLate { seconds }, None)]).await;
    world.run(&sim, 20).await;
    (sim, world)
}

#[tokio::test]
async fn an_output_file_that_is_named_after_the_error_file_is_waited_for() {
    let (sim, world) = output_named_late(80).await;
    assert_eq!((votes(&world.store).len(), world.open_failures().len()), (16, 4));
    assert_eq!((world.state(), creations(&sim), world.manifest().round), (ManifestState::Completed, 1, 0));
}

#[tokio::test]
async fn answers_that_are_counted_and_in_no_file_are_not_paid_for_again_by_themselves() {
    let (sim, world) = output_named_late(1_000_000).await;
    let causes = world.open_failures().into_iter().map(|failure| failure.failure.cause);
    let unclear = causes.filter(|cause| *cause == Cause::Unclear).count();
    assert_eq!((votes(&world.store).len(), unclear, world.open_failures().len()), (0, 16, 20));
    assert_eq!((world.state(), creations(&sim), world.manifest().round), (ManifestState::Completed, 1, 0));
}

/// The provider does not know one of the two result files that it names.
async fn without_one_file(of: &str) -> (Simulator, World) {
    let kind = Kind::RowStatus { status: 400, message: "no".to_owned(), error_type: None, param: None, code: None };
    let (sim, world) = planned([Fault { rows: Some(4), ..Fault::once(kind, None) }]).await;
    let name = format!("_{of}.jsonl");
    loop {
        world.pass(&sim, 5);
        // The simulator moves on when it is looked at.
        provider(&sim, None).list_batches(None, 100).await.expect("listed");
        let files = provider(&sim, None).list_files(None, None, 100).await.expect("listed").data;
        if let Some(file) = files.iter().find(|file| file.filename.ends_with(&name)) {
            provider(&sim, None).delete_file(&file.id).await.expect("deleted");
            break;
        }
        world.tick().await.expect("a tick");
    }
    world.run(&sim, 60).await;
    (sim, world)
}

#[tokio::test]
async fn one_result_file_that_is_gone_does_not_take_the_other_with_it() {
    let (sim, world) = without_one_file("error").await;
    assert_eq!((votes(&world.store).len(), world.open_failures().len(), creations(&sim)), (16, 4, 1));
    let (sim, world) = without_one_file("output").await;
    assert_eq!((votes(&world.store).len(), world.open_failures().len(), creations(&sim)), (0, 20, 1));
}

/// A run whose batch was answered, and whose results are gone.
async fn results_gone() -> (Simulator, World) {
    let (sim, world) = planned([Fault::once(Kind::NoOutputFile, None)]).await;
    world.run(&sim, 60).await;
    assert_eq!(world.states(), [BatchState::Failed]);
    (sim, world)
}

#[tokio::test]
async fn a_batch_whose_results_are_gone_is_over_once_it_was_sent_again() {
    let (sim, world) = results_gone().await;
    assert_eq!(world.engine.ask_again(world.manifest().id, |_| true, |_| true, false).expect("planned"), 20);
    world.run(&sim, 60).await;
    assert_eq!((world.state(), votes(&world.store).len(), creations(&sim)), (ManifestState::Completed, 20, 2));
    assert_eq!(world.states(), [BatchState::Cancelled, BatchState::Ingested]);
}

#[tokio::test]
async fn a_batch_whose_results_are_gone_is_over_once_its_run_was_cancelled() {
    let (sim, world) = results_gone().await;
    world.store.change_manifest(world.manifest().id, |manifest| manifest.cancelled = true).expect("cancelled");
    world.run(&sim, 60).await;
    assert_eq!((world.state(), world.states()), (ManifestState::Cancelled, vec![BatchState::Cancelled]));
    // Its input file is deleted, and nothing is looked for any more.
    world.tick().await.expect("a tick");
    assert!(world.engine.providers_with_work().expect("read").is_empty());
}

#[tokio::test]
async fn a_batch_that_fails_in_mid_run_gives_what_it_answered() {
    let (sim, world) = planned([Fault::once(Kind::BreakOff { fraction: 0.5 }, None)]).await;
    world.run(&sim, 30).await;
    assert_whole(&sim, &world);
    let first = &world.batches()[0];
    assert!(first.votes > 0 && first.failed > 0, "{first:?}");
    assert_eq!(world.batches()[1].requests, first.failed);
}

/// Bytes of the first twelve lines of the run's output file, of twenty.
async fn twelve_lines() -> u64 {
    let (sim, world) = planned([]).await;
    world.engine.set_options(quorum_engine::Options { delete_files: false, ..options() });
    world.run(&sim, 30).await;
    let file = world.batches()[0].output_file.clone().expect("an output file");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("whole.jsonl");
    provider(&sim, None).download_file(&file, &path).await.expect("downloaded");
    let whole = std::fs::read_to_string(&path).expect("text");
    whole.split_inclusive('\n').take(12).map(str::len).sum::<usize>() as u64
}

fn cut(bytes: u64) -> Fault {
    Fault { on: Some(Call::Download), ..Fault::from(Kind::TruncatedBody { bytes }) }
}

#[tokio::test]
async fn an_outage_does_not_make_a_cut_download_whole() {
    let bytes = twelve_lines().await;
    let (sim, world) = planned([status(503, Call::Download)]).await;
    while world.batches()[0].failures_in_row < 8 {
        world.tick().await.expect("a tick");
        world.pass(&sim, 60);
    }
    sim.clear_faults();
    sim.fault(Fault { count: Some(1), ..cut(bytes) });
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
    assert_eq!((creations(&sim), world.manifest().round), (1, 0));
}

#[tokio::test]
async fn a_cut_download_whose_length_cannot_be_asked_for_is_taken_again() {
    let bytes = twelve_lines().await;
    let (sim, world) = planned([status(503, Call::GetFile), Fault { count: Some(1), ..cut(bytes) }]).await;
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
    assert_eq!((creations(&sim), world.manifest().round), (1, 0));
}

#[tokio::test]
async fn what_a_proxy_cuts_off_every_time_is_not_asked_again_by_itself() {
    let bytes = twelve_lines().await;
    let (sim, world) = planned([cut(bytes)]).await;
    world.run(&sim, 600).await;
    let open = world.open_failures();
    assert_eq!((votes(&world.store).len(), open.len()), (12, 8));
    assert!(open.iter().all(|failure| failure.failure.cause == Cause::Unclear), "{open:?}");
    assert_eq!((creations(&sim), world.manifest().round), (1, 0));
}

#[tokio::test]
async fn files_that_may_not_be_deleted_keep_no_finished_run_busy() {
    for refusal in [400, 403] {
        let (sim, world) = planned([status(refusal, Call::DeleteFile)]).await;
        for _ in 0..20 {
            world.run(&sim, 30).await;
            world.pass(&sim, 600);
        }
        assert_whole(&sim, &world);
        assert!(
            world.engine.providers_with_work().expect("read").is_empty(),
            "status {refusal}: {:?}",
            world.batches()
        );
    }
}

#[tokio::test]
async fn results_are_not_called_gone_where_the_key_is_another_projects() {
    let (sim, world) = planned([status(503, Call::Download)]).await;
    while world.states() != [BatchState::Ready] {
        world.tick().await.expect("a tick");
        world.pass(&sim, 20);
    }
    let elsewhere = simulator(SimConfig::default()).await;
    let world = world.restarted(&elsewhere, None);
    for _ in 0..20 {
        world.tick().await.expect("a tick");
        world.pass(&sim, 600);
    }
    assert_eq!(world.states(), [BatchState::Missing]);
    sim.clear_faults();
    let world = world.restarted(&sim, None);
    world.tick().await.expect("a tick");
    world.run(&sim, 60).await;
    assert_whole(&sim, &world);
    assert_eq!(creations(&sim), 1);
}
