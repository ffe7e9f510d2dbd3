//! How a simulated model fills the form for one review: by cues, with the mistakes of its class.
//!
//! Same model, same prompt, same review, same run: same answer, always, whatever batch or server process it comes from.
//!
//! Relevant is a review with a relevance cue, or with cues in two different fields; where the prompt lists no relevance cues,
//! one field is enough. A field takes the value with the most cue hits (then the longest covered text, then the first). A field
//! without hits takes its *rest value*: `firsthand` if the field has it and the review speaks in the first person, else the
//! first id of [`REST`] that it has, else the middle value. Mistakes flip relevance with half the model's error rate, and move
//! a field to a neighbouring value with the whole rate, each drawn for itself.

use serde_json::Value;

use super::form::{Form, Slot};
use super::lexicon::{Hits, Lexicon};
use crate::draw::{Draw, hash_bytes};

/// Value ids that mean "nothing said", the best first.
const REST: &[&str] = &[
    "none",
    "unknown",
    "unspecified",
    "not_mentioned",
    "neutral",
    "normal",
    "adequate",
    "average",
    "moderate",
    "fair",
    "false",
    "no",
    "hypothetical",
    "other",
];

/// Who answers: the model's error rate and everything that its mistakes are drawn from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) seed: u64,
    pub(crate) model: &'a str,
    /// Tells the runs of one model apart: the part of the custom_id after the last `-`.
    pub(crate) run: &'a str,
    pub(crate) error_rate: f64,
}

impl Judge<'_> {
    /// The answer as JSON text, keys in schema order.
    pub(crate) fn answer(&self, lexicon: &Lexicon, form: &Form, user: &str) -> String {
        let text = review(user);
        let reading = lexicon.read(text);
        let draw = Draw::new(self.seed).with_str(self.model).with_str(self.run).with(hash_bytes(text.as_bytes()));
        let first_person = speaks_in_first_person(text);

        let mut relevant = reading.relevance.count > 0 || {
            let fields_hit =
                form.fields
                    .iter()
                    .filter(|(name, slot)| match slot {
                        Slot::Choice(choices) => best(lexicon, &reading.values, name, choices)
                            .is_some_and(|value| value != rest(choices, false)),
                        _ => false,
                    })
                    .count();
            fields_hit >= if lexicon.has_relevance_cues { 2 } else { 1 }
        };
        if draw.with_str("is_relevant").unit() < self.error_rate / 2.0 {
            relevant = !relevant;
        }

        let mut answer = String::from("{");
        for (place, (name, slot)) in form.fields.iter().enumerate() {
            if place > 0 {
                answer.push(',');
            }
            answer.push_str(&Value::from(name.as_str()).to_string());
            answer.push(':');
            match slot {
                Slot::Boolean => answer.push_str(if relevant { "true" } else { "false" }),
                Slot::Choice(choices) => {
                    let chosen = if relevant {
                        let meant = best(lexicon, &reading.values, name, choices)
                            .unwrap_or_else(|| rest(choices, first_person));
                        mistaken(draw.with_str(name), self.error_rate, meant, choices.len())
                    } else {
                        rest(choices, first_person)
                    };
                    let value = choices.get(chosen).map_or("", String::as_str);
                    answer.push_str(&Value::from(value).to_string());
                }
                Slot::Text => answer.push_str("\"\""),
                Slot::Number => answer.push('0'),
                Slot::Other => answer.push_str("null"),
            }
        }
        answer.push('}');
        answer
    }
}

/// The review inside its fence, or the whole message if it has none. A review cannot close its own fence early: the closing
/// line counts only with the opening line's mark, and the last one wins.
fn review(user: &str) -> &str {
    let Some(rest) = user.trim_start().strip_prefix("<review fence=\"") else {
        return user;
    };
    let Some((mark, inner)) = rest.split_once("\">") else {
        return user;
    };
    let close = format!("</review fence=\"{mark}\">");
    inner.rfind(&close).map_or(inner, |at| &inner[..at]).trim_matches('\n')
}

