//! `report`: what went wrong, out of a file that somebody sent.

use crate::{
    exit::{Error, Exit},
    output::Output,
};
use sidetone_api::ReportContents;
use sidetone_engine::{capture_of, read_report};
use std::path::Path;

pub(super) fn run(file: &Path, json: bool, pcapng: Option<&Path>) -> Result<Exit, Error> {
    let contents = read_report(file)?;
    if let Some(path) = pcapng {
        let written = std::fs::write(path, capture_of(&contents));
        written.map_err(|error| Error::usage(format!("{}: {error}", path.display())))?;
        return Ok(Exit::Done);
    }
    let text = if json {
        serde_json::to_string_pretty(&contents).map_err(|error| Error::usage(error.to_string()))?
    } else {
        readable(&contents)
    };
    Output::new(true).line(&text).map_err(|error| Error::usage(format!("stdout: {error}")))?;
    Ok(Exit::Done)
}

fn readable(contents: &ReportContents) -> String {
    let mut lines = Vec::new();
    if !contents.report.words.is_empty() {
        lines.push(format!("\"{}\"", plain(&contents.report.words)));
    }
    if contents.report.verdicts.is_empty() {
        lines.push("nothing that went wrong is known".into());
    }
    for verdict in &contents.report.verdicts {
        lines.push(plain(&verdict.info));
        lines.push(format!("  {}", plain(&verdict.advice)));
    }
    let first = contents.messages.first().map_or(0, |message| message.at);
    for message in &contents.messages {
        let after = message.at.saturating_sub(first);
        let way = if message.incoming { "<--" } else { "-->" };
        let again = if message.repeated { " (again)" } else { "" };
        let (remote, summary) = (plain(&message.remote), plain(&message.summary));
        lines.push(format!("{:>6}.{:03}  {way} {remote}  {summary}{again}", after / 1000, after % 1000));
    }
    lines.join("\n")
}

/// A file of somebody else's is shown in a terminal: nothing of it may command that.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::readable;
    use sidetone_api::{Blame, ReportContents, ReportVerdict, ReportView, VerdictKind};

    #[test]
    fn a_report_of_a_stranger_does_not_command_the_terminal() {
        let verdict = ReportVerdict {
            kind: VerdictKind::Refused,
            blame: Blame::Unknown,
            at: 0,
            subject: String::new(),
            info: "\u{1b}[2Jgone".into(),
            advice: "a\nb".into(),
        };
        let report = ReportView { verdicts: vec![verdict], ..ReportView::default() };
        let text = readable(&ReportContents { report, ..ReportContents::default() });
        assert_eq!(text, " [2Jgone\n  a b");
    }
}
