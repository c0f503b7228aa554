//! What is printed, and whether the aims are met.

use std::fmt::Write as _;
use std::time::Duration;

use crate::media::{FPS, HEIGHT, SOUND_BPS, WIDTH};
use sidetone_testkit::bench::word;

pub(crate) const OURS: &str = "ours";
pub(crate) const SLOW: &str = "slow";
/// Longer nobody who has the bandwidth may be without a new picture, seconds.
const FREEZE: f64 = 0.5;
/// Of the pictures of the first part, in the second.
const SAME: f64 = 0.97;
/// Of the sound, at the slow one, with the seconds in which it has just become slow: an aim, and no reason to fail.
const HEARD: f64 = 0.95;
const SOUNDS: f64 = 50.0;

/// One of those whom a participant plays.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    /// That could be decoded.
    pub(crate) pictures: u64,
    /// Seconds without a new one.
    pub(crate) longest: f64,
    /// Packets.
    pub(crate) sounds: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) login: &'static str,
    /// Of one core.
    pub(crate) cpu: f64,
    /// kbit/s with IP and UDP.
    pub(crate) up: f64,
    pub(crate) down: f64,
    pub(crate) seen: Vec<Seen>,
}

#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) rows: Vec<Row>,
    pub(crate) seconds: f64,
}

impl Seen {
    fn of(&self) -> &str {
        self.name.split('-').nth(1).unwrap_or_default()
    }
}

impl Part {
    /// Those with bandwidth.
    fn others(&self) -> impl Iterator<Item = (&Row, &Seen)> {
        let rows = self.rows.iter().filter(|row| row.login != SLOW);
        rows.flat_map(|row| row.seen.iter().map(move |seen| (row, seen)))
    }

    fn row(&self, login: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.login == login)
    }
}

pub(crate) fn head(kbit: f64, measured: Duration) -> String {
    format!(
        "six in a room, {WIDTH}x{HEIGHT} at {FPS} a second in H.264 and Opus of {} kbit/s, {} s each part\n\
         `{OURS}` is our program with its gateway: it forwards for all, encodes its own picture, decodes and mixes five; its up and\n\
         down are those of the gateway. The others send a loop that was encoded before ({kbit:.0} kbit/s) and decode nothing: a picture\n\
         counts when all of it is there and all that it needs. 300 kbit/s are a shaper inside of the receiver, with 0.4 s of queue.",
        SOUND_BPS / 1_000,
        measured.as_secs()
    )
}

pub(crate) fn part(what: &str, part: &Part) -> String {
    let mut text = format!(
        "\n{what}\n\n| who  | CPU, % of a core | up kbit/s | down kbit/s | from whom: pictures/s, longest freeze s |\n"
    );
    text.push_str("| ---- | ---: | ---: | ---: | --- |\n");
    for row in &part.rows {
        let _ =
            write!(text, "| {:<4} | {:.1} | {:.0} | {:.0} | ", row.login, row.cpu * 100.0, row.up, row.down);
        for seen in &row.seen {
            let rate = seen.pictures as f64 / part.seconds;
            let _ = write!(text, "{} {rate:.1}, {:.2}", seen.of(), seen.longest);
            if let Some(sounds) = seen.sounds {
                let _ = write!(text, " (sound {:.0} %)", sounds as f64 * 100.0 / part.seconds / SOUNDS);
            }
            text.push_str("; ");
        }
        text.push_str("|\n");
    }
    text
}

/// Whether the aims are met, and how; the whole is failed by what those with bandwidth miss.
pub(crate) fn end(wide: &Part, narrow: &Part) -> (String, bool) {
    let longest = |part: &Part| part.others().map(|(_, seen)| seen.longest).fold(0.0, f64::max);
    let all = wide.rows.iter().flat_map(|row| &row.seen).map(|seen| seen.longest).fold(0.0, f64::max);
    let rate = |part: &Part, login: &str, name: &str| {
        let found = part.row(login).and_then(|row| row.seen.iter().find(|seen| seen.name == name));
        found.map_or(0.0, |seen| seen.pictures as f64 / part.seconds)
    };
    let shares = narrow
        .others()
        .map(|(row, seen)| rate(narrow, row.login, &seen.name) / rate(wide, row.login, &seen.name).max(1.0));
    let least = shares.fold(1.0, f64::min);
    let sounds = narrow.row(SLOW).into_iter().flat_map(|row| &row.seen).filter_map(|seen| seen.sounds);
    let heard = sounds.map(|sounds| sounds as f64 / narrow.seconds / SOUNDS).fold(1.0, f64::min);
    let aims = [
        (format!("no freeze over {FREEZE} s with bandwidth: {all:.2} s the longest"), all <= FREEZE),
        (format!("nor beside a slow one: {:.2} s", longest(narrow)), longest(narrow) <= FREEZE),
        (
            format!("the others get as many pictures beside it: {:.1} % at least", least * 100.0),
            least >= SAME,
        ),
    ];
    let sound = format!(
        "the slow one hears everybody: {:.1} % of the sound at least, aim {:.0} %",
        heard * 100.0,
        HEARD * 100.0
    );
    let lines = aims.iter().map(|(text, met)| (text, *met)).chain([(&sound, heard >= HEARD)]);
    let text: String = lines.map(|(text, met)| format!("{text}: {}\n", word(met))).collect();
    (text, aims.iter().all(|(_, met)| *met))
}
