//! What is to be known before a plan is agreed to: models that end, prices that nobody knows, a budget that is too small.

use quorum_core::{
    ensemble::Ensemble,
    ids::ModelId,
    manifest::Mode,
    models::{ModelTable, Shutdown},
    topic::Topic,
    words::{counted, grouped, usd},
};
use quorum_engine::{Draft, announced, crumbs};
use quorum_store::DatasetView;

use crate::{
    Quorum, Wish,
    dto::{
        error::ApiError,
        plan::{Estimate, PlanWarning, PlanWarningCode},
    },
    models::takes_schema,
};

impl Quorum {
    /// What is to be known of an ensemble's models before they are asked.
    pub fn model_warnings(&self, ensemble: &Ensemble, models: &ModelTable) -> Result<Vec<PlanWarning>, ApiError> {
        let mut warnings = Vec::new();
        let mut warn = |code, model: &ModelId, message: String| {
            warnings.push(PlanWarning { code, message, model: Some(model.to_string()) });
        };
        let said = announced(self.store(), self.address()?.as_str())?.unwrap_or_default();
        let today = self.today();
        for member in ensemble.members() {
            let Some(model) = models.get(member.model.as_str()) else {
                warn(
                    PlanWarningCode::PriceUnknown,
                    &member.model,
                    format!("No price is known for {}: the cost leaves it out.", member.model),
                );
                continue;
            };
            if !takes_schema(models, &member.model) {
                warn(
                    PlanWarningCode::NoSchema,
                    &member.model,
                    format!("{} takes no answer schema by the model table, so it cannot be asked.", member.model),
                );
            }
            if said.lists(&member.model) == Some(false) {
                warn(
                    PlanWarningCode::ModelNotListed,
                    &member.model,
                    format!("The provider does not list {}: it may refuse it.", member.model),
                );
            }
            let date = model.shutdown_date.as_deref().unwrap_or_default();
            match model.shutdown(today) {
                Shutdown::None => {}
                Shutdown::Soon { days } => warn(
                    PlanWarningCode::ModelShutsDown,
                    &member.model,
                    format!(
                        "{} shuts down on {date}, {}. Votes that you have stay valid.",
                        member.model,
                        if days == 0 {
                            "today".to_owned()
                        } else {
                            format!("in {}", counted(days.unsigned_abs().into(), "day", "days"))
                        }
                    ),
                ),
                Shutdown::Past => warn(
                    PlanWarningCode::ModelShutDown,
                    &member.model,
                    format!("{} was shut down on {date} and cannot be asked any more.", member.model),
                ),
            }
        }
        Ok(warnings)
    }

    /// Queue allowances that would cut a draft into more batches than anyone means.
    pub fn queue_warnings(&self, wish: &Wish, draft: &Draft, topic: &Topic) -> Result<Vec<PlanWarning>, ApiError> {
        if wish.mode == Mode::OnDemand {
            return Ok(Vec::new());
        }
        let crumbs = self.with_request(topic, wish, |request| Ok(crumbs(draft, request.limits)))?;
        let warn = |(model, parts): (ModelId, u64)| PlanWarning {
            code: PlanWarningCode::QueueAllowance,
            message: format!(
                "By the queue allowance in the model table, {model} takes this in about {}, one after another. \
                 Nothing is sent before you agree to that or correct it.",
                counted(parts, "batch", "batches")
            ),
            model: Some(model.to_string()),
        };
        Ok(crumbs.into_iter().map(warn).collect())
    }

    pub(crate) fn warnings(
        &self,
        wish: &Wish,
        dataset: &DatasetView,
        estimate: &Estimate,
        models: &ModelTable,
    ) -> Result<Vec<PlanWarning>, ApiError> {
        let mut warnings = self.model_warnings(&wish.ensemble, models)?;
        let mut warn = |code, message| warnings.push(PlanWarning { code, message, model: None });
        if let Some(left) = self.left_today_usd(self.realm()?)?.filter(|left| estimate.usd > *left) {
            let message = format!("The plan is {} above what is left of today's budget.", usd(estimate.usd - left));
            warn(PlanWarningCode::OverBudget, message);
        }
        let few = dataset.businesses.iter().filter(|business| business.reviews.len() < wish.k as usize).count();
        if few > 0 {
            let message = format!(
                "{} of {} {} fewer than {}.",
                grouped(few as u64),
                counted(dataset.businesses.len() as u64, "business", "businesses"),
                if few == 1 { "has" } else { "have" },
                counted(wish.k.into(), "review", "reviews")
            );
            warn(PlanWarningCode::FewReviews, message);
        }
        Ok(warnings)
    }
}
