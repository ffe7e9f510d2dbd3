//! Counts and money in the sentences that Quorum says: one spelling for the activity, notifications, warnings and errors.
//!
//! Deliberately not here: the person's locale. Only the window knows that, and writes the figures that it is given as numbers in
//! its own way (`ui/src/lib/format.ts`); a sentence that is stored has to read the same wherever it is read.

/// `18440` → `18,440`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 request`, `18,440 requests`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// `$3.32`; more than nothing and less than a cent is `under $0.01`, so that only what is free says $0.00.
pub fn usd(amount: f64) -> String {
    if amount > 0.0 && amount < 0.01 {
        return "under $0.01".to_owned();
    }
    let cents = format!("{:.2}", amount.max(0.0));
    let (dollars, rest) = cents.split_once('.').unwrap_or((&cents, "00"));
    format!("${}.{rest}", dollars.parse().map_or_else(|_| dollars.to_owned(), grouped))
}

/// An estimate within a sentence: `about $3.32`, `under $0.01`.
pub fn about_usd(amount: f64) -> String {
    if amount > 0.0 && amount < 0.01 { usd(amount) } else { format!("about {}", usd(amount)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_threes() {
        assert_eq!(
            [0, 999, 1_000, 1_327_680, 4_294_967_296].map(grouped),
            ["0", "999", "1,000", "1,327,680", "4,294,967,296"]
        );
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!(
            [0, 1, 18_440].map(|n| counted(n, "request", "requests")),
            ["0 requests", "1 request", "18,440 requests"]
        );
    }

    #[test]
    fn what_costs_something_is_never_said_to_be_free() {
        assert_eq!(
            [0.0, 0.000_1, 0.009_99, 0.01, 3.321, 1_234.5].map(usd),
            ["$0.00", "under $0.01", "under $0.01", "$0.01", "$3.32", "$1,234.50"]
        );
        assert_eq!([0.004, 3.32].map(about_usd), ["under $0.01", "about $3.32"]);
    }
}
