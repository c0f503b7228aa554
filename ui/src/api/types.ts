// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

/**
 * A SIP account.
 */
export type Account = { id: AccountId, 
/**
 * What the user calls it.
 */
name: string, 
/**
 * Address of record, `sip:user@domain`.
 */
aor: string, 
/**
 * The name that others see.
 */
displayName?: string, 
/**
 * Authentication user name; the user part of `aor` where absent.
 */
user?: string, 
/**
 * Registrar URI; the domain of `aor` where absent.
 */
registrar?: string, 
/**
 * First hop for everything this account sends.
 */
outboundProxy?: string, 
/**
 * Where absent: UDP, and TCP for what does not fit a datagram.
 */
transport?: Transport, 
/**
 * Register at the registrar, so that calls arrive.
 */
register: boolean, 
/**
 * Requested registration lifetime, seconds.
 */
expires: number, 
/**
 * Connect when the engine starts.
 */
enabled: boolean, };

/**
 * One stored account. Chosen by its owner, stable over restarts.
 */
export type AccountId = string;

/**
 * Devices are named as `default`, `device:ID`, `file:PATH`, `tone`, `silence` or `null`.
 */
export type AudioSettings = { microphone: string, speaker: string, 
/**
 * In order of preference: `opus`, `G722`, `PCMA`, `PCMU`.
 */
codecs: Array<string>, };

export type CallDirection = "outgoing" | "incoming";

/**
 * One call, from its first message to its end. Unique over restarts.
 */
export type CallId = string;

/**
 * Counters since the call's media began, and levels of the last half second.
 */
export type CallStatistics = { packetsSent: number, packetsReceived: number, packetsLost: number, 
/**
 * Lost of what the far end sent, percent of the last report interval.
 */
lossPercent: number, 
/**
 * What the far end reports of our packets, percent; `null` before its first report.
 */
remoteLossPercent: number | null, 
/**
 * Interarrival jitter, RFC 3550 6.4.1, milliseconds.
 */
jitterMs: number, 
/**
 * From receiver reports; `null` before the first.
 */
roundTripMs: number | null, 
/**
 * Depth of the jitter buffer now.
 */
bufferMs: number, 
/**
 * Of what was played in the last half second, percent that had to be made up.
 */
concealedPercent: number, kbitSent: number, kbitReceived: number, microphone: Level, speaker: Level, };

/**
 * Where a call is. `FINISH`, `BUSY` and `FAILED` are ends.
 */
export type CallStatus = "TRYING" | "RING" | "SESSION_PROGRESS" | "BUSY" | "ESTABLISHED" | "HOLD" | "FINISH" | "FAILED";

export type CallView = { callId: CallId, sessionId: SessionId, direction: CallDirection, 
/**
 * Who calls, a URI.
 */
caller: string, 
/**
 * Who is called, a URI.
 */
callee: string, 
/**
 * The far end's display name; empty where it gave none.
 */
remoteName: string, status: CallStatus, info: string, 
/**
 * Milliseconds since 1970.
 */
startedAt: number, establishedAt: number | null, muted: boolean, 
/**
 * `null` until negotiated.
 */
codec: CodecView | null, encryption: Encryption, 
/**
 * Digits sent so far.
 */
dtmf: string, statistics: CallStatistics | null, };

export type CodecView = { 
/**
 * As in SDP: `opus`, `G722`, `PCMA`, `PCMU`.
 */
name: string, 
/**
 * What it carries, Hz (16000 for G722, whatever its RTP clock says).
 */
sampleRate: number, };

/**
 * What a client asks for: `{"command":"call","callee":"echo"}`. Names are the contract's; it is answered at once and
 * reports through events. An unknown command or key is an error that names it.
 */
