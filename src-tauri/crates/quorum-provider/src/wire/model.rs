//! A model that the account may use.

use serde::Deserialize;

use crate::lenient;
use crate::wire::Identified;

/// One entry of `GET /models`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Model {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// The day on which the model stops answering, `YYYY-MM-DD`, where the provider names one.
    #[serde(default, deserialize_with = "lenient::text")]
    pub shutdown_date: Option<String>,
}

impl Identified for Model {
    fn id(&self) -> &str {
        &self.id
    }
}
