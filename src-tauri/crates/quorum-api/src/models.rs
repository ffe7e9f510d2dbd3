//! The model table: what it says, the user's edits, and what the provider announces.

use quorum_core::{
    ids::ModelId,
    models::{
        ModelTable, Parameter, SHIPPED_AS_OF,
        announced::Announced,
        edits::{Edit, EditError, Field, ModelEdits},
    },
};
use quorum_engine::{
    Allowances, announced, change_model_edits, model_edits, model_table, save_announced, table_without_edits,
};

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        model::{self, LearnedAllowance, ModelEdit, ModelField, ModelReset, ModelRow, ModelTaken},
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
                write_usd: row.write_price(),
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

    /// Adds a model that is not shipped, with its prices and whatever else is known of it. One that is in the table is refused:
    /// its values would be overwritten unseen.
    pub fn model_add(&self, model: &str, edits: &[ModelEdit]) -> Result<model::ModelTable, ApiError> {
        let name = model.trim();
        if self.models()?.get(name).is_some() {
            return Err(ApiError::invalid(format!("{name} is in the table already.")).safe("The table is unchanged."));
        }
        self.model_set(name, &read(edits)?)
    }

    /// Takes in edits of one model, all or none. What is planned and sent from now on goes by them; a run keeps the prices that
    /// it was agreed to at.
    pub fn model_set(&self, model: &str, edits: &[Edit]) -> Result<model::ModelTable, ApiError> {
        let model = ModelId::new(model.trim());
        let below = table_without_edits(self.store(), self.address()?.as_str())?;
        change_model_edits(self.store(), |kept| kept.set(&below, &model, edits))??;
        if edits.iter().any(|edit| edit.field() == Field::QueueTokens) {
            Allowances::forget(self.store(), &model)?;
        }
        self.poke();
        self.model_table()
    }

    /// Brings the shipped values of one model back, or of all; a model that the user added goes. Says what it took, so that
    /// [`Quorum::model_restore`] can bring it back.
    pub fn model_reset(&self, model: Option<&str>) -> Result<ModelReset, ApiError> {
        let table = self.models()?;
        let one = model.map(ModelId::from);
        let is_known = one.as_ref().is_none_or(|model| table.get(model.as_str()).is_some());
        let models: Vec<ModelId> = match &one {
            Some(model) => vec![model.clone()],
            None => table.0.into_iter().map(|row| row.model).collect(),
        };
        let mut taken = change_model_edits(self.store(), |edits| {
            let taken: Vec<ModelTaken> = models.iter().map(|model| taken_of(model, edits)).collect();
            for model in &models {
                edits.reset(model);
            }
            if one.is_none() {
                // Edits of models that are shipped no more as well: without prices they are in no table.
                edits.reset_all();
            }
            taken
        })?;
        if !is_known && taken.iter().all(|taken| taken.edits.is_empty()) {
            return Err(ApiError::not_found(format!("There is no model {} in the table.", model.unwrap_or_default())));
        }
        for (model, taken) in models.iter().zip(&mut taken) {
            let learned = Allowances::forget(self.store(), model)?.into_iter();
            taken.learned =
                learned.map(|(provider, tokens)| LearnedAllowance { provider, tokens: tokens.to_string() }).collect();
        }
        taken.retain(|taken| !taken.edits.is_empty() || !taken.learned.is_empty());
        self.poke();
        Ok(ModelReset { table: self.model_table()?, taken })
    }

    /// Brings back what a reset has taken, all or nothing. What was edited or learned since wins.
    pub fn model_restore(&self, taken: &[ModelTaken]) -> Result<model::ModelTable, ApiError> {
        let shipped = table_without_edits(self.store(), self.address()?.as_str())?;
        let mut learned = Vec::new();
        for ModelTaken { model, learned: of_model, .. } in taken {
            for LearnedAllowance { provider, tokens } in of_model {
                let tokens = tokens.parse().map_err(|_| {
                    ApiError::invalid(format!("`{tokens}` is not a number of tokens.")).safe("The table is unchanged.")
                })?;
                learned.push((provider, ModelId::new(model), tokens));
            }
        }
        change_model_edits(self.store(), |kept| -> Result<(), ApiError> {
            let mut edits = kept.clone();
            for ModelTaken { model, edits: former, .. } in taken {
                let model = ModelId::new(model);
                let since = edits.edited(&model);
                let mut back = read(former)?;
                back.retain(|edit| !since.contains(&edit.field()));
                edits.set(&shipped, &model, &back)?;
            }
            *kept = edits;
            Ok(())
        })??;
        for (provider, model, tokens) in learned {
            Allowances::recall(self.store(), provider, &model, tokens)?;
        }
        self.poke();
        self.model_table()
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

fn read(edits: &[ModelEdit]) -> Result<Vec<Edit>, ApiError> {
    edits.iter().map(|edit| Ok(Edit::read(field_of(edit.field), &edit.value)?)).collect()
}

fn taken_of(model: &ModelId, edits: &ModelEdits) -> ModelTaken {
    let edit = |edit: &Edit| ModelEdit { field: shown(edit.field()), value: edit.text() };
    ModelTaken { model: model.to_string(), edits: edits.of(model).iter().map(edit).collect(), learned: Vec::new() }
}

fn field_of(field: ModelField) -> Field {
    match field {
        ModelField::InputUsd => Field::InputUsd,
        ModelField::CachedUsd => Field::CachedUsd,
        ModelField::WriteUsd => Field::WriteUsd,
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
        Field::WriteUsd => ModelField::WriteUsd,
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
