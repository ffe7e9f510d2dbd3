//! How a batch moves from status to status: by virtual time, or by being observed.
//!
//! Timed: validating, then running for a time that depends on the requests, then finalizing; expired 24 hours after creation.
//! With [`Speed::Instant`] every observation is one step: validating → in_progress (0 done) → in_progress (half) → finalizing →
//! completed. A status is left only when the work behind it (validation, execution) is done.

use std::time::Duration;

use super::batch::{BatchRecord, BatchStatus, Ending, Problem};
use super::journal::Change;
use super::{Account, JobKind};
use crate::clock::Speed;
use crate::error::SimError;
use crate::execute::Outcome;
use crate::scenario::Kind;
use crate::validate::Report;

/// Output and error files live 30 days after the batch ended unless it says otherwise.
const RESULT_LIFE_MS: i64 = 30 * 86_400_000;

/// Work to start in the background; [`Account::job_done`] must follow.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) kind: JobKind,
    pub(crate) batch: BatchRecord,
}

/// What a finished job brings.
#[derive(Debug)]
pub(crate) enum JobResult {
    Validated(Report),
    Executed(Outcome),
}

/// What one look at a batch leads to.
enum Step {
    Stay,
    Work(JobKind),
    Enter(BatchStatus, i64),
    /// The rows end here, with this share of them done.
    End(BatchStatus, i64, Ending, f64),
    Fail(i64, Vec<Problem>),
    Finish(BatchStatus, i64),
}

impl Account {
    /// Moves every batch as far as time allows. `observed` batches take one step with [`Speed::Instant`]. Answers the work to start.
    pub(crate) fn settle(&mut self, now_ms: i64, speed: Speed, observed: &[String]) -> Result<Vec<Job>, SimError> {
        let mut jobs = Vec::new();
        for place in 0..self.batches.len() {
            if self.batches[place].status.is_terminal() {
                continue;
            }
            let seen = observed.contains(&self.batches[place].id);
            self.move_batch(place, now_ms, speed, seen, &mut jobs)?;
        }
        Ok(jobs)
    }

    fn move_batch(
        &mut self,
        place: usize,
        now_ms: i64,
        speed: Speed,
        observed: bool,
        jobs: &mut Vec<Job>,
    ) -> Result<(), SimError> {
        if observed && speed == Speed::Instant {
            let batch = &self.batches[place];
            let change = Change::Observed { id: batch.id.clone(), observations: batch.observations + 1 };
            self.commit(now_ms, change)?;
        }
        loop {
            let batch = &self.batches[place];
            let step = if speed == Speed::Instant {
                self.step_observed(batch, now_ms)
            } else {
                self.step_timed(batch, now_ms)
            };
            let mut next = batch.clone();
            match step {
                Step::Stay => return Ok(()),
                Step::Work(kind) => {
                    if self.jobs.insert((next.id.clone(), kind)) {
                        jobs.push(Job { kind, batch: next });
                    }
                    return Ok(());
                }
                Step::Enter(status, at_ms) => {
                    if let Some(report) = self.reports.remove(&next.id) {
                        next.model = report.model;
                        next.total = report.total;
                        next.enqueued_tokens = report.enqueued_tokens;
                    }
                    next.enter(status, at_ms);
                    let vanished = next.kinds().any(|kind| *kind == Kind::Vanish { live: true });
                    next.gone |= vanished;
                    self.commit(now_ms, Change::Batch { batch: Box::new(next) })?;
                }
                Step::Fail(at_ms, problems) => {
                    self.reports.remove(&next.id);
                    next.problems = problems;
                    next.enter(BatchStatus::Failed, at_ms);
                    self.commit(now_ms, Change::Batch { batch: Box::new(next) })?;
                }
                Step::End(status, at_ms, ending, fraction) => {
                    next.ending = Some(ending);
                    next.fraction = fraction;
                    next.enter(status, at_ms);
                    self.commit(now_ms, Change::Batch { batch: Box::new(next) })?;
                }
                Step::Finish(status, at_ms) => {
                    next.enter(status, at_ms);
                    self.finish(next, at_ms, now_ms)?;
                }
            }
            if self.batches[place].status.is_terminal() {
                return Ok(());
            }
        }
    }

