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
enabled: boolean, 
/**
 * PEM text of a private CA that this account trusts besides the system's.
 */
trustedCa?: string, 
/**
 * URL path and host of a WebSocket server where the registrar's URI does not say it: `wss://host:port/path`.
 */
websocketUrl?: string, 
/**
 * How media is protected.
 */
mediaEncryption: MediaEncryption, 
/**
 * Let SDES keys travel over a transport that everybody on the way can read.
 */
sdesOverPlain: boolean, 
/**
 * Gather candidates and check them (RFC 8445).
 */
ice: boolean, 
/**
 * `host:port` of a STUN server.
 */
stun?: string, 
/**
 * RTP and RTCP on one port (RFC 5761); always with DTLS and ICE.
 */
rtcpMux: boolean, 
/**
 * How digits are sent.
 */
dtmf: DtmfMode, 
/**
 * Reliable provisional responses (RFC 3262).
 */
prack: Prack, 
/**
 * Session timer, seconds (RFC 4028); 0: none is asked for.
 */
sessionExpires: number, 
/**
 * Keep flows open and be reachable through them (RFC 5626).
 */
outbound: boolean, 
/**
 * Ask for message-waiting indications (RFC 3842).
 */
mwi: boolean, 
/**
 * Number of the mailbox.
 */
voicemail?: string, 
/**
 * Publish presence (RFC 3903).
 */
publishPresence: boolean, 
/**
 * Answer by itself after so many seconds.
 */
autoAnswer?: number, 
/**
 * Answer by itself where the caller asks for it (RFC 5373, Call-Info).
 */
autoAnswerByHeader: boolean, 
/**
 * What becomes of a REFER that the far end sends in a call.
 */
incomingTransfer: IncomingTransfer, 
/**
 * Where every incoming call is sent (302).
 */
forwardAlways?: string, 
/**
 * Where calls go that come while we are in one.
 */
forwardBusy?: string, 
/**
 * Where calls go that nobody answers.
 */
forwardNoAnswer?: string, 
/**
 * Seconds of ringing before `forward_no_answer`.
 */
noAnswerSeconds: number, 
/**
 * Hide who calls (RFC 3323).
 */
anonymous: boolean, 
/**
 * Headers added to every INVITE of this account.
 */
headers: Array<SipHeader>, };

/**
 * One stored account. Chosen by its owner, stable over restarts.
 */
export type AccountId = string;

/**
 * One fader.
 */
export type AudioInput = { 
/**
 * As [`crate::AudioSettings`] names microphones, or `system`: what this machine plays.
 */
source: string, 
/**
 * 1.0 leaves it as it is, 0.0 silences it, at most 2.0.
 */
gain: number, };

/**
 * Devices are named as `default`, `device:ID`, `file:PATH`, `tone`, `silence` or `null`.
 */
export type AudioSettings = { microphone: string, speaker: string, 
/**
 * Where incoming calls ring; empty: on the speaker.
 */
ringer: string, 
/**
 * Devices by preference, best first: the first that is there is used where `default` is chosen. Empty: the system's default.
 */
preferredMicrophones: Array<string>, preferredSpeakers: Array<string>, echoCancellation: boolean, noiseSuppression: boolean, gainControl: boolean, 
/**
 * Keys of the pad are heard here too.
 */
dtmfTones: boolean, 
/**
 * In order of preference: `opus`, `G722`, `PCMA`, `PCMU`.
 */
codecs: Array<string>, };

export type CallDirection = "outgoing" | "incoming";

/**
 * One call, from its first message to its end. Unique over restarts.
 */
export type CallId = string;

export type CallProblem = { kind: CallProblemKind, 
/**
 * In words, with the fix.
 */
info: string, };

export type CallProblemKind = "silentMicrophone" | "speakingWhileMuted" | "nothingReceived" | "nothingArrives" | "reconnecting" | "peerGone";

/**
 * What happens to calls, whatever account they belong to.
 */
