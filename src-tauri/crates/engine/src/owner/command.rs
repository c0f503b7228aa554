//! One line a command.

use super::{Owner, call::Wish, kept::Answer, settings};
use crate::store::Page;
use sidetone_api::{
    Command, Event, Failure, FailureCode, GatewaySettings, NoticeLevel, Reply, Settings, SettingsChange,
};

impl Owner {
    /// Answers at once; what waits for the disk is answered when that is done.
    pub(super) fn on_command(&mut self, command: Command, answer: Answer) {
        let result = match command {
            _ if self.farewell.is_some() => Err(Failure::new(FailureCode::Stopped, "the engine is stopping")),
            Command::Connect { account_id, password, auth_token } => {
                self.connect_stored(&account_id, password, auth_token)
            }
            Command::Disconnect { session_id } => self.disconnect(&session_id),
            Command::Register { session_id } => self.register(&session_id),
            Command::Unregister { session_id } => self.unregister(&session_id),
            Command::Call { callee, session_id: session, headers, caller_name, anonymous, video } => {
                self.place(Wish { session, headers, caller_name, anonymous, video, ..Wish::of(&callee) })
            }
            Command::Redial => self.redial(),
            Command::Answer { call_id, video } => self.answer_with(&call_id, video),
            Command::SetCallVideo { call_id, on } => self.set_call_video(&call_id, on),
            Command::Hangup { call_id } => self.hang_up_for_client(&call_id),
            Command::SendDtmf { call_id, dtmf } => self.send_dtmf(&call_id, &dtmf),
            Command::MuteAudio { call_id, muted } => self.mute(&call_id, muted),
            Command::SelectDevices { microphone, speaker, ringer } => {
                self.select_devices(microphone, speaker, ringer)
            }
            Command::TestMicrophone { on } => self.test_microphone(on),
            Command::TestSpeaker => self.test_speaker(),
            Command::SaveAccount { account, password, remember } => {
                self.save_account(account, password, remember)
            }
            Command::RemoveAccount { account_id } => self.remove_account(&account_id),
            Command::ChangeSettings(change) => self.change_settings(change),
            Command::SetSecret { of, secret, remember } => self.set_secret(&of, secret, remember),
            Command::GetHistory { before, limit, missed, search } => {
                return self.get_history(Page { before, limit, missed, search }, answer);
            }
            Command::Hold { call_id } => self.hold(&call_id),
            Command::Unhold { call_id } => self.unhold(&call_id),
            Command::Swap { call_id } => self.swap(&call_id),
            Command::Merge { call_ids } => self.merge(&call_ids),
            Command::Split { call_id } => self.split(&call_id),
            Command::SeeMissedCalls => self.see_missed_calls(),
            Command::RemoveHistory { call_id } => return self.remove_history(call_id, answer),
            Command::ClearHistory => return self.clear_history(answer),
            Command::SaveContact { contact } => return self.save_contact(contact, answer),
            Command::RemoveContact { contact_id } => return self.remove_contact(contact_id, answer),
            Command::ImportContacts { vcard } => return self.import_contacts(vcard, answer),
            Command::ExportContacts => return self.export_contacts(answer),
            Command::DeleteEverything => return self.delete_everything(answer),
            Command::Transfer { call_id, target } => self.transfer(&call_id, &target),
            Command::TransferAttended { call_id, consultation_call_id } => {
                self.transfer_attended(&call_id, &consultation_call_id)
            }
            Command::AcceptTransfer { call_id } => self.accept_transfer(&call_id),
            Command::RefuseTransfer { call_id } => self.refuse_transfer(&call_id),
            Command::Redirect { call_id, target } => self.redirect(&call_id, &target),
            Command::StartRecording { call_id } => return self.start_recording(&call_id, answer),
            Command::PauseRecording { call_id, paused } => self.pause_recording(&call_id, paused),
            Command::StopRecording { call_id } => self.stop_recording(&call_id),
            Command::SendData { to, body, content_type, session_id } => {
                self.send_data(&to, body, content_type, session_id)
            }
            Command::PublishStream { name, token, sources, settings, session_id } => {
                self.publish_stream(name, token, sources, settings, session_id)
            }
            Command::UnPublishStream { stream_id } => self.unpublish_stream(&stream_id),
            Command::PlayStream { name, token, session_id } => self.play_stream(name, token, session_id),
            Command::SendStreamEvent { stream_id, payload } => self.send_stream_event(&stream_id, &payload),
            Command::SessionDebug { session_id, on } => self.debug_session(&session_id, on),
            Command::StopStream { stream_id } => self.stop_stream(&stream_id),
            Command::PauseStream { stream_id, paused } => self.pause_stream(&stream_id, paused),
            Command::ChangeStream { stream_id, sources, audio_muted, video_muted, volume } => {
                self.change_stream(&stream_id, sources, audio_muted, video_muted, volume)
            }
            Command::Snapshot { stream_id } => self.take_snapshot(&stream_id),
            Command::RetryStream { stream_id } => self.retry_stream(&stream_id),
            Command::GetVideoSources => return self.get_video_sources(answer),
            Command::RecordStream { stream_id, on } => self.record_stream(&stream_id, on),
            Command::TestHook { hooks } => return self.test_hook(&hooks, answer),
            Command::GetHookEvents { limit } => self.get_hook_events(limit),
            Command::SendHookAgain { id } => self.send_hook_again(id.as_deref()),
            Command::ForgetHookEvents { id } => self.forget_hook_events(id.as_deref()),
            Command::JoinRoom(joining) => self.join_room(joining),
            Command::AskRoom { room_id, room } => self.ask_room(&room_id, room),
            Command::PrepareBugReport => self.prepare_report(),
            Command::SubmitBugReport { words, leave_out, screenshot } => {
                return self.submit_report(&words, &leave_out, screenshot, answer);
            }
            Command::GetBugReports => return self.get_reports(answer),
            Command::ReadBugReport { file } => return self.read_report(file, answer),
            Command::RemoveBugReport { file } => return self.remove_report(file, answer),
            Command::GetSnapshot => Ok(Reply::Snapshot { snapshot: self.snapshot() }),
        };
        let _ = answer.send(result);
    }

