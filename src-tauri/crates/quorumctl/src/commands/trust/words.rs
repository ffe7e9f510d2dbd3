//! Trust results as lines for people.

use quorum_api::{
    dto::trust::{
        EnsembleAdvice, LabelSession, PolicyCertainty, Share, TrustQuestion, TrustReport, ValueQueue,
        VerdictCertainties,
    },
    trust::VoteFiles,
};

use crate::outcome::{count, usd};

pub fn eval(found: &VoteFiles) -> String {
    let report = &found.report;
    let size = |n: usize| count(n as u64);
    let mut lines = vec![format!(
        "{} items, {} judges, {} labels, {} votes, {} gold labels",
        size(report.n_items),
        size(report.n_judges),
        size(report.n_labels),
        size(report.n_votes),
        size(report.n_gold)
    )];
    if found.gold_without_votes > 0 {
        lines.push(format!(
            "{} gold labels are on items without a vote; nothing can be scored on them",
            size(found.gold_without_votes)
        ));
    }
    if found.repeated_votes > 0 {
        lines.push(format!("{} votes repeat a judge's vote on the same item; all count", size(found.repeated_votes)));
    }
    lines.push(String::new());
    for figure in found.figures() {
        lines.push(figure_line(&figure.name, figure.value, &figure.words));
    }
    if let Some(confusions) = &found.confusions {
        let labels: Vec<&str> = found.labels.iter().map(String::as_str).collect();
        for one in confusions {
            let percent = one.agreement.map(|share| 100.0 * share);
            lines.extend(confusion_line(&one.a, &one.b, percent, &labels, &one.counts));
        }
    }
    if !report.aggregators.is_empty() {
        lines.push(String::new());
        lines.push(format!(
            "{:27} {:>8}  {:15} {:>8} {:>10}",
            "aggregator", "accuracy", "95 % interval", "ECE", "ECE scaled"
        ));
        for score in &report.aggregators {
            lines.push(format!(
                "{:27} {:>6.1} %  {:15} {:>6.1} % {:>8.1} %",
                score.name,
                score.accuracy.percent,
                format!("{:.1} to {:.1}", score.accuracy.low_percent, score.accuracy.high_percent),
                score.ece_raw_percent,
                score.ece_calibrated_percent
            ));
        }
        lines.push("Those that learn from gold are scored on labels that they have not seen.".to_owned());
    }
    lines.push(String::new());
    lines.extend(report.recommendation.words.iter().cloned());
    if let Some(trial) = &found.trial {
        lines.push(String::new());
        lines.push(format!(
            "Rehearsal: {} gold labels, {} draws, scored on the other items: what is recommended is right {:.1} %, the best \
             aggregator ({}) {:.1} %, {:.2} points more",
            trial.n_gold,
            trial.draws,
            trial.recommended_percent,
            trial.best.name(),
            trial.recommended_percent + trial.shortfall,
            trial.shortfall
        ));
    }
    lines.join("\n")
}

pub fn report(report: &TrustReport) -> String {
    let mut lines = vec![format!(
        "{} on {}: {} reviews with votes of {}; settled by {}{}; {} gold labels",
        report.query.topic,
        report.query.dataset,
        count(report.reviews.into()),
        report.judges.join(", "),
        report.applied.name,
        if report.applied.kept.is_empty() {
            String::new()
        } else {
            format!(" (weighted majority for {})", report.applied.kept.join(", "))
        },
        report.gold.labelled
    )];
    for question in &report.questions {
        lines.push(String::new());
        lines.extend(question_lines(question));
    }
    if !report.aggregators.is_empty() {
        lines.push(String::new());
        lines.push("Whole reviews, share of questions right:".to_owned());
        lines.extend(report.aggregators.iter().map(|score| score_line(&score.name, &score.accuracy)));
    }
    lines.push(String::new());
    lines.extend(report.recommendation.words.iter().cloned());
    lines.push("What cannot be known:".to_owned());
    lines.extend(report.unknown.iter().map(|words| format!("  {words}")));
    lines.join("\n")
}

fn question_lines(question: &TrustQuestion) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} reviews, {} votes, {} gold labels",
        question.label,
        count(question.reviews.into()),
        count(question.votes.into()),
        question.gold
    )];
    lines.extend(
        question.figures.iter().map(|figure| format!("  {}", figure_line(&figure.name, figure.value, &figure.words))),
    );
    for model in &question.models {
        if let Some(accuracy) = &model.accuracy {
            lines.push(score_line(&model.model, accuracy));
        }
    }
    lines.extend(question.aggregators.iter().map(|score| score_line(&score.name, &score.accuracy)));
    if let Some(learned) = &question.learned {
        lines.push("  learned weights:".to_owned());
        for judge in &learned.judges {
            lines.push(format!(
                "    {:36} {:>5.2} (configured {}), right {:.0} % of the time",
                judge.judge, judge.weight, judge.configured, judge.right_percent
            ));
        }
        let parts: Vec<String> =
            learned.blend.iter().map(|part| format!("{} {:.2}", part.name, part.exponent)).collect();
        lines.push(format!("    in the learned blend: {}", parts.join(", ")));
        lines.push(format!("    {}", learned.words));
    }
    let labels: Vec<&str> = question.values.iter().map(String::as_str).collect();
    for one in &question.confusions {
        let counts: Vec<Vec<u64>> =
            one.counts.iter().map(|row| row.iter().map(|count| u64::from(*count)).collect()).collect();
        lines.extend(confusion_line(&one.a, &one.b, one.agreement_percent, &labels, &counts));
    }
    lines
}