export type CallSettings = { 
/**
 * Incoming calls are refused with 486 and do not ring; they are in the history.
 */
doNotDisturb: boolean, 
/**
 * A call that comes during another rings; otherwise it is refused with 486.
 */
callWaiting: boolean, 
/**
 * What the held party hears.
 */
holdMusic: HoldMusic, 
/**
 * Applied in order to what is dialled; the first that matches decides.
 */
dialPlan: Array<DialRule>, 
/**
 * Besides 112 and 911: never rewritten, refused, asked about or held up.
 */
emergencyNumbers: Array<string>, 
/**
 * A recording begins with a tone that both parties hear, and repeats it.
 */
recordingTone: boolean, 
/**
 * Folder of recordings; empty: `Sidetone` in the user's music or documents.
 */
recordings: string, 
/**
 * Days that history is kept; 0: for ever.
 */
keepHistoryDays: number, };

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
concealedPercent: number, kbitSent: number, kbitReceived: number, microphone: Level, speaker: Level, 
/**
 * `null` without video.
 */
video: CallVideoStatistics | null, };

/**
 * Where a call is. `FINISH`, `BUSY` and `FAILED` are ends.
 */
export type CallStatus = "TRYING" | "RING" | "SESSION_PROGRESS" | "BUSY" | "ESTABLISHED" | "HOLD" | "FINISH" | "FAILED";

/**
 * Of a call's video: counters since it was added, rates of the last half second.
 */
export type CallVideoStatistics = { 
/**
 * Pictures encoded.
 */
framesSent: number, 
/**
 * Pictures of the far end that were shown.
 */
framesShown: number, framesPerSecondSent: number, framesPerSecondShown: number, kbitSent: number, kbitReceived: number, packetsLost: number, 
/**
 * Lost of what the far end sent, percent of the last report interval.
 */
lossPercent: number, 
/**
 * What the far end reports of our packets, percent; `null` before its first report.
 */
remoteLossPercent: number | null, 
/**
 * How often the picture stood still for longer than it should.
 */
freezes: number, };

/**
 * The video of a call. Its pictures are read as a stream's are: the far end's under the call's id, our own under that with
 * `.self` behind it.
 */
export type CallVideoView = { 
/**
 * The far end has added video, and we have not decided; `setCallVideo` does, or `answer` where it rings.
 */
requested: boolean, sending: boolean, receiving: boolean, 
/**
 * The far end takes no picture just now.
 */
held: boolean, 
/**
 * What is sent, as in SDP; `null` until negotiated.
 */
codec: string | null, 
/**
 * What is seen of the far end; `null` before the first picture.
 */
picture: VideoView | null, 
/**
 * Why there is no picture, or none of ours, in words.
 */
problem: string | null, };

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
dtmf: string, statistics: CallStatistics | null, hold: HoldView, 
/**
 * Part of the local conference, where all parties hear each other.
 */
inConference: boolean, 
/**
 * Our transfer of this call.
 */
transfer: TransferView | null, 
/**
 * The far end asks us to call this instead; `acceptTransfer` or `refuseTransfer`.
 */
transferRequested: string | null, recording: RecordingView | null, 
/**
 * What is wrong with the call's sound, in words, with what to do; `null` while all is well.
 */
problem: CallProblem | null, 
/**
 * SRTP suite, as in `AES_CM_128_HMAC_SHA1_80`; `null` for plain RTP.
 */
suite: string | null, signalling: SignallingView | null, 
/**
 * Who sent the call here, a URI (Diversion, History-Info); empty where nobody did.
 */
divertedBy: string, 
/**
 * Answers itself at this time, milliseconds since 1970.
 */
autoAnswerAt: number | null, 
/**
 * An emergency call.
 */
emergency: boolean, 
/**
 * `null` where neither side has video.
 */
