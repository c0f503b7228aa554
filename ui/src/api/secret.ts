// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

/**
 * A password on its way in. It can be read by [`Secret::expose`] alone: not printed, not serialised. Two are compared in a
 * time that tells nothing but their lengths.
 */
export type Secret = string;

/**
 * What a secret is for that the settings need and do not have.
 */
export type SecretUse = { "of": "iceServer", url: string, user: string, } | { "of": "streamToken" } | { "of": "hooks" };
