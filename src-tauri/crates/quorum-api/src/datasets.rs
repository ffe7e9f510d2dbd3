//! Importing datasets: read as a stream, counted in parallel, stored as a whole.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use quorum_core::{
    dataset::{Business, DatasetError, DatasetReader, Line, LineProblem},
    date::Date,
    ids::DatasetName,
    prompt::sent_bytes,
    tokens,
};
use quorum_store::{DatasetInfo, PreparedBusiness, PreparedReview, ReviewRow, StoreError};
use rayon::prelude::*;

use crate::{
    Quorum,
    dto::{
        dataset::{DatasetSummary, ImportProblem, ImportProgress, ImportReport},
        error::{ApiError, ErrorCode},
        events::Event,
    },
    removed::removed,
    session::lock,
    spool::Spool,
};

/// The sample that ships with Quorum: invented businesses and reviews.
pub const SAMPLE: &[u8] = include_bytes!("../sample/sample.jsonl");
pub const SAMPLE_NAME: &str = "Sample dining";

/// Businesses that are counted together: enough to keep all cores busy, few enough to stay small.
const CHUNK_BUSINESSES: usize = 64;

/// Where businesses wait, in the data folder, until all are read.
const SPOOL: &str = "importing.jsonl";

/// Reasons that a report repeats word for word.
const PROBLEMS_SHOWN_MAX: usize = 100;

/// Why an import stopped.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error("what was read could not be kept until it is stored")]
    Spool(#[source] io::Error),
    #[error("the file holds no business")]
    Empty { first: Option<LineProblem> },
}

impl Quorum {
    pub fn dataset_list(&self) -> Result<Vec<DatasetSummary>, ApiError> {
        self.store().datasets()?.iter().map(|info| self.dataset_summary(info)).collect()
    }

    pub(crate) fn dataset_summary(&self, info: &DatasetInfo) -> Result<DatasetSummary, ApiError> {
        let view = self.store().dataset(&info.name)?;
        let most = view.businesses.iter().map(|business| business.reviews.len()).max().unwrap_or(0);
        Ok(DatasetSummary {
            dataset: info.name.to_string(),
            name: info.name.to_string(),
            businesses: info.businesses,
            reviews: info.reviews,
            reviews_business_max: u32::try_from(most).unwrap_or(u32::MAX),
            imported_at: info.imported_at,
            sample: info.name.as_str() == SAMPLE_NAME,
        })
    }

