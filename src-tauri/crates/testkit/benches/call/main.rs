//! One call on file audio, ours and baresip's in turn, with a G.711 and an Opus call each: what it costs, and how long
//! it takes to register and to be answered. Run it through `cargo xtask bench call`.
//!
//! Both register at one Kamailio over UDP with MD5 and call, through it, one SIPp that sends their sound back. What
//! they took is told by the kernel: `/proc` of the process, and time stamps of the packets at Kamailio's port.
// Talking to the terminal is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod phone;
#[cfg(target_os = "linux")]
mod round;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let outcome = arguments::of_this_program().and_then(|arguments| match arguments {
        Some(arguments) => round::all(&arguments),
        None => {
            println!("{}", arguments::HELP);
            Ok(())
        }
    });
    sidetone_testkit::bench::ended(outcome.map(|()| true))
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this bench needs Linux: Kamailio, SIPp, baresip and /proc");
}
