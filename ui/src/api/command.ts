// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

import type { Account, SipHeader } from "./account";
import type { Contact, HistoryEntry } from "./directory";
import type { HookEventView, HookExchange, HookSettings } from "./hooks";
import type { AccountId, CallId, ContactId, DataId, RoomId, SessionId, StreamId } from "./id";
import type { ReportContents, ReportView } from "./report";
import type { InviteView, RoomAsk, RoomJoining } from "./room";
import type { Secret, SecretUse } from "./secret";
import type { AudioSettings, CallSettings, GatewaySettings, NetworkSettings, UiSettings } from "./settings";
import type { StreamSources, VideoSettings, VideoSourceView } from "./stream";
import type { Snapshot } from "./view";

/**
 * What a client asks for: `{"command":"call","callee":"echo"}`. Names are the contract's; it is answered at once and
 * reports through events. An unknown command or key is an error that names it.
 */
export type Command = { "command": "connect", accountId: AccountId, password?: Secret, 
/**
 * Of a session that a Web Call Server keeps for us: it goes on.
 */
authToken?: Secret, } | { "command": "disconnect", sessionId: SessionId, } | { "command": "register", sessionId: SessionId, } | { "command": "unregister", sessionId: SessionId, } | { "command": "call", 
/**
 * A SIP URI, `user@host`, or a number or name at the session's domain.
 */
callee: string, sessionId?: SessionId, 
/**
 * Headers of this INVITE.
 */
headers?: Array<SipHeader>, 
/**
 * The name that the callee sees, instead of the account's.
 */
callerName?: string, 
/**
 * Hide who calls (RFC 3323), whatever the account says.
 */
anonymous?: boolean, 
/**
 * With our picture, from the camera of the settings.
 */
video?: boolean, } | { "command": "redial" } | { "command": "answer", callId: CallId, 
/**
 * With our picture, where the caller offers video.
 */
video?: boolean, } | { "command": "setCallVideo", callId: CallId, on: boolean, } | { "command": "hangup", callId: CallId, } | { "command": "hold", callId: CallId, } | { "command": "unhold", callId: CallId, } | { "command": "swap", callId: CallId, } | { "command": "merge", callIds: Array<CallId>, } | { "command": "split", callId: CallId, } | { "command": "transfer", callId: CallId, target: string, } | { "command": "transferAttended", callId: CallId, consultationCallId: CallId, } | { "command": "acceptTransfer", callId: CallId, } | { "command": "refuseTransfer", callId: CallId, } | { "command": "redirect", callId: CallId, target: string, } | { "command": "startRecording", callId: CallId, } | { "command": "pauseRecording", callId: CallId, paused: boolean, } | { "command": "stopRecording", callId: CallId, } | { "command": "publishStream", 
/**
 * A name, or an `https:` or `http:` URL.
 */
name: string, 
/**
 * Bearer token of the endpoint.
 */
token?: Secret, sources: StreamSources, 
/**
 * Instead of the stored settings.
 */
settings?: VideoSettings, 
/**
 * At the Web Call Server of this session.
 */
sessionId?: SessionId, } | { "command": "unPublishStream", streamId: StreamId, } | { "command": "playStream", 
/**
 * A name, or an `https:` or `http:` URL.
 */
name: string, 
/**
 * Bearer token of the endpoint.
 */
token?: Secret, 
/**
 * At the Web Call Server of this session.
 */
sessionId?: SessionId, } | { "command": "stopStream", streamId: StreamId, } | { "command": "pauseStream", streamId: StreamId, paused: boolean, } | { "command": "changeStream", streamId: StreamId, 
/**
 * Of a published one.
 */
sources?: StreamSources, 
/**
 * Of a published one: silence goes out, and players are told.
 */
audioMuted?: boolean, 
/**
 * Of a published one: black goes out, and players are told.
 */
videoMuted?: boolean, 
/**
 * Of a played one, 0.0 to 2.0.
 */
volume?: number, } | { "command": "snapshot", streamId: StreamId, } | { "command": "recordStream", streamId: StreamId, on: boolean, } | { "command": "retryStream", streamId: StreamId, } | { "command": "sendStreamEvent", streamId: StreamId, 
/**
 * JSON, or else a text.
 */
payload: string, } | { "command": "sessionDebug", sessionId: SessionId, on: boolean, } | { "command": "getVideoSources" } | { "command": "joinRoom" } & RoomJoining | { "command": "askRoom", roomId: RoomId, room: RoomAsk, } | { "command": "sendData", 
/**
 * A SIP URI, a number or name at the session's domain, or a call's id. At a Web Call Server also the id of a session there;
 * empty: the body, as JSON where it is that, is for the server's backend.
 */
to: string, body: string, 
/**
 * `text/plain` where absent.
 */
contentType?: string, sessionId?: SessionId, } | { "command": "sendDtmf", callId: CallId, dtmf: string, } | { "command": "muteAudio", callId: CallId, muted: boolean, } | { "command": "selectDevices", microphone?: string, speaker?: string, 
/**
 * Empty: ring on the speaker.
 */
ringer?: string, } | { "command": "testMicrophone", on: boolean, } | { "command": "testSpeaker" } | { "command": "saveAccount", account: Account, password?: Secret, 
/**
 * Put the password into the platform's key store; otherwise it lives in memory.
 */
remember: boolean, } | { "command": "removeAccount", accountId: AccountId, } | { "command": "changeSettings" } & SettingsChange | { "command": "setSecret", for: SecretUse, secret?: Secret, 
/**
 * Put it into the platform's key store; otherwise it lives in memory.
 */
remember: boolean, } | { "command": "getHistory", before?: number, 
/**
 * At most 500.
 */
limit: number, missed?: boolean, 
/**
 * Only where name or address contains this.
 */
search?: string, } | { "command": "seeMissedCalls" } | { "command": "removeHistory", callId: CallId, } | { "command": "clearHistory" } | { "command": "saveContact", contact: Contact, } | { "command": "removeContact", contactId: ContactId, } | { "command": "importContacts", vcard: string, } | { "command": "exportContacts" } | { "command": "deleteEverything" } | { "command": "testHook", hooks: HookSettings, } | { "command": "getHookEvents", 
/**
 * At most 500.
 */
limit: number, } | { "command": "sendHookAgain", id?: string, } | { "command": "forgetHookEvents", id?: string, } | { "command": "prepareBugReport" } | { "command": "submitBugReport", 
/**
 * What the user says, at most 10000 bytes.
 */
words: string, 
/**
 * Sections that are not to be in it: `messages`, `events`, `samples`, or the name of one of its facts.
 */
leaveOut: Array<string>, 
/**
 * A PNG of at most 8 MB, as base64.
 */
screenshot: string | null, } | { "command": "getBugReports" } | { "command": "readBugReport", file: string, } | { "command": "removeBugReport", file: string, } | { "command": "getSnapshot" };

