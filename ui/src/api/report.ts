// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

/**
 * Where the cause lies.
 */
export type Blame = "settings" | "myMachine" | "myNetwork" | "server" | "farEnd" | "unknown";

/**
 * All of a bug report. Times are in order.
 */
export type ReportContents = { 
/**
 * Of this layout: 1.
 */
format: number, report: ReportView, 
/**
 * Of the engine.
 */
version: string, 
/**
 * Operating system and processor.
 */
system: string, messages: Array<ReportMessage>, events: Array<ReportEvent>, samples: Array<ReportSample>, facts: Array<ReportFact>, hasScreenshot: boolean, };

/**
 * A moment: a status, a notice, something that is wrong.
 */
export type ReportEvent = { 
/**
 * Milliseconds since 1970.
 */
at: number, 
/**
 * The event's name, or `CallProblem`, `DeviceProblem`, `HooksProblem`, `Late`.
 */
kind: string, 
/**
 * The call, stream, session or room; empty where there is none.
 */
subject: string, 
/**
 * Empty where there is none.
 */
status: string, info: string, };

/**
 * A view or a part of the settings as JSON, without what is secret.
 */
export type ReportFact = { 
/**
 * `settings`, `devices`, `sessions`, `calls`, `streams`, `rooms`, `gateway`, `hooks`, `page`.
 */
section: string, text: string, };

/**
 * A SIP message as it went over the network, without what is secret.
 */
export type ReportMessage = { 
/**
 * Milliseconds since 1970.
 */
at: number, 
/**
 * Of the embedded gateway, not of our accounts.
 */
gateway: boolean, incoming: boolean, 
/**
 * `UDP`, `TCP`, `TLS`, `WS`, `WSS`.
 */
transport: string, local: string, remote: string, 
/**
 * The method, or the code and reason of a response.
 */
summary: string, callId: string, 
/**
 * `2 INVITE`
 */
cseq: string, 
/**
 * Sent before, word for word.
 */
repeated: boolean, text: string, };

/**
 * The media of a call or stream in one second.
 */
export type ReportSample = { 
/**
 * Milliseconds since 1970.
 */
at: number, 
/**
 * The call or stream.
 */
subject: string, 
/**
 * Since the beginning; `null` for a stream that is played.
 */
packetsSent: number | null, 
/**
 * `null` for a stream that is published.
 */
packetsReceived: number | null, 
/**
 * Of what came, percent.
 */
lossPercent: number | null, 
/**
 * Of what went, as the far end reports it, percent.
 */
remoteLossPercent: number | null, jitterMs: number, roundTripMs: number | null, 
/**
 * dBFS
 */
microphone: number | null, speaker: number | null, };

export type ReportVerdict = { kind: VerdictKind, blame: Blame, 
/**
 * When it began, milliseconds since 1970.
 */
at: number, 
/**
 * The call, stream or session.
 */
subject: string, 
/**
 * In words: `no RTP from the far end after 12:03:07 UTC`.
 */
info: string, 
/**
 * The one thing to do.
 */
advice: string, };

/**
 * A stored bug report.
 */
export type ReportView = { 
/**
 * Its name in the folder of reports; empty where it is not stored yet.
 */
file: string, 
/**
 * Milliseconds since 1970.
 */
createdAt: number, 
/**
 * What the user says.
 */
words: string, 
/**
 * The session of the page that sent it; empty: this application.
 */
from: string, 
/**
 * Bytes on disk.
 */
size: number, 
/**
 * What went wrong as far as can be told, the gravest first.
 */
verdicts: Array<ReportVerdict>, };

export type VerdictKind = "wrongPassword" | "noCommonCodec" | "oneWayAudio" | "streamLost" | "backendDead" | "machineTooSlow" | "packetLoss" | "wrongDevice" | "refused";
