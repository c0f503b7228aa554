//! From what a user types to the URI to call.

use super::dialplan::{DialPlan, Dialled};
use sidetone_api::{AccountId, Failure};
use sidetone_sip::message::{PostDial, Scheme, Tel, Uri};

const LONGEST: usize = 255;

/// What a user typed, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// A number without separators, a name, or an address.
    text: String,
    /// What is dialled once it is answered.
    pub(super) post_dial: Vec<PostDial>,
    pub(super) emergency: bool,
    /// The account that the dial plan calls it by.
    pub(super) account: Option<AccountId>,
}

impl Target {
    /// Reads numbers (with pauses, as `tel:` or plain), names and addresses, and lets the dial plan have its say, which emergency
    /// numbers pass. `account`: the one that was chosen already.
    ///
    /// # Errors
    /// Names the field `field`.
    pub(super) fn read(
        typed: &str,
        account: Option<&AccountId>,
        plan: &DialPlan,
        field: &str,
    ) -> Result<Self, Failure> {
        let mut target = Self::of(typed, field)?;
        target.emergency = plan.is_emergency(target.dialled());
        if target.emergency {
            target.post_dial.clear();
            return Ok(target);
        }
        match plan.apply(&target.text, account) {
            Dialled::Unchanged => Ok(target),
            Dialled::Refused(why) => Err(Failure::invalid(field, why)),
            Dialled::Replaced { number, account } => {
                let mut replaced = Self::of(&number, field)?;
                // A rule may lead to an emergency number: then that is what is called, and nothing else.
                replaced.emergency = plan.is_emergency(replaced.dialled());
                if replaced.emergency {
                    replaced.post_dial.clear();
                } else {
                    replaced.post_dial.extend(target.post_dial);
                }
                Ok(Self { account, ..replaced })
            }
        }
    }

    fn of(typed: &str, field: &str) -> Result<Self, Failure> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(Failure::invalid(field, "type a number, a name or a SIP address"));
        }
        if typed.len() > LONGEST || typed.chars().any(char::is_control) {
            return Err(Failure::invalid(field, "this is no address"));
        }
        let plain =
            |text: &str| Self { text: text.into(), post_dial: Vec::new(), emergency: false, account: None };
        if is_address(typed) {
            return Ok(plain(typed));
        }
        let is_tel = typed.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"));
        match Tel::parse(typed) {
            Ok(tel) => Ok(Self { post_dial: tel.post_dial_steps(true), ..plain(&tel.number) }),
            Err(error) if is_tel => Err(Failure::invalid(field, error.to_string())),
            Err(_) => Ok(plain(typed)),
        }
    }

    /// The digits by which an emergency number is known: also where it was typed as an address.
    fn dialled(&self) -> &str {
        let address = self.text.split_once(':').map_or(self.text.as_str(), |(_, rest)| rest);
        if is_address(&self.text) { address.split(['@', ';']).next().unwrap_or_default() } else { &self.text }
    }

    /// `sip:` URIs as they are, `user@host` with the scheme added, numbers and names at `domain`'s host.
    ///
    /// # Errors
    /// Names the field `field`.
    pub(super) fn uri(&self, domain: &Uri, field: &str) -> Result<Uri, Failure> {
        let invalid = |message: &str| Failure::invalid(field, message);
        if !is_address(&self.text) {
            if self.text.chars().any(char::is_whitespace) {
                return Err(invalid("a name to call has no spaces"));
            }
            let mut uri = Uri::sip(None, domain.host.clone(), domain.port);
            uri.scheme = domain.scheme.clone();
            uri.set_user_text(&self.text);
            return Ok(uri);
        }
        let full = if has_scheme(&self.text) { self.text.clone() } else { format!("sip:{}", self.text) };
        Uri::parse(&full).map_err(|error| invalid(&error.to_string()))
    }
}

/// Whom a REFER names, as it would be typed.
pub(super) fn of_refer(uri: &Uri) -> String {
    let mut uri = uri.clone();
    uri.headers.clear();
    uri.params.remove("method");
    match uri.scheme {
        // A telephone number is called at our own domain.
        Scheme::Tel => format!("tel:{}", uri.user_text().unwrap_or_default()),
        _ => uri.to_string(),
    }
}

