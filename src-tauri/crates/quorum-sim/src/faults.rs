//! The faults of a running simulator: which are due now. What a due fault does is the caller's part.

use crate::draw::Draw;
use crate::scenario::{Call, Fault, Kind, Scope};

/// All faults with their counters.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    armed: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// The place in the scenario, for the journal; `None` for faults added by hand.
    scenario_place: Option<usize>,
    seen: u64,
    fired: u64,
}

/// A counter that changed and has to be journalled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counted {
    pub(crate) place: usize,
    pub(crate) seen: u64,
    pub(crate) fired: u64,
}

impl Faults {
    pub(crate) fn new(seed: u64, scenario: &[Fault]) -> Self {
        let armed = scenario
            .iter()
            .enumerate()
            .map(|(place, fault)| Armed { fault: fault.clone(), scenario_place: Some(place), seen: 0, fired: 0 })
            .collect();
        Self { seed, armed }
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.armed.push(Armed { fault, scenario_place: None, seen: 0, fired: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// Takes a counter over from the journal.
    pub(crate) fn restore(&mut self, counted: Counted) {
        if let Some(armed) = self.armed.iter_mut().find(|armed| armed.scenario_place == Some(counted.place)) {
            armed.seen = counted.seen;
            armed.fired = counted.fired;
        }
    }

    /// The call faults due on this call, in order of the scenario.
    pub(crate) fn on_call(&mut self, call: Call) -> (Vec<Kind>, Vec<Counted>) {
        let (due, counted) =
            self.due(|fault| fault.kind.scope() == Scope::Call && fault.on.is_none_or(|on| on == call));
        (due.into_iter().map(|fault| fault.kind).collect(), counted)
    }

    /// The batch and row faults due on this creation.
    pub(crate) fn on_create(&mut self) -> (Vec<Fault>, Vec<Counted>) {
        self.due(|fault| fault.kind.scope() != Scope::Call)
    }

    fn due(&mut self, concerns: impl Fn(&Fault) -> bool) -> (Vec<Fault>, Vec<Counted>) {
        let mut due = Vec::new();
        let mut counted = Vec::new();
        for (index, armed) in self.armed.iter_mut().enumerate() {
            if !concerns(&armed.fault) {
                continue;
            }
            armed.seen += 1;
            let fault = &armed.fault;
            let number = armed.seen.saturating_sub(fault.after.unwrap_or(0));
            let timely = number > 0
                && fault.nth.is_none_or(|nth| number == nth)
                && fault.every.is_none_or(|every| number.is_multiple_of(every))
                && fault.count.is_none_or(|count| armed.fired < count)
                && fault.probability.is_none_or(|probability| {
                    let draw = Draw::new(self.seed).with_str("fault").with(index as u64);
                    draw.with(armed.seen).unit() < probability
                });
            if timely {
                armed.fired += 1;
                due.push(armed.fault.clone());
            }
            if let Some(place) = armed.scenario_place {
                counted.push(Counted { place, seen: armed.seen, fired: armed.fired });
            }
        }
        (due, counted)
    }
}

/// Whether a row fault of a batch concerns this row.
pub(crate) fn concerns_row(fault: &Fault, seed: u64, place: usize, batch: &str, line: u64, custom_id: &str) -> bool {
    fault.kind.scope() == Scope::Row
        && fault.row.is_none_or(|row| row == line)
        && fault.rows.is_none_or(|rows| line <= rows)
        && fault.row_rate.is_none_or(|rate| {
            let draw = Draw::new(seed).with_str("row fault").with(place as u64);
            draw.with_str(batch).with_str(custom_id).unit() < rate
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(fault: Fault, calls: usize) -> Vec<usize> {
        let mut faults = Faults::new(1, &[fault]);
        (1..=calls).filter(|_| !faults.on_call(Call::GetBatch).0.is_empty()).collect()
    }

    #[test]
    fn faults_fire_when_they_say() {
        let fault = || Fault::from(Kind::LostAnswer);
        assert_eq!(fired(Fault { nth: Some(2), ..fault() }, 5), [2]);
        assert_eq!(fired(Fault { every: Some(2), ..fault() }, 5), [2, 4]);
        assert_eq!(fired(Fault { after: Some(3), count: Some(1), ..fault() }, 6), [4]);
        assert_eq!(fired(Fault { on: Some(Call::Chat), ..fault() }, 3), [0_usize; 0]);
        let half = fired(Fault { probability: Some(0.5), ..fault() }, 1_000).len();
        assert!((430..570).contains(&half), "{half}");
    }

    #[test]
    fn counters_go_on_where_the_journal_left_them() {
        let fault = Fault { nth: Some(2), ..Fault::from(Kind::Hang { after_effect: false }) };
        let mut faults = Faults::new(1, &[fault]);
        faults.restore(Counted { place: 0, seen: 1, fired: 0 });
        assert_eq!(faults.on_call(Call::Chat).0, [Kind::Hang { after_effect: false }]);
    }
}