video: CallVideoView | null, };

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
settings?: VideoSettings, } | { "command": "unPublishStream", streamId: StreamId, } | { "command": "playStream", 
/**
 * A name, or an `https:` or `http:` URL.
 */
name: string, 
/**
 * Bearer token of the endpoint.
 */
token?: Secret, } | { "command": "stopStream", streamId: StreamId, } | { "command": "pauseStream", streamId: StreamId, paused: boolean, } | { "command": "changeStream", streamId: StreamId, 
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
volume?: number, } | { "command": "snapshot", streamId: StreamId, } | { "command": "recordStream", streamId: StreamId, on: boolean, } | { "command": "retryStream", streamId: StreamId, } | { "command": "getVideoSources" } | { "command": "sendData", 
/**
 * A SIP URI, a number or name at the session's domain, or a call's id.
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
limit: number, } | { "command": "sendHookAgain", id?: string, } | { "command": "forgetHookEvents", id?: string, } | { "command": "getSnapshot" };

/**
 * Whether the link of a session answers.
 */
export type ConnectionStatus = "ESTABLISHED" | "FAILED" | "DISCONNECTED";

/**
 * A person or a line.
 */
export type Contact = { 
/**
 * Empty: a new one.
 */
id: ContactId, name: string, organisation: string, 
/**
 * SIP URIs and telephone numbers, the first is called.
 */
addresses: Array<ContactAddress>, note: string, favourite: boolean, 
/**
 * Show whether its line is free (dialog-info, RFC 4235) and whether the person is there (RFC 3856).
 */
watch: boolean, };

export type ContactAddress = { 
/**
 * `sip:…`, `tel:…` or a number.
 */
address: string, 
/**
 * `work`, `home`, `mobile`, or what its owner wrote.
 */
label: string, };

/**
 * One stored contact.
 */
export type ContactId = string;

/**
 * What is known of a watched contact now.
 */
export type ContactState = { contactId: ContactId, line: LineState, 
/**
 * From presence; `null` where nothing is known.
 */
available: boolean | null, 
/**
 * What the person says of itself, or why nothing is known.
 */
note: string, };

/**
 * What matters when there is not enough bandwidth.
 */
export type ContentHint = "automatic" | "motion" | "detail";

export type Corner = "topLeft" | "topRight" | "bottomLeft" | "bottomRight";

/**
 * One message sent by `sendData`.
 */
export type DataId = string;

/**
 * What became of data that was sent.
 */
export type DataStatus = "ACCEPTED" | "FAILED";

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
export type DevicesView = { microphones: Array<DeviceView>, speakers: Array<DeviceView>, microphone: DeviceChoice, speaker: DeviceChoice, ringer: DeviceChoice, 
/**
 * Name of the machine that they belong to.
 */
machine: string, };

/**
 * `{"match":"0(.+)","replace":"+49$1"}`: a regular expression over the whole number, and what it becomes.
 */
export type DialRule = { match: string, replace: string, 
/**
 * The account that such numbers are called by; any where absent.
 */
accountId?: AccountId, 
/**
 * Calls to it are refused in words instead.
 */
refuse: boolean, };

export type DtmfMode = "automatic" | "rfc4733" | "info" | "inBand";

/**
 * What protects the media on the next hop. Plain RTP is not protected, and the UI says so.
 */
export type Encryption = "none" | "loopback" | "sdes" | "dtls";

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
info: string, } | { "event": "TransferStatusEvent", status: TransferStatus, callId: CallId, sessionId: SessionId, 
/**
 * To whom.
 */
target: string, info: string, } | { "event": "OnTransferEvent", callId: CallId, sessionId: SessionId, target: string, 
/**
 * By whom.
 */
referredBy: string, } | { "event": "StreamStatusEvent", status: StreamStatus, streamId: StreamId, 
/**
 * The stream's name or URL.
 */
name: string, 
/**
 * In the contract's words where it has some: `Stopped by publisher stop`.
 */
info: string, } | { "event": "SnapshotTaken", streamId: StreamId, file?: SnapshotFile, info: string, } | { "event": "DataStatusEvent", status: DataStatus, dataId: DataId, sessionId: SessionId, info: string, } | { "event": "OnDataEvent", sessionId: SessionId, incoming: boolean, 
/**
 * URIs.
 */
from: string, to: string, contentType: string, body: string, } | { "event": "DtmfReceived", callId: CallId, digit: string, } | { "event": "ErrorEvent", 
/**
 * The hook's name.
 */
hook: string, 
/**
 * The backend's reason, or ours.
 */
info: string, sessionId?: SessionId, callId?: CallId, streamId?: StreamId, } | { "event": "Notice", level: NoticeLevel, info: string, callId?: CallId, } | { "event": "SessionChanged", session: SessionView, } | { "event": "SessionClosed", sessionId: SessionId, } | { "event": "CallChanged", call: CallView, } | { "event": "CallMeasured", callId: CallId, statistics: CallStatistics, } | { "event": "StreamChanged", stream: StreamView, } | { "event": "StreamMeasured", streamId: StreamId, statistics: StreamStatistics, } | { "event": "MicrophoneLevel", level: Level, } | { "event": "DevicesChanged", devices: DevicesView, } | { "event": "GatewayChanged", gateway: GatewayView, } | { "event": "HistoryAdded", entry: HistoryEntry, } | { "event": "HistoryCleared" } | { "event": "HistoryRemoved", callId: CallId, } | { "event": "MissedCallsChanged", missedCalls: number, } | { "event": "ContactChanged", contact: Contact, } | { "event": "ContactRemoved", contactId: ContactId, } | { "event": "ContactStateChanged", state: ContactState, } | { "event": "HooksChanged", hooks: HooksView, } | { "event": "SettingsChanged", settings: Settings, });

