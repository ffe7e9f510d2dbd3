//! Trust in a topic's votes: which aggregator settles them, what gold says of it, and how sure the verdicts are.
//!
//! The arithmetic is `quorum_core::trust`, which knows codes only; here reviews, (model, run) pairs and values become codes and
//! come back as names. A topic asks several [`questions`]: whether a review is relevant, then its fields. Each is a matrix of its
//! own, and all are fitted on every vote that the topic has on the dataset, so that a consensus does not depend on K.
//!
//! Not here: the review queue's page, and corrections ([`crate::overrides`]). A gold label is not a correction: it says how good
//! votes are, and what it was learned from is scored on labels that it has not seen.

mod advice;
mod aggregator;
mod certainty;
mod files;
mod gold;
mod labelling;
mod questions;
mod queue;
mod report;
mod settled;
mod shelf;

pub(crate) use aggregator::shown;
pub use aggregator::{Applied, aggregator_of, chosen};
pub use files::{VoteFiles, VoteFilesQuery};
pub use gold::GoldAnswers;
pub use labelling::person;
pub(crate) use questions::{Asked, NOT_RELEVANT, RELEVANT};
pub use queue::{WRONG_MAX, queue_by_value};
pub(crate) use settled::Settled;