fn has_scheme(text: &str) -> bool {
    let lower = text.get(..5).unwrap_or(text).to_ascii_lowercase();
    lower.starts_with("sip:") || lower.starts_with("sips:")
}

fn is_address(text: &str) -> bool {
    has_scheme(text) || (text.contains('@') && !text.to_ascii_lowercase().starts_with("tel:"))
}

#[cfg(test)]
mod tests {
    use super::{DialPlan, Target};
    use sidetone_api::{CallSettings, DialRule};
    use sidetone_sip::message::{PostDial, Uri};

    fn read(typed: &str, settings: &CallSettings) -> Result<(String, Target), String> {
        let domain = Uri::parse("sip:alice@example.org:5070").unwrap();
        let plan = DialPlan::of(settings).unwrap();
        let target = Target::read(typed, None, &plan, "callee").map_err(|failure| failure.message)?;
        let uri = target.uri(&domain, "callee").map_err(|failure| failure.message)?;
        Ok((uri.to_string(), target))
    }

    fn called(typed: &str) -> Result<String, String> {
        read(typed, &CallSettings::default()).map(|(uri, _)| uri)
    }

    #[test]
    fn a_name_or_number_is_called_at_the_domain() {
        assert_eq!(called("echo").unwrap(), "sip:echo@example.org:5070");
        assert_eq!(called(" +49 (30) 123-45 ").unwrap(), "sip:+493012345@example.org:5070");
        assert_eq!(called("tel:+49-30-12345;ext=7").unwrap(), "sip:+493012345@example.org:5070");
    }

    #[test]
    fn a_full_address_is_called_as_it_is() {
        assert_eq!(called("sip:bob@10.0.0.1;transport=tcp").unwrap(), "sip:bob@10.0.0.1;transport=tcp");
        assert_eq!(called("bob@example.net").unwrap(), "sip:bob@example.net");
        assert_eq!(called("sips:bob@example.net").unwrap(), "sips:bob@example.net");
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        for typed in ["", "  ", "a b c", "sip:", "bob@", "x\r\nVia: y", "tel:", "tel:bob"] {
            assert!(called(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn extensions_and_pauses_are_dialled_after_the_answer() {
        let (uri, target) = read("tel:+49-30-12345;ext=7,,1#", &CallSettings::default()).unwrap();
        assert_eq!(uri, "sip:+493012345@example.org:5070");
        let digits: Vec<_> =
            target.post_dial.iter().filter(|step| matches!(step, PostDial::Digits(_))).cloned().collect();
        assert_eq!(digits, [PostDial::Digits("7".into()), PostDial::Digits("1#".into())]);
        let (uri, target) = read("030 123,45", &CallSettings::default()).unwrap();
        assert_eq!(uri, "sip:030123@example.org:5070");
        assert_eq!(target.post_dial.last(), Some(&PostDial::Digits("45".into())));
    }

    #[test]
    fn the_dial_plan_changes_numbers_and_emergency_numbers_pass_it() {
        let rules =
            [("11.", ""), ("0(.+)", "+49$1"), ("home", "sip:me@example.net"), ("73", "sip:112@example.net")];
        let rule = |&(pattern, replace): &(&str, &str)| DialRule {
            pattern: pattern.into(),
            replace: replace.into(),
            account_id: None,
            refuse: replace.is_empty(),
        };
        let settings = CallSettings {
            dial_plan: rules.iter().map(rule).collect(),
            emergency_numbers: vec!["110".into()],
            ..CallSettings::default()
        };
        let (uri, target) = read("0 30 123", &settings).unwrap();
        assert_eq!((uri.as_str(), target.emergency), ("sip:+4930123@example.org:5070", false));
        assert_eq!(read("home", &settings).unwrap().0, "sip:me@example.net");
        assert!(read("115", &settings).unwrap_err().contains("rule 1"));
        for typed in ["112", "1-1-0", "tel:112", "tel:112;ext=5", "sip:112@example.org", "911", "73,5"] {
            let (uri, target) = read(typed, &settings).unwrap();
            assert!(uri.starts_with("sip:"), "{uri}");
            assert!(target.emergency && target.post_dial.is_empty(), "{typed}");
        }
    }
}
