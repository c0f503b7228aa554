//! Figures for people, and whether the aims are met.

use std::fmt::Write;
use std::time::Duration;

use sidetone_testkit::bench::word;

/// Of what Janus takes for a packet.
const AIM: f64 = 0.5;
/// Of the packets that were due at the players; those that never came cost nothing.
const LEAST_FORWARDED: f64 = 0.95;
/// From capture to the screen, for 95 of 100 pictures.
const AIM_AGE: Duration = Duration::from_millis(60);
/// Pictures a second, of 30.
const AIM_RATE: f64 = 28.0;

/// Processors and kernel, as the system names them.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let load = read("/proc/loadavg");
    format!(
        "{count} processors ({}), Linux {}, load {} before the run",
        model.map_or("of no name", |(_, model)| model),
        read("/proc/sys/kernel/osrelease").trim(),
        load.split(' ').next().unwrap_or_default()
    )
}

/// What one server took for one number of players.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) took: Duration,
    /// Packets that arrived at players, each counted once.
    pub(crate) forwarded: u64,
    pub(crate) due: u64,
    /// Of what was sent, what arrived at the player that got least.
    pub(crate) least: f64,
}

impl Cost {
    /// Microseconds a packet.
    fn each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.forwarded.max(1) as f64
    }

    /// Of a core, per cent.
    fn load(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.took.as_secs_f64()
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

impl Row {
    fn ratio(&self) -> f64 {
        self.ours.each() / self.theirs.each()
    }
}

pub(crate) const FORWARD_HEAD: &str = "\
one VP8 stream of 880 kbit/s, 100 packets a second, forwarded to all players
                         Sidetone                           Janus
 players   µs/packet    CPU, %   arrived   µs/packet    CPU, %   arrived     ratio";

pub(crate) fn forward_line(row: &Row) -> String {
    let server =
        |cost: &Cost| format!("{:>12.1}{:>10.1}{:>8.1} %", cost.each(), cost.load(), 100.0 * cost.arrived());
    format!("{:>8}{}{}{:>10.2}", row.players, server(&row.ours), server(&row.theirs), row.ratio())
}

/// What follows the rows, and whether the aims are met.
pub(crate) fn forward_end(rows: &[Row], measured: Duration) -> (String, bool) {
    let worst = rows.iter().map(Row::ratio).fold(0.0, f64::max);
    let of_all = |share: fn(&Cost) -> f64| {
        rows.iter().flat_map(|row| [&row.ours, &row.theirs]).map(share).fold(f64::INFINITY, f64::min)
    };
    let (all, least) = (of_all(Cost::arrived), of_all(|cost| cost.least));
    let (cheap, whole) = (worst <= AIM, all >= LEAST_FORWARDED);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "\na packet costs at most {AIM} of Janus': {} (at most {worst:.2})\n\
         all arrive, of both: {} (at least {:.1} %, {:.0} % are asked for; at the player that got least {:.1} %)",
        word(cheap),
        word(whole),
        100.0 * all,
        100.0 * LEAST_FORWARDED,
        100.0 * least
    );
    let _ = write!(
        text,
        "CPU: user and system time of the server's process over {} s, of one core, for packets that were decrypted at players\n\
         and counted once; publisher and players are WebRTC peers in one process of their own, which is not counted.",
        measured.as_secs()
    );
    (text, cheap && whole)
}

/// What a process took while it coded or carried pictures.
pub(crate) struct Coding {
    pub(crate) what: &'static str,
    /// Of a core.
    pub(crate) cpu: f64,
    /// Pictures a second; `None` for one that looks into none.
    pub(crate) rate: Option<f64>,
}

pub(crate) fn coding(rows: &[Coding], measured: Duration) -> String {
    let mut text = format!("720p30 bars in H.264 at 1500 kbit/s, {} s\n", measured.as_secs());
    let _ = write!(text, "{:<44}{:>10}{:>15}", "process", "CPU, %", "pictures/s");
    for row in rows {
        let rate = row.rate.map_or("-".to_owned(), |rate| format!("{rate:.1}"));
        let _ = write!(text, "\n{:<44}{:>10.1}{rate:>15}", row.what, 100.0 * row.cpu);
    }
    text
}

/// How old pictures were when they came to the screen, and how many did.
pub(crate) struct Shown {
    /// And who decodes it.
    pub(crate) what: String,
    /// How large one is drawn.
    pub(crate) size: (u32, u32),
    /// Of all streams, sorted.
    pub(crate) ages: Vec<Duration>,
    /// Pictures a second of the stream that has fewest.
    pub(crate) rate: f64,
    /// Of a core: the app and its webview, and the display.
    pub(crate) app: f64,
    pub(crate) display: f64,
}

impl Shown {
    fn percentile(&self, part: f64) -> Duration {
        let last = self.ages.len().saturating_sub(1);
        self.ages.get((last as f64 * part).round() as usize).copied().unwrap_or(Duration::MAX)
    }
}

/// The table, and whether the aims are met.
pub(crate) fn shown(rows: &[Shown], measured: Duration) -> (String, bool) {
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let mut text = format!("bars from another process, in the app's window, {} s each\n", measured.as_secs());
    let _ = write!(
        text,
        "{:<34}{:>12}{:>10}{:>10}{:>10}{:>14}{:>10}{:>12}",
        "streams", "drawn", "p50, ms", "p95, ms", "max, ms", "pictures/s", "app, %", "display, %"
    );
    let mut met = true;
    for row in rows {
        let late = row.percentile(0.95);
        let _ = write!(
            text,
            "\n{:<34}{:>12}{:>10.0}{:>10.0}{:>10.0}{:>14.1}{:>10.0}{:>12.0}",
            row.what,
            format!("{}x{}", row.size.0, row.size.1),
            ms(row.percentile(0.5)),
            ms(late),
            ms(row.percentile(1.0)),
            row.rate,
            100.0 * row.app,
            100.0 * row.display
        );
        met &= late <= AIM_AGE && row.rate >= AIM_RATE;
    }
    let _ = write!(
        text,
        "\np95 at most {} ms and at least {AIM_RATE:.0} pictures a second: {}\n\
         Age: from the moment that the clock in a picture shows to the one at which it is in the screen's memory, looked at each\n\
         millisecond. CPU in % of one core: the app with its webview's processes, and Xvfb.",
        AIM_AGE.as_millis(),
        word(met)
    );
    (text, met)
}
