//! Agreement: the weights behind one review's settled values, vote by vote. For pages that explain; not for scans.

use quorum_core::votes::VoteRef;

use crate::{dto::business::Agreement, judgments::Judgments};

/// Of the votes that said relevant and gave this field a valid value: the weight of those that agree with `value`, and of all.
/// `None` without such votes.
pub fn of_field(judgments: &Judgments, position: usize, field: usize, value: u8) -> Option<Agreement> {
    let (known, slot) = (&judgments.schema().fields()[field], judgments.schema().slot(field));
    let decode = |vote: &VoteRef<'_>| known.decode(*vote.codes.get(slot)?);
    sum(judgments, position, |vote| {
        let given = decode(vote).filter(|_| vote.relevant)?;
        Some(given == value)
    })
}

/// The weight of the votes that agree with `relevant`, and of all. `None` without votes.
pub fn of_relevance(judgments: &Judgments, position: usize, relevant: bool) -> Option<Agreement> {
    sum(judgments, position, |vote| Some(vote.relevant == relevant))
}

fn sum(judgments: &Judgments, position: usize, agrees: impl Fn(&VoteRef<'_>) -> Option<bool>) -> Option<Agreement> {
    let (mut agreeing, mut counted) = (0.0, 0.0);
    let row = judgments.row(position);
    for vote in row.iter() {
        let Some(weight) = judgments.panel().weight(row, vote.model, vote.run) else { continue };
        if let Some(agrees) = agrees(&vote) {
            counted += weight;
            agreeing += if agrees { weight } else { 0.0 };
        }
    }
    (counted > 0.0).then(|| Agreement { weight_agreeing: whole(agreeing), weight_counted: whole(counted) })
}

/// A weight as faces get it.
pub fn whole(weight: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "weights are positive and small; `as` saturates"
    )]
    let whole = weight.round() as u32;
    whole
}