    fn step_observed(&self, batch: &BatchRecord, now_ms: i64) -> Step {
        match batch.status {
            BatchStatus::Validating => self.leave_validating(batch, now_ms, batch.observations >= 1),
            BatchStatus::InProgress => {
                if now_ms >= batch.expires_ms {
                    let fraction = if batch.observations > 0 { 0.5 } else { 0.0 };
                    return Step::End(BatchStatus::Finalizing, now_ms, Ending::Expired, fraction);
                }
                let mut needed = 2;
                for kind in batch.kinds() {
                    match *kind {
                        Kind::LongRunning { observations, .. } => needed += observations,
                        Kind::Expire { fraction } if batch.observations >= needed => {
                            return Step::End(BatchStatus::Finalizing, now_ms, Ending::Expired, fraction);
                        }
                        Kind::BreakOff { fraction } if batch.observations >= needed => {
                            return Step::End(BatchStatus::Finalizing, now_ms, Ending::Broken, fraction);
                        }
                        Kind::Cancel { fraction } if batch.observations >= needed => {
                            return Step::End(BatchStatus::Cancelling, now_ms, Ending::Cancelled, fraction);
                        }
                        _ => {}
                    }
                }
                if batch.observations < needed {
                    return Step::Stay;
                }
                Step::End(BatchStatus::Finalizing, now_ms, Ending::Completed, 1.0)
            }
            BatchStatus::Finalizing | BatchStatus::Cancelling => {
                let more: u32 = batch
                    .kinds()
                    .map(|kind| match kind {
                        Kind::LongFinalizing { observations, .. } => *observations,
                        _ => 0,
                    })
                    .sum();
                self.leave_closing(batch, now_ms, batch.observations > more)
            }
            _ => Step::Stay,
        }
    }

    fn step_timed(&self, batch: &BatchRecord, now_ms: i64) -> Step {
        match batch.status {
            BatchStatus::Validating => {
                let due = batch.created_ms + self.durations.validating_ms;
                self.leave_validating(batch, due, now_ms >= due)
            }
            BatchStatus::InProgress => {
                let started = batch.in_progress_ms.unwrap_or(batch.created_ms);
                let mut running = self.durations.running_ms(batch.total);
                let mut expire = None;
                let mut cancel = None;
                let mut broken = None;
                for kind in batch.kinds() {
                    match *kind {
                        Kind::LongRunning { seconds, .. } => running += seconds * 1_000,
                        Kind::Expire { fraction } => expire = Some(fraction),
                        Kind::Cancel { fraction } => cancel = Some(fraction),
                        Kind::BreakOff { fraction } => broken = Some(fraction),
                        _ => {}
                    }
                }
                let share = |at_ms: i64| ((at_ms - started) as f64 / running as f64).clamp(0.0, 1.0);
                let expiry = Step::End(
                    BatchStatus::Finalizing,
                    batch.expires_ms,
                    Ending::Expired,
                    expire.unwrap_or_else(|| share(batch.expires_ms)),
                );
                if let Some(fraction) = cancel {
                    let due = started + (running as f64 * fraction) as i64;
                    if now_ms >= due {
                        return Step::End(BatchStatus::Cancelling, due, Ending::Cancelled, fraction);
                    }
                }
                if let Some(fraction) = broken {
                    let due = started + (running as f64 * fraction) as i64;
                    if now_ms >= due && due <= batch.expires_ms {
                        return Step::End(BatchStatus::Finalizing, due, Ending::Broken, fraction);
                    }
                }
                let due = started + running;
                if expire.is_none() && now_ms >= due && due <= batch.expires_ms {
                    Step::End(BatchStatus::Finalizing, due, Ending::Completed, 1.0)
                } else if now_ms >= batch.expires_ms {
                    expiry
                } else {
                    Step::Stay
                }
            }
            BatchStatus::Finalizing => {
                let mut due = batch.finalizing_ms.unwrap_or(now_ms) + self.durations.closing_ms(batch.total);
                for kind in batch.kinds() {
                    if let Kind::LongFinalizing { seconds, .. } = kind {
                        due += seconds * 1_000;
                    }
                }
                self.leave_closing(batch, due, now_ms >= due)
            }
            BatchStatus::Cancelling => {
                let due = batch.cancelling_ms.unwrap_or(now_ms) + self.durations.cancelling_ms;
                self.leave_closing(batch, due, now_ms >= due)
            }
            _ => Step::Stay,
        }
    }

