// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

import type { RoomId, SessionId, StreamId } from "./id";
import type { StreamStatus } from "./status";
import type { CodecView, Level, RecordingView } from "./view";

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
 * What matters when there is not enough bandwidth.
 */
export type ContentHint = "automatic" | "motion" | "detail";

export type Corner = "topLeft" | "topRight" | "bottomLeft" | "bottomRight";

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

export type Quality = "unknown" | "good" | "fair" | "poor";

export type QualityView = { level: Quality, 
/**
 * The cause in words, with what to do; empty while it is good.
 */
info: string, };

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
 * What a published stream is made of. Pictures are named as `default`, `device:ID`, `screen:ID`, `window:ID`, `image:PATH`,
 * `file:PATH` or `bars`. A whole room is told as `room`, which cannot be asked for here.
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
 * A stream that this engine publishes or plays, from the command to its end.
 */
export type StreamView = { streamId: StreamId, direction: StreamDirection, 
/**
 * A name at the embedded gateway, or the URL of a WHIP or WHEP endpoint.
 */
name: string, 
/**
 * Of the Web Call Server where the name is.
 */
sessionId: SessionId | null, 
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
problem: string | null, statistics: StreamStatistics | null, 
/**
 * Of a stream that is sent to a room, or played of one: the room's screen shows it.
 */
roomId?: RoomId, };

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