/// How two models' answers meet, and the difference seen most often.
fn confusion_line(a: &str, b: &str, percent: Option<f64>, labels: &[&str], counts: &[Vec<u64>]) -> Option<String> {
    let percent = percent?;
    let cells = counts
        .iter()
        .zip(labels)
        .flat_map(|(row, of_a)| row.iter().zip(labels).map(move |(n, of_b)| (*n, *of_a, *of_b)));
    let most = cells
        .filter(|(n, of_a, of_b)| *n > 0 && of_a != of_b)
        .reduce(|most, one| if one.0 > most.0 { one } else { most });
    let differs = most.map_or_else(String::new, |(n, of_a, of_b)| {
        format!("; most often {a} says {of_a} where {b} says {of_b} ({})", count(n))
    });
    Some(format!("  {a} and {b} say the same {percent:.1} % of the time{differs}"))
}

fn figure_line(name: &str, value: Option<f64>, words: &str) -> String {
    let value = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    format!("{name:38} {value:>6}  {words}")
}

fn score_line(name: &str, accuracy: &Share) -> String {
    format!("  {name:38} {}", interval(accuracy))
}

fn interval(accuracy: &Share) -> String {
    format!(
        "{:.1} % right ({:.1} to {:.1}, {} labels)",
        accuracy.percent, accuracy.low_percent, accuracy.high_percent, accuracy.n
    )
}

pub fn session(session: &LabelSession) -> String {
    let Some(draw) = session.draw else { return "no sample was drawn yet; `trust sample` draws one".to_owned() };
    let mut lines = vec![format!("sample {draw}: {} of {} reviews labelled", session.labelled, session.total)];
    match &session.next {
        None => lines.push("the sample is done; `trust report` says what it shows".to_owned()),
        Some(task) => {
            let date = task.date.as_deref().map(|date| format!(", {date}")).unwrap_or_default();
            lines.push(format!("\nreview {} ({}{date})\n{}\n", task.review_id, task.business, task.text));
            lines.push("not-relevant, or relevant and:".to_owned());
            for field in &session.fields {
                let values: Vec<&str> = field.values.iter().map(|value| value.id.as_str()).collect();
                lines.push(format!("  {}={}", field.field, values.join("|")));
            }
        }
    }
    lines.join("\n")
}

pub fn certainties(found: &VerdictCertainties) -> String {
    let mut lines = Vec::new();
    for policy in &found.policies {
        lines.extend(policy_lines(policy));
        lines.push(String::new());
    }
    lines.push(format!("Settled by {}.", found.applied.name));
    lines.extend(found.words.iter().cloned());
    lines.join("\n")
}

fn policy_lines(policy: &PolicyCertainty) -> Vec<String> {
    let mut lines =
        vec![format!("{}: about {:.1} verdicts are expected to be wrong", policy.policy, policy.expected_wrong)];
    for row in &policy.counts {
        lines.push(format!(
            "  {:24} {:>5} stated, {:.1} expected ({} to {})",
            row.verdict, row.stated, row.expected, row.low, row.high
        ));
    }
    for business in policy.businesses.iter().take(5).filter(|business| business.probability < 0.995) {
        let flips: Vec<String> = (business.flips.iter())
            .map(|flip| format!("review {} ({:.0} %)", flip.review_id, 100.0 * flip.chance))
            .collect();
        let error = business.standard_error.map(|error| format!(" ± {:.2}", 1.96 * error)).unwrap_or_default();
        lines.push(format!(
            "  {}: {} with {:.0} %{error}{}",
            business.name,
            business.verdict,
            100.0 * business.probability,
            if flips.is_empty() { String::new() } else { format!("; could flip it: {}", flips.join(", ")) }
        ));
    }
    lines
}

pub fn queue(queue: &ValueQueue) -> String {
    let mut lines = vec![queue.words.clone()];
    for entry in &queue.entries {
        lines.push(format!(
            "  {:.3} verdicts  review {} of {} ({})",
            entry.expected_changes, entry.position, entry.business, entry.review_id
        ));
    }
    lines.join("\n")
}

pub fn advice(advice: &EnsembleAdvice) -> String {
    let money = |amount: Option<f64>| amount.map_or_else(|| "cost unknown".to_owned(), usd);
    let mut lines = Vec::new();
    for run in &advice.runs {
        lines.push(format!("{:24} {:>12}  {}", run.judge, money(run.usd), run.words));
    }
    if advice.alternatives.len() > 1 {
        lines.push(String::new());
        lines.push("With fewer votes a review:".to_owned());
    }
    for one in advice.alternatives.iter().skip(1) {
        let accuracy = one.accuracy.as_ref().map(|share| format!(", {}", interval(share))).unwrap_or_default();
        lines.push(format!(
            "  {} votes, {:>12}: {:.1} % of answers the same{accuracy}  ({})",
            one.judges.len(),
            money(one.usd),
            one.same_percent,
            one.judges.join(", ")
        ));
    }
    lines.push(String::new());
    lines.extend(advice.words.iter().cloned());
    lines.join("\n")
}