    fn leave_validating(&self, batch: &BatchRecord, at_ms: i64, due: bool) -> Step {
        let Some(report) = self.reports.get(&batch.id) else {
            return Step::Work(JobKind::Validate);
        };
        if !due {
            return Step::Stay;
        }
        let mut known = batch.clone();
        known.model.clone_from(&report.model);
        let mut problems = report.problems.clone();
        let problem = |code: &str, message: String| Problem { code: code.to_owned(), message, param: None, line: None };
        let model = report.model.as_deref().unwrap_or("unknown");
        let limit_reached = |limit: u64| {
            problem(
                "token_limit_exceeded",
                format!(
                    "Enqueued token limit reached for {model} in organization org-sandbox. Limit: {} enqueued tokens. Please try again once some in_progress batches have been completed.",
                    grouped(limit)
                ),
            )
        };
        for kind in known.kinds() {
            match kind {
                Kind::FailValidation { code, message, param, line } => problems.push(Problem {
                    code: code.clone(),
                    message: message.clone(),
                    param: param.clone(),
                    line: *line,
                }),
                Kind::TokenLimitExceeded { limit } => problems.push(limit_reached(*limit)),
                _ => {}
            }
        }
        if problems.is_empty()
            && let Some(limit) = self.limits.enqueued_tokens_max(model)
        {
            let enqueued: u64 = self
                .batches()
                .filter(|other| other.holds_allowance() && other.model == report.model)
                .map(|other| other.enqueued_tokens)
                .sum();
            if enqueued + report.enqueued_tokens > limit {
                problems.push(limit_reached(limit));
            }
        }
        if problems.is_empty() { Step::Enter(BatchStatus::InProgress, at_ms) } else { Step::Fail(at_ms, problems) }
    }

    fn leave_closing(&self, batch: &BatchRecord, at_ms: i64, due: bool) -> Step {
        let status = match batch.ending {
            Some(Ending::Completed) => BatchStatus::Completed,
            Some(Ending::Expired) => BatchStatus::Expired,
            Some(Ending::Broken) => BatchStatus::Failed,
            // Cancelled while it was validated: no row was ever due, so there is nothing to execute.
            None if due => return Step::Finish(BatchStatus::Cancelled, at_ms),
            None => return Step::Stay,
            Some(Ending::Cancelled) => BatchStatus::Cancelled,
        };
        if !self.outcomes.contains_key(&batch.id) {
            return Step::Work(JobKind::Execute);
        }
        if due { Step::Finish(status, at_ms) } else { Step::Stay }
    }

    /// Stores a batch's results and its last state in one change.
    fn finish(&mut self, mut batch: BatchRecord, at_ms: i64, now_ms: i64) -> Result<(), SimError> {
        let mut files = Vec::new();
        let mut rows = Vec::new();
        if let Some(outcome) = self.outcomes.remove(&batch.id) {
            let life_ms = batch.output_expires_after_s.map_or(RESULT_LIFE_MS, |seconds| seconds * 1_000);
            let lost = batch.kinds().any(|kind| *kind == Kind::NoOutputFile);
            for (body, part) in [(outcome.output, "output"), (outcome.errors, "error")] {
                let Some(body) = body.filter(|_| !lost) else {
                    continue;
                };
                let path = body.path().to_owned();
                let bytes = body.as_file().metadata().map_err(|source| SimError::Read { path, source })?.len();
                let name = format!("{}_{part}.jsonl", batch.id);
                let mut file = self.new_file(files.len() as u64, name, "batch_output", bytes, at_ms);
                file.expires_ms = Some(at_ms + life_ms);
                self.keep_body(body, &file.id)?;
                if part == "output" {
                    batch.output_file_id = Some(file.id.clone());
                } else {
                    batch.error_file_id = Some(file.id.clone());
                }
                files.push(file);
            }
            batch.completed = outcome.completed;
            batch.failed = outcome.failed;
            batch.usage = Some(outcome.usage);
            rows = outcome.rows;
        }
        let vanished = batch.kinds().any(|kind| matches!(kind, Kind::Vanish { .. }));
        batch.gone |= vanished;
        let requests_bytes = self.logs.add_executed(rows)?.unwrap_or(0);
        self.commit(now_ms, Change::Finished { batch: Box::new(batch), files, requests_bytes })
    }