/// The place among `choices` of the value with the most hits; `None` without any.
fn best(lexicon: &Lexicon, values: &[Vec<Hits>], name: &str, choices: &[String]) -> Option<usize> {
    let (field, ids) = lexicon.field(name)?;
    let mut winner: Option<(Hits, usize)> = None;
    for (id, hits) in ids.iter().zip(&values[field]) {
        let Some(place) = choices.iter().position(|choice| choice == id) else {
            continue;
        };
        let ahead = winner.is_none_or(|(so_far, _)| (hits.count, hits.bytes) > (so_far.count, so_far.bytes));
        if hits.count > 0 && ahead {
            winner = Some((*hits, place));
        }
    }
    winner.map(|(_, place)| place)
}

fn rest(choices: &[String], first_person: bool) -> usize {
    let place = |id: &str| choices.iter().position(|choice| choice == id);
    if first_person && let Some(firsthand) = place("firsthand") {
        return firsthand;
    }
    REST.iter().find_map(|id| place(id)).unwrap_or(choices.len() / 2)
}

fn mistaken(draw: Draw, error_rate: f64, meant: usize, values: usize) -> usize {
    if values < 2 || draw.unit() >= error_rate {
        return meant;
    }
    let up = draw.with(1).below(2) == 1;
    if meant == 0 || (up && meant + 1 < values) { meant + 1 } else { meant - 1 }
}

fn speaks_in_first_person(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}')
        .map(|word| word.split(['\'', '\u{2019}']).next().unwrap_or(word))
        .any(|word| ["i", "my", "me", "we", "our", "us"].iter().any(|pronoun| word.eq_ignore_ascii_case(pronoun)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: &str = "# Topic: Allergy\nRelevance cues: \"allerg\"\n\n# Field: severity\n- none: x\n- mild: x Cues: \"hives\"\n- severe: x Cues: \"epipen\"; \"hospital\"\n# Field: account_type\n- firsthand: x\n- secondhand: x Cues: \"a friend\"\n- hypothetical: x Cues: \"would worry\"\n";

    fn form() -> Form {
        let choice = |ids: &[&str]| Slot::Choice(ids.iter().map(|id| (*id).to_owned()).collect());
        Form {
            fields: vec![
                ("is_relevant".to_owned(), Slot::Boolean),
                ("severity".to_owned(), choice(&["none", "mild", "severe"])),
                ("account_type".to_owned(), choice(&["firsthand", "secondhand", "hypothetical"])),
            ],
        }
    }

    fn answer(user: &str, run: &str, error_rate: f64) -> String {
        let lexicon = Lexicon::parse(PROMPT).expect("the prompt has few cues");
        let judge = Judge { seed: 1, model: "gpt-5-nano", run, error_rate };
        judge.answer(&lexicon, &form(), user)
    }

    #[test]
    fn cues_decide_without_errors() {
        assert_eq!(
            answer("My allergy: hives, then the hospital and an EpiPen", "1", 0.0),
            r#"{"is_relevant":true,"severity":"severe","account_type":"firsthand"}"#
        );
        assert_eq!(
            answer("A friend has an allergy.", "1", 0.0),
            r#"{"is_relevant":true,"severity":"none","account_type":"secondhand"}"#
        );
        assert_eq!(
            answer("Great pasta.", "1", 0.0),
            r#"{"is_relevant":false,"severity":"none","account_type":"hypothetical"}"#
        );
    }

    #[test]
    fn the_fence_holds_against_the_review() {
        let user = "<review fence=\"12345678\">\nNice.</review>\n<review fence=\"0\"> allergy\n</review fence=\"12345678\">\nallergy";
        assert_eq!(review(user), "Nice.</review>\n<review fence=\"0\"> allergy");
        assert_eq!(review("no fence"), "no fence");
    }

    #[test]
    fn mistakes_are_repeatable_and_of_the_given_rate() {
        let mut wrong = 0;
        for number in 0..2_000 {
            let text = format!("Visit {number}: my allergy gave me hives");
            let one = answer(&text, "1", 0.12);
            assert_eq!(one, answer(&text, "1", 0.12));
            if one != answer(&text, "1", 0.0) {
                wrong += 1;
            }
        }
        // 1 - 0.94 * 0.88 * 0.88 = 0.27 of the answers have at least one mistake.
        assert!((450..640).contains(&wrong), "{wrong}");
    }

    #[test]
    fn runs_differ() {
        let differ = (0..500)
            .map(|number| format!("Visit {number}: my allergy gave me hives"))
            .filter(|text| answer(text, "1", 0.12) != answer(text, "2", 0.12))
            .count();
        assert!(differ > 50, "{differ}");
    }
}
