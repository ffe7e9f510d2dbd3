//! The measured parts: each one function from a prepared folder to figures.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Instant,
};

use futures_util::StreamExt;
use quorum_api::{
    judgments::Judgments,
    open_dataset::OpenDataset,
    verdicts::{Docket, VerdictsRequest, expand_policies, verdicts_with},
};
use quorum_catalog::builtin;
use quorum_core::{
    ensemble::Ensemble,
    ids::ModelId,
    manifest::Realm,
    models::ModelTable,
    plan::{BatchLimits, Request},
    prompt::RequestWriter,
    topic::Topic,
    verdict::Judge,
};
use quorum_engine::{DraftRequest, draft, ingest_files, input_bytes, input_stream};
use quorum_store::{Ingested, Store};
use serde::Serialize;

use crate::{
    BenchError,
    folder::{AT, Folder, K, copy, ready},
    hot::{HotPath, ITEMS, Prepared},
    measure::{Spent, measure, median_ms},
};

/// Bytes of the provider's files, the page cache warmed by reading them once.
pub fn warm(folder: &Folder) -> Result<u64, BenchError> {
    let mut bytes = 0;
    let mut buffer = vec![0; 1 << 20];
    let path = folder.outputs();
    let failed = |source| BenchError::File { path: path.clone(), source };
    for entry in fs::read_dir(&path).map_err(failed)? {
        let mut file = File::open(entry.map_err(failed)?.path()).map_err(failed)?;
        loop {
            let read = file.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                break;
            }
            bytes += read as u64;
        }
    }
    Ok(bytes)
}

/// The limit of one core: reading the provider's files and counting their lines.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ReadLimit {
    pub bytes: u64,
    pub lines: u64,
    pub spent: Spent,
}