    /// Imports a JSON Lines file. Lines that cannot be used are left out and reported; on any other error nothing is kept.
    pub fn dataset_import(&self, path: &Path, name: Option<&str>) -> Result<ImportReport, ApiError> {
        let shown = path.display().to_string();
        let unreadable = |source: io::Error| {
            ApiError::new(ErrorCode::FileUnreadable, format!("{shown} cannot be read."))
                .safe("Nothing was imported.")
                .detail(source.to_string())
        };
        let file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if meta.is_dir() {
            return Err(unreadable(io::Error::other("it is a folder; choose the JSON Lines file in it")));
        }
        let stem = path.file_stem().map_or_else(|| "dataset".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let name = DatasetName::new(name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(&stem));
        self.import(BufReader::with_capacity(1 << 20, file), meta.len(), &name, &shown)
    }

    /// Imports the bundled sample.
    pub fn dataset_import_sample(&self) -> Result<ImportReport, ApiError> {
        self.import(SAMPLE, SAMPLE.len() as u64, &DatasetName::from(SAMPLE_NAME), "bundled with Quorum")
    }

    pub(crate) fn tell_datasets(&self) -> Result<(), ApiError> {
        let count = self.store().datasets()?.len();
        self.tell(Event::DatasetsChanged(u32::try_from(count).unwrap_or(u32::MAX)));
        Ok(())
    }

    fn import(
        &self,
        input: impl BufRead,
        bytes: u64,
        name: &DatasetName,
        source: &str,
    ) -> Result<ImportReport, ApiError> {
        let mut problems: Vec<LineProblem> = Vec::new();
        let mut skipped = 0_u32;
        let progress = |read: u64, businesses: u32, reviews: u32| {
            let percent = read.saturating_mul(100).checked_div(bytes).unwrap_or(100).min(100);
            self.tell(Event::ImportProgressed(ImportProgress {
                path: source.to_owned(),
                percent: u32::try_from(percent).unwrap_or(100),
                businesses,
                reviews,
            }));
        };
        let businesses = Prepared::new(Counted { inner: input, read: 0 }, &mut problems, &mut skipped, progress);
        let report = self.import_read(name, source, businesses).map_err(|error| import_error(error, source))?;
        problems.extend(report.problems);
        skipped += report.duplicates;
        self.tell_datasets()?;
        let info = self.store().dataset_info(name)?;
        Ok(ImportReport {
            dataset: self.dataset_summary(&info)?,
            businesses: report.businesses,
            reviews: report.reviews,
            skipped,
            replaced: report.replaced.as_ref().map(removed),
            problems: problems
                .into_iter()
                .take(PROBLEMS_SHOWN_MAX)
                .map(|problem| ImportProblem {
                    line: u32::try_from(problem.line).unwrap_or(u32::MAX),
                    field: problem.field,
                    message: problem.message,
                })
                .collect(),
        })
    }
}

impl Quorum {
    /// Reads all of it, then stores it.
    fn import_read(
        &self,
        name: &DatasetName,
        source: &str,
        businesses: impl Iterator<Item = Result<PreparedBusiness, ImportError>>,
    ) -> Result<quorum_store::ImportReport, ImportError> {
        let _one_file = lock(&self.inner.importing);
        let mut spool = Spool::create(&self.data_dir().join(SPOOL)).map_err(ImportError::Spool)?;
        for business in businesses {
            spool.push(&business?).map_err(ImportError::Spool)?;
        }
        let read = spool.read().map_err(ImportError::Spool)?;
        let businesses = read.map(|business| business.map_err(ImportError::Spool));
        self.store().import_dataset(name, source, self.now(), businesses)
    }
}

fn import_error(error: ImportError, source: &str) -> ApiError {
    match error {
        ImportError::Store(StoreError::ReviewsNeeded { dataset, lacking }) => ApiError::new(
            ErrorCode::DatasetInUse,
            format!(
                "A live run asks about the dataset \"{dataset}\", and {lacking} of its reviews are not in {source}."
            ),
        )
        .safe("Nothing was imported; the dataset is as it was.")
        .action("Import it under another name, or wait for the run, or cancel it."),
        ImportError::Store(error) => error.into(),
        ImportError::Spool(error) => {
            let is_full = error.kind() == io::ErrorKind::StorageFull;
            let code = if is_full { ErrorCode::DiskFull } else { ErrorCode::FileUnwritable };
            ApiError::new(
                code,
                format!("{source} was read, and could not be kept in the data folder until it is stored."),
            )
            .safe("Nothing was imported.")
            .action("Free as much space as the file has, and import it again.")
            .detail(error.to_string())
        }
        ImportError::Dataset(error) => ApiError::new(ErrorCode::FileFormat, format!("{source} could not be imported."))
            .safe("Nothing of it was kept.")
            .detail(crate::errors::chain(&error)),
        ImportError::Empty { first } => {
            let detail = first.map_or_else(
                || "the file is empty".to_owned(),
                |problem| {
                    let field = problem.field.map(|field| format!(", {field}")).unwrap_or_default();
                    format!("line {}{field}: {}", problem.line, problem.message)
                },
            );
            ApiError::new(ErrorCode::FileFormat, format!("{source} holds no business that can be used."))
                .safe("Nothing was imported.")
                .action("Expected is JSON Lines in UTF-8: one business with its reviews on each line.")
                .detail(detail)
        }
    }
}

/// Counts the bytes that were read, for progress.
struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, count: usize) {
        self.read += count as u64;
        self.inner.consume(count);
    }
}

/// Businesses with their tokens and bytes counted, a chunk at a time on all cores.
struct Prepared<'a, R: BufRead, P> {
    reader: DatasetReader<Counted<R>>,
    problems: &'a mut Vec<LineProblem>,
    skipped: &'a mut u32,
    progress: P,
    ready: std::vec::IntoIter<PreparedBusiness>,
    businesses: u32,
    reviews: u32,
    ended: bool,
}

impl<'a, R: BufRead, P: Fn(u64, u32, u32)> Prepared<'a, R, P> {
    fn new(input: Counted<R>, problems: &'a mut Vec<LineProblem>, skipped: &'a mut u32, progress: P) -> Self {
        Self {
            reader: DatasetReader::new(input),
            problems,
            skipped,
            progress,
            ready: Vec::new().into_iter(),
            businesses: 0,
            reviews: 0,
            ended: false,
        }
    }

