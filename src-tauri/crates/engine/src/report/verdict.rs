//! What went wrong, from what happened. A rule says nothing where it is not sure.

use sidetone_api::{
    Blame, ReportContents, ReportEvent, ReportMessage, ReportSample, ReportVerdict, VerdictKind,
};
use std::collections::{BTreeMap, BTreeSet};

/// A far end that sends nothing for so long has not only been quiet.
const SILENT_MS: u64 = 5_000;
/// Packets of ours that went out meanwhile.
const WENT_OUT: u64 = 50;
/// Percent, on average over a window: from here on speech suffers in spite of concealment (ITU-T G.113 Appendix I).
const LOSSY: f32 = 4.0;
/// Seconds that such an average needs.
const WINDOW: usize = 8;
/// Timers late within ten seconds of each other.
const MANY_LATE: usize = 5;
const LATE_WITHIN_MS: u64 = 10_000;

/// The gravest first, each kind once for each object.
pub(crate) fn judge(contents: &ReportContents) -> Vec<ReportVerdict> {
    let mut all = Vec::new();
    all.extend(passwords(&contents.messages));
    all.extend(codecs(&contents.messages));
    for (subject, samples) in by_subject(&contents.samples) {
        all.extend(one_way(subject, &samples, &contents.events));
        all.extend(loss(subject, &samples));
    }
    all.extend(contents.events.iter().filter_map(of_event));
    all.extend(late(&contents.events));
    let told = all.iter().any(|verdict| verdict.kind != VerdictKind::PacketLoss);
    if !told {
        all.extend(contents.events.iter().filter_map(refused));
    }
    let mut seen = BTreeSet::new();
    all.retain(|verdict| seen.insert((verdict.kind as u8, verdict.subject.clone())));
    all.sort_by_key(|verdict| verdict.kind as u8);
    all
}

fn verdict(
    kind: VerdictKind,
    blame: Blame,
    at: u64,
    subject: &str,
    info: String,
    advice: &str,
) -> ReportVerdict {
    ReportVerdict { kind, blame, at, subject: subject.into(), info, advice: advice.into() }
}

