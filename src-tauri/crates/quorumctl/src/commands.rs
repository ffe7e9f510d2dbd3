//! One noun a file; each command turns arguments into a call and its result into one JSON object or lines for people.

mod bench;
mod catalog;
mod costs;
mod dataset;
mod demo;
mod extract;
mod health;
mod impact;
mod key;
mod models;
mod overrides;
mod plan;
mod runs;
mod sandbox;
mod trust;
mod verdicts;
mod votes;

use quorum_api::{Address, OpenOptions, Quorum, default_data_dir, trust::VoteFilesQuery};

use crate::{
    args::{Cli, Command, Global, Trust},
    outcome::{Exit, Output},
};

/// Why a command could not be carried out; its words go to stderr.
pub type Failure = quorum_api::dto::error::ApiError;

pub async fn run(cli: Cli) -> Result<Exit, Failure> {
    let output = Output { json: cli.global.json, quiet: cli.global.quiet };
    let open = || open(&cli.global);
    match cli.command {
        Command::Demo { out } => demo::run(&cli.global, output, &out).await,
        Command::Sandbox { port, scenario, speed } => {
            sandbox::serve(&cli.global, port, scenario.as_deref(), speed).await
        }
        Command::Restore { file } => health::restore(&data_dir(&cli.global)?, output, &file),
        Command::Dataset(command) => dataset::run(&open()?, output, &command),
        Command::Catalog(command) => catalog::run(&open()?, output, &command),
        Command::Models(command) => models::run(&open()?, output, command).await,
        Command::Plan(wish) => plan::run(&open()?, output, &wish),
        Command::Extract { wish, budget, yes, wait, mode, canary, no_canary } => {
            let canary = (canary || no_canary).then_some(canary);
            let terms = extract::Terms { budget, yes, wait, mode, canary };
            extract::run(&open()?, output, &wish, terms).await
        }
        Command::Poll { wait } => runs::poll(&open()?, output, wait).await,
        Command::Costs => costs::run(&open()?, output),
        Command::Status { manifest } => runs::status(&open()?, output, manifest),
        Command::Retry { manifest, ondemand, missing, yes, consent } => {
            let again = runs::Again { manifest, ondemand, missing, yes, consent };
            runs::retry(&open()?, output, again).await
        }
        Command::Pause { manifest } => runs::pause(&open()?, output, manifest),
        Command::Resume { manifest, consent } => runs::resume(&open()?, output, manifest, consent).await,
        Command::Cancel { manifest, .. } => runs::cancel(&open()?, output, manifest).await,
        Command::Votes(command) => votes::run(&open()?, output, &command),
        Command::Override(command) => overrides::run(&open()?, output, &command),
        Command::Verdicts { dataset, policy, topic, k, out, partial, models } => {
            let request = verdicts::Request { dataset, policy, topic, k, out, partial, models };
            verdicts::run(&open()?, output, request)
        }
        Command::Trust(Trust::Eval { file, gold, ordered, workers, workers_alone, trial, labels, draws, seed }) => {
            let trial = trial.then_some((labels, draws));
            let query = VoteFilesQuery { votes: file, gold, workers_alone, ordered, workers, trial, seed };
            trust::eval(output, &query)
        }
        Command::Trust(command) => trust::run(&open()?, output, command),
        Command::Key(command) => key::run(open()?, output, &command).await,
        Command::Backup { file } => health::backup(&open()?, output, &file),
        Command::Doctor => health::doctor(&data_dir(&cli.global)?, open, output).await,
        Command::Bench(command) => bench::run(output, command).await,
    }
}

fn data_dir(global: &Global) -> Result<std::path::PathBuf, Failure> {
    global.data.clone().map_or_else(default_data_dir, Ok)
}

fn open(global: &Global) -> Result<Quorum, Failure> {
    let mut options = OpenOptions::new(data_dir(global)?);
    options.sandbox_evidence = global.sandbox_evidence;
    options.provider = global.provider.as_deref().map(Address::read).transpose()?;
    Quorum::open(options)
}
