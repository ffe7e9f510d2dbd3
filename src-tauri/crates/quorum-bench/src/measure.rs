//! Time, processor time and memory of what ran. Linux says all three; elsewhere only the time is known.

use std::{fs, time::Instant};

use serde::Serialize;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spent {
    pub wall_ms: f64,
    /// User and system time of all threads, to 10 ms.
    pub cpu_ms: Option<f64>,
    /// Most memory that the process ever held, of which it started with `memory_start_bytes`.
    pub memory_peak_bytes: Option<u64>,
    pub memory_start_bytes: Option<u64>,
}

/// Runs something and says what it took.
pub fn measure<T, E>(act: impl FnOnce() -> Result<T, E>) -> Result<(T, Spent), E> {
    let (memory_start_bytes, cpu) = (status_bytes("VmRSS:"), cpu_ms());
    let start = Instant::now();
    let done = act()?;
    let wall_ms = start.elapsed().as_secs_f64() * 1e3;
    let cpu_ms = cpu_ms().zip(cpu).map(|(after, before)| after - before);
    Ok((done, Spent { wall_ms, cpu_ms, memory_peak_bytes: status_bytes("VmHWM:"), memory_start_bytes }))
}

/// Runs something several times and keeps the middle time.
pub fn median_ms<E>(times: usize, mut act: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let start = Instant::now();
        act()?;
        taken.push(start.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    Ok(taken.get(taken.len() / 2).copied().unwrap_or_default())
}

fn status_bytes(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// `proc_pid_stat(5)`: utime and stime are the 14th and 15th field, in hundredths of a second on every Linux of today.
fn cpu_ms() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the name, may hold anything but ends with the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) * 10.0)
}