export type Command = { "command": "connect", accountId: AccountId, password?: Secret, } | { "command": "disconnect", sessionId: SessionId, } | { "command": "register", sessionId: SessionId, } | { "command": "unregister", sessionId: SessionId, } | { "command": "call", 
/**
 * A SIP URI, `user@host`, or a number or name at the session's domain.
 */
callee: string, sessionId?: SessionId, } | { "command": "answer", callId: CallId, } | { "command": "hangup", callId: CallId, } | { "command": "sendDtmf", callId: CallId, dtmf: string, } | { "command": "muteAudio", callId: CallId, muted: boolean, } | { "command": "selectDevices", microphone?: string, speaker?: string, } | { "command": "testMicrophone", on: boolean, } | { "command": "testSpeaker" } | { "command": "saveAccount", account: Account, password?: Secret, 
/**
 * Put the password into the platform's key store; otherwise it lives in memory.
 */
remember: boolean, } | { "command": "removeAccount", accountId: AccountId, } | { "command": "changeSettings", audio?: AudioSettings, network?: NetworkSettings, gateway?: GatewaySettings, ui?: UiSettings, } | { "command": "clearHistory" } | { "command": "getSnapshot" };

/**
 * Whether the link of a session answers.
 */
export type ConnectionStatus = "ESTABLISHED" | "FAILED" | "DISCONNECTED";

/**
 * What was asked for and what is in use are two facts.
 */
export type DeviceChoice = { selection: string, 
/**
 * Name of the device in use, or of the one that would be; `null` where there is none.
 */
effective: string | null, 
/**
 * What is wrong, in words; `null` while all is well.
 */
problem: string | null, };

export type DeviceView = { 
/**
 * What `selectDevices` takes: `default`, `device:ID`, `tone`, `silence`, `null`.
 */
selection: string, name: string, 
/**
 * The system's default at present.
 */
isDefault: boolean, 
/**
 * Real hardware, as opposed to a tone, a file or silence.
 */
hardware: boolean, };

/**
 * Devices belong to the machine that runs the engine, also where the UI is in a browser elsewhere.
 */
export type DevicesView = { microphones: Array<DeviceView>, speakers: Array<DeviceView>, microphone: DeviceChoice, speaker: DeviceChoice, 
/**
 * Name of the machine that they belong to.
 */
machine: string, };

/**
 * What protects the media on the next hop. Plain RTP is not protected, and the UI says so.
 */
export type Encryption = "none" | "loopback";

/**
 * An event with its number. Numbers rise by one; a gap means that the client was too slow and should ask for a snapshot.
 */
export type Envelope = { seq: number, 
/**
 * Milliseconds since 1970.
 */
time: number, } & ({ "event": "ConnectionStatusEvent", status: ConnectionStatus, sessionId: SessionId, info: string, } | { "event": "RegistrationStatusEvent", status: RegistrationStatus, sessionId: SessionId, info: string, } | { "event": "OnCallEvent", callId: CallId, sessionId: SessionId, caller: string, callee: string, info: string, } | { "event": "CallStatusEvent", status: CallStatus, callId: CallId, sessionId: SessionId, 
/**
 * The SIP code and text behind it, or the reason in words.
 */
info: string, } | { "event": "DtmfReceived", callId: CallId, digit: string, } | { "event": "Notice", level: NoticeLevel, info: string, callId?: CallId, } | { "event": "SessionChanged", session: SessionView, } | { "event": "SessionClosed", sessionId: SessionId, } | { "event": "CallChanged", call: CallView, } | { "event": "CallMeasured", callId: CallId, statistics: CallStatistics, } | { "event": "MicrophoneLevel", level: Level, } | { "event": "DevicesChanged", devices: DevicesView, } | { "event": "GatewayChanged", gateway: GatewayView, } | { "event": "HistoryAdded", entry: HistoryEntry, } | { "event": "HistoryCleared" } | { "event": "SettingsChanged", settings: Settings, });

/**
 * Why a command was not carried out. `code` is for programs, `message` for people; `field` names the input that was wrong.
 */
export type Failure = { code: FailureCode, message: string, field?: string, };

/**
 * Codes exist only where a client acts on the difference.
 */
