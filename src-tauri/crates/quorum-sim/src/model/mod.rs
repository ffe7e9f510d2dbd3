//! The simulated models: what they are called, which parameters they take, and how they answer a review.
//!
//! They read the prompt as a real model would, from its text. Nothing here knows how Quorum renders it.

pub(crate) mod completion;
pub(crate) mod form;
pub(crate) mod judge;
pub(crate) mod lexicon;
pub(crate) mod ordered;
pub(crate) mod parameters;
pub(crate) mod roster;
