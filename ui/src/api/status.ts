// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

/**
 * Where a call is. `FINISH`, `BUSY` and `FAILED` are ends.
 */
export type CallStatus = "TRYING" | "RING" | "SESSION_PROGRESS" | "BUSY" | "ESTABLISHED" | "HOLD" | "FINISH" | "FAILED";

/**
 * Whether the link of a session answers.
 */
export type ConnectionStatus = "ESTABLISHED" | "FAILED" | "DISCONNECTED";

/**
 * What became of data that was sent.
 */
export type DataStatus = "ACCEPTED" | "FAILED";

/**
 * Whether the registrar of a session sends calls here.
 */
export type RegistrationStatus = "REGISTERED" | "UNREGISTERED" | "AUTHENTICATION_FAIL";

/**
 * Where we are with a room. `LEFT` and `FAILED` are ends.
 */
export type RoomStatus = "JOINING" | "LOBBY" | "JOINED" | "LEFT" | "FAILED";

/**
 * Whether a server keeps logs of a session.
 */
export type SessionDebugStatus = "STARTED" | "STOPPED";

/**
 * Where a stream is. `UNPUBLISHED`, `STOPPED` and `FAILED` are ends.
 */
export type StreamStatus = "PUBLISHING" | "UNPUBLISHED" | "PLAYING" | "PAUSED" | "STOPPED" | "FAILED";

/**
 * How far a transfer has come.
 */
export type TransferStatus = "ACCEPTED" | "TRYING" | "COMPLETED" | "FAILED";
