// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

import type { AccountId, CallId, ContactId } from "./id";
import type { CallStatus } from "./status";
import type { CallDirection } from "./view";

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

/**
 * The line of a watched contact. A line that is idle and one that nobody knows of are two facts.
 */
export type LineState = "unknown" | "idle" | "ringing" | "busy";