/**
 * Why a command was not carried out. `code` is for programs, `message` for people; `field` names the input that was wrong.
 */
export type Failure = { code: FailureCode, message: string, field?: string, };

/**
 * Codes exist only where a client acts on the difference.
 */
export type FailureCode = "invalid" | "notFound" | "wrongState" | "passwordNeeded" | "limit" | "device" | "network" | "storage" | "stopped";

/**
 * A client of the embedded gateway with a session of its own, such as a page with the Web SDK.
 */
export type GatewayClient = { sessionId: SessionId, 
/**
 * The application that it names.
 */
appKey: string, 
/**
 * `192.0.2.1:50000`.
 */
address: string, 
/**
 * Where its page is from.
 */
origin: string | null, 
/**
 * False while its session waits for it to come back.
 */
connected: boolean, 
/**
 * Milliseconds since 1970.
 */
since: number, published: number, played: number, };

export type GatewaySettings = { enabled: boolean, 
/**
 * Preferred port of the registrar (UDP and TCP); the next free one is taken where it is busy.
 */
sipPort: number, 
/**
 * Preferred port of the pages and sockets.
 */
httpPort: number, 
/**
 * Streams are published and played over HTTP with the bearer token of `setSecret` alone.
 */
streamToken: boolean, };

/**
 * A stream that somebody publishes at the embedded gateway.
 */
export type GatewayStream = { name: string, 
/**
 * As in SDP; `null` where there is none.
 */
videoCodec: string | null, audioCodec: string | null, players: number, 
/**
 * Published by this engine.
 */
own: boolean, 
/**
 * Milliseconds since 1970.
 */
since: number, };

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
services: Array<string>, 
/**
 * What can be played here by name.
 */
streams: Array<GatewayStream>, 
/**
 * Browsers with a session here, the last hundred.
 */
clients: Array<GatewayClient>, 
/**
 * All of them.
 */
clientCount: number, };

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
seconds: number | null, 
/**
 * It rang here and nobody answered.
 */
missed: boolean, 
/**
 * Path of its recording.
 */
recording?: string, };

export type HoldMusic = "tune" | "silence" | { "file": { path: string, } };

export type HoldView = { 
/**
 * We hold.
 */
local: boolean, 
/**
 * The far end holds.
 */
remote: boolean, };

/**
 * How the backend knows that it is us.
 */
export type HookAuthentication = "none" | "basic" | "wcs" | "sha256";

/**
 * An event that waits for the backend, or that it did not take.
 */
export type HookEventView = { 
/**
 * Its idempotency key: the same at every attempt.
 */
id: string, hook: string, 
/**
 * The session, call, stream or message that it is about.
 */
object: string, 
/**
 * Milliseconds since 1970.
 */
at: number, attempts: number, failed: boolean, 
/**
 * What the last attempt came to; empty before the first.
 */
info: string, };

/**
 * What was sent to the backend, and what came back.
 */
export type HookExchange = { url: string, 
/**
 * `Name: value`, with secrets left out.
 */
requestHeaders: Array<string>, requestBody: string, 
/**
 * `null` where there was no answer.
 */
status: number | null, answerHeaders: Array<string>, 
/**
 * At most 4096 bytes of it.
 */
answerBody: string, 
/**
 * What it comes to, in words.
 */
info: string, millis: number, };

/**
 * One entry of `restClientConfig`.
 */
export type HookPolicy = { restOnError: RestOnError, restPolicy: RestPolicy, 
/**
 * Fields that the answer may change, separated by commas.
 */
restOverwrite: string, 
/**
 * Fields that the backend does not get.
 */
restExclude: string, 
/**
 * Fields whose change the client does not see.
 */
clientExclude: string, };

/**
 * The integrator's backend: what it is asked, what it is told, and what counts where it says nothing.
 */
