use clap::Args;
use sidetone_api::HookAuthentication;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hooks")]
pub(crate) struct Hooks {
    /// Backend that is asked and told: each hook is a POST of JSON to URL/NAME (see docs/hooks.md)
    #[arg(long = "hooks", value_name = "URL", value_parser = url)]
    pub(crate) url: Option<String>,
    /// How the backend knows us: basic:USER, wcs or sha256
    #[arg(long = "hooks-auth", value_name = "HOW", requires = "url", requires = "secret_env", value_parser = authentication)]
    pub(crate) authentication: Option<(HookAuthentication, String)>,
    /// Environment variable that holds the password of basic, or the key of wcs and sha256
    #[arg(id = "secret_env", long = "hooks-secret-env", value_name = "VAR", requires = "authentication")]
    pub(crate) secret_env: Option<String>,
}

fn url(text: &str) -> Result<String, String> {
    sidetone_engine::check_hooks_url(text).map(|()| text.to_owned())
}

/// With the user of HTTP Basic.
fn authentication(text: &str) -> Result<(HookAuthentication, String), String> {
    match text.split_once(':') {
        Some(("basic", user)) if !user.is_empty() && !user.contains(':') => {
            Ok((HookAuthentication::Basic, user.to_owned()))
        }
        None if text == "wcs" => Ok((HookAuthentication::Wcs, String::new())),
        None if text == "sha256" => Ok((HookAuthentication::Sha256, String::new())),
        _ => Err("basic:USER, wcs or sha256 is expected".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::authentication;
    use sidetone_api::HookAuthentication;

    #[test]
    fn authentications_are_named_as_in_the_settings() {
        assert_eq!(authentication("wcs"), Ok((HookAuthentication::Wcs, String::new())));
        assert_eq!(authentication("basic:ours"), Ok((HookAuthentication::Basic, "ours".into())));
        for wrong in ["", "basic", "basic:", "basic:a:b", "wcs:x", "md5"] {
            assert!(authentication(wrong).is_err(), "{wrong}");
        }
    }
}
