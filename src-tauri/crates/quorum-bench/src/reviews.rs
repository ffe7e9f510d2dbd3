//! A dataset of invented reviews: lengths, escapes and letters as real ones have them, meaning as no review has.

use std::io::{self, Write};

use crate::draws::Draws;

/// Reviews of a business: the published run had 18,440 of 100 businesses.
pub const REVIEWS_A_BUSINESS: u32 = 200;

/// Characters of a text: about log-normal, mean 550, cut at 5,000.
const LENGTH_LOG_MEAN: f64 = 5.97;
const LENGTH_LOG_DEVIATION: f64 = 0.82;
const LENGTH_MIN: f64 = 20.0;
const LENGTH_MAX: f64 = 5_000.0;

const WORDS: &[&str] = &[
    "the",
    "a",
    "and",
    "was",
    "it",
    "we",
    "to",
    "of",
    "I",
    "in",
    "for",
    "is",
    "with",
    "they",
    "my",
    "our",
    "very",
    "so",
    "food",
    "service",
    "place",
    "waiter",
    "table",
    "ordered",
    "peanut",
    "allergy",
    "reaction",
    "sauce",
    "kitchen",
    "told",
    "asked",
    "manager",
    "gluten",
    "menu",
    "chicken",
    "noodles",
    "fried",
    "rice",
    "wonderful",
    "terrible",
    "waited",
    "minutes",
    "friendly",
    "dirty",
    "bathroom",
    "price",
    "worth",
    "again",
    "never",
    "always",
    "birthday",
    "romantic",
    "loud",
    "quiet",
    "crowded",
    "staff",
    "rude",
    "kind",
    "delicious",
    "cold",
    "hot",
    "fresh",
    "stale",
    "jalapeño",
    "café",
    "crème",
    "brûlée",
    "don't",
    "wasn't",
    "couldn't",
    "they're",
    "recommend",
    "parking",
    "downtown",
    "husband",
    "kids",
    "dessert",
    "server",
    "attentive",
    "hospital",
    "epinephrine",
    "carefully",
    "ingredients",
    "experience",
];

/// Writes reviews as a dataset, one business a line with so many of them.
pub fn write(out: &mut impl Write, seed: u64, reviews: u32, reviews_a_business: u32) -> io::Result<()> {
    let mut text = String::new();
    for (business, first) in (0_u32..).zip((0..reviews).step_by(reviews_a_business as usize)) {
        let mut draws = Draws::new(seed, u64::from(business));
        let cuisine = ["Thai", "Italian", "Diners", "Vietnamese", "Burgers"][draws.index(5)];
        write!(
            out,
            "{{\"business_id\":\"b{business:08}\",\"business\":{{\"business_id\":\"b{business:08}\",\
             \"name\":\"Place {business}\",\"categories\":\"{cuisine}, Restaurants\"}},\"reviews\":["
        )?;
        for review in first..(first + reviews_a_business).min(reviews) {
            text.clear();
            prose(&mut text, &mut draws);
            let (stars, useful) = (1 + draws.below(5), draws.below(9));
            let (year, month, day) = (2012 + draws.below(10), 1 + draws.below(12), 1 + draws.below(28));
            let comma = if review == first { "" } else { "," };
            write!(
                out,
                "{comma}{{\"review_id\":\"{:022x}\",\"stars\":{stars}.0,\"useful\":{useful},\
                 \"date\":\"{year}-{month:02}-{day:02} 19:02:50\",\"text\":",
                u128::from(review) | u128::from(seed & 0xff_ffff) << 64
            )?;
            serde_json::to_writer(&mut *out, &text)?;
            out.write_all(b"}")?;
        }
        out.write_all(b"]}\n")?;
    }
    Ok(())
}

/// One text.
pub fn text(draws: &mut Draws) -> String {
    let mut text = String::new();
    prose(&mut text, draws);
    text
}

/// A text of a drawn length, with line breaks and quotes here and there.
fn prose(out: &mut String, draws: &mut Draws) {
    let length = (LENGTH_LOG_MEAN + LENGTH_LOG_DEVIATION * draws.normal()).exp().clamp(LENGTH_MIN, LENGTH_MAX);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small range")]
    let length = length as usize;
    while out.len() < length {
        let word = WORDS[draws.index(WORDS.len())];
        match draws.below(60) {
            0 => {
                out.push_str(word);
                out.push_str("\n\n");
            }
            1 => {
                out.push('"');
                out.push_str(word);
                out.push_str("\" ");
            }
            2..=6 => {
                out.push_str(word);
                out.push_str(". ");
            }
            7..=10 => {
                out.push_str(word);
                out.push_str(", ");
            }
            _ => {
                out.push_str(word);
                out.push(' ');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quorum_core::dataset::{DatasetReader, Line};

    use super::*;

    #[test]
    fn reviews_read_as_a_dataset_and_have_real_lengths() {
        let mut file = Vec::new();
        write(&mut file, 3, 4_001, REVIEWS_A_BUSINESS).expect("memory takes everything");
        let (mut reviews, mut bytes, mut longest) = (0, 0, 0);
        for line in DatasetReader::new(file.as_slice()) {
            let Line::Business(business, problems) = line.expect("readable") else { panic!("a problem line") };
            assert!(problems.is_empty());
            for review in business.reviews {
                reviews += 1;
                bytes += review.text.len();
                longest = longest.max(review.text.len());
            }
        }
        let mean = bytes / reviews;
        assert_eq!(reviews, 4_001);
        assert!((500..=600).contains(&mean), "mean {mean}");
        assert!((3_000..=5_100).contains(&longest), "longest {longest}");
    }
}
