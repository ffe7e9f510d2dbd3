//! Ensembles as forms have them, and the models to choose from.

use quorum_core::{
    ensemble::{Ensemble, Member},
    ids::ModelId,
    models::BATCH_PRICE_SHARE,
};

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        plan::{EnsembleMember, EnsemblePreset, Mode, ModelList, ModelPrice},
    },
};

/// An ensemble from what a form or flag said.
pub fn ensemble_of(members: &[EnsembleMember]) -> Result<Ensemble, ApiError> {
    let members = members
        .iter()
        .map(|member| {
            Ok(Member {
                model: ModelId::new(member.model.trim()),
                runs: u8::try_from(member.runs)
                    .map_err(|_| ApiError::invalid(format!("{} has too many runs.", member.model)))?,
                weight: f64::from(member.weight),
                replaces: member.replaces.iter().map(|model| ModelId::new(model.trim())).collect(),
            })
        })
        .collect::<Result<_, ApiError>>()?;
    Ensemble::new(members).map_err(|error| ApiError::invalid("The ensemble cannot be used.").detail(error.to_string()))
}

pub(crate) fn members_of(ensemble: &Ensemble) -> Vec<EnsembleMember> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "weights are small and positive; `as` saturates"
    )]
    let weight = |weight: f64| weight.round() as u32;
    ensemble
        .members()
        .iter()
        .map(|member| EnsembleMember {
            model: member.model.to_string(),
            runs: u32::from(member.runs),
            weight: weight(member.weight),
            replaces: member.replaces.iter().map(ToString::to_string).collect(),
        })
        .collect()
}

impl Quorum {
    /// Models with their prices, and the ready-made ensembles.
    pub fn model_list(&self) -> Result<ModelList, ApiError> {
        let models = self
            .models()?
            .0
            .into_iter()
            .map(|model| ModelPrice {
                model: model.model.to_string(),
                input_usd: model.input_usd * BATCH_PRICE_SHARE,
                output_usd: model.output_usd * BATCH_PRICE_SHARE,
                shutdown_date: model.shutdown_date,
            })
            .collect();
        let preset =
            |name: &str, ensemble: &Ensemble| EnsemblePreset { name: name.to_owned(), members: members_of(ensemble) };
        Ok(ModelList {
            models,
            ensembles: vec![
                preset("Default", &Ensemble::standard()),
                preset("High quality", &Ensemble::high_quality()),
            ],
            modes: vec![Mode::Batch, Mode::OnDemand],
        })
    }
}