/// `12:03:07 UTC`
fn clock(at: u64) -> String {
    let seconds = at / 1000 % 86_400;
    format!("{:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn is_status(message: &ReportMessage, codes: &[&str]) -> bool {
    codes.iter().any(|code| message.summary.starts_with(code))
}

fn number(message: &ReportMessage) -> &str {
    message.cseq.split_whitespace().next().unwrap_or_default()
}

/// Credentials were sent and asked for again, not because their nonce was stale (RFC 3261 22.3).
fn passwords(messages: &[ReportMessage]) -> Vec<ReportVerdict> {
    let mut all = Vec::new();
    for (place, request) in messages.iter().enumerate() {
        let has_credentials = request.text.lines().any(|line| {
            let low = line.to_ascii_lowercase();
            low.starts_with("authorization:") || low.starts_with("proxy-authorization:")
        });
        if request.incoming || request.repeated || !has_credentials {
            continue;
        }
        let answers = messages[place + 1..].iter().filter(|answer| {
            answer.incoming && answer.call_id == request.call_id && answer.cseq == request.cseq
        });
        let denied = answers.into_iter().find(|answer| {
            let stale = answer.text.to_ascii_lowercase().contains("stale=true");
            (is_status(answer, &["401", "407"]) && !stale)
                || (is_status(answer, &["403"]) && request.summary == "REGISTER")
        });
        let Some(denied) = denied else { continue };
        let later = messages[place + 1..].iter().any(|answer| {
            answer.incoming
                && answer.call_id == request.call_id
                && answer.summary.starts_with('2')
                && answer.cseq.ends_with(request.summary.as_str())
        });
        if later {
            continue;
        }
        let user =
            request.text.split("username=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("?");
        let info = format!("{} refused the password of {user}: {}", denied.remote, denied.summary);
        let advice = "enter the account's user name and password again";
        all.push(verdict(VerdictKind::WrongPassword, Blame::Settings, denied.at, user, info, advice));
    }
    all
}

fn codecs(messages: &[ReportMessage]) -> Vec<ReportVerdict> {
    let refusals = messages.iter().filter(|message| {
        is_status(message, &["488", "606", "415"]) && message.cseq.ends_with("INVITE") && !message.repeated
    });
    let told = |refusal: &ReportMessage| {
        let offer = messages.iter().rev().find(|message| {
            message.summary == "INVITE"
                && message.call_id == refusal.call_id
                && number(message) == number(refusal)
        });
        let names = offer.map(|offer| offered(&offer.text)).unwrap_or_default();
        let what = if names.is_empty() { "what was offered".to_owned() } else { names.join(", ") };
        let (info, blame) = if refusal.incoming {
            (format!("the far end takes none of {what}: {}", refusal.summary), Blame::FarEnd)
        } else {
            (
                format!("the far end offers {what}, none of which is on here: {}", refusal.summary),
                Blame::Settings,
            )
        };
        let advice = "switch on a codec that both sides have, such as PCMA or PCMU, or the encryption that the far end wants";
        verdict(VerdictKind::NoCommonCodec, blame, refusal.at, &refusal.call_id, info, advice)
    };
    let mut all: Vec<_> = refusals.map(told).collect();
    // Our offer was answered with something else: we acknowledge and hang up with 488 as the reason (RFC 3326).
    let byes =
        messages.iter().filter(|message| message.summary == "BYE" && !message.incoming && !message.repeated);
    for bye in byes {
        let reason = bye.text.lines().find(|line| line.to_ascii_lowercase().starts_with("reason:"));
        if reason.is_some_and(|reason| reason.contains("488")) {
            let info = "the far end answered with a codec that was not offered".to_owned();
            let advice = "let the far end choose one of the codecs that are offered";
            all.push(verdict(VerdictKind::NoCommonCodec, Blame::FarEnd, bye.at, &bye.call_id, info, advice));
        }
    }
    all
}

/// Names of the formats of an offer, without those for keys of the pad and comfort noise.
fn offered(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("a=rtpmap:")) {
        let name =
            line.split_whitespace().nth(1).and_then(|format| format.split('/').next()).unwrap_or_default();
        let counts = !matches!(name, "" | "telephone-event" | "CN");
        if counts && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    if let (true, Some(line)) = (names.is_empty(), text.lines().find(|line| line.starts_with("m=audio "))) {
        names.extend(line.split_whitespace().skip(3).map(|format| format!("payload type {format}")));
    }
    names
}

fn by_subject(samples: &[ReportSample]) -> BTreeMap<&str, Vec<&ReportSample>> {
    let mut all: BTreeMap<&str, Vec<&ReportSample>> = BTreeMap::new();
    for sample in samples {
        all.entry(&sample.subject).or_default().push(sample);
    }
    all
}

/// Whether the call is spoken in at this moment: established, and held by nobody.
fn is_spoken(events: &[ReportEvent], call: &str, at: u64) -> bool {
    let mut before = events
        .iter()
        .filter(|event| event.kind == "CallStatusEvent" && event.subject == call && event.at <= at);
    before.next_back().is_some_and(|event| event.status == "ESTABLISHED")
}

fn one_way(subject: &str, samples: &[&ReportSample], events: &[ReportEvent]) -> Vec<ReportVerdict> {
    let is_call =
        |sample: &&&ReportSample| sample.packets_sent.is_some() && sample.packets_received.is_some();
    let spoken: Vec<_> =
        samples.iter().filter(is_call).filter(|sample| is_spoken(events, subject, sample.at)).collect();
    let Some(first) = spoken.first() else { return Vec::new() };
    let (mut last, mut worst) = (first, None);
    for sample in &spoken {
        if sample.packets_received > last.packets_received {
            last = sample;
        }
        let went = sample.packets_sent.unwrap_or(0).saturating_sub(last.packets_sent.unwrap_or(0));
        if sample.at.saturating_sub(last.at) >= SILENT_MS && went >= WENT_OUT {
            worst = Some(*last);
        }
    }
    let mut all = Vec::new();
    if let Some(last) = worst {
        let info = if last.packets_received == Some(0) {
            "no RTP came from the far end at all, and ours went out".to_owned()
        } else {
            format!("no RTP from the far end after {}, and ours went out", clock(last.at))
        };
        let advice = "ask the far end whether its microphone is on; if it is, a firewall or NAT between you keeps its packets back";
        all.push(verdict(VerdictKind::OneWayAudio, Blame::FarEnd, last.at, subject, info, advice));
    }
    let deaf: Vec<_> =
        spoken.iter().filter(|sample| sample.remote_loss_percent.is_some_and(|loss| loss >= 90.0)).collect();
    if let (true, Some(first)) = (deaf.len() >= WINDOW, deaf.first()) {
        let info = format!("the far end reports that nothing of ours arrived from {} on", clock(first.at));
        let advice = "let your firewall pass UDP, or switch on STUN or TURN for the account";
        all.push(verdict(VerdictKind::OneWayAudio, Blame::MyNetwork, first.at, subject, info, advice));
    }
    all
}

fn loss(subject: &str, samples: &[&ReportSample]) -> Option<ReportVerdict> {
    type Read = fn(&ReportSample) -> Option<f32>;
    let ways: [(Read, &str); 2] = [
        (|sample| sample.loss_percent, "of the far end's packets did not arrive"),
        (|sample| sample.remote_loss_percent, "of our packets did not arrive at the far end"),
    ];
    let worst = |read: Read| {
        let known: Vec<_> = samples.iter().filter_map(|sample| Some((sample.at, read(sample)?))).collect();
        let average =
            |window: &[(u64, f32)]| window.iter().map(|(_, loss)| loss).sum::<f32>() / window.len() as f32;
        let windows = known.windows(WINDOW).map(|window| (window[0].0, average(window)));
        windows
            .max_by(|(_, one), (_, other)| one.total_cmp(other))
            .filter(|(_, loss)| (LOSSY..90.0).contains(loss))
    };
    let lossy: Vec<_> = ways.into_iter().filter_map(|(read, words)| Some((worst(read)?, words))).collect();
    let ((at, _), _) = lossy.first()?;
    let blame = if lossy.len() == 2 { Blame::MyNetwork } else { Blame::Unknown };
    let parts: Vec<_> = lossy.iter().map(|((_, loss), words)| format!("{loss:.0} % {words}")).collect();
    let info = format!("{}, from {} on", parts.join("; "), clock(*at));
    let advice = "use a cable instead of Wi-Fi, and end downloads that run beside the call";
    Some(verdict(VerdictKind::PacketLoss, blame, *at, subject, info, advice))
}

fn of_event(event: &ReportEvent) -> Option<ReportVerdict> {
    let with = |kind, blame, advice| {
        Some(verdict(kind, blame, event.at, &event.subject, event.info.clone(), advice))
    };
    match (event.kind.as_str(), event.status.as_str()) {
        ("StreamStatusEvent", "FAILED") => with(
            VerdictKind::StreamLost,
            Blame::Server,
            "publish or play it again; if it fails again, ask who runs the server",
        ),
        ("StreamStatusEvent", "STOPPED") if event.info == "Stopped by publisher stop" => {
            with(VerdictKind::StreamLost, Blame::FarEnd, "play it again when it is published again")
        }
        ("HooksProblem", _) => with(
            VerdictKind::BackendDead,
            Blame::Server,
            "see that the backend runs and that its URL is right: settings, hooks",
        ),
        ("DeviceProblem", _) | ("CallProblem", "silentMicrophone") => {
            with(VerdictKind::WrongDevice, Blame::MyMachine, "choose another device: settings, sound")
        }
        _ => None,
    }
}

fn late(events: &[ReportEvent]) -> Option<ReportVerdict> {
    let late: Vec<_> = events.iter().filter(|event| event.kind == "Late").collect();
    let crowd = late.windows(MANY_LATE).find(|window| {
        window.last().is_some_and(|last| last.at.saturating_sub(window[0].at) <= LATE_WITHIN_MS)
    })?;
    let first = crowd.first()?;
    let info =
        format!("this machine was too busy for sound in time, from {} on: {}", clock(first.at), first.info);
    let advice = "end other programs that need much of the processor, or publish a smaller picture";
    Some(verdict(VerdictKind::MachineTooSlow, Blame::MyMachine, first.at, "", info, advice))
}

/// Where nothing better is known: what the far end or the network said.
fn refused(event: &ReportEvent) -> Option<ReportVerdict> {
    let is_status = matches!(
        event.kind.as_str(),
        "CallStatusEvent" | "RegistrationStatusEvent" | "ConnectionStatusEvent"
    );
    let info = event.info.clone();
    let advice = "see the ladder for who said so";
    (is_status && event.status == "FAILED")
        .then(|| verdict(VerdictKind::Refused, Blame::Unknown, event.at, &event.subject, info, advice))
}

#[cfg(test)]
mod tests {
    use super::{clock, judge};
    use sidetone_api::{Blame, ReportContents, ReportEvent, ReportSample, VerdictKind};

    fn event(at: u64, kind: &str, status: &str) -> ReportEvent {
        ReportEvent { at, kind: kind.into(), subject: "c".into(), status: status.into(), info: "x".into() }
    }

    fn sample(second: u64, received: u64, loss: f32) -> ReportSample {
        ReportSample {
            at: second * 1000,
            subject: "c".into(),
            packets_sent: Some(second * 50),
            packets_received: Some(received),
            loss_percent: Some(loss),
            remote_loss_percent: None,
            jitter_ms: 1.0,
            round_trip_ms: None,
            microphone: None,
            speaker: None,
        }
    }

    fn call(samples: Vec<ReportSample>, events: Vec<ReportEvent>) -> ReportContents {
        ReportContents { samples, events, ..ReportContents::default() }
    }

    fn kinds(contents: &ReportContents) -> Vec<VerdictKind> {
        judge(contents).into_iter().map(|verdict| verdict.kind).collect()
    }

    #[test]
    fn a_far_end_that_falls_silent_is_named_with_the_time() {
        let silent = (0..20).map(|second| sample(second, second.min(7) * 50, 0.0)).collect::<Vec<_>>();
        let judged = judge(&call(silent.clone(), vec![event(0, "CallStatusEvent", "ESTABLISHED")]));
        assert_eq!((judged[0].kind, judged[0].at), (VerdictKind::OneWayAudio, 7_000));
        assert!(judged[0].info.contains("after 00:00:07 UTC"), "{}", judged[0].info);
        let held = vec![event(0, "CallStatusEvent", "ESTABLISHED"), event(7_500, "CallStatusEvent", "HOLD")];
        assert!(kinds(&call(silent.clone(), held)).is_empty());
        assert!(kinds(&call(silent, Vec::new())).is_empty());
        let short = (0..20).map(|second| sample(second, second / 3 * 150, 0.0)).collect();
        assert!(kinds(&call(short, vec![event(0, "CallStatusEvent", "ESTABLISHED")])).is_empty());
    }

    #[test]
    fn loss_counts_where_it_lasts() {
        let lossy = (0..20).map(|second| sample(second, second * 45, 10.0)).collect();
        let judged = judge(&call(lossy, Vec::new()));
        assert_eq!((judged[0].kind, judged[0].blame), (VerdictKind::PacketLoss, Blame::Unknown));
        assert!(judged[0].info.starts_with("10 % of the far end's packets"), "{}", judged[0].info);
        let once =
            (0..20).map(|second| sample(second, second * 50, if second == 5 { 20.0 } else { 0.0 })).collect();
        assert!(kinds(&call(once, Vec::new())).is_empty());
    }

    #[test]
    fn a_machine_is_too_slow_where_it_is_late_again_and_again() {
        let late = |step: u64| (0..6).map(|time| event(time * step, "Late", "")).collect();
        assert_eq!(kinds(&call(Vec::new(), late(1_000))), [VerdictKind::MachineTooSlow]);
        assert!(kinds(&call(Vec::new(), late(60_000))).is_empty());
    }

    #[test]
    fn what_nobody_can_explain_is_told_in_its_own_words() {
        let failed = event(1, "CallStatusEvent", "FAILED");
        assert_eq!(kinds(&call(Vec::new(), vec![failed.clone()])), [VerdictKind::Refused]);
        let dead = event(2, "HooksProblem", "");
        assert_eq!(kinds(&call(Vec::new(), vec![failed, dead])), [VerdictKind::BackendDead]);
    }

    #[test]
    fn a_time_is_read_by_people() {
        assert_eq!(clock(86_400_000 * 3 + 43_387_000), "12:03:07 UTC");
    }
}
