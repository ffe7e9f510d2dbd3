//! Looking for an input file whose upload had no clear end.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use quorum_core::{
    ensemble::Ensemble,
    manifest::{BatchId, BatchState, ManifestId, ManifestState},
};
use quorum_provider::{Provider, ProviderConfig};
use quorum_sim::{Call, Fault, Kind, SimConfig};
use quorum_store::{Store, testing::FrozenBackend};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::world::{HandClock, NoWait, Plan, START, World, import, paid_twice, provider, simulator, start, votes};

fn mini() -> Plan {
    Plan { ensemble: Ensemble::read("gpt-5-mini:1").expect("an ensemble"), ..Plan::default() }
}

const FIRST: BatchId = BatchId { manifest: ManifestId(1), number: 1 };

#[tokio::test]
async fn an_upload_whose_end_is_unclear_is_taken_only_when_it_is_whole() {
    for is_whole in [true, false] {
        let sim = simulator(SimConfig::default()).await;
        let world = World::new(&sim, 20);
        let run = start(&world.store, mini()).expect("a run");
        let end = if is_whole { Kind::LostAnswer } else { Kind::DropRequest };
        sim.fault(Fault { count: Some(2), on: Some(Call::UploadFile), ..Fault::from(end) });
        world.tick().await.expect("a tick");
        assert_eq!(world.states(), [BatchState::Uploading]);
        if !is_whole {
            // What a server kept that stores what came before the connection broke.
            let name = format!("quorum-{}-1-{}.jsonl", run.key, world.batches()[0].fingerprint);
            let line =
                r#"{"custom_id":"r1-1","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-5-mini"}}"#;
            let body = || futures_util::stream::iter([Ok(bytes::Bytes::from_static(line.as_bytes()))]);
            provider(&sim, None).upload_file(&name, line.len() as u64, body).await.expect("a file");
        }
        let sent = sim.calls().iter().filter(|call| call.method == "POST" && call.path == "/v1/files").count();
        world.run(&sim, 30).await;
        assert_eq!((world.state(), votes(&world.store).len()), (ManifestState::Completed, 20));
        assert_eq!((paid_twice(&sim), sim.batches().len()), (vec![], 1));
        let uploads = sim.calls().iter().filter(|call| call.method == "POST" && call.path == "/v1/files").count();
        assert_eq!(uploads - sent, usize::from(!is_whole), "a whole one is not sent again");
    }
}

/// A server whose list of files goes on for ever: it takes no notice of where to go on.
async fn endless(looks: Arc<AtomicU32>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 64 * 1024];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let is_files = head[..read].starts_with(b"GET /v1/files");
            looks.fetch_add(u32::from(is_files), Ordering::SeqCst);
            let body = if is_files {
                r#"{"object":"list","data":[{"id":"file-1","filename":"another.jsonl"}],"last_id":"file-1","has_more":true}"#
            } else {
                r#"{"object":"list","data":[],"has_more":false}"#
            };
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            // A caller that has gone is none of the server's business.
            let _gone = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_list_of_files_without_an_end_does_not_hold_the_tick() {
    let looks = Arc::new(AtomicU32::new(0));
    let mut config = ProviderConfig::new(endless(Arc::clone(&looks)).await, None);
    config.pace = Arc::new(NoWait);
    let store = Arc::new(Store::open_with_backend(FrozenBackend::new()).expect("a store"));
    import(&store, 1, 20);
    start(&store, mini()).expect("a run");
    store.change_batch(FIRST, |batch| batch.state = BatchState::Uploading).expect("the batch");
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::on(store, HandClock::at(START), Provider::new(config).expect("an address"), folder.path());
    world.tick().await.expect("a tick");
    assert_eq!(looks.load(Ordering::SeqCst), 2, "the second page is the first again");
}
