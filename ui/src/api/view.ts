// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

import type { Transport } from "./account";
import type { Contact, ContactState, HistoryEntry } from "./directory";
import type { HooksView } from "./hooks";
import type { AccountId, CallId, SessionId } from "./id";
import type { RoomView } from "./room";
import type { Settings } from "./settings";
import type { CallStatus, ConnectionStatus, RegistrationStatus, TransferStatus } from "./status";
import type { GatewayStream, StreamView, VideoView } from "./stream";

export type CallDirection = "outgoing" | "incoming";

export type CallProblem = { kind: CallProblemKind, 
/**
 * In words, with the fix.
 */
info: string, };

export type CallProblemKind = "silentMicrophone" | "speakingWhileMuted" | "nothingReceived" | "nothingArrives" | "reconnecting" | "peerGone";

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
 * What protects the media on the next hop. Plain RTP is not protected, and the UI says so.
 */
export type Encryption = "none" | "loopback" | "sdes" | "dtls";

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
 * What others of this network reach; `null`: nothing.
 */
sharing: SharingView | null, 
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
 * dBFS: 0 is full scale, -100 is the floor.
 */
export type Level = { rms: number, peak: number, };

/**
 * RFC 3842.
 */
export type MessagesWaiting = { waiting: boolean, new: number, old: number, 
/**
 * Whom to call for them.
 */
mailbox: string | null, };

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
messagesWaiting: MessagesWaiting | null, 
/**
 * URL of the Web Call Server that it is at.
 */
server: string | null, 
/**
 * The server was lost and is tried again at this time, milliseconds since 1970; `register` does it now.
 */
retryAt: number | null, };

/**
 * Where guests come in from other machines.
 */
export type SharingView = { 
/**
 * `https://192.0.2.1:8443`, for each of our addresses; none where it could not be opened.
 */
urls: Array<string>, 
/**
 * Ours; 0 where it could not be opened.
 */
port: number, 
/**
 * The same for the world, where the settings say how it reaches us.
 */
public: string | null, 
/**
 * SHA-256 of our own authority's certificate, which guests may compare; `null` where another one signed.
 */
fingerprint: string | null, 
/**
 * Why it could not be opened, or that another port was taken.
 */
info: string, };

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
 * Rooms that we are in or wait for.
 */
rooms: Array<RoomView>, 
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

export type TransferView = { 
/**
 * To whom.
 */
target: string, 
/**
 * `null` until the far end has answered.
 */
status: TransferStatus | null, info: string, };
