// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

/**
 * One stored account. Chosen by its owner, stable over restarts.
 */
export type AccountId = string;

/**
 * One call, from its first message to its end. Unique over restarts.
 */
export type CallId = string;

/**
 * One stored contact.
 */
export type ContactId = string;

/**
 * One message sent by `sendData`.
 */
export type DataId = string;

/**
 * One who is in a room, or wants to come in.
 */
export type ParticipantId = string;

/**
 * One stay in a room, from joining to leaving. Unique over restarts.
 */
export type RoomId = string;

/**
 * One connection of this engine to one link. New at every `connect`.
 */
export type SessionId = string;

/**
 * One stream that is published or played here, from the command to its end. Unique over restarts.
 */
export type StreamId = string;
