//! The model table: what it says, the user's edits, and what the provider announces.

use quorum_core::{
    ids::ModelId,
    models::{
        ModelTable, Parameter, SHIPPED_AS_OF,
        announced::Announced,
        edits::{Edit, EditError, Field},
    },
};
use quorum_engine::{
    Allowances, announced, model_edits, model_table, save_announced, save_model_edits, table_without_edits,
};

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        model::{self, ModelField, ModelRow},
    },
};

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        Self::invalid(format!("{error}.")).safe("The table is unchanged.")
    }
}

impl Quorum {
    /// Prices, limits, parameters and shutdown dates as everything uses them now.
    pub fn models(&self) -> Result<ModelTable, ApiError> {
        Ok(model_table(self.store(), self.address()?.as_str())?)
    }

    /// The same for a person, with what is edited, learned and announced.
    pub fn model_table(&self) -> Result<model::ModelTable, ApiError> {
        let address = self.address()?;
        let (shipped, edits) = (table_without_edits(self.store(), address.as_str())?, model_edits(self.store())?);
        let announced = announced(self.store(), address.as_str())?;
        let allowances = Allowances::load(self.store())?;
        let rows = edits.over(&shipped).0.into_iter().map(|row| {
            let edited = edits.edited(&row.model);
            let is_announced = announced.as_ref().is_some_and(|said| said.day(&row.model).is_some());
            #[expect(clippy::cast_precision_loss, reason = "an allowance is at most a million million")]
            let queue_tokens = allowances.known(address.as_str(), &row.model).map(|tokens| tokens as f64);
            ModelRow {
                own: shipped.get(row.model.as_str()).is_none(),
                listed: announced.as_ref().and_then(|said| said.lists(&row.model)),
                shutdown_announced: is_announced && !edited.contains(&Field::ShutdownDate),
                queue_learned: allowances.learned(address.as_str(), &row.model).is_some(),
                model: row.model.to_string(),
                input_usd: row.input_usd,
                cached_usd: row.cached_usd,
                output_usd: row.output_usd,
                shutdown_date: row.shutdown_date,
                reasoning_tokens: row.reasoning_tokens,
                queue_tokens,
                parameters: row.parameters.iter().map(|parameter| parameter.name().to_owned()).collect(),
                edited: edited.into_iter().map(shown).collect(),
            }
        });
        Ok(model::ModelTable {
            models: rows.collect(),
            shipped_as_of: SHIPPED_AS_OF.to_owned(),
            asked_at: announced.as_ref().map(|said| said.at),
        })
    }

    /// Takes in one field as a person wrote it.
    pub fn model_edit(&self, model: &str, field: ModelField, value: &str) -> Result<model::ModelTable, ApiError> {
        self.model_set(model, &[Edit::read(field_of(field), value)?])
    }

    /// Takes in edits of one model, all or none. What is planned and sent from now on goes by them; a run keeps the prices that
    /// it was agreed to at.
    pub fn model_set(&self, model: &str, edits: &[Edit]) -> Result<model::ModelTable, ApiError> {
        let model = ModelId::new(model.trim());
        let mut kept = model_edits(self.store())?;
        kept.set(&table_without_edits(self.store(), self.address()?.as_str())?, &model, edits)?;
        save_model_edits(self.store(), &kept)?;
        if edits.iter().any(|edit| edit.field() == Field::QueueTokens) {
            self.forget_learned(&model)?;
        }
        self.poke();
        self.model_table()
    }

    /// Brings the shipped values of one model back, or of all; a model that the user added goes.
    pub fn model_reset(&self, model: Option<&str>) -> Result<model::ModelTable, ApiError> {
        let mut edits = model_edits(self.store())?;
        match model.map(ModelId::from) {
            Some(model) => {
                let is_known = self.models()?.get(model.as_str()).is_some();
                if !edits.reset(&model) && !is_known {
                    return Err(ApiError::not_found(format!("There is no model {model} in the table.")));
                }
                self.forget_learned(&model)?;
            }
            None => {
                for row in self.models()?.0 {
                    self.forget_learned(&row.model)?;
                }
                edits.reset_all();
            }
        }
        save_model_edits(self.store(), &edits)?;
        self.poke();
        self.model_table()
    }

    fn forget_learned(&self, model: &ModelId) -> Result<(), ApiError> {
        let mut allowances = Allowances::load(self.store())?;
        if allowances.forget(model) {
            allowances.save(self.store())?;
        }
        Ok(())
    }

    /// Asks the provider which models it has and when they are shut down; costs nothing.
    pub async fn models_ask(&self) -> Result<model::ModelTable, ApiError> {
        self.models_ask_of(self.address()?.as_str()).await?;
        self.model_table()
    }

    pub(crate) async fn models_ask_of(&self, provider: &str) -> Result<(), ApiError> {
        let listed = self.inner.connections.connect(provider.to_owned()).await?.list_models().await?;
        self.note_models(provider, listed)
    }

    /// Keeps what a provider said of its models.
    pub(crate) fn note_models(
        &self,
        provider: &str,
        listed: Vec<quorum_provider::wire::Model>,
    ) -> Result<(), ApiError> {
        let models = listed.into_iter().map(|model| (ModelId::new(model.id), model.shutdown_date));
        Ok(save_announced(self.store(), provider, Announced::new(self.now(), models))?)
    }
}

fn field_of(field: ModelField) -> Field {
    match field {
        ModelField::InputUsd => Field::InputUsd,
        ModelField::CachedUsd => Field::CachedUsd,
        ModelField::OutputUsd => Field::OutputUsd,
        ModelField::ShutdownDate => Field::ShutdownDate,
        ModelField::ReasoningTokens => Field::ReasoningTokens,
        ModelField::QueueTokens => Field::QueueTokens,
        ModelField::Parameters => Field::Parameters,
    }
}

fn shown(field: Field) -> ModelField {
    match field {
        Field::InputUsd => ModelField::InputUsd,
        Field::CachedUsd => ModelField::CachedUsd,
        Field::OutputUsd => ModelField::OutputUsd,
        Field::ShutdownDate => ModelField::ShutdownDate,
        Field::ReasoningTokens => ModelField::ReasoningTokens,
        Field::QueueTokens => ModelField::QueueTokens,
        Field::Parameters => ModelField::Parameters,
    }
}

/// Whether requests of Quorum can be sent to a model at all.
pub(crate) fn takes_schema(table: &ModelTable, model: &ModelId) -> bool {
    table.get(model.as_str()).is_none_or(|row| row.parameters.contains(&Parameter::JsonSchema))
}
