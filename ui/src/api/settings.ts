// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

import type { Account } from "./account";
import type { HookSettings } from "./hooks";
import type { AccountId } from "./id";
import type { VideoSettings } from "./stream";

/**
 * Devices are named as `default`, `device:ID`, `file:PATH`, `tone`, `silence` or `null`.
 */
export type AudioSettings = { microphone: string, speaker: string, 
/**
 * Where incoming calls ring; empty: on the speaker.
 */
ringer: string, 
/**
 * Devices by preference, best first: the first that is there is used where `default` is chosen. Empty: the system's default.
 */
preferredMicrophones: Array<string>, preferredSpeakers: Array<string>, echoCancellation: boolean, noiseSuppression: boolean, gainControl: boolean, 
/**
 * Keys of the pad are heard here too.
 */
dtmfTones: boolean, 
/**
 * In order of preference: `opus`, `G722`, `PCMA`, `PCMU`.
 */
codecs: Array<string>, };

/**
 * What happens to calls, whatever account they belong to.
 */
export type CallSettings = { 
/**
 * Incoming calls are refused with 486 and do not ring; they are in the history.
 */
doNotDisturb: boolean, 
/**
 * A call that comes during another rings; otherwise it is refused with 486.
 */
callWaiting: boolean, 
/**
 * What the held party hears.
 */
holdMusic: HoldMusic, 
/**
 * Applied in order to what is dialled; the first that matches decides.
 */
dialPlan: Array<DialRule>, 
/**
 * Besides 112 and 911: never rewritten, refused, asked about or held up.
 */
emergencyNumbers: Array<string>, 
/**
 * A recording begins with a tone that both parties hear, and repeats it.
 */
recordingTone: boolean, 
/**
 * Folder of recordings; empty: `Sidetone` in the user's music or documents.
 */
recordings: string, 
/**
 * Days that history is kept; 0: for ever.
 */
keepHistoryDays: number, };

/**
 * `{"match":"0(.+)","replace":"+49$1"}`: a regular expression over the whole number, and what it becomes.
 */
export type DialRule = { match: string, replace: string, 
/**
 * The account that such numbers are called by; any where absent.
 */
accountId?: AccountId, 
/**
 * Calls to it are refused in words instead.
 */
refuse: boolean, };

export type GatewaySettings = { enabled: boolean, 
/**
 * Preferred port of the registrar (UDP and TCP); the next free one is taken where it is busy.
 */
sipPort: number, 
/**
 * Preferred port of the pages and sockets.
 */
httpPort: number, 
/**
 * Streams are published and played over HTTP with the bearer token of `setSecret` alone.
 */
streamToken: boolean, sharing: SharingSettings, };

export type HoldMusic = "tune" | "silence" | { "file": { path: string, } };

export type NetworkSettings = { 
/**
 * UDP and TCP port of the phone's own SIP; 0 lets the system choose.
 */
sipPort: number, 
/**
 * First port for RTP; 0 lets the system choose.
 */
rtpPort: number, 
/**
 * TLS port of the phone's own SIP; `None`: connections go out only.
 */
sipTlsPort?: number, 
/**
 * DNS servers as `address:port`; empty: the system's.
 */
dns: Array<string>, };

/**
 * Everything that is kept over restarts, but for secrets. An unknown key in the file is an error that names it.
 */
export type Settings = { audio: AudioSettings, network: NetworkSettings, gateway: GatewaySettings, ui: UiSettings, calls: CallSettings, video: VideoSettings, hooks: HookSettings, accounts: Array<Account>, };

/**
 * What others of this network reach: by default nothing.
 */
export type SharingSettings = { 
/**
 * Guests with an invite reach meetings from this network, by TLS.
 */
on: boolean, 
/**
 * Preferred; the next free one is taken where it is busy.
 */
port: number, 
/**
 * Where the world reaches that port: `meet.example` or `203.0.113.5:8443`; empty: nowhere.
 */
public: string, 
/**
 * PEM files of a certificate and its key; empty: one of an authority of our own, which guests' devices are to trust.
 */
certificate: string, key: string, };

export type Theme = "system" | "light" | "dark";

export type UiSettings = { theme: Theme, };
