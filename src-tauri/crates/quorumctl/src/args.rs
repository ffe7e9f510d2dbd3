//! The command line as `clap` reads it. The names are an interface: scripts rely on them.

mod trust;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use quorum_api::Address;
use quorum_core::{
    ensemble::Ensemble,
    models::edits::{Edit, Field},
};
use quorum_sim::Speed;

pub use trust::{Relevance, Trust, TrustAbout};

#[derive(Debug, Parser)]
#[command(name = "quorumctl", version, about = "Turns reviews into audited ground truth, without a window.")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Debug)]
pub struct Global {
    /// Data directory [default: the app's own].
    #[arg(long, global = true, value_name = "DIR", env = "QUORUM_DATA", hide_env = true)]
    pub data: Option<PathBuf>,
    /// Where requests go: sandbox, openai or a base address [default: the settings' provider].
    #[arg(long, global = true, value_name = "sandbox|URL", value_parser = address)]
    pub provider: Option<String>,
    /// Print exactly one JSON object.
    #[arg(long, global = true)]
    pub json: bool,
    /// Keep every call and request of the sandbox beside its state, as tests read them.
    #[arg(long, global = true, hide = true)]
    pub sandbox_evidence: bool,
    /// No progress on stderr.
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Say more on stderr; twice for debugging.
    #[arg(short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole pipeline on bundled reviews in the sandbox.
    Demo {
        /// Where data and results go.
        #[arg(long, value_name = "DIR", default_value = "quorum-demo")]
        out: PathBuf,
    },
    /// Import and list datasets.
    #[command(subcommand)]
    Dataset(Dataset),
    /// Look at topics, check and add catalogs.
    #[command(subcommand)]
    Catalog(Catalog),
    /// Prices, limits, parameters and shutdown dates of models, with your edits over the shipped values.
    #[command(subcommand)]
    Models(Models),
    /// Estimate what is missing and what it costs. Sends nothing.
    Plan(Wish),
    /// Get the missing votes.
    Extract {
        #[command(flatten)]
        wish: Wish,
        /// Most that this run, of one topic, may cost; nothing is sent beyond it. Agrees to as much above today's budget. Every
        /// model needs a price.
        #[arg(long, value_name = "USD", value_parser = dollars, allow_negative_numbers = true)]
        budget: Option<f64>,
        /// Agree to the price.
        #[arg(long)]
        yes: bool,
        /// Wait until the run is done, or that many seconds.
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
        wait: Option<Option<u64>>,
        /// How requests are sent: as batches at half price, or one by one at once at the full price.
        #[arg(long, value_enum, default_value_t = Mode::Batch)]
        mode: Mode,
        /// Ask each model that is new to the topic four requests first [default: only where it costs money].
        #[arg(long, overrides_with = "no_canary")]
        canary: bool,
        /// Send everything without a trial.
        #[arg(long)]
        no_canary: bool,
    },
    /// Look once at the provider, or until nothing is live. Says which runs stand still and what to do; waiting then ends with
    /// status 1, or 3 when all of them only wait for a larger budget.
    Poll {
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
        wait: Option<Option<u64>>,
    },
    /// What the runs are doing, from the store alone.
    Status {
        #[arg(value_name = "RUN")]
        manifest: Option<u32>,
    },
    /// What was charged by day and model, and each run beside its estimate.
    Costs,
    /// Ask a run's failed requests again.
    Retry {
        #[arg(value_name = "RUN")]
        manifest: u32,
        /// One by one at once, at the full price, instead of as a batch.
        #[arg(long)]
        ondemand: bool,
        /// Only the batches that the provider does not know or whose results are gone: they may be paid for a second time.
        #[arg(long)]
        missing: bool,
        /// Agree to the price, where it costs money.
        #[arg(long)]
        yes: bool,
        /// Agree to as much above today's budget.
        #[arg(long, value_name = "USD", value_parser = dollars, allow_negative_numbers = true)]
        consent: Option<f64>,
    },
    /// Send no more of a run; what is at the provider goes on.
    Pause {
        #[arg(value_name = "RUN")]
        manifest: u32,
    },
    /// Go on with a paused run; a budget or a failed trial that stopped it is lifted.
    Resume {
        #[arg(value_name = "RUN")]
        manifest: u32,
        /// Agree to as much above today's budget.
        #[arg(long, value_name = "USD", value_parser = dollars, allow_negative_numbers = true)]
        consent: Option<f64>,
    },
    /// Give a run up, or all; answers that came are kept.
    Cancel {
        #[arg(value_name = "RUN", required_unless_present = "all")]
        manifest: Option<u32>,
        /// Every run that is not finished.
        #[arg(long, conflicts_with = "manifest")]
        all: bool,
    },
    /// Votes as files, and how far a topic is answered.
    #[command(subcommand)]
    Votes(Votes),
    /// Corrections of what the votes settled to.
    #[command(subcommand)]
    Override(Override),
    /// Verdicts and ground-truth files.
    Verdicts {
        #[arg(long, value_name = "NAME")]
        dataset: String,
        /// Policy ids, or `all`.
        #[arg(long, value_name = "P[,P…]", value_delimiter = ',', required_unless_present = "topic")]
        policy: Vec<String>,
        /// All policies of these topics.
        #[arg(long, value_name = "T[,T…]", value_delimiter = ',')]
        topic: Vec<String>,
        /// Reviews of each business; several with commas.
        #[arg(long, value_name = "K[,K…]", value_delimiter = ',', required = true, value_parser = k)]
        k: Vec<u32>,
        /// Write ground-truth files here.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Also use reviews that lack some of their votes.
        #[arg(long)]
        partial: bool,
        /// Weigh votes by this ensemble instead of the run's own.
        #[arg(long, value_name = "m:runs[:weight],…", value_parser = models)]
        models: Option<String>,
    },
    /// How far votes can be trusted, and what makes them better.
    #[command(subcommand)]
    Trust(Trust),
    /// The API key in the OS keyring, one for each provider. QUORUM_API_KEY stands in for that of --provider, else of the settings'
    /// provider, else of the only one that runs were ever started at, and of no other.
    #[command(subcommand)]
    Key(Key),
    /// The simulated provider as a server.
    Sandbox {
        #[arg(long, default_value_t = 0)]
        port: u16,
        #[arg(long, value_name = "FILE")]
        scenario: Option<PathBuf>,
        /// `instant`, or how many times faster than the world.
        #[arg(long, default_value = "instant", value_parser = speed, allow_negative_numbers = true)]
        speed: Speed,
    },
    /// A consistent copy of the store.
    Backup { file: PathBuf },
    /// Put a backup in the store's place; the present store is kept beside it.
    Restore { file: PathBuf },
    /// Check store, keyring, notifications, network and disk.
    Doctor,
    /// Make work of any size from a seed, and time Quorum on it.
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Args, Debug)]
pub struct Wish {
    #[arg(long, value_name = "NAME")]
    pub dataset: String,
    #[arg(long, value_name = "TOPIC")]
    pub topic: String,
    /// Reviews of each business, the first K in the dataset's order.
    #[arg(long, value_parser = k, allow_negative_numbers = true)]
    pub k: u32,
    /// The ensemble; `new=old:runs` is a model in the place of another [default: gpt-5-mini:1:2,gpt-5-nano:3:1].
    #[arg(long, value_name = "m:runs[:weight],…", value_parser = models)]
    pub models: Option<String>,
    /// Ask NEW for what OLD has not answered; OLD's votes stay and count in its place.
    #[arg(long, value_name = "OLD=NEW", value_parser = field_value)]
    pub replace: Vec<(String, String)>,
}

