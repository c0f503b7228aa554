//! What is counted: `GET /metrics` for programs (OpenMetrics 1.0), `GET /status` for people. Who may ask is as of the REST API.

use super::answer::Refused;
use crate::app::App;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use sidetone_engine::{Metrics, RestAsk, RestReply};
use std::{fmt::Write as _, sync::Arc, time::Duration};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// For whoever does not take the other: the text is the same but for its end.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap, request: Request) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_open = accept.is_empty() || accept.contains("*/*") || accept.contains("openmetrics");
    match ask(&app).await {
        Ok(metrics) => {
            let kind = if is_open { OPEN_METRICS } else { PROMETHEUS };
            ([(header::CONTENT_TYPE, kind)], text(&metrics, is_open)).into_response()
        }
        Err(refused) => refused.of(&request),
    }
}

pub(super) async fn status(State(app): State<Arc<App>>, request: Request) -> Response {
    match ask(&app).await {
        Ok(metrics) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page(&metrics)).into_response(),
        Err(refused) => refused.of(&request),
    }
}

async fn ask(app: &App) -> Result<Metrics, Refused> {
    let late = || Refused::new(StatusCode::SERVICE_UNAVAILABLE, "the engine does not answer");
    match timeout(PATIENCE, app.door.rest(RestAsk::Measure)).await {
        Ok(Ok(RestReply::Measured(metrics))) => Ok(*metrics),
        _ => Err(late()),
    }
}

/// A family: its name, its type, what it is, and its samples with their labels.
type Family = (&'static str, &'static str, &'static str, Vec<(String, f64)>);

fn families(metrics: &Metrics) -> Vec<Family> {
    let one = |value: u64| vec![(String::new(), value as f64)];
    let by = |label: &str, values: &[(&str, u64)]| {
        values.iter().map(|(name, value)| (format!("{{{label}=\"{name}\"}}"), *value as f64)).collect()
    };
    let ends = |ends: &std::collections::BTreeMap<&'static str, u64>| {
        ends.iter().map(|(status, count)| (format!("{{status=\"{status}\"}}"), *count as f64)).collect()
    };
    let counted = &metrics.counted;
    let packets = by("way", &[("sent", counted.sent), ("received", counted.received)]);
    vec![
        (
            "sidetone_build",
            "info",
            "Version of the engine",
            vec![(format!("{{version=\"{}\"}}", metrics.version), 1.0)],
        ),
        (
            "sidetone_uptime_seconds",
            "gauge",
            "Since the program began",
            vec![(String::new(), metrics.uptime.as_secs_f64())],
        ),
        ("sidetone_sessions", "gauge", "Accounts that are connected or try to be", one(metrics.sessions)),
        ("sidetone_registrations", "gauge", "Accounts that are registered", one(metrics.registered)),
        (
            "sidetone_extensions",
            "gauge",
            "Phones that are registered at the gateway",
            one(metrics.extensions),
        ),
        ("sidetone_clients", "gauge", "Pages with a session at the gateway", one(metrics.clients)),
        ("sidetone_calls", "gauge", "Calls that have not ended", one(metrics.calls)),
        (
            "sidetone_streams",
            "gauge",
            "Streams of this program that flow",
            by("way", &[("published", metrics.published), ("played", metrics.played)]),
        ),
        ("sidetone_rooms", "gauge", "Meetings that this program is in", one(metrics.rooms)),
        ("sidetone_participants", "gauge", "Who is in these meetings", one(metrics.participants)),
        ("sidetone_calls_ended", "counter", "Calls that have ended", ends(&counted.calls)),
        ("sidetone_streams_ended", "counter", "Streams that have ended", ends(&counted.streams)),
        ("sidetone_rtp_packets", "counter", "Packets of the sound of calls", packets),
        (
            "sidetone_rtp_packets_lost",
            "counter",
            "Packets of the sound of calls that did not arrive here",
            one(counted.lost),
        ),
        (
            "sidetone_hooks_waiting",
            "gauge",
            "Events that the backend has yet to take",
            one(metrics.hooks_waiting),
        ),
        ("sidetone_hooks_failed", "gauge", "Events that the backend did not take", one(metrics.hooks_failed)),
        (
            "sidetone_hooks_oldest_seconds",
            "gauge",
            "Age of the event that waits longest",
            vec![(String::new(), metrics.hooks_oldest.as_secs_f64())],
        ),
        ("sidetone_bug_reports", "counter", "Bug reports that were stored", one(counted.reports)),
    ]
}

