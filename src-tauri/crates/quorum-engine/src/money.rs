//! What batches cost and may still cost, by the prices that their manifest was planned with.

use quorum_core::{
    ids::ModelId,
    manifest::{Batch, Manifest, Price, Realm},
    models::{BATCH_PRICE_SHARE, Usage, WRITE_FACTOR},
    words,
};

/// A dollar is a million of what prices are per.
const TOKENS_PER_PRICE: f64 = 1e6;

/// What part of the standard price a batch's requests cost.
fn price_share(at_once: bool) -> f64 {
    if at_once { 1.0 } else { BATCH_PRICE_SHARE }
}

/// What a batch is expected to cost.
pub fn expected(manifest: &Manifest, batch: &Batch) -> f64 {
    let Some(price) = price(manifest, &batch.model) else { return 0.0 };
    #[expect(clippy::cast_precision_loss, reason = "token sums stay far below 2^53")]
    let input = batch.tokens as f64;
    let output = f64::from(batch.requests) * price.output_tokens;
    (input * price.input_usd + output * price.output_usd) / TOKENS_PER_PRICE * price_share(batch.at_once)
}

/// What the next `requests` of a batch of synchronous calls are expected to cost: by the estimate, or by what its calls have cost
/// where that is more.
pub(crate) fn expected_of_next(manifest: &Manifest, batch: &Batch, requests: usize) -> f64 {
    let answered = batch.votes.saturating_add(batch.failed);
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let next = (requests as f64).min(f64::from(batch.requests.saturating_sub(answered)));
    let estimated = expected(manifest, batch) / f64::from(batch.requests.max(1));
    let charged = batch.usd / f64::from(answered.max(1));
    next * estimated.max(charged)
}

/// What of a batch's expected cost is sent or about to be, and not yet charged to it. One that the account does not know at the
/// moment may be charged all the same.
pub fn outstanding(manifest: &Manifest, batch: &Batch) -> f64 {
    if batch.state.holds_requests() { (expected(manifest, batch) - batch.usd).max(0.0) } else { 0.0 }
}

/// What requests cost that used this much: what is cached or written to the cache is part of the input, reasoning of the output.
pub(crate) fn charged(manifest: &Manifest, model: &ModelId, usage: Usage, at_once: bool) -> f64 {
    price(manifest, model).map_or(0.0, |price| usd_of(price, usage) * price_share(at_once))
}

/// At the standard price.
fn usd_of(price: &Price, usage: Usage) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "token sums stay far below 2^53")]
    let cost = |tokens: u64, usd: f64| tokens as f64 * usd / TOKENS_PER_PRICE;
    cost(usage.plain_input(), price.input_usd)
        + cost(usage.cached_input(), price.cached_usd)
        + cost(usage.written_input(), price.write_usd.unwrap_or(price.input_usd * WRITE_FACTOR))
        + cost(usage.output, price.output_usd)
}

/// A sum as the activity list says it. The sandbox's money is play money: no dollars are named for it.
pub(crate) fn said(realm: Realm, usd: f64) -> String {
    match realm {
        Realm::Live => words::usd(usd),
        Realm::Sandbox => "no cost".to_owned(),
    }
}

/// What came of a batch or run: `18,440 votes, 3 failed · $3.32`.
pub(crate) fn outcome(realm: Realm, votes: u64, failed: u64, usd: f64) -> String {
    let votes = words::counted(votes, "vote", "votes");
    format!("{votes}, {} failed · {}", words::grouped(failed), said(realm, usd))
}

fn price<'a>(manifest: &'a Manifest, model: &ModelId) -> Option<&'a Price> {
    manifest.prices.iter().find(|price| price.model == *model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn play_money_names_no_dollars() {
        assert_eq!(said(Realm::Live, 1.005), "$1.00");
        assert_eq!(said(Realm::Live, 0.0), "$0.00");
        assert_eq!(said(Realm::Live, 0.004), "under $0.01");
        assert_eq!(said(Realm::Sandbox, 1.5), "no cost");
        assert_eq!(outcome(Realm::Live, 73_743, 1_017, 3.321), "73,743 votes, 1,017 failed · $3.32");
        assert_eq!(outcome(Realm::Sandbox, 1, 0, 0.0), "1 vote, 0 failed · no cost");
    }

    #[test]
    fn what_is_written_to_the_prompt_cache_is_charged_at_its_price() {
        let model = ModelId::from("gpt-6-sol");
        let price = |write_usd| Price {
            model: model.clone(),
            input_usd: 2.0,
            cached_usd: 0.2,
            write_usd,
            output_usd: 10.0,
            output_tokens: 100.0,
        };
        let usage =
            Usage { input: 4_000_000, cached: 1_000_000, written: 2_000_000, output: 1_000_000, ..Usage::default() };
        let usd = |write_usd| usd_of(&price(write_usd), usage);
        let others = 2.0 + 0.2 + 10.0;
        assert!((usd(Some(2.5)) - (others + 2.0 * 2.5)).abs() < 1e-9, "{}", usd(Some(2.5)));
        assert_eq!(usd(None), usd(Some(2.5)), "a run from before the price was kept");
    }
}
