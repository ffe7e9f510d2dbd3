//! Votes and gold labels from CSV files, evaluated as they are: no store, no topic.

use std::{
    fs,
    path::{Path, PathBuf},
};

use quorum_core::trust::{
    VoteMatrix,
    agreement::{Confusion, confusions},
    csv::{CsvError, Source, VoteFile, read},
    evaluate::{EvalOptions, EvalReport, eval},
    trial::{TrialOptions, TrialReport, trial},
    words::{Figure, figures},
};

use crate::{
    dto::error::{ApiError, ErrorCode},
    errors::chain,
    whole_file::unreadable,
};

/// Which files, and how to read them.
#[derive(Clone, Debug, Default)]
pub struct VoteFilesQuery {
    /// `item,worker,label`
    pub votes: PathBuf,
    /// `item,truth`
    pub gold: Option<PathBuf>,
    /// Every worker is a model of its own; else `model/run` names a run of a model.
    pub workers_alone: bool,
    /// The labels have an order, theirs when sorted.
    pub ordered: bool,
    /// Only these workers' votes; empty: all.
    pub workers: Vec<String>,
    /// A rehearsal with this many gold labels and draws.
    pub trial: Option<(usize, usize)>,
    pub seed: u64,
}

/// Models that are compared two by two; beyond it nobody reads the tables.
pub const CONFUSED_MAX: usize = 12;

/// Votes of files, evaluated.
#[derive(Clone, Debug)]
pub struct VoteFiles {
    pub report: EvalReport,
    pub labels: Vec<String>,
    /// How any two models' answers meet; `None` with more than [`CONFUSED_MAX`] models.
    pub confusions: Option<Vec<Confusion>>,
    pub trial: Option<TrialReport>,
    pub gold_without_votes: usize,
    pub repeated_votes: usize,
    pub ordered: bool,
}

impl VoteFiles {
    /// Agreement, each figure with its words.
    pub fn figures(&self) -> Vec<Figure> {
        figures(&self.report.agreement, self.ordered)
    }

    pub fn evaluate(query: &VoteFilesQuery) -> Result<Self, ApiError> {
        let votes = text(&query.votes)?;
        let gold = query.gold.as_deref().map(text).transpose()?;
        let names = (query.votes.display().to_string(), query.gold.as_ref().map(|path| path.display().to_string()));
        let gold = gold.as_ref().zip(names.1.as_ref()).map(|(text, file)| Source { file, text });
        let file = read(Source { file: &names.0, text: &votes }, gold, !query.workers_alone).map_err(refused)?;
        let matrix = kept(&file, &query.workers)?;
        let options = EvalOptions { seed: query.seed, ordinal: query.ordered, ..EvalOptions::default() };
        let trial = match query.trial {
            None => None,
            Some((n_gold, draws)) => {
                let options = TrialOptions { n_gold, draws, seed: query.seed, ..TrialOptions::default() };
                Some(trial(&matrix, &file.gold, options).ok_or_else(|| {
                    ApiError::invalid(format!(
                        "A rehearsal with {n_gold} gold labels needs one draw and more than {n_gold} gold labels; there are {}.",
                        file.gold.len()
                    ))
                })?)
            }
        };
        let by_model = matrix.by_model();
        Ok(Self {
            labels: matrix.labels().to_vec(),
            confusions: (by_model.n_judges() <= CONFUSED_MAX).then(|| confusions(&by_model)),
            report: eval(&matrix, &file.gold, options),
            trial,
            gold_without_votes: file.gold_without_votes,
            repeated_votes: file.repeated_votes,
            ordered: query.ordered,
        })
    }
}

/// The votes of the named workers.
fn kept(file: &VoteFile, workers: &[String]) -> Result<VoteMatrix, ApiError> {
    let judges = file.matrix.judges();
    if let Some(unknown) = workers.iter().find(|worker| !judges.iter().any(|judge| judge.name == **worker)) {
        let names: Vec<&str> = judges.iter().take(20).map(|judge| judge.name.as_str()).collect();
        return Err(ApiError::not_found(format!("No vote is by the worker {unknown}.")).action(format!(
            "Workers are {}{}.",
            names.join(", "),
            if judges.len() > 20 { " and others" } else { "" }
        )));
    }
    if workers.is_empty() {
        return Ok(file.matrix.clone());
    }
    Ok(file.matrix.retain_judges(|judge| workers.contains(&judges[judge].name)))
}

fn text(path: &Path) -> Result<String, ApiError> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        ApiError::new(ErrorCode::FileFormat, format!("{} is not UTF-8 text.", path.display()))
            .safe("Nothing was stored.")
            .detail(format!("{}:{line}: not UTF-8", path.display()))
    })
}

fn refused(error: CsvError) -> ApiError {
    ApiError::new(ErrorCode::FileFormat, "The votes cannot be read.")
        .safe("Nothing was stored.")
        .action("Votes have the columns item,worker,label; gold has item,truth.")
        .detail(chain(&error))
}
