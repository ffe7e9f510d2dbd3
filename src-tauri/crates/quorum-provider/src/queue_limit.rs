//! Learns an account's queue allowance from the words in which the provider refuses a batch.
//!
//! The one place that reads English: the figure is in no field. A text that is not understood gives
//! nothing, and the caller falls back on the code alone.

/// How much may be enqueued for one model at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueAllowance {
    /// Prompt tokens.
    Tokens(u64),
    Requests(u64),
}

/// A queue allowance that the provider named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueLimit {
    /// The model, where the text names it.
    pub model: Option<String>,
    pub allowance: QueueAllowance,
}

/// Reads "Enqueued token limit reached for M in organization O. Limit: N enqueued tokens.", its form for requests, and
/// Azure's "The number of enqueued tokens has surpassed the configured limit of N for the deployment D".
///
/// Sources: openai-python issue 2084; community.openai.com topic 1002388; Azure's batch documentation.
pub fn queue_limit(message: &str) -> Option<QueueLimit> {
    openai(message).or_else(|| azure(message))
}

fn openai(message: &str) -> Option<QueueLimit> {
    let (kind, rest) = after(message, "Enqueued ")?.split_once(" limit reached")?;
    let figure = leading_number(after(rest, "Limit:")?)?;
    let allowance = match kind {
        "token" => QueueAllowance::Tokens(figure),
        "request" => QueueAllowance::Requests(figure),
        _ => return None,
    };
    let model = rest
        .strip_prefix(" for ")
        .and_then(|rest| rest.split_whitespace().next())
        .map(|name| name.trim_end_matches(['.', ',']))
        .filter(|name| !name.is_empty());
    Some(QueueLimit { model: model.map(str::to_owned), allowance })
}

fn azure(message: &str) -> Option<QueueLimit> {
    let (kind, rest) = after(message, "number of enqueued ")?.split_once(" has surpassed")?;
    let rest = after(rest, "configured limit of ")?;
    let figure = leading_number(rest)?;
    let allowance = match kind {
        "tokens" => QueueAllowance::Tokens(figure),
        "requests" => QueueAllowance::Requests(figure),
        _ => return None,
    };
    let model = after(rest, "for the deployment")
        .map(|name| name.trim_start_matches([' ', ':', '\'', '"']))
        .and_then(|name| name.split_whitespace().next())
        .map(|name| name.trim_end_matches(['.', ',', '\'', '"']))
        .filter(|name| !name.is_empty());
    Some(QueueLimit { model: model.map(str::to_owned), allowance })
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.find(mark).map(|at| &text[at + mark.len()..])
}

/// "2,000,000", "30K", "1.5M", "15B", with anything behind it.
fn leading_number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.').unwrap_or(text.len());
    let digits = text[..end].trim_end_matches(['.', ',']).replace(',', "");
    let scale: u64 = match text[end..].chars().next() {
        Some('K' | 'k') => 1_000,
        Some('M' | 'm') => 1_000_000,
        Some('B' | 'b') => 1_000_000_000,
        _ => 1,
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut figure = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let mut unit = scale;
    for digit in fraction.chars() {
        unit /= 10;
        figure = figure.checked_add(u64::from(digit.to_digit(10)?) * unit)?;
    }
    Some(figure)
}

#[cfg(test)]
mod tests {
    use super::{QueueAllowance, QueueLimit, queue_limit};

    fn check(message: &str, expected: Option<(Option<&str>, QueueAllowance)>) {
        let expected = expected.map(|(model, allowance)| QueueLimit { model: model.map(str::to_owned), allowance });
        assert_eq!(queue_limit(message), expected, "{message}");
    }

    #[test]
    fn reads_every_known_wording() {
        use QueueAllowance::{Requests, Tokens};
        check(
            "Enqueued token limit reached for gpt-4o-mini in organization org-X. Limit: 2,000,000 enqueued tokens. \
             Please try again once some in_progress batches have been completed.",
            Some((Some("gpt-4o-mini"), Tokens(2_000_000))),
        );
        check(
            "Enqueued request limit reached for text-embedding-3-small in organization org-X. Limit: 1,000,000 \
             enqueued requests. Please try again once some in_progress batches have been completed.",
            Some((Some("text-embedding-3-small"), Requests(1_000_000))),
        );
        check(
            "The number of enqueued tokens has surpassed the configured limit of 30K for the deployment...",
            Some((None, Tokens(30_000))),
        );
        check(
            "The number of enqueued tokens has surpassed the configured limit of 1.5M for the deployment 'mini-eu'.",
            Some((Some("mini-eu"), Tokens(1_500_000))),
        );
        check(
            "Enqueued token limit reached for m. Limit: 15B enqueued tokens.",
            Some((Some("m"), Tokens(15_000_000_000))),
        );
    }

    #[test]
    fn does_not_guess() {
        check("", None);
        check("Rate limit reached for gpt-5-mini. Limit: 500 / min.", None);
        check("Enqueued token limit reached for gpt-5 in organization org-X.", None);
        check("Enqueued token limit reached for gpt-5. Limit: none", None);
        check("Enqueued token limit reached for gpt-5. Limit: 99999999999999999999 tokens", None);
        check("Enqueued tea limit reached for gpt-5. Limit: 3", None);
    }
}
