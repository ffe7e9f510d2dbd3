//! Today's budget: what may be sent on one day without saying so. It holds for whatever sends more: a new run, what is asked
//! again, a run that goes on.
//!
//! Not here: a run's own budget, which the loop keeps (quorum-engine).

use std::collections::BTreeSet;

use quorum_core::{manifest::Realm, words};

use crate::{
    Quorum,
    dto::error::{ApiError, ErrorCode},
};

/// What sums may differ by for the order that they are added in.
const ROUNDING: f64 = 1e-9;

impl Quorum {
    /// What is left of today's budget beside what is charged and what live runs will still be; `None`: there is no budget, or the
    /// money is the sandbox's.
    pub(crate) fn left_today_usd(&self, realm: Realm) -> Result<Option<f64>, ApiError> {
        let budget = self.stored_settings()?.settings.budget_day_usd.filter(|_| realm == Realm::Live);
        budget.map(|budget| Ok(budget - self.spent_today_usd()? - self.outstanding_usd()?)).transpose()
    }

    /// Refuses what costs more than is left today, unless the user agreed to the sum; `counted` of it counts as outstanding already.
    /// Goes by what is stored, so whoever asks holds `planning` until what was asked for is stored, too: two at a time would both
    /// find room.
    pub(crate) fn refuse_above_today(
        &self,
        realm: Realm,
        usd: f64,
        counted: f64,
        agreed: Option<f64>,
    ) -> Result<(), ApiError> {
        let Some(left) = self.left_today_usd(realm)? else { return Ok(()) };
        within(usd, (left + counted).max(0.0), agreed)
    }

    /// A budget is kept by prices: over a model without one it would hold nothing.
    pub(crate) fn refuse_unpriced_today<'a>(
        &self,
        realm: Realm,
        models: impl IntoIterator<Item = impl AsRef<str> + 'a>,
    ) -> Result<(), ApiError> {
        if self.left_today_usd(realm)?.is_none() {
            return Ok(());
        }
        let table = self.models()?;
        let named = models.into_iter().map(|model| model.as_ref().to_owned());
        refuse_unpriced(named.filter(|model| table.get(model).is_none()).collect())
    }
}

/// The models that are to be asked and have no price.
pub(crate) fn refuse_unpriced(models: BTreeSet<String>) -> Result<(), ApiError> {
    if models.is_empty() {
        return Ok(());
    }
    let named = models.into_iter().collect::<Vec<_>>().join(", ");
    Err(ApiError::new(
        ErrorCode::BudgetExceeded,
        format!("No price is known for {named}, so no budget can be kept with it."),
    )
    .safe("Nothing was sent.")
    .action("Give its prices in the model table, choose another model, or do without a budget."))
}

fn within(usd: f64, left: f64, agreed: Option<f64>) -> Result<(), ApiError> {
    let holds = |sum: f64| usd <= sum * (1.0 + ROUNDING);
    if usd <= 0.0 || holds(left) || agreed.is_some_and(holds) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::BudgetExceeded,
        format!("This costs {}, and {} is left of today's budget.", words::about_usd(usd), words::usd(left)),
    )
    .safe("Nothing was sent.")
    .action("Agree to the sum, ask for less, or raise today's budget in Settings."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_today_takes_an_agreement_to_the_whole_sum() {
        assert_eq!(within(1.0, 1.0, None), Ok(()));
        assert_eq!(within(0.1 + 0.2, 0.3, None), Ok(()), "a matter of rounding");
        assert_eq!(within(0.0, 0.0, None), Ok(()), "what is free is never above it");
        assert_eq!(within(1.5, 1.0, Some(1.5)), Ok(()));
        for agreed in [None, Some(1.0), Some(1.49)] {
            let refused = within(1.5, 1.0, agreed).expect_err("above it");
            assert_eq!(refused.code, ErrorCode::BudgetExceeded);
            assert!(refused.message.contains("$1.50") && refused.message.contains("$1.00 is left"), "{refused}");
        }
    }
}
