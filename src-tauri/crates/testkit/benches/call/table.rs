//! Figures for people.

use std::fmt::Write;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::phone::Codec;
use crate::round::{Figures, Results};

const NOTES: &str = "\
CPU: user and system time of the process while the call is established, of one core. PSS counts shared pages in parts.
INVITE to 200 and start to registered: by the kernel's time stamps at the proxy's port, challenges included; the start
is the moment before the process is started. Both speak the same file, mono at the codec's rate; baresip holds the
whole of it in memory. Each encodes Opus as it does by default, at 32 kbit/s: Sidetone in mono at complexity 5 for voice,
baresip in stereo at complexity 10 for audio.
";
const RECORDED: &str = "\
Both record: Sidetone what it hears (48 kHz mono); baresip what it says and what it hears (8 kHz mono; with Opus 48 kHz
stereo), as its recorder knows no other way.";
const NOT_RECORDED: &str =
    "Neither records: Sidetone decodes into nothing, baresip into a bridge that nobody reads.";

/// What the figures mean.
pub(crate) fn notes(arguments: &Arguments) -> String {
    format!("{NOTES}{}", if arguments.recording { RECORDED } else { NOT_RECORDED })
}

/// One row: its name and unit, its value, its decimals, and what the ratio should not exceed.
type Row = (&'static str, fn(&Figures) -> f64, usize, Option<f64>);

const ROWS: [Row; 7] = [
    ("CPU, % of one core", |f| f.cpu, 2, Some(0.8)),
    ("VmRSS, MB", |f| megabytes(f.memory.resident), 1, Some(1.0)),
    ("VmHWM, MB", |f| megabytes(f.memory.peak), 1, Some(1.0)),
    ("PSS, MB", |f| megabytes(f.memory.proportional), 1, None),
    ("INVITE to 200, ms", |f| millis(f.invite_to_200), 1, None),
    ("start to registered, ms", |f| millis(f.start_to_registered), 1, None),
    ("heard (correlation)", |f| f.heard.unwrap_or(f64::NAN), 2, None),
];

/// What one round gave, while the rest is under way.
pub(crate) fn line(codec: Codec, round: u32, sidetone: &Figures, baresip: &Figures) -> String {
    let figures = |f: &Figures| {
        format!(
            "{:.2} % {:.1} MB {:.1} ms {:.1} ms",
            f.cpu,
            megabytes(f.memory.resident),
            millis(f.invite_to_200),
            millis(f.start_to_registered)
        )
    };
    format!("{} {round}: Sidetone {}; baresip {}", codec.title(), figures(sidetone), figures(baresip))
}

/// The medians side by side.
pub(crate) fn of(results: &Results, arguments: &Arguments) -> String {
    let mut text = format!(
        "{}: medians of {} calls of {} s\n{:<26}{:>10}{:>10}{:>8}  aim\n",
        results.codec.title(),
        arguments.rounds,
        arguments.measured.as_secs(),
        "",
        "Sidetone",
        "baresip",
        "ratio"
    );
    for (name, value, decimals, aim) in ROWS {
        let (ours, theirs) = (median(&results.sidetone, value), median(&results.baresip, value));
        if ours.is_nan() {
            continue;
        }
        let ratio = ours / theirs;
        let aim = aim.map_or(String::new(), |aim| {
            let met = if ratio <= aim { "met" } else { "missed" };
            format!("≤ {aim:.1} {met}")
        });
        let _ = writeln!(text, "{name:<26}{ours:>10.decimals$}{theirs:>10.decimals$}{ratio:>8.2}  {aim}");
    }
    text
}

fn median(figures: &[Figures], value: fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
