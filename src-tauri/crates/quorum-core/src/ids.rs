//! Names of things, as types: a topic can never be passed where a review is meant.
//!
//! Not here: the numbers that the store gives to names (`ReviewNo`, `ModelNo`); they live in [`crate::votes`].

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! name_type {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.to_owned())
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

name_type! {
    /// A dataset's name, chosen by the user.
    DatasetName,
    BusinessId,
    ReviewId,
    /// For example `G1_allergy`.
    TopicId,
    /// For example `G1_allergy_V0`.
    PolicyId,
    /// A model's name at the provider, for example `gpt-5-mini`.
    ModelId,
    /// First 16 hex digits of the SHA-256 of a schema's canonical JSON (`domain.md`, Formats).
    TermHash,
}

impl TopicId {
    /// The group, `G1` of `G1_allergy`; empty when the id has no underscore.
    pub fn group(&self) -> &str {
        self.0.split_once('_').map_or("", |(group, _)| group)
    }

    /// The domain, `allergy` of `G1_allergy`; the whole id when it has no underscore.
    pub fn domain(&self) -> &str {
        self.0.split_once('_').map_or(self.as_str(), |(_, domain)| domain)
    }
}

#[cfg(test)]
mod tests {
    use super::TopicId;

    #[test]
    fn a_topic_id_splits_at_its_first_underscore() {
        let topic = TopicId::from("G3_price_worth");
        assert_eq!((topic.group(), topic.domain()), ("G3", "price_worth"));
        assert_eq!((TopicId::from("odd").group(), TopicId::from("odd").domain()), ("", "odd"));
    }
}
