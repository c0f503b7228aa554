//! Stored accounts.

use super::{
    Errand, Owner,
    call::custom_headers,
    connecting::secret_name,
    policy::forward_target,
    session::{CLIENT, LOCAL_ACCOUNT, Session},
};
use sidetone_api::{Account, AccountId, Failure, FailureCode, NoticeLevel, Reply, Secret, SessionId};

const MAX_ACCOUNTS: usize = 64;
/// Of each text of an account.
const LONGEST_TEXT: usize = 512;
const LONGEST_PASSWORD: usize = 1024;
const NO_ANSWER: &str = "it does not answer";
/// Seconds: no session may be shorter (RFC 4028 section 4), and a week is as good as for ever.
const SESSION_EXPIRES: std::ops::RangeInclusive<u32> = 90..=7 * 24 * 3600;

impl Owner {
    pub(super) fn save_account(
        &mut self,
        account: Account,
        password: Option<Secret>,
        remember: bool,
    ) -> Result<Reply, Failure> {
        check(&account)?;
        if password.as_ref().is_some_and(|password| password.expose().len() > LONGEST_PASSWORD) {
            return Err(Failure::invalid("password", "this is too long for a password"));
        }
        let mut settings = self.settings.get().clone();
        match settings.accounts.iter_mut().find(|stored| stored.id == account.id) {
            Some(stored) => stored.clone_from(&account),
            None => settings.accounts.push(account.clone()),
        }
        if settings.accounts.len() > MAX_ACCOUNTS {
            return Err(Failure::new(FailureCode::Limit, format!("{MAX_ACCOUNTS} accounts are the most")));
        }
        self.store(settings)?;
        let account_id = account.id.clone();
        if let Some(password) = password {
            self.keep_password(&account_id, password, remember);
        }
        if account.enabled {
            self.connect(account, None)?;
        } else {
            self.disconnect_account(&account_id);
        }
        Ok(Reply::Account { account_id })
    }

    pub(super) fn remove_account(&mut self, id: &AccountId) -> Result<Reply, Failure> {
        let mut settings = self.settings.get().clone();
        let before = settings.accounts.len();
        settings.accounts.retain(|account| account.id != *id);
        if settings.accounts.len() == before {
            return Err(Failure::not_found("account", id.as_str()));
        }
        self.store(settings)?;
        self.forget_passwords([id.clone()]);
        self.disconnect_account(id);
        Ok(Reply::Done)
    }

    /// In memory for this run; in the key store where the user wants it, and no older one where not.
    fn keep_password(&mut self, id: &AccountId, password: Secret, remember: bool) {
        self.passwords.insert(id.clone(), password.clone());
        if !remember {
            return self.forget_in_key_store([secret_name(id)]);
        }
        let errands = self.errands.clone();
        let asked = self.keys.set(secret_name(id), password, move |result| {
            let _ = errands.blocking_send(Errand::PasswordKept(result));
        });
        if !asked {
            self.on_password_kept(Err(NO_ANSWER.into()));
        }
    }

    /// Of this run, and in the key store.
    pub(super) fn forget_passwords(&mut self, accounts: impl IntoIterator<Item = AccountId> + Clone) {
        for account in accounts.clone() {
            self.passwords.remove(&account);
        }
        self.forget_in_key_store(accounts.into_iter().map(|account| secret_name(&account)));
    }

    pub(super) fn forget_in_key_store(&mut self, names: impl IntoIterator<Item = String>) {
        let errands = self.errands.clone();
        let asked = self.keys.remove(names.into_iter().collect(), move |result| {
            let _ = errands.blocking_send(Errand::PasswordsForgotten(result));
        });
        if !asked {
            self.on_passwords_forgotten(Err(NO_ANSWER.into()));
        }
    }

    pub(super) fn on_passwords_forgotten(&mut self, result: Result<(), String>) {
        if let Err(reason) = result {
            let info = format!(
                "the key store did not delete a password ({reason}): it is still there, under sidetone"
            );
            self.notice(NoticeLevel::Error, &info, None);
        }
    }

    pub(super) fn on_password_kept(&mut self, result: Result<(), String>) {
        if let Err(reason) = result {
            let info =
                format!("the key store did not take the password ({reason}); it is kept until Sidetone ends");
            self.notice(NoticeLevel::Warning, &info, None);
        }
    }
}

/// Checks everything that a session needs of an account.
///
/// # Errors
/// Names the field that is wrong.
fn check(account: &Account) -> Result<(), Failure> {
    let fields = [
        ("id", Some(account.id.as_str())),
        ("name", Some(account.name.as_str())),
        ("aor", Some(account.aor.as_str())),
        ("displayName", account.display_name.as_deref()),
        ("user", account.user.as_deref()),
        ("registrar", account.registrar.as_deref()),
        ("outboundProxy", account.outbound_proxy.as_deref()),
        ("stun", account.stun.as_deref()),
        ("voicemail", account.voicemail.as_deref()),
    ];
    for (field, text) in fields {
        if text.is_some_and(|text| text.len() > LONGEST_TEXT || text.chars().any(char::is_control)) {
            let message = format!("{field} is a single line of at most {LONGEST_TEXT} bytes");
            return Err(Failure::invalid(field, message));
        }
    }
    let id = account.id.as_str();
    if id.is_empty() || id == LOCAL_ACCOUNT || id.starts_with(CLIENT) {
        return Err(Failure::invalid("id", format!("{id:?} cannot be an account's id")));
    }
    let expires = account.session_expires;
    if expires != 0 && !SESSION_EXPIRES.contains(&expires) {
        let message = format!(
            "{expires} s: a session timer runs for {} to {} s; 0: none is asked for",
            SESSION_EXPIRES.start(),
            SESSION_EXPIRES.end()
        );
        return Err(Failure::invalid("sessionExpires", message));
    }
    custom_headers("headers", &account.headers)?;
    let session = Session::new(SessionId::new("check"), account.clone())?;
    let forwards = [
        ("forwardAlways", &account.forward_always),
        ("forwardBusy", &account.forward_busy),
        ("forwardNoAnswer", &account.forward_no_answer),
    ];
    for (field, to) in forwards {
        if let Some(to) = to {
            forward_target(&session, to)
                .map_err(|failure| Failure::invalid(field, format!("{field}: {}", failure.message)))?;
        }
    }
    Ok(())
}
