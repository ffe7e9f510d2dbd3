//! What runs have cost over time, from the ledger of what was charged.
//!
//! Not here: estimates ([`crate::plans`]) and one run's spend as it goes ([`crate::Quorum::run_detail`]).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use quorum_core::{
    manifest::{Realm, Seconds},
    models::total_usd,
};
use quorum_store::UsageEntry;

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        spend::{RunCost, SpendDay, SpendOverview},
    },
};

impl Quorum {
    /// Spend by local day and model, and each run's cost beside its estimate, of the provider in use: play money and dollars are
    /// never added up.
    pub fn spend_overview(&self) -> Result<SpendOverview, ApiError> {
        self.spend_in(&TimeZone::system())
    }

    pub(crate) fn spend_in(&self, zone: &TimeZone) -> Result<SpendOverview, ApiError> {
        let realm = self.realm()?;
        let mut manifests = self.store().manifests()?;
        manifests.retain(|manifest| manifest.realm == realm);
        manifests.reverse();
        let ids: BTreeSet<_> = manifests.iter().map(|manifest| manifest.id).collect();
        let mut usage = self.store().usage()?;
        usage.retain(|entry| ids.contains(&entry.batch.manifest));
        let models: BTreeSet<&str> =
            usage.iter().filter(|entry| entry.usd > 0.0).map(|entry| entry.model.as_str()).collect();
        let models: Vec<&str> = models.into_iter().collect();
        let runs = manifests.iter().map(|manifest| {
            let summary = self.run_summary(manifest, &self.store().batches(manifest.id)?)?;
            Ok(RunCost {
                run: summary.run,
                topic_name: summary.topic_name,
                dataset_name: summary.dataset_name,
                k: summary.k,
                state: summary.state,
                created_at: summary.created_at,
                usd_estimated: summary.usd_estimated,
                usd_spent: summary.usd_spent,
            })
        });
        Ok(SpendOverview {
            sandbox: realm == Realm::Sandbox,
            days: by_day(&usage, &models, zone),
            usd_total: total_usd(usage.iter().map(|entry| entry.usd)),
            models: models.into_iter().map(str::to_owned).collect(),
            runs: runs.collect::<Result<_, ApiError>>()?,
        })
    }
}

fn day_of(at: Seconds, zone: &TimeZone) -> Date {
    // 32 bits of seconds always are a time.
    Timestamp::from_second(i64::from(at)).unwrap_or_default().to_zoned(zone.clone()).date()
}

fn by_day(usage: &[UsageEntry], models: &[&str], zone: &TimeZone) -> Vec<SpendDay> {
    let mut days: BTreeMap<Date, Vec<&UsageEntry>> = BTreeMap::new();
    for entry in usage {
        days.entry(day_of(entry.at, zone)).or_default().push(entry);
    }
    let of_model = |entries: &[&UsageEntry], model: &str| {
        total_usd(entries.iter().filter(|entry| entry.model.as_str() == model).map(|entry| entry.usd))
    };
    days.into_iter()
        .map(|(day, entries)| SpendDay {
            day: day.to_string(),
            usd: models.iter().map(|model| of_model(&entries, model)).collect(),
            requests: entries.iter().fold(0, |sum: u32, entry| sum.saturating_add(entry.requests)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use quorum_core::{
        manifest::{BatchId, ManifestId},
        models::Usage,
    };

    use super::*;

    fn entry(at: u32, model: &str, usd: f64) -> UsageEntry {
        let batch = BatchId { manifest: ManifestId(1), number: 1 };
        UsageEntry { batch, model: model.into(), usage: Usage::default(), usd, requests: 10, at }
    }

    #[test]
    fn a_day_ends_at_local_midnight_and_holds_every_model() {
        // 2026-11-24T23:30:00Z
        let late = 1_795_563_000;
        let usage = [entry(late, "mini", 1.0), entry(late, "nano", 0.25), entry(late + 3_600, "nano", 0.5)];
        let days = |zone: TimeZone| -> Vec<(String, Vec<f64>, u32)> {
            by_day(&usage, &["mini", "nano"], &zone).into_iter().map(|day| (day.day, day.usd, day.requests)).collect()
        };
        assert_eq!(
            days(TimeZone::UTC),
            [("2026-11-24".to_owned(), vec![1.0, 0.25], 20), ("2026-11-25".to_owned(), vec![0.0, 0.5], 10)]
        );
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(days(east), [("2026-11-25".to_owned(), vec![1.0, 0.75], 30)]);
    }
}
