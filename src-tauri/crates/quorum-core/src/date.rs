//! Calendar dates, as far as recency needs them: read, compared, subtracted. No clock and no time zones.

use serde::{Deserialize, Serialize};

/// A day of the proleptic Gregorian calendar, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(i32);

/// Days in a year for an age in years (`domain.md`: whole days ÷ 365.25).
const DAYS_A_YEAR: f64 = 365.25;

impl Date {
    /// The date of a text that starts with `YYYY-MM-DD`; what follows (a time of day) must not be a digit.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = text.trim_start().as_bytes();
        let number = |from: usize, to: usize| {
            bytes
                .get(from..to)?
                .iter()
                .try_fold(0_i32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0')))
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let dashes = bytes[4] == b'-' && bytes[7] == b'-';
        let ends = bytes.get(10).is_none_or(|next| !next.is_ascii_digit());
        (dashes && ends && (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day))
            .then(|| Self::from_civil(year, month, day))
    }

    /// Days since the epoch. Formula: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), `days_from_civil`.
    fn from_civil(year: i32, month: i32, day: i32) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self(era * 146_097 + day_of_era - 719_468)
    }

    pub fn from_epoch_days(days: i32) -> Self {
        Self(days)
    }

    pub fn epoch_days(self) -> i32 {
        self.0
    }

    /// Age at `reference` in years: whole days ÷ 365.25; negative for dates after it.
    pub fn age_years(self, reference: Date) -> f64 {
        f64::from(reference.0 - self.0) / DAYS_A_YEAR
    }
}

fn month_days(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn reads_dates_with_and_without_a_time() {
        assert_eq!(Date::read("1970-01-01").map(Date::epoch_days), Some(0));
        assert_eq!(Date::read("2022-01-01 10:00:00").map(Date::epoch_days), Some(18_993));
        assert_eq!(Date::read("2000-02-29T00:00").map(Date::epoch_days), Some(11_016));
        assert_eq!(Date::read("1969-12-31").map(Date::epoch_days), Some(-1));
        for odd in ["", "2021", "2021-13-01", "2021-02-29", "2021-00-10", "2021-01-011", "yesterday", "20210-1-01"] {
            assert_eq!(Date::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn ages_count_whole_days() {
        let reference = Date::read("2022-01-01").expect("date");
        let age = Date::read("2020-01-01 23:59:59").expect("date").age_years(reference);
        assert_eq!(age, 731.0 / 365.25);
        assert!(Date::read("2022-06-01").expect("date").age_years(reference) < 0.0);
    }
}
