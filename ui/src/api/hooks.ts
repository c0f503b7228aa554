// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

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

/**
 * What another status than 200, or no answer, does.
 */
export type RestOnError = "LOG" | "FAIL";

export type RestPolicy = "NOTIFY" | "OVERWRITE" | "DISABLE";