pub fn read_limit(folder: &Folder) -> Result<ReadLimit, BenchError> {
    warm(folder)?;
    let path = folder.outputs();
    let failed = |source| BenchError::File { path: path.clone(), source };
    let ((bytes, lines), spent) = measure(|| {
        let (mut bytes, mut lines) = (0, 0);
        let mut buffer = vec![0; 1 << 20];
        for entry in fs::read_dir(&path).map_err(failed)? {
            let mut file = File::open(entry.map_err(failed)?.path()).map_err(failed)?;
            loop {
                let read = file.read(&mut buffer).map_err(failed)?;
                if read == 0 {
                    break;
                }
                bytes += read as u64;
                lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
            }
        }
        Ok::<_, BenchError>((bytes, lines))
    })?;
    Ok(ReadLimit { bytes, lines, spent })
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct IngestRun {
    pub batches: u64,
    pub votes: u64,
    pub failed: u64,
    pub input_bytes: u64,
    /// What the store grew by.
    pub store_bytes: u64,
    pub bytes_a_vote: f64,
    pub spent: Spent,
}

/// Batches that are ingested side by side, as the engine's loop does.
const INGESTS_AT_ONCE: usize = 2;

/// From files on disk to durable votes: every batch of the planned store, one transaction each.
pub fn ingest(folder: &Folder) -> Result<IngestRun, BenchError> {
    let input_bytes = warm(folder)?;
    copy(&folder.planned(), &folder.ingested())?;
    let store = folder.open(&folder.ingested())?;
    let before = file_bytes(&folder.ingested())?;
    let batches = ready(&store)?;
    let ((votes, failed), spent) = measure(|| {
        let waiting = Mutex::new(batches.iter());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let ingest_some = || {
            let (mut votes, mut failed) = (0, 0);
            while let Some((manifest, batch)) = next() {
                let (output, errors) = (folder.output(batch.id), folder.errors(batch.id));
                if let Ingested::Now { votes: added, failed: unanswered, .. } =
                    ingest_files(&store, manifest, batch, Some(&output), Some(&errors), AT)?
                {
                    votes += u64::from(added);
                    failed += u64::from(unanswered);
                }
            }
            Ok::<_, BenchError>((votes, failed))
        };
        thread::scope(|scope| {
            let lanes: Vec<_> = (0..INGESTS_AT_ONCE).map(|_| scope.spawn(ingest_some)).collect();
            lanes.into_iter().try_fold((0, 0), |(votes, failed), lane| {
                let (more, unanswered) = lane.join().expect("a lane returns its errors")?;
                Ok::<_, BenchError>((votes + more, failed + unanswered))
            })
        })
    })?;
    drop(store);
    let store_bytes = file_bytes(&folder.ingested())?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
    let bytes_a_vote = store_bytes as f64 / votes.max(1) as f64;
    Ok(IngestRun { batches: batches.len() as u64, votes, failed, input_bytes, store_bytes, bytes_a_vote, spent })
}

fn file_bytes(path: &Path) -> Result<u64, BenchError> {
    fs::metadata(path).map(|meta| meta.len()).map_err(|source| BenchError::File { path: path.to_owned(), source })
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct PlanRun {
    pub requests: u64,
    pub input_tokens: u64,
    pub spent: Spent,
}

/// Missing votes, tokens and sizes of every topic, from a store that was opened just now.
pub fn plan(folder: &Folder) -> Result<PlanRun, BenchError> {
    let store = folder.open(&folder.imported())?;
    let (ensemble, models) = (Ensemble::standard(), ModelTable::default());
    let limits = |_: &ModelId| BatchLimits::default();
    let topics = topics(folder)?;
    let ((requests, input_tokens), spent) = measure(|| {
        let dataset = store.dataset(&Folder::dataset_name())?;
        let (mut requests, mut tokens) = (0, 0);
        for topic in &topics {
            let wish =
                DraftRequest { realm: Realm::Live, topic, k: K, ensemble: &ensemble, models: &models, limits: &limits };
            let draft = draft(&store, &dataset, wish)?;
            requests += draft.requests();
            tokens += draft.shares.iter().map(|share| share.estimate.input_tokens).sum::<u64>();
        }
        Ok::<_, BenchError>((requests, tokens))
    })?;
    Ok(PlanRun { requests, input_tokens, spent })
}

/// The topics that the folder was made for.
fn topics(folder: &Folder) -> Result<Vec<&'static Topic>, BenchError> {
    let manifests = folder.open(&folder.planned())?.manifests()?;
    let known = manifests.iter().filter_map(|manifest| builtin().topic(&manifest.topic));
    Ok(known.collect())
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct UploadRun {
    pub requests: u64,
    pub bytes: u64,
    pub bytes_a_request: f64,
    /// Of these, the ones that are the same for every review of a topic and model.
    pub fixed_bytes_a_request: f64,
    pub spent: Spent,
    /// The same bytes through the same pipe from one buffer that is never changed.
    pub pipe_ms: f64,
    /// Speed of the upload ÷ speed of the pipe.
    pub share_of_pipe: f64,
}

/// Streams the input file of every batch into a pipe, as the upload streams it to the socket.
pub fn upload(folder: &Folder) -> Result<UploadRun, BenchError> {
    let store = Arc::new(folder.open(&folder.planned())?);
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(BenchError::Pipe)?;
    let batches = ready(&store)?;
    let mut requests_sum = 0_u64;
    let mut fixed = 0_u64;
    let (bytes, spent) = measure(|| {
        through_pipe(|pipe| {
            let mut bytes = 0;
            for (manifest, batch) in &batches {
                let topic = builtin().topic(&manifest.topic).expect("planned from the catalog");
                let writer = Arc::new(RequestWriter::new(topic, batch.model.as_str()));
                let requests: Arc<[Request]> = store.requests(batch.id)?.into();
                let expected = input_bytes(&store, &writer, &requests)?;
                requests_sum += requests.len() as u64;
                if let Some(first) = requests.first() {
                    fixed += writer.line_bytes(first.review, first.run, 0) * requests.len() as u64;
                }
                let mut stream = Box::pin(input_stream(Arc::clone(&store), writer, requests));
                let mut sent = 0;
                while let Some(chunk) = runtime.block_on(stream.next()) {
                    let chunk = chunk.map_err(BenchError::Pipe)?;
                    pipe.write_all(&chunk).map_err(BenchError::Pipe)?;
                    sent += chunk.len() as u64;
                }
                if sent != expected {
                    return Err(BenchError::Length { sent, expected });
                }
                bytes += sent;
            }
            Ok(bytes)
        })
    })?;
    let chunk = vec![b'x'; 512 * 1024];
    let start = Instant::now();
    through_pipe(|pipe| {
        let mut left = bytes;
        while left > 0 {
            let part = &chunk[..usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len())];
            pipe.write_all(part).map_err(BenchError::Pipe)?;
            left -= part.len() as u64;
        }
        Ok(())
    })?;
    let pipe_ms = start.elapsed().as_secs_f64() * 1e3;
    #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
    let mean = |sum: u64| sum as f64 / requests_sum.max(1) as f64;
    Ok(UploadRun {
        requests: requests_sum,
        bytes,
        bytes_a_request: mean(bytes),
        fixed_bytes_a_request: mean(fixed),
        spent,
        pipe_ms,
        share_of_pipe: pipe_ms / spent.wall_ms,
    })
}

/// Writes into a pipe that another thread empties.
fn through_pipe<T>(write: impl FnOnce(&mut io::PipeWriter) -> Result<T, BenchError>) -> Result<T, BenchError> {
    let (mut reader, mut writer) = io::pipe().map_err(BenchError::Pipe)?;
    let drain = thread::spawn(move || {
        let mut buffer = vec![0; 512 * 1024];
        while reader.read(&mut buffer)? > 0 {}
        Ok::<(), io::Error>(())
    });
    let done = write(&mut writer);
    drop(writer);
    let drained = drain.join().expect("reading a pipe does not panic");
    let done = done?;
    drained.map_err(BenchError::Pipe)?;
    Ok(done)
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct VerdictsRun {
    pub reviews: u64,
    pub votes: u64,
    pub results: u64,
    /// Opening the store.
    pub open_ms: f64,
    /// Every policy at every K, from a store that was opened just now.
    pub cold: Spent,
    /// The same again.
    pub warm_ms: f64,
    /// One policy over all reviews under other weights, votes in memory.
    pub what_if_ms: f64,
}

/// Nanoseconds of one item of each hot path.
pub fn micro() -> BTreeMap<&'static str, f64> {
    const ROUNDS: u32 = 200;
    HotPath::ALL
        .into_iter()
        .map(|path| {
            let prepared = Prepared::new(path);
            let mut sum = 0_u64;
            let ms = median_ms(9, || {
                sum = sum.wrapping_add((0..ROUNDS).map(|_| prepared.round()).sum::<u64>());
                Ok::<(), Infallible>(())
            });
            std::hint::black_box(sum);
            let ms = ms.unwrap_or_else(|never| match never {});
            (path.name(), ms * 1e6 / f64::from(ROUNDS * ITEMS))
        })
        .collect()
}

/// The Ks of the published run.
const KS: [u32; 4] = [25, 50, 100, 200];

/// Opens the ingested store and settles everything in it.
pub fn verdicts(folder: &Folder) -> Result<VerdictsRun, BenchError> {
    let start = Instant::now();
    let store = folder.open(&folder.ingested())?;
    let open_ms = start.elapsed().as_secs_f64() * 1e3;
    let catalog = builtin();
    let of_topics: Vec<String> = store.manifests()?.iter().map(|manifest| manifest.topic.to_string()).collect();
    let request = VerdictsRequest {
        dataset: Folder::dataset_name(),
        policies: expand_policies(catalog, &of_topics)?,
        ks: KS.to_vec(),
        ensemble: None,
        partial: true,
    };
    let judge_all = || {
        let dataset = OpenDataset::open(&store, Realm::Live, &request.dataset)?;
        let (results, _) = verdicts_with(&store, catalog, &dataset, &request, |result| Ok(result.businesses.len()))?;
        Ok::<_, BenchError>(results.len() as u64)
    };
    let (results, cold) = measure(judge_all)?;
    let warm_ms = median_ms(5, || judge_all().map(drop))?;
    let (what_if_ms, reviews) = what_if(&store)?;
    let mut votes = 0;
    for space in store.spaces()? {
        votes += store.votes_stored(space.number)?;
    }
    Ok(VerdictsRun { reviews, votes, results, open_ms, cold, warm_ms, what_if_ms })
}

/// One policy under another ensemble's weights: tally and verdicts at one K.
fn what_if(store: &Store) -> Result<(f64, u64), BenchError> {
    let dataset = OpenDataset::open(store, Realm::Live, &Folder::dataset_name())?;
    let manifests = store.manifests()?;
    let topic = manifests.first().and_then(|manifest| builtin().topic(&manifest.topic));
    let topic = topic.ok_or_else(|| BenchError::NotMade(store.path().to_owned()))?;
    let ensemble = Ensemble::standard();
    let policy = topic.policies.last().expect("a topic has policies");
    let judge = Judge::new(policy, &topic.schema);
    let loaded = Judgments::load(store, &dataset, topic, &ensemble)?;
    let mut verdicts = 0;
    let ms = median_ms(11, || {
        let judgments = loaded.reweighed(store, &dataset, topic, &ensemble);
        verdicts += Docket::new(&dataset, &judgments, &[K], true).judge(&judge, 0).businesses.len();
        Ok::<(), BenchError>(())
    })?;
    debug_assert_eq!(verdicts, 11 * dataset.businesses(), "every business was judged every time");
    Ok((ms, dataset.reviews() as u64))
}
