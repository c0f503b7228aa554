// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

import type { CallId, ParticipantId, RoomId, SessionId, StreamId } from "./id";
import type { Secret } from "./secret";
import type { RoomStatus } from "./status";
import type { Quality, QualityView, StreamSources } from "./stream";
import type { RecordingView } from "./view";

export type InviteReach = "machine" | "network" | "world";

/**
 * A link for guests, and who can follow it.
 */
export type InviteView = { url: string, 
/**
 * The same as a QR code: an SVG.
 */
qr: string, reach: InviteReach, 
/**
 * In words, with what to do to reach further.
 */
info: string, };

export type KnockingView = { participantId: ParticipantId, login: string, 
/**
 * Milliseconds since 1970.
 */
since: number, };

export type ParticipantKind = "app" | "web" | "phone" | "stream";

export type ParticipantView = { participantId: ParticipantId, 
/**
 * What the others read.
 */
login: string, kind: ParticipantKind, host: boolean, 
/**
 * Came by an invite.
 */
guest: boolean, 
/**
 * Of a [`ParticipantKind::Phone`], where it is our call.
 */
callId: CallId | null, streams: Array<RoomStream>, 
/**
 * Muted by itself.
 */
audioMuted: boolean, 
/**
 * Its place in the row of raised hands, from 1; `null`: it is down.
 */
hand: number | null, 
/**
 * Speaks at present.
 */
speaking: boolean, 
/**
 * Who was loudest for longest: one of all.
 */
active: boolean, 
/**
 * Its sound reaches the room: `false` where it is not muted and nothing has come for a while; `null` where that is not known.
 */
heard: boolean | null, quality: QualityView, 
/**
 * As we hear it.
 */
volume: number, mutedHere: boolean, };

/**
 * What is asked of a room that we are in: `{"ask":"raiseHand","on":true}`.
 */
export type RoomAsk = { "ask": "leave" } | { "ask": "setSources", sources: StreamSources | null, } | { "ask": "shareScreen", sources: StreamSources | null, } | { "ask": "mute", audio?: boolean, video?: boolean, } | { "ask": "raiseHand", on: boolean, } | { "ask": "react", reaction: string, } | { "ask": "sendMessage", text: string, to?: ParticipantId, } | { "ask": "hear", participantId: ParticipantId, 
/**
 * 0.0 to 2.0.
 */
volume?: number, muted?: boolean, } | { "ask": "show", pictures: Array<ShownPicture>, } | { "ask": "changeSettings", settings: RoomSettings, } | { "ask": "setPassword", password: Secret | null, } | { "ask": "admit", participantId: ParticipantId, } | { "ask": "refuse", participantId: ParticipantId, } | { "ask": "remove", participantId: ParticipantId, } | { "ask": "muteOther", participantId?: ParticipantId, } | { "ask": "makeHost", participantId: ParticipantId, only?: boolean, } | { "ask": "invite", 
/**
 * Who comes by it is named so; absent: asked for.
 */
login?: string, 
/**
 * Comes in without waiting in the lobby.
 */
admitted?: boolean, 
/**
 * For one guest, one time.
 */
once?: boolean, } | { "ask": "revokeInvites" } | { "ask": "addCall", callId: CallId, } | { "ask": "removeCall", callId: CallId, } | { "ask": "callIn", callee: string, sessionId?: SessionId, } | { "ask": "playStream", name: string | null, } | { "ask": "publish", name: string | null, token?: Secret, } | { "ask": "record", on: boolean, } | { "ask": "close" };

/**
 * How we come into a room.
 */
export type RoomJoining = { 
/**
 * Of the room: letters, digits, `-`, `_` and `.`, at most 64. It is made where it does not exist, and ours then.
 */
name: string, 
/**
 * What the others read.
 */
login: string, 
/**
 * What we send at once; absent: nothing.
 */
sources?: StreamSources, audioMuted?: boolean, videoMuted?: boolean, 
/**
 * Of a room that wants one.
 */
password?: Secret, 
/**
 * At the Web Call Server of this session; absent: at the embedded gateway.
 */
sessionId?: SessionId, 
/**
 * The link of an invite of another Sidetone, or its token where the session is named: the room is joined there.
 */
invite?: Secret, 
/**
 * PEM text of the authority of that Sidetone, where it is none that the system trusts. Without a session alone.
 */
trustedCa?: string, 
/**
 * Of a room that is made by this.
 */
settings?: RoomSettings, };

/**
 * Rules of a room; its hosts set them.
 */
export type RoomSettings = { 
/**
 * Nobody comes in any more.
 */
locked: boolean, 
/**
 * Guests wait until a host admits them.
 */
lobby: boolean, 
/**
 * At most so many, 2 to 32.
 */
mostParticipants: number, 
/**
 * Whoever comes in is muted first.
 */
mutedOnEntry: boolean, };

/**
 * A picture, a sound or both that a participant sends.
 */
export type RoomStream = { name: string, screen: boolean, hasVideo: boolean, hasAudio: boolean, videoMuted: boolean, 
/**
 * Our stream that sends or plays it, as in [`crate::Snapshot::streams`]; `null` while we do not.
 */
streamId: StreamId | null, 
/**
 * Why its picture is not shown: paused because nobody looks, too little bandwidth; empty where it is.
 */
info: string, level: Quality, };

/**
 * A room that we are in, wait to come into, or have just left.
 */
export type RoomView = { roomId: RoomId, name: string, 
/**
 * Of the Web Call Server where it is.
 */
sessionId: SessionId | null, status: RoomStatus, 
/**
 * Why, in words.
 */
info: string, 
/**
 * Ourselves.
 */
own: ParticipantId, settings: RoomSettings, hasPassword: boolean, 
/**
 * In the order in which they came; ourselves among them.
 */
participants: Array<ParticipantView>, 
/**
 * Who waits in the lobby; told to hosts alone.
 */
knocking: Array<KnockingView>, 
/**
 * What is played into the room.
 */
played: string | null, 
/**
 * Where the room is published.
 */
published: string | null, recording: RecordingView | null, 
/**
 * Milliseconds since 1970; since when we are in.
 */
joinedAt: number | null, };

export type ShownPicture = { 
/**
 * As [`RoomStream::name`].
 */
name: string, 
/**
 * Of its tile, device pixels.
 */
width: number, height: number, };
