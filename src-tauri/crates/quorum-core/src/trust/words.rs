//! Figures in plain words, and what cannot be known.
//!
//! Deliberately not here: any arithmetic; every figure comes from the module that computes it.

use serde::Serialize;

use super::dependence::{EffectiveVotes, Reference};
use super::evaluate::AgreementReport;
use super::matrix::VoteMatrix;
use super::recommend::{Evidence, GOLD_MIN, Recommendation};

/// A figure with what it says in plain words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    pub name: String,
    /// `None`: the votes do not define it, and the words say why.
    pub value: Option<f64>,
    pub words: String,
}

/// Every figure of an agreement report, each with its own words.
pub fn figures(report: &AgreementReport, is_ordinal: bool) -> Vec<Figure> {
    let figure = |name: &str, value: Option<f64>, words: String| Figure { name: name.to_owned(), value, words };
    let chance = |value: Option<f64>| match value {
        Some(value) => format!("{}; 1 is full agreement, 0 is what shuffled votes would show", alpha_band(value)),
        None if report.pairwise.is_some() => "cannot be known: all votes give the same answer".to_owned(),
        None => "cannot be known: nothing has two votes".to_owned(),
    };
    let mut figures = vec![
        figure(
            "pairwise agreement",
            report.pairwise,
            report.pairwise.map_or_else(
                || "cannot be known: nothing has two votes".to_owned(),
                |share| format!("two votes on the same thing agree {:.0} times out of 100", 100.0 * share),
            ),
        ),
        figure("Krippendorff's alpha", report.alpha_nominal, chance(report.alpha_nominal)),
    ];
    if is_ordinal {
        let words = format!("{}; a near miss counts less than a far one", chance(report.alpha_ordinal));
        figures.push(figure("Krippendorff's alpha, ordinal", report.alpha_ordinal, words));
    }
    figures.push(figure("Fleiss' kappa", report.fleiss_kappa, chance(report.fleiss_kappa)));
    figures.push(match &report.effective_votes {
        Some(votes) => figure(
            "effective number of independent votes",
            Some(votes.effective),
            format!(
                "{:.1} votes are worth about {:.1}, {}",
                votes.votes_per_item,
                votes.effective,
                held_against(votes)
            ),
        ),
        None => figure(
            "effective number of independent votes",
            None,
            "cannot be known: too few votes meet, or none of them errs".to_owned(),
        ),
    });
    for model in &report.consistency {
        let words = match model.agreement {
            Some(share) => format!(
                "repeats its own answer {:.0} times out of 100 over {} runs; that is not accuracy",
                100.0 * share,
                model.n_runs
            ),
            None => "cannot be known: its runs never meet".to_owned(),
        };
        figures.push(figure(&format!("self-consistency of {}", model.model), model.agreement, words));
    }
    figures
}

fn held_against(votes: &EffectiveVotes) -> &'static str {
    match votes.reference {
        Reference::Gold => "since judges err on the same items as gold labels show",
        Reference::OtherJudges => {
            "held against the other judges: a rough guide, since mistakes that all share cannot be seen without gold labels"
        }
    }
}

/// Sentences about agreement.
pub fn agreement(matrix: &VoteMatrix, report: &AgreementReport) -> Vec<String> {
    let mut words = Vec::new();
    if matrix.n_votes() == 0 {
        return vec!["There are no votes, so nothing can be said.".to_owned()];
    }
    let voted = (0..matrix.n_items()).filter(|&item| matrix.n_votes_of_item(item) > 0);
    let single = voted.clone().filter(|&item| matrix.n_votes_of_item(item) == 1).count();
    let without = matrix.n_items() - voted.count();
    if without > 0 {
        words.push(format!("{without} items have no vote; they are left out."));
    }
    if single > 0 {
        words.push(format!("{single} items have a single vote; they say nothing about agreement."));
    }
    match report.pairwise {
        Some(share) => words.push(format!("Two votes on the same item agree {:.0} times out of 100.", 100.0 * share)),
        None => words.push("No item has two votes, so agreement between judges cannot be known.".to_owned()),
    }
    match report.alpha_nominal {
        Some(alpha) => words.push(format!("Krippendorff's alpha is {alpha:.2}: {}.", alpha_band(alpha))),
        None if report.pairwise.is_some() => {
            words.push("All votes give the same label, so agreement beyond chance cannot be known.".to_owned())
        }
        None => {}
    }
    match &report.effective_votes {
        Some(votes) => words.push(format!(
            "{:.1} votes an item are worth about {:.1} independent ones, since judges err on the \
             same items (held against {}).",
            votes.votes_per_item,
            votes.effective,
            match votes.reference {
                Reference::Gold => "gold labels",
                Reference::OtherJudges => "the other judges, a rough guide without gold",
            }
        )),
        None => words.push(
            "How many independent votes these are worth cannot be known: too few votes meet, or \
             none of them errs."
                .to_owned(),
        ),
    }
    for model in &report.consistency {
        if let Some(agreement) = model.agreement {
            words.push(format!(
                "{} repeats its own answer {:.0} times out of 100 over {} runs.",
                model.model,
                100.0 * agreement,
                model.n_runs
            ));
        }
    }
    words
}

/// Krippendorff 2004 (Content Analysis, 2nd edition, p. 241): 0.8 to rely on, 0.667 for tentative
/// conclusions.
fn alpha_band(alpha: f64) -> &'static str {
    match alpha {
        a if a >= 0.8 => "high enough to rely on",
        a if a >= 0.667 => "enough for tentative conclusions",
        a if a > 0.05 => "low, single votes say little and only many together may be relied on",
        a if a > -0.05 => "no better than chance",
        _ => "below chance, some judges contradict the others systematically",
    }
}

/// Sentences about the recommendation.
pub fn recommendation(recommendation: &Recommendation) -> Vec<String> {
    let name = recommendation.aggregator.name();
    let n_gold = recommendation.n_gold;
    let mut words = Vec::new();
    let chosen =
        recommendation.comparisons.iter().find(|comparison| comparison.aggregator == recommendation.aggregator);
    words.push(match (recommendation.evidence, chosen) {
        (Evidence::TooThin, _) => format!(
            "Keep weighted majority: {n_gold} gold labels are too thin to choose by; label at least {GOLD_MIN}."
        ),
        (Evidence::Clear, Some(chosen)) => format!(
            "Use the {name}: on {n_gold} gold labels it is right {:.1} points more often than weighted majority \
             (95 % interval {:+.1} to {:+.1}).",
            chosen.difference, chosen.low, chosen.high
        ),
        (Evidence::Thin, Some(chosen)) => format!(
            "Use the {name}. The evidence is thin: on {n_gold} gold labels it differs from weighted majority by \
             {:+.1} points (95 % interval {:+.1} to {:+.1}), which chance can explain; more labels would tell.",
            chosen.difference, chosen.low, chosen.high
        ),
        (_, None) => format!("Keep weighted majority: on {n_gold} gold labels what is learned from them does worse."),
    });
    if recommendation.evidence == Evidence::TooThin {
        return words;
    }
    for comparison in &recommendation.comparisons {
        if comparison.aggregator == recommendation.aggregator || comparison.evidence() != Evidence::Clear {
            continue;
        }
        words.push(format!(
            "{} {} here: {:+.1} points against weighted majority (95 % interval {:+.1} to {:+.1}).",
            capitalised(comparison.aggregator.name()),
            if comparison.difference < 0.0 { "loses" } else { "wins" },
            comparison.difference,
            comparison.low,
            comparison.high
        ));
    }
    words
}

fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
