//! One line a command.

use super::{Owner, leg, session};
use sidetone_api::{
    Account, AccountId, AudioSettings, Command, Event, Failure, GatewaySettings, NetworkSettings,
    NoticeLevel, Reply, Secret, Settings, UiSettings,
};
use sidetone_media::device::Selection;

const LONGEST_TEXT: usize = 512;

impl Owner {
    pub(super) fn on_command(&mut self, command: Command) -> Result<Reply, Failure> {
        if self.farewell.is_some() {
            return Err(Failure::new(sidetone_api::FailureCode::Stopped, "the engine is stopping"));
        }
        match command {
            Command::Connect { account_id, password } => self.connect_stored(&account_id, password),
            Command::Disconnect { session_id } => self.disconnect(&session_id),
            Command::Register { session_id } => self.register(&session_id),
            Command::Unregister { session_id } => self.unregister(&session_id),
            Command::Call { callee, session_id } => self.place(&callee, session_id),
            Command::Answer { call_id } => self.answer(&call_id),
            Command::Hangup { call_id } => self.hang_up(&call_id),
            Command::SendDtmf { call_id, dtmf } => self.send_dtmf(&call_id, &dtmf),
            Command::MuteAudio { call_id, muted } => self.mute(&call_id, muted),
            Command::SelectDevices { microphone, speaker } => self.select_devices(microphone, speaker),
            Command::TestMicrophone { on } => self.test_microphone(on),
            Command::TestSpeaker => self.test_speaker(),
            Command::SaveAccount { account, password, remember } => {
                self.save_account(account, password, remember)
            }
            Command::RemoveAccount { account_id } => self.remove_account(&account_id),
            Command::ChangeSettings { audio, network, gateway, ui } => {
                self.change_settings(audio, network, gateway, ui)
            }
            Command::ClearHistory => {
                self.history.clear();
                self.publish(Event::HistoryCleared);
                Ok(Reply::Done)
            }
            Command::GetSnapshot => Ok(Reply::Snapshot { snapshot: self.snapshot() }),
        }
    }

    fn connect_stored(&mut self, id: &AccountId, password: Option<Secret>) -> Result<Reply, Failure> {
        if id.as_str() == session::LOCAL_ACCOUNT {
            self.connect_local();
            return Ok(Reply::Done);
        }
        let account = self.settings.get().accounts.iter().find(|account| account.id == *id).cloned();
        self.connect(account.ok_or_else(|| Failure::not_found("account", id.as_str()))?, password)
    }

    fn save_account(
        &mut self,
        account: Account,
        password: Option<Secret>,
        remember: bool,
    ) -> Result<Reply, Failure> {
        let texts = [Some(&account.name), account.display_name.as_ref(), account.user.as_ref()];
        if texts
            .into_iter()
            .flatten()
            .any(|text| text.len() > LONGEST_TEXT || text.chars().any(char::is_control))
        {
            return Err(Failure::invalid("name", "names are single lines of at most 512 bytes"));
        }
        session::check(&account)?;
        let mut settings = self.settings.get().clone();
        match settings.accounts.iter_mut().find(|stored| stored.id == account.id) {
            Some(stored) => stored.clone_from(&account),
            None => settings.accounts.push(account.clone()),
        }
        self.store(settings)?;
        if let (Some(password), true) = (&password, remember)
            && let Err(reason) = self.secrets.set(&session::secret_name(&account.id), password)
        {
            let info =
                format!("the key store did not take the password ({reason}); it is kept until Sidetone ends");
            self.notice(NoticeLevel::Warning, info, None);
        }
        let account_id = account.id.clone();
        if account.enabled {
            self.connect(account, password)?;
        } else {
            if let Some(password) = password {
                self.passwords.insert(account_id.clone(), password);
            }
            self.disconnect_account(&account_id);
        }
        Ok(Reply::Account { account_id })
    }

    fn remove_account(&mut self, id: &AccountId) -> Result<Reply, Failure> {
        let mut settings = self.settings.get().clone();
        let before = settings.accounts.len();
        settings.accounts.retain(|account| account.id != *id);
        if settings.accounts.len() == before {
            return Err(Failure::not_found("account", id.as_str()));
        }
        self.store(settings)?;
        self.secrets.remove(&session::secret_name(id));
        self.passwords.remove(id);
        self.disconnect_account(id);
        Ok(Reply::Done)
    }

    fn disconnect_account(&mut self, id: &AccountId) {
        let open = self.sessions.values().find(|session| session.account.id == *id && !session.closing);
        if let Some(session) = open.map(|session| session.id.clone()) {
            let _ = self.disconnect(&session);
        }
    }

    fn change_settings(
        &mut self,
        audio: Option<AudioSettings>,
        network: Option<NetworkSettings>,
        gateway: Option<GatewaySettings>,
        ui: Option<UiSettings>,
    ) -> Result<Reply, Failure> {
        let mut settings = self.settings.get().clone();
        if let Some(audio) = audio {
            leg::capabilities(&audio.codecs)?;
            selection("audio.microphone", &audio.microphone)?;
            selection("audio.speaker", &audio.speaker)?;
            settings.audio = audio;
        }
        let restart = network.as_ref().is_some_and(|network| *network != settings.network)
            || gateway.as_ref().is_some_and(|gateway| *gateway != settings.gateway);
        settings.network = network.unwrap_or(settings.network);
        settings.gateway = gateway.unwrap_or(settings.gateway);
        settings.ui = ui.unwrap_or(settings.ui);
        self.store(settings)?;
        self.apply_devices();
        if restart {
            self.notice(NoticeLevel::Info, "ports and gateway change when Sidetone is started again", None);
        }
        Ok(Reply::Done)
    }

    fn select_devices(
        &mut self,
        microphone: Option<String>,
        speaker: Option<String>,
    ) -> Result<Reply, Failure> {
        let mut settings = self.settings.get().clone();
        if let Some(microphone) = microphone {
            selection("microphone", &microphone)?;
            settings.audio.microphone = microphone;
        }
        if let Some(speaker) = speaker {
            selection("speaker", &speaker)?;
            settings.audio.speaker = speaker;
        }
        self.store(settings)?;
        self.apply_devices();
        Ok(Reply::Done)
    }

    fn store(&mut self, settings: Settings) -> Result<(), Failure> {
        if *self.settings.get() == settings {
            return Ok(());
        }
        self.settings.set(settings.clone())?;
        self.publish(Event::SettingsChanged { settings });
        Ok(())
    }
}

fn selection(field: &str, text: &str) -> Result<Selection, Failure> {
    text.parse()
        .map_err(|error: sidetone_media::device::SelectionError| Failure::invalid(field, error.to_string()))
}