export type HookSettings = { 
/**
 * `https://backend.example/sidetone`: each hook is a POST to this with `/` and its name behind it. Empty: there are none.
 */
url: string, 
/**
 * What the backend knows this application by.
 */
appKey: string, authentication: HookAuthentication, 
/**
 * Of HTTP Basic; `setSecret` gives the password, or the key of a signature.
 */
user: string, 
/**
 * Whether the key store holds the password or key. Set by the engine alone.
 */
secretKept: boolean, 
/**
 * How long an invocation waits for the backend, milliseconds, 100 to 15000.
 */
timeoutMs: number, 
/**
 * The hooks that are called; empty: all but the extras, which are called where they are named alone.
 */
methods: Array<string>, 
/**
 * Between two `StreamKeepAliveEvent`s of a stream, seconds, up to 3600; 0: none.
 */
keepAliveSeconds: number, 
/**
 * A further authority that the backend's certificate may come from, as PEM text.
 */
trustedCa?: string, 
/**
 * What counts until `connect` was answered, and where its answer says nothing, by the hook's name.
 */
policies: { [key in string]: HookPolicy }, };

/**
 * How the backend and what waits for it are.
 */
export type HooksView = { 
/**
 * Events that have still to be delivered.
 */
waiting: number, 
/**
 * Events that the backend refused, or that became too old; `sendHookAgain` tries them once more.
 */
failed: number, 
/**
 * When the oldest that waits happened, milliseconds since 1970.
 */
oldest: number | null, 
/**
 * What is wrong, in words; `null` while all is well.
 */
problem: string | null, };

export type IceServer = { 
/**
 * `stun:host:port`, `turn:host:port?transport=udp` (or `tcp`), or `turns:host:port`.
 */
url: string, 
/**
 * Of a TURN server; `setSecret` gives its password.
 */
user: string, 
/**
 * Whether the key store holds its password. Set by the engine alone.
 */
passwordKept: boolean, };

export type IncomingTransfer = "ask" | "allow" | "refuse";

/**
 * dBFS: 0 is full scale, -100 is the floor.
 */
export type Level = { rms: number, peak: number, };

/**
 * The line of a watched contact. A line that is idle and one that nobody knows of are two facts.
 */
export type LineState = "unknown" | "idle" | "ringing" | "busy";

/**
 * How media is protected on the way to the next hop.
 */
export type MediaEncryption = "automatic" | "none" | "sdes" | "dtls";

/**
 * RFC 3842.
 */
export type MessagesWaiting = { waiting: boolean, new: number, old: number, 
/**
 * Whom to call for them.
 */
mailbox: string | null, };

export type NetworkSettings = { 
/**
 * UDP and TCP port of the phone's own SIP; 0 lets the system choose.
 */
sipPort: number, 
/**
 * First port for RTP; 0 lets the system choose.
 */
rtpPort: number, 
/**
 * TLS port of the phone's own SIP; `None`: connections go out only.
 */
sipTlsPort?: number, 
/**
 * DNS servers as `address:port`; empty: the system's.
 */
dns: Array<string>, };

export type NoticeLevel = "info" | "warning" | "error";

export type Prack = "supported" | "required" | "off";

export type Quality = "unknown" | "good" | "fair" | "poor";

export type QualityView = { level: Quality, 
/**
 * The cause in words, with what to do; empty while it is good.
 */
info: string, };

export type RecordingView = { path: string, paused: boolean, 
/**
 * Written so far, seconds.
 */
seconds: number, 
/**
 * Why it ended early, in words.
 */
problem: string | null, };

export type RegisteredExtension = { user: string, contact: string, };

/**
 * Whether the registrar of a session sends calls here.
 */
export type RegistrationStatus = "REGISTERED" | "UNREGISTERED" | "AUTHENTICATION_FAIL";

/**
 * The answer to a command.
 */
export type Reply = { "reply": "done" } | { "reply": "session", sessionId: SessionId, } | { "reply": "call", callId: CallId, } | { "reply": "account", accountId: AccountId, } | { "reply": "data", dataId: DataId, } | { "reply": "stream", streamId: StreamId, } | { "reply": "videoSources", sources: Array<VideoSourceView>, } | { "reply": "contact", contactId: ContactId, } | { "reply": "imported", added: number, changed: number, refused: Array<string>, } | { "reply": "text", text: string, } | { "reply": "history", entries: Array<HistoryEntry>, } | { "reply": "hookTested", exchange: HookExchange, } | { "reply": "hookEvents", events: Array<HookEventView>, } | { "reply": "snapshot", snapshot: Snapshot, };