    fn change_settings(&mut self, change: SettingsChange) -> Result<Reply, Failure> {
        let SettingsChange { audio, network, gateway, ui, calls, video, hooks } = change;
        let mut settings = self.settings.get().clone();
        if let Some(audio) = audio {
            settings::check_audio(&audio)?;
            settings.audio = audio;
        }
        if let Some(network) = &network {
            settings::check_network(network)?;
        }
        if let Some(gateway) = &gateway {
            settings::check_sharing(&gateway.sharing)?;
        }
        // Whether streams need a token is asked at each of them, and sharing begins and ends at once; the rest is opened once.
        let is_same = |gateway: &GatewaySettings| {
            let GatewaySettings { stream_token, sharing, .. } = gateway.clone();
            *gateway == GatewaySettings { stream_token, sharing, ..settings.gateway.clone() }
        };
        self.check_stream_token(gateway.as_ref().is_some_and(|gateway| gateway.stream_token))?;
        let restart = network.as_ref().is_some_and(|network| *network != settings.network)
            || gateway.as_ref().is_some_and(|gateway| !is_same(gateway));
        settings.network = network.unwrap_or(settings.network);
        settings.gateway = gateway.unwrap_or(settings.gateway);
        settings.ui = ui.unwrap_or(settings.ui);
        let music = calls.as_ref().is_some_and(|calls| calls.hold_music != settings.calls.hold_music);
        if let Some(calls) = calls {
            settings.calls = calls;
        }
        let mut passed = Vec::new();
        if let Some(mut video) = video {
            super::streams::check_video(&video)?;
            passed = self.keep_passwords_of(&mut video);
            settings.video = video;
        }
        let other_hooks = hooks.map(|hooks| self.take_hooks(hooks, &mut settings)).transpose()?;
        let has_hooks = other_hooks.is_some();
        passed.extend(other_hooks.flatten());
        self.store(settings)?;
        self.forget_secrets(passed);
        if has_hooks {
            self.apply_hooks();
        }
        self.prune_history();
        self.apply_devices();
        if music {
            self.apply_hold_music();
        }
        if restart {
            let info = "ports and gateway change when Sidetone is started again";
            self.notice(NoticeLevel::Info, info, None);
        }
        Ok(Reply::Done)
    }

    fn select_devices(
        &mut self,
        microphone: Option<String>,
        speaker: Option<String>,
        ringer: Option<String>,
    ) -> Result<Reply, Failure> {
        let mut settings = self.settings.get().clone();
        if let Some(microphone) = microphone {
            settings::check_selection("microphone", &microphone)?;
            settings.audio.microphone = microphone;
        }
        if let Some(speaker) = speaker {
            settings::check_selection("speaker", &speaker)?;
            settings.audio.speaker = speaker;
        }
        if let Some(ringer) = ringer {
            settings::check_ringer("ringer", &ringer)?;
            settings.audio.ringer = ringer;
        }
        self.store(settings)?;
        self.apply_devices();
        Ok(Reply::Done)
    }

    pub(super) fn store(&mut self, settings: Settings) -> Result<(), Failure> {
        if *self.settings.get() == settings {
            return Ok(());
        }
        self.settings.set(settings.clone())?;
        self.publish(Event::SettingsChanged { settings });
        Ok(())
    }
}