/// A topic on a dataset at one K, as it is answered now.
#[derive(Args, Debug)]
pub struct Query {
    #[arg(long, value_name = "NAME")]
    pub dataset: String,
    #[arg(long, value_name = "TOPIC")]
    pub topic: String,
    /// Reviews of each business, the first K in the dataset's order.
    #[arg(long, value_parser = k, allow_negative_numbers = true)]
    pub k: u32,
    /// The ensemble [default: the one that the topic was last asked with].
    #[arg(long, value_name = "m:runs[:weight],…", value_parser = models)]
    pub models: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Batch,
    Ondemand,
}

#[derive(Debug, Subcommand)]
pub enum Dataset {
    Import {
        file: PathBuf,
        /// The dataset's name [default: the file's].
        #[arg(long)]
        name: Option<String>,
    },
    List,
    /// Put a dataset out of sight. Its reviews and votes stay, and for 30 days it can be put back.
    Remove {
        name: String,
    },
    /// Put a removed or replaced dataset back.
    Restore {
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Models {
    List,
    /// Edit fields of a model, or add one with its prices: input_usd, cached_usd, write_usd (to the prompt cache), output_usd (US
    /// dollars per million tokens, standard price), shutdown_date, reasoning_tokens, queue_tokens, parameters.
    Set {
        model: String,
        #[arg(required = true, value_name = "FIELD=VALUE", value_parser = model_edit)]
        edits: Vec<Edit>,
    },
    /// Bring the shipped values back; a model that you added goes.
    Reset {
        #[arg(required_unless_present = "all")]
        model: Option<String>,
        /// Every model.
        #[arg(long, conflicts_with = "model")]
        all: bool,
    },
    /// Ask the provider which models it has and when they are shut down. Costs nothing.
    Ask,
}

#[derive(Debug, Subcommand)]
pub enum Catalog {
    List,
    Show {
        topic: String,
    },
    /// Check a folder of terms and policies, or the catalog in force.
    Check {
        dir: Option<PathBuf>,
    },
    /// Put a folder of terms and policies on top of the built-in catalog.
    Add {
        dir: PathBuf,
    },
    /// Which votes become stale with a folder's catalog, or are stale now, and what asking again costs. Changes nothing.
    Impact {
        dir: Option<PathBuf>,
        #[arg(long, value_name = "NAME")]
        dataset: String,
    },
    /// Take added files out again: those at or below a path, or all.
    Remove {
        path: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Votes {
    /// Take the votes of a vote cache (`policy_cache.json`); a file that ends early gives its whole votes.
    Import {
        file: PathBuf,
        /// Take votes that do not say which terms they answer for answers to the present ones.
        #[arg(long)]
        assume_current: bool,
    },
    /// Write a topic's votes as a vote cache.
    Export { topic: String, file: PathBuf },
    /// Complete reviews, missing votes by model, abstentions, failures.
    Stats(Query),
    /// Which reviews miss which (model, run), and why.
    Missing(Query),
}

#[derive(Debug, Subcommand)]
pub enum Override {
    /// Take the corrections of a file.
    Import { file: PathBuf },
    /// Write the corrections that hold.
    Export { file: PathBuf },
    /// Correct fields of a review; `is_relevant` takes `true` and `false`.
    Set {
        topic: String,
        review: String,
        #[arg(required = true, value_name = "FIELD=VALUE", value_parser = field_value)]
        corrected: Vec<(String, String)>,
        /// Why, for whoever reads it later.
        #[arg(long)]
        reason: String,
    },
    /// The corrections that hold.
    List {
        /// Also everything that was ever set and undone.
        #[arg(long)]
        trail: bool,
    },
    /// Undo a correction; the trail keeps it.
    Undo {
        id: u32,
        /// Why, for whoever reads it later.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// Checked here, so that a mistake is wrong usage and nothing was opened for it.
fn speed(text: &str) -> Result<Speed, String> {
    match text {
        "instant" => Ok(Speed::Instant),
        times => match times.parse::<f64>() {
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Speed::Times(times)),
            _ => Err("`instant` or a number above 0".to_owned()),
        },
    }
}

fn topics(text: &str) -> Result<usize, String> {
    let all = quorum_catalog::builtin().topics().len();
    text.parse().ok().filter(|topics| (1..=all).contains(topics)).ok_or_else(|| format!("a number from 1 to {all}"))
}

fn address(text: &str) -> Result<String, String> {
    Address::read(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn models(text: &str) -> Result<String, String> {
    Ensemble::read(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn dollars(text: &str) -> Result<f64, String> {
    let amount = text.parse().ok().filter(|amount: &f64| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| "a budget is an amount in dollars, 0 or more".to_owned())
}

fn k(text: &str) -> Result<u32, String> {
    let k = text.parse().ok().filter(|k| *k > 0);
    k.ok_or_else(|| "K is how many reviews of each business are used, a whole number from 1 on".to_owned())
}

fn field_value(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("expected it as LEFT=RIGHT")?;
    Ok((field.to_owned(), value.to_owned()))
}

fn model_edit(text: &str) -> Result<Edit, String> {
    let (field, value) = field_value(text)?;
    Field::read(&field).and_then(|field| Edit::read(field, &value)).map_err(|error| error.to_string())
}

#[derive(Debug, Subcommand)]
pub enum Bench {
    /// A dataset, a store with everything planned, and a provider's output files.
    Generate {
        #[arg(long, default_value_t = 18, value_parser = topics, allow_negative_numbers = true)]
        topics: usize,
        #[arg(long, default_value_t = 18_440, value_parser = value_parser!(u32).range(1..), allow_negative_numbers = true)]
        reviews: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// What is in it of an earlier call is replaced.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// A data directory to open the app on: the published run, every vote of it stored, in the sandbox.
    Stock {
        #[arg(long, default_value_t = 18, value_parser = topics, allow_negative_numbers = true)]
        topics: usize,
        #[arg(long, default_value_t = 18_440, value_parser = value_parser!(u32).range(1..), allow_negative_numbers = true)]
        reviews: u32,
        /// Reviews of each business.
        #[arg(long, value_name = "N", default_value_t = 185, value_parser = value_parser!(u32).range(1..), allow_negative_numbers = true)]
        of_each: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The data directory; it may have data already.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Read the output files and count their lines: the limit of one core.
    Read { dir: PathBuf },
    /// From the output files to durable votes.
    Ingest { dir: PathBuf },
    /// Missing votes, tokens and bytes of everything.
    Plan { dir: PathBuf },
    /// Stream every input file into a pipe, and the same bytes without making them.
    Upload { dir: PathBuf },
    /// Every policy at four K, and one policy under other weights, on what was ingested.
    Verdicts { dir: PathBuf },
    /// The pages that the learned blend stands behind, the first time and again.
    Trust { dir: PathBuf },
    /// Nanoseconds of the innermost loops, on data of their own.
    Micro,
}

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Reads the key from stdin.
    Set,
    Clear,
    Status,
}