/**
 * What another status than 200, or no answer, does.
 */
export type RestOnError = "LOG" | "FAIL";

export type RestPolicy = "NOTIFY" | "OVERWRITE" | "DISABLE";

/**
 * A password on its way in. It can be read by [`Secret::expose`] alone: not printed, not serialised. Two are compared in a
 * time that tells nothing but their lengths.
 */
export type Secret = string;

/**
 * What a secret is for that the settings need and do not have.
 */
export type SecretUse = { "of": "iceServer", url: string, user: string, } | { "of": "streamToken" } | { "of": "hooks" };

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
local: boolean, 
/**
 * How the link is spoken to; `null` until it has answered.
 */
signalling: SignallingView | null, 
/**
 * `null` where the mailbox says nothing.
 */
messagesWaiting: MessagesWaiting | null, };

/**
 * Everything that is kept over restarts, but for secrets. An unknown key in the file is an error that names it.
 */
export type Settings = { audio: AudioSettings, network: NetworkSettings, gateway: GatewaySettings, ui: UiSettings, calls: CallSettings, video: VideoSettings, hooks: HookSettings, accounts: Array<Account>, };

/**
 * Parts of the settings; an absent one stays.
 */
export type SettingsChange = { audio?: AudioSettings, network?: NetworkSettings, gateway?: GatewaySettings, ui?: UiSettings, calls?: CallSettings, video?: VideoSettings, hooks?: HookSettings, };

/**
 * The first hop of the signalling: what is beyond it is not known.
 */
export type SignallingView = { transport: Transport, 
/**
 * The next hop's address.
 */
remote: string, 
/**
 * Protected by TLS and its certificate verified.
 */
secure: boolean, 
/**
 * In words: `TLS 1.3, certificate of pbx.example by Example CA`, `not encrypted`.
 */
info: string, };

/**
 * A header of a SIP message. Names that the user agent writes itself (Via, Contact, CSeq, …) are refused.
 */
export type SipHeader = { name: string, value: string, };

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
 * Streams that have not ended.
 */
streams: Array<StreamView>, 
/**
 * The latest ended calls, newest first; `getHistory` has the others.
 */
history: Array<HistoryEntry>, 
/**
 * Missed calls that nobody has looked at.
 */
missedCalls: number, contacts: Array<Contact>, 
/**
 * Of the watched contacts.
 */
contactStates: Array<ContactState>, devices: DevicesView, gateway: GatewayView, hooks: HooksView, settings: Settings, };

/**
 * What became of `snapshot`.
 */
export type SnapshotFile = { 
/**
 * The PNG.
 */
path: string, width: number, height: number, };

export type StreamDirection = "published" | "played";

/**
 * One stream that is published or played here, from the command to its end. Unique over restarts.
 */
export type StreamId = string;

/**
 * What a published stream is made of. Pictures are named as `default`, `device:ID`, `screen:ID`, `window:ID`, `image:PATH`,
 * `file:PATH` or `bars`.
 */
export type StreamSources = { 
/**
 * Absent: sound only.
 */
video?: string, 
/**
 * Drawn over a corner of `video`, such as the camera over a screen.
 */
inset?: VideoInset, 
/**
 * Mixed; empty: no sound.
 */
audio: Array<AudioInput>, };

/**
 * Counters since the stream's media began, and rates of the last second.
 */
export type StreamStatistics = { videoKbit: number, audioKbit: number, framesPerSecond: number, 
/**
 * What the bandwidth estimate allows, kbit/s; `null` for a played stream.
 */
availableKbit: number | null, 
/**
 * What the encoder is asked for, kbit/s; `null` for a played stream.
 */
targetKbit: number | null, packets: number, packetsLost: number, 
/**
 * Sent again: by us where we publish, to us where we play.
 */
packetsRepaired: number, 
/**
 * Of the last second; what the far end reports where we publish.
 */
lossPercent: number, roundTripMs: number | null, jitterMs: number, 
/**
 * Depth of the video jitter buffer.
 */
bufferMs: number, 
/**
 * Sound's lead over the picture, milliseconds; negative where it lags; `null` until both have come.
 */
skewMs: number | null, 
/**
 * Pictures shown or encoded.
 */
frames: number, 
/**
 * Pictures that came too late or were too many.
 */
framesDropped: number, keyFrames: number, 
/**
 * How often the picture stood still for longer than it should, and for how long in all.
 */
freezes: number, frozenMs: number, 
/**
 * Key frames asked for (PLI, FIR): by us where we play, of us where we publish.
 */
keyFrameRequests: number, level: Level, };