    /// Takes a job's result in. A job whose batch has moved on (cancelled while validating) brings nothing.
    pub(crate) fn job_done(&mut self, id: &str, kind: JobKind, result: JobResult) {
        self.jobs.remove(&(id.to_owned(), kind));
        let status = self.batch_places.get(id).map(|place| self.batches[*place].status);
        match result {
            JobResult::Validated(report) if status == Some(BatchStatus::Validating) => {
                self.reports.insert(id.to_owned(), report);
            }
            JobResult::Executed(outcome)
                if matches!(status, Some(BatchStatus::Finalizing | BatchStatus::Cancelling)) =>
            {
                self.outcomes.insert(id.to_owned(), outcome);
            }
            JobResult::Validated(_) | JobResult::Executed(_) => {}
        }
    }

    /// A job that could not be done (the disk, usually) may be tried again at the next look.
    pub(crate) fn job_failed(&mut self, id: &str, kind: JobKind) {
        self.jobs.remove(&(id.to_owned(), kind));
    }

    pub(crate) fn jobs_running(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Asks a live batch to stop.
    pub(crate) fn cancel(&mut self, id: &str, now_ms: i64, speed: Speed) -> Result<(), SimError> {
        let Some(mut batch) = self.batch(id).cloned() else {
            return Ok(());
        };
        match batch.status {
            BatchStatus::Validating => {}
            BatchStatus::InProgress | BatchStatus::Finalizing => {
                batch.fraction = if batch.status == BatchStatus::Finalizing {
                    batch.fraction
                } else {
                    self.share_done(&batch, now_ms, speed)
                };
                batch.ending = Some(Ending::Cancelled);
            }
            _ => return Ok(()),
        }
        batch.enter(BatchStatus::Cancelling, now_ms);
        self.commit(now_ms, Change::Batch { batch: Box::new(batch) })
    }

    /// The share of the rows that a running batch has done.
    fn share_done(&self, batch: &BatchRecord, now_ms: i64, speed: Speed) -> f64 {
        if speed == Speed::Instant {
            return match batch.observations {
                0 => 0.0,
                _ => 0.5,
            };
        }
        let started = batch.in_progress_ms.unwrap_or(now_ms);
        let more: i64 = batch
            .kinds()
            .map(|kind| match kind {
                Kind::LongRunning { seconds, .. } => seconds * 1_000,
                _ => 0,
            })
            .sum();
        let running = self.durations.running_ms(batch.total) + more;
        let share = ((now_ms - started) as f64 / running as f64).clamp(0.0, 1.0);
        let cap = batch.kinds().find_map(|kind| match kind {
            Kind::Expire { fraction } => Some(*fraction),
            _ => None,
        });
        cap.map_or(share, |cap| share.min(cap))
    }

    /// The Batch object as it stands.
    pub(crate) fn batch_object(&self, batch: &BatchRecord, now_ms: i64, speed: Speed) -> serde_json::Value {
        let share = match batch.status {
            BatchStatus::InProgress => self.share_done(batch, now_ms, speed),
            BatchStatus::Finalizing | BatchStatus::Cancelling => batch.fraction,
            _ => 0.0,
        };
        batch.object((batch.total as f64 * share) as u64, now_ms)
    }

    /// How long a request waits for background work before it answers with the status as it stands.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
}

/// 2000000 as "2,000,000".
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_grouped_as_the_provider_writes_them() {
        assert_eq!(grouped(2_000_000), "2,000,000");
        assert_eq!(grouped(900), "900");
        assert_eq!(grouped(15_000_000_000), "15,000,000,000");
    }
}