export type FailureCode = "invalid" | "notFound" | "wrongState" | "passwordNeeded" | "limit" | "device" | "network" | "storage" | "stopped";

export type GatewaySettings = { enabled: boolean, 
/**
 * Preferred port of the registrar (UDP and TCP); the next free one is taken where it is busy.
 */
sipPort: number, 
/**
 * Preferred port of the pages and sockets.
 */
httpPort: number, };

/**
 * The embedded server.
 */
export type GatewayView = { running: boolean, 
/**
 * `127.0.0.1:5060`, UDP and TCP.
 */
sipAddress: string | null, 
/**
 * Where a browser finds the UI, without its token.
 */
httpAddress: string | null, 
/**
 * Why it does not run, or that another port was taken.
 */
info: string, extensions: Array<RegisteredExtension>, 
/**
 * Names that can always be called: `echo`, `tone`.
 */
services: Array<string>, };

/**
 * An ended call.
 */
export type HistoryEntry = { callId: CallId, accountId: AccountId, direction: CallDirection, 
/**
 * The far end's URI: call it to call back.
 */
remote: string, remoteName: string, 
/**
 * How it ended.
 */
status: CallStatus, info: string, 
/**
 * Milliseconds since 1970.
 */
startedAt: number, 
/**
 * Talking time; `null` where it was never established.
 */
seconds: number | null, };

/**
 * dBFS: 0 is full scale, -100 is the floor.
 */
export type Level = { rms: number, peak: number, };

export type NetworkSettings = { 
/**
 * UDP and TCP port of the phone's own SIP; 0 lets the system choose.
 */
sipPort: number, 
/**
 * First port for RTP; 0 lets the system choose.
 */
rtpPort: number, };

export type NoticeLevel = "info" | "warning" | "error";

export type RegisteredExtension = { user: string, contact: string, };

/**
 * Whether the registrar of a session sends calls here.
 */
export type RegistrationStatus = "REGISTERED" | "UNREGISTERED" | "AUTHENTICATION_FAIL";

/**
 * The answer to a command.
 */
export type Reply = { "reply": "done" } | { "reply": "session", sessionId: SessionId, } | { "reply": "call", callId: CallId, } | { "reply": "account", accountId: AccountId, } | { "reply": "snapshot", snapshot: Snapshot, };

/**
 * A password on its way in. It can be read by [`Secret::expose`] alone: not printed, not serialised.
 */
export type Secret = string;

/**
 * One connection of this engine to one link. New at every `connect`.
 */
export type SessionId = string;

/**
 * One connection to one link.
 */
export type SessionView = { sessionId: SessionId, accountId: AccountId, name: string, aor: string, 
/**
 * The registrar's URI.
 */
registrar: string, 
/**
 * `null` until the link has answered or failed to.
 */
connection: ConnectionStatus | null, connectionInfo: string, 
/**
 * `null` until the registrar has decided, and for accounts that do not register.
 */
registration: RegistrationStatus | null, registrationInfo: string, 
/**
 * The account has no password yet and the registrar asked for one.
 */
passwordNeeded: boolean, 
/**
 * Lives at the embedded gateway.
 */
local: boolean, };

/**
 * Everything that is kept over restarts, but for secrets. An unknown key in the file is an error that names it.
 */
export type Settings = { audio: AudioSettings, network: NetworkSettings, gateway: GatewaySettings, ui: UiSettings, accounts: Array<Account>, };

/**
 * The whole state, taken between two events: apply those with a higher number than `seq`.
 */
export type Snapshot = { seq: number, 
/**
 * Version of the engine.
 */
version: string, sessions: Array<SessionView>, 
/**
 * Calls that have not ended.
 */
calls: Array<CallView>, 
/**
 * Ended calls of this run, newest first.
 */
history: Array<HistoryEntry>, devices: DevicesView, gateway: GatewayView, settings: Settings, };

export type Theme = "system" | "light" | "dark";

export type Transport = "udp" | "tcp";

export type UiSettings = { theme: Theme, };