/**
 * Where a stream is. `UNPUBLISHED`, `STOPPED` and `FAILED` are ends.
 */
export type StreamStatus = "PUBLISHING" | "UNPUBLISHED" | "PLAYING" | "PAUSED" | "STOPPED" | "FAILED";

/**
 * A stream that this engine publishes or plays, from the command to its end.
 */
export type StreamView = { streamId: StreamId, direction: StreamDirection, 
/**
 * A name at the embedded gateway, or the URL of a WHIP or WHEP endpoint.
 */
name: string, 
/**
 * `null` until there is a verdict.
 */
status: StreamStatus | null, 
/**
 * Why, in the contract's words where it has some.
 */
info: string, 
/**
 * Milliseconds since 1970.
 */
startedAt: number, 
/**
 * When media flowed first.
 */
liveAt: number | null, 
/**
 * What is published; `null` for a played one.
 */
sources: StreamSources | null, 
/**
 * `null` until negotiated, and where there is none.
 */
video: VideoView | null, audio: CodecView | null, 
/**
 * Muted by its publisher.
 */
audioMuted: boolean, videoMuted: boolean, 
/**
 * Of a played stream: 1.0 is as it was sent, at most 2.0.
 */
volume: number, quality: QualityView, 
/**
 * The connection was lost and is tried again at this time, milliseconds since 1970; `retryStream` does it now.
 */
retryAt: number | null, recording: RecordingView | null, 
/**
 * How many play what we publish at the embedded gateway; `null` elsewhere.
 */
players: number | null, 
/**
 * What is wrong with a source, in words: a camera that gives nothing, a screen that is not there.
 */
problem: string | null, statistics: StreamStatistics | null, };

export type Theme = "system" | "light" | "dark";

/**
 * How far a transfer has come.
 */
export type TransferStatus = "ACCEPTED" | "TRYING" | "COMPLETED" | "FAILED";

export type TransferView = { 
/**
 * To whom.
 */
target: string, 
/**
 * `null` until the far end has answered.
 */
status: TransferStatus | null, info: string, };

export type Transport = "udp" | "tcp" | "tls" | "ws" | "wss";

export type UiSettings = { theme: Theme, };

export type VideoInset = { source: string, corner: Corner, 
/**
 * Of the picture's width, 0.1 to 0.5.
 */
size: number, };

/**
 * How pictures are encoded, for streams and calls.
 */
export type VideoSettings = { 
/**
 * As [`StreamSources::video`].
 */
camera: string, 
/**
 * In order of preference: `H264`, `VP8`. What this build does not have is left out and said.
 */
codecs: Array<string>, 
/**
 * The picture is scaled down to fit.
 */
width: number, height: number, framesPerSecond: number, 
/**
 * kbit/s; the estimate moves between the first two, from the third.
 */
minKbit: number, maxKbit: number, startKbit: number, hint: ContentHint, 
/**
 * Three sizes at once where the endpoint takes them.
 */
simulcast: boolean, 
/**
 * Folder of stream recordings and snapshots; empty: `Sidetone` in the user's videos or documents.
 */
folder: string, 
/**
 * STUN and TURN servers for streams, of the stored settings alone; at most 8.
 */
iceServers: Array<IceServer>, 
/**
 * Streams go by TURN servers alone, so that the far end does not learn our addresses. Of the stored settings alone.
 */
relayOnly: boolean, 
/**
 * Further authorities for WHIP, WHEP and TURN servers that speak TLS, as PEM text. Of the stored settings alone.
 */
trustedCa?: string, };

export type VideoSourceKind = "camera" | "screen" | "window" | "synthetic";

/**
 * A camera, screen or window that can be published.
 */
export type VideoSourceView = { 
/**
 * What [`StreamSources::video`] takes.
 */
selection: string, name: string, kind: VideoSourceKind, };

export type VideoView = { 
/**
 * As in SDP: `H264`, `VP8`, `VP9`.
 */
codec: string, 
/**
 * Of the last picture.
 */
width: number, height: number, };