/**
 * The answer to a command.
 */
export type Reply = { "reply": "done" } | { "reply": "session", sessionId: SessionId, } | { "reply": "call", callId: CallId, } | { "reply": "account", accountId: AccountId, } | { "reply": "data", dataId: DataId, } | { "reply": "stream", streamId: StreamId, } | { "reply": "room", roomId: RoomId, } | { "reply": "invite", invite: InviteView, } | { "reply": "videoSources", sources: Array<VideoSourceView>, } | { "reply": "contact", contactId: ContactId, } | { "reply": "imported", added: number, changed: number, refused: Array<string>, } | { "reply": "text", text: string, } | { "reply": "history", entries: Array<HistoryEntry>, } | { "reply": "hookTested", exchange: HookExchange, } | { "reply": "report", report: ReportContents, } | { "reply": "reportStored", report: ReportView, } | { "reply": "reports", reports: Array<ReportView>, } | { "reply": "hookEvents", events: Array<HookEventView>, } | { "reply": "snapshot", snapshot: Snapshot, };

/**
 * Parts of the settings; an absent one stays.
 */
export type SettingsChange = { audio?: AudioSettings, network?: NetworkSettings, gateway?: GatewaySettings, ui?: UiSettings, calls?: CallSettings, video?: VideoSettings, hooks?: HookSettings, };
