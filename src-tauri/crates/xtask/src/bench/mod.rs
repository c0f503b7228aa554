//! `cargo xtask bench`: our figures beside another program's, taken in turn in the same run, so that the machine's mood is
//! the same for both.

mod call;
mod calls;
mod echo;
mod hooks;
mod room;
mod streams;

use crate::arguments;

/// A name, what it measures, how.
type Bench = (&'static str, &'static str, fn(&arguments::Bench) -> Result<(), String>);

const BENCHES: [Bench; 6] = [
    ("call", "one G.711 and one Opus call beside baresip's", call::run),
    ("calls", "1 to 100 G.711 calls in one engine: what each costs", calls::run),
    ("echo", "what the echo canceller leaves of the far end, and of the near end when both speak", echo::run),
    (
        "hooks",
        "a backend dead for 60 s during 50 calls and 20 streams, and a kill: what media and events suffer",
        hooks::run,
    ),
    ("room", "six in one room, and one of them with 300 kbit/s: what each costs and gets", room::run),
    (
        "streams",
        "a packet forwarded to 1 to 200 players beside Janus', coding 720p30, and from capture to the window",
        streams::run,
    ),
];

/// One of them, or all.
pub(crate) fn run(options: &arguments::Bench) -> Result<(), String> {
    let name = options.name.as_deref();
    let chosen: Vec<_> =
        BENCHES.iter().filter(|(known, ..)| name.is_none_or(|name| name == *known)).collect();
    if chosen.is_empty() {
        let known: Vec<_> = BENCHES.iter().map(|(name, what, _)| format!("  {name:<8} {what}")).collect();
        return Err(format!(
            "there is no bench {:?}; there are\n{}",
            name.unwrap_or_default(),
            known.join("\n")
        ));
    }
    chosen.into_iter().try_for_each(|(name, what, bench)| {
        println!("==> {name}: {what}");
        bench(options)
    })
}