    fn leave_out(&mut self, problem: LineProblem) {
        *self.skipped = self.skipped.saturating_add(1);
        if self.problems.len() < PROBLEMS_SHOWN_MAX {
            self.problems.push(problem);
        }
    }

    fn next_chunk(&mut self) -> Result<(), ImportError> {
        let mut chunk: Vec<(u64, Business)> = Vec::with_capacity(CHUNK_BUSINESSES);
        while chunk.len() < CHUNK_BUSINESSES {
            match self.reader.next().transpose()? {
                None => {
                    self.ended = true;
                    break;
                }
                Some(Line::Problem(problem)) => self.leave_out(problem),
                Some(Line::Business(business, problems)) => {
                    for problem in problems {
                        self.leave_out(problem);
                    }
                    chunk.push((self.reader.line(), business));
                }
            }
        }
        if self.ended && chunk.is_empty() && self.businesses == 0 {
            return Err(ImportError::Empty { first: self.problems.first().cloned() });
        }
        self.businesses += u32::try_from(chunk.len()).unwrap_or(0);
        self.reviews +=
            chunk.iter().map(|(_, business)| u32::try_from(business.reviews.len()).unwrap_or(0)).sum::<u32>();
        let prepared: Vec<PreparedBusiness> =
            chunk.into_par_iter().map(|(line, business)| prepare(line, business)).collect();
        (self.progress)(self.reader.input().read, self.businesses, self.reviews);
        self.ready = prepared.into_iter();
        Ok(())
    }
}

impl<R: BufRead, P: Fn(u64, u32, u32)> Iterator for Prepared<'_, R, P> {
    type Item = Result<PreparedBusiness, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(business) = self.ready.next() {
                return Some(Ok(business));
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.next_chunk() {
                self.ended = true;
                return Some(Err(error));
            }
        }
    }
}

fn prepare(line: u64, business: Business) -> PreparedBusiness {
    let reviews = business
        .reviews
        .into_iter()
        .map(|review| PreparedReview {
            tokens: tokens::review(&review.text),
            bytes: sent_bytes(&review.text),
            row: ReviewRow {
                id: review.id,
                date: review.date.as_deref().and_then(Date::read),
                stars: review.stars,
                useful: review.useful,
                text: review.text,
            },
        })
        .collect();
    PreparedBusiness { line, id: business.id, name: business.name, categories: business.categories, reviews }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;
    use crate::OpenOptions;

    /// The sample; before its end somebody writes to the store.
    struct Meanwhile<'a> {
        rest: &'a [u8],
        quorum: &'a Quorum,
        has_written: bool,
    }

    impl Read for Meanwhile<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.fill_buf()?.read(buffer)?;
            self.consume(count);
            Ok(count)
        }
    }

    impl BufRead for Meanwhile<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            if !self.has_written && self.rest.len() < SAMPLE.len() / 2 {
                let (done, wait) = mpsc::channel();
                let quorum = self.quorum.clone();
                thread::spawn(move || {
                    quorum.store().set_setting("meanwhile", &true).expect("the store");
                    // Whoever does not wait any more has failed already.
                    let _ = done.send(());
                });
                let written = wait.recv_timeout(Duration::from_secs(20));
                self.has_written = written.is_ok();
                written.map_err(|_| io::Error::other("the store takes nothing else while a dataset is read"))?;
            }
            // As a file is read: a piece at a time.
            Ok(&self.rest[..self.rest.len().min(4096)])
        }

        fn consume(&mut self, count: usize) {
            self.rest = &self.rest[count..];
        }
    }

    #[test]
    fn the_store_takes_votes_while_a_dataset_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("the data");
        let input = Meanwhile { rest: SAMPLE, quorum: &quorum, has_written: false };
        let report = quorum.import(input, SAMPLE.len() as u64, &"town".into(), "a test").expect("imported");
        let usual = quorum.dataset_import_sample().expect("imported");
        assert_eq!((report.businesses, report.reviews), (usual.businesses, usual.reviews));
        let views =
            ["town", SAMPLE_NAME].map(|name| quorum.store().dataset(&name.into()).expect("a dataset").businesses);
        assert_eq!(views[0], views[1]);
        assert_eq!(quorum.store().setting("meanwhile").expect("the store"), Some(true));
        assert!(!folder.path().join(SPOOL).exists());
    }
}
