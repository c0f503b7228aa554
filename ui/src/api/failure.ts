// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

/**
 * Why a command was not carried out. `code` is for programs, `message` for people; `field` names the input that was wrong.
 */
export type Failure = { code: FailureCode, message: string, field?: string, };

/**
 * Codes exist only where a client acts on the difference.
 */
export type FailureCode = "invalid" | "notFound" | "wrongState" | "passwordNeeded" | "limit" | "device" | "network" | "storage" | "stopped";