fn text(metrics: &Metrics, is_open: bool) -> String {
    let mut text = String::new();
    for (name, kind, help, samples) in families(metrics) {
        // In the older text the suffix belongs to the name of the family, and there is no type `info`.
        let (family, suffix) = match kind {
            "counter" if is_open => (name.to_owned(), "_total"),
            "counter" => (format!("{name}_total"), "_total"),
            "info" if is_open => (name.to_owned(), "_info"),
            "info" => (format!("{name}_info"), "_info"),
            _ => (name.to_owned(), ""),
        };
        let shown = if kind == "info" && !is_open { "gauge" } else { kind };
        let _ = writeln!(text, "# TYPE {family} {shown}");
        if is_open && name.ends_with("_seconds") {
            let _ = writeln!(text, "# UNIT {family} seconds");
        }
        let _ = writeln!(text, "# HELP {family} {help}.");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{suffix}{labels} {value}");
        }
    }
    if is_open {
        text.push_str("# EOF\n");
    }
    text
}

/// Nothing of it comes from outside: no text needs to be escaped.
fn page(metrics: &Metrics) -> String {
    let mut rows = String::new();
    for (_, kind, help, samples) in families(metrics) {
        if kind == "info" {
            continue;
        }
        for (labels, value) in samples {
            let of = labels.split('"').nth(1).map_or(String::new(), |of| format!(" ({of})"));
            let _ = write!(rows, "<tr><th scope=\"row\">{help}{of}</th><td>{}</td></tr>", value.round());
        }
    }
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Sidetone: status</title><link rel=\"stylesheet\" href=\"/sign-in.css\"><main><h1>Sidetone {}</h1>\
         <table>{rows}</table><p><a href=\"/status\">Look again</a> · <a href=\"/metrics\">For programs</a></p></main></html>",
        metrics.version
    )
}

#[cfg(test)]
mod tests {
    use super::text;
    use sidetone_engine::Metrics;
    use std::collections::HashMap;

    fn is_name(name: &str) -> bool {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    }

    /// Section 4 of OpenMetrics 1.0: each family has its type first, its samples are together and have the suffix of the type.
    #[test]
    fn the_text_is_as_open_metrics_has_it() {
        let text = text(&Metrics { version: "1.2.3", ..Metrics::default() }, true);
        assert!(text.ends_with("\n# EOF\n") && text.matches("# EOF").count() == 1);
        let mut types = HashMap::new();
        let mut family = String::new();
        for line in text.lines().filter(|line| *line != "# EOF") {
            if let Some(rest) = line.strip_prefix("# ") {
                let mut parts = rest.splitn(3, ' ');
                let (word, name, value) =
                    (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
                assert!(is_name(name), "{line}");
                match word {
                    "TYPE" => {
                        assert_eq!(
                            types.insert(name.to_owned(), value.to_owned()),
                            None,
                            "{name} comes twice"
                        );
                        name.clone_into(&mut family);
                    }
                    "HELP" => assert_eq!(name, family),
                    "UNIT" => assert!(name == family && name.ends_with(&format!("_{value}"))),
                    other => panic!("{other}"),
                }
                continue;
            }
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().unwrap() >= 0.0);
            let (name, labels) = sample.split_once('{').map_or((sample, ""), |(name, labels)| (name, labels));
            assert!(labels.is_empty() || (labels.ends_with("\"}") && labels.contains("=\"")), "{line}");
            let suffix = match types[&family].as_str() {
                "counter" => "_total",
                "info" => "_info",
                "gauge" => "",
                other => panic!("{other}"),
            };
            assert_eq!(name, format!("{family}{suffix}"));
        }
        assert!(types.len() >= 15);
    }

    #[test]
    fn the_older_text_names_families_as_their_samples() {
        let text = text(&Metrics { version: "1.2.3", ..Metrics::default() }, false);
        assert!(text.contains("# TYPE sidetone_bug_reports_total counter\n") && !text.contains("# EOF"));
        assert!(text.contains("# TYPE sidetone_build_info gauge\n") && !text.contains("# UNIT"));
    }
}
