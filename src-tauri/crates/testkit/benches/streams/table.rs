//! Figures for people, and whether the aim is met.

use std::fmt::Write;
use std::time::Duration;

/// Of what Janus takes for a packet.
const AIM: f64 = 0.5;
/// Of the packets that were due at the players; those that never came cost nothing.
const LEAST_FORWARDED: f64 = 0.95;

/// What one server took for one number of players.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    /// Packets that arrived at players.
    pub(crate) forwarded: u64,
    pub(crate) due: u64,
    pub(crate) measured: Duration,
}

impl Cost {
    /// Microseconds a packet.
    fn each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.forwarded.max(1) as f64
    }

    /// Of a core, per cent.
    fn load(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.measured.as_secs_f64()
    }

    fn arrived(&self) -> f64 {
        self.forwarded as f64 / self.due.max(1) as f64
    }
}

pub(crate) struct Row {
    pub(crate) players: u32,
    pub(crate) ours: Cost,
    pub(crate) theirs: Cost,
}

pub(crate) fn line(row: &Row) -> String {
    format!(
        "{:>8}{:>12.1}{:>10.1}{:>9.0} %{:>12.1}{:>10.1}{:>9.0} %{:>9.2}",
        row.players,
        row.ours.each(),
        row.ours.load(),
        100.0 * row.ours.arrived(),
        row.theirs.each(),
        row.theirs.load(),
        100.0 * row.theirs.arrived(),
        row.ours.each() / row.theirs.each()
    )
}

/// The table, and whether the aims are met.
pub(crate) fn of(rows: &[Row], (publishing, rate): (f64, f64), seconds: u64) -> (String, bool) {
    let mut text = format!(
        "\none VP8 stream of 880 kbit/s, 100 packets a second, {seconds} s each\n{:>8}{:>12}{:>10}{:>11}{:>12}{:>10}{:>11}{:>9}\n",
        "players", "µs/packet", "CPU, %", "arrived", "Janus", "CPU, %", "arrived", "ratio"
    );
    for row in rows {
        let _ = writeln!(text, "{}", line(row));
    }
    // One player's packets are too few for the clock of /proc.
    let counted = |row: &&Row| {
        row.ours.cpu >= Duration::from_millis(100) && row.theirs.cpu >= Duration::from_millis(100)
    };
    let ratios = rows.iter().filter(counted).map(|row| row.ours.each() / row.theirs.each());
    let worst = ratios.fold(0.0, f64::max);
    let least = rows.iter().map(|row| row.ours.arrived()).fold(f64::INFINITY, f64::min);
    let word = |met| if met { "yes" } else { "no" };
    let (cheap, whole) = (worst > 0.0 && worst <= AIM, least >= LEAST_FORWARDED);
    let _ = writeln!(
        text,
        "\na packet costs at most {AIM} of Janus': {} (at most {worst:.2})\nall arrive: {} (at least {:.0} %, {:.0} % are asked for)\n\
         publishing 720p30 bars in H.264 with a tone: {:.0} % of a core, {rate:.1} pictures a second",
        word(cheap),
        word(whole),
        100.0 * least,
        100.0 * LEAST_FORWARDED,
        100.0 * publishing
    );
    text.push_str(
        "CPU: user and system time of the server's process, of one core, for packets that arrived at players. Rows where either\n\
         server used less than 100 ms say nothing about the ratio: the clock's steps are 10 ms.",
    );
    (text, cheap && whole)
}
