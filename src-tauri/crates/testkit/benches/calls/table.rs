//! Figures for people, and whether they lie on a line.

use std::fmt::Write;

use sidetone_testkit::bench::word;

use crate::engine::Row;

/// A step of the calls may cost this much more a call than the line through all of them says.
const BEND: f64 = 1.3;
/// How well the figures have to lie on a line. Memory comes in steps of pages.
const FIT_CPU: f64 = 0.98;
const FIT_MEMORY: f64 = 0.95;
/// Of the packets that were to come; calls without sound cost little.
const LEAST_RECEIVED: f64 = 0.9;

/// The table, and whether the aims are met.
pub(crate) fn of(rows: &[Row], seconds: u64) -> (String, bool) {
    let mut text = format!(
        "one engine, PCMU, file audio, {seconds} s each\n{:>6}{:>10}{:>14}{:>10}{:>14}{:>12}\n",
        "calls", "CPU, %", "a call, %", "RSS, MB", "a call, kB", "received"
    );
    let first = rows.first().map_or(0, |row| row.memory.resident);
    for row in rows {
        let calls = f64::from(row.calls);
        let more = row.memory.resident.saturating_sub(first) as f64 / 1_024.0;
        let a_call = if row.calls > 1 { more / (calls - 1.0) } else { f64::NAN };
        let memory = if a_call.is_nan() { "-".to_owned() } else { format!("{a_call:.0}") };
        let _ = writeln!(
            text,
            "{:>6}{:>10.2}{:>14.3}{:>10.1}{:>14}{:>11.0} %",
            row.calls,
            row.cpu,
            row.cpu / calls,
            row.memory.resident as f64 / 1_048_576.0,
            memory,
            100.0 * row.received
        );
    }
    let cpu = line(rows.iter().map(|row| (f64::from(row.calls), row.cpu)));
    let memory = line(rows.iter().map(|row| (f64::from(row.calls), row.memory.resident as f64 / 1_024.0)));
    let _ = writeln!(
        text,
        "\nCPU: {:.2} % and {:.3} % a call, r² {:.4}; memory: {:.1} MB and {:.0} kB a call, r² {:.4}",
        cpu.0,
        cpu.1,
        cpu.2,
        memory.0 / 1_024.0,
        memory.1,
        memory.2
    );
    let last = rows.last().map_or(0.0, |row| row.cpu / (cpu.0 + cpu.1 * f64::from(row.calls)));
    let linear = last <= BEND && cpu.2 >= FIT_CPU && memory.2 >= FIT_MEMORY;
    let least = rows.iter().map(|row| row.received).fold(f64::INFINITY, f64::min);
    let heard = rows.iter().all(|row| row.received >= LEAST_RECEIVED);
    let _ = writeln!(
        text,
        "linear: {} (the most calls cost {last:.2} of what the line says; r² of {FIT_CPU} for CPU and {FIT_MEMORY} for memory is asked \
         for)\neach call has its sound: {} (at least {:.0} %, {:.0} % are asked for)",
        word(linear),
        word(heard),
        100.0 * least,
        100.0 * LEAST_RECEIVED
    );
    text.push_str(
        "CPU: user and system time of the engine's process, of one core. Received: RTP packets of the call that got fewest,\n\
         of 50 a second. A call's memory is what one more adds.",
    );
    (text, linear && heard)
}

/// Least squares: where the line begins, how it rises, and how well it fits (the square of the correlation).
fn line(points: impl Iterator<Item = (f64, f64)>) -> (f64, f64, f64) {
    let points: Vec<(f64, f64)> = points.collect();
    let count = points.len().max(1) as f64;
    let (mx, my) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / count, y + p.1 / count));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        xx += (x - mx) * (x - mx);
        xy += (x - mx) * (y - my);
        yy += (y - my) * (y - my);
    }
    let rise = if xx > 0.0 { xy / xx } else { 0.0 };
    let fit = if xx * yy > 0.0 { xy * xy / (xx * yy) } else { 1.0 };
    (my - rise * mx, rise, fit)
}
