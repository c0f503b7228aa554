// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

import type { AccountId } from "./id";

/**
 * A SIP account, or a session at a Web Call Server, through which that account is used.
 */
export type Account = { id: AccountId, 
/**
 * What the user calls it.
 */
name: string, 
/**
 * Address of record, `sip:user@domain`; may be empty where `wcs` is set: then nobody calls us there.
 */
aor: string, 
/**
 * The name that others see.
 */
displayName?: string, 
/**
 * Authentication user name; the user part of `aor` where absent.
 */
user?: string, 
/**
 * Registrar URI; the domain of `aor` where absent.
 */
registrar?: string, 
/**
 * First hop for everything this account sends.
 */
outboundProxy?: string, 
/**
 * Where absent: UDP, and TCP for what does not fit a datagram.
 */
transport?: Transport, 
/**
 * Register at the registrar, so that calls arrive.
 */
register: boolean, 
/**
 * Requested registration lifetime, seconds.
 */
expires: number, 
/**
 * Connect when the engine starts.
 */
enabled: boolean, 
/**
 * PEM text of a private CA that this account trusts besides the system's.
 */
trustedCa?: string, 
/**
 * URL path and host of a WebSocket server where the registrar's URI does not say it: `wss://host:port/path`.
 */
websocketUrl?: string, 
/**
 * How media is protected.
 */
mediaEncryption: MediaEncryption, 
/**
 * Let SDES keys travel over a transport that everybody on the way can read.
 */
sdesOverPlain: boolean, 
/**
 * Gather candidates and check them (RFC 8445).
 */
ice: boolean, 
/**
 * `host:port` of a STUN server.
 */
stun?: string, 
/**
 * RTP and RTCP on one port (RFC 5761); always with DTLS and ICE.
 */
rtcpMux: boolean, 
/**
 * How digits are sent.
 */
dtmf: DtmfMode, 
/**
 * Reliable provisional responses (RFC 3262).
 */
prack: Prack, 
/**
 * Session timer, seconds (RFC 4028); 0: none is asked for.
 */
sessionExpires: number, 
/**
 * Keep flows open and be reachable through them (RFC 5626).
 */
outbound: boolean, 
/**
 * Ask for message-waiting indications (RFC 3842).
 */
mwi: boolean, 
/**
 * Number of the mailbox.
 */
voicemail?: string, 
/**
 * Publish presence (RFC 3903).
 */
publishPresence: boolean, 
/**
 * Answer by itself after so many seconds.
 */
autoAnswer?: number, 
/**
 * Answer by itself where the caller asks for it (RFC 5373, Call-Info).
 */
autoAnswerByHeader: boolean, 
/**
 * What becomes of a REFER that the far end sends in a call.
 */
incomingTransfer: IncomingTransfer, 
/**
 * Where every incoming call is sent (302).
 */
forwardAlways?: string, 
/**
 * Where calls go that come while we are in one.
 */
forwardBusy?: string, 
/**
 * Where calls go that nobody answers.
 */
forwardNoAnswer?: string, 
/**
 * Seconds of ringing before `forward_no_answer`.
 */
noAnswerSeconds: number, 
/**
 * Hide who calls (RFC 3323).
 */
anonymous: boolean, 
/**
 * Headers added to every INVITE of this account.
 */
headers: Array<SipHeader>, 
/**
 * A Web Call Server. It speaks SIP for us, with the address, the user name and the registrar of this account.
 */
wcs?: WcsServer, };

export type DtmfMode = "automatic" | "rfc4733" | "info" | "inBand";

export type IncomingTransfer = "ask" | "allow" | "refuse";

/**
 * How media is protected on the way to the next hop.
 */
export type MediaEncryption = "automatic" | "none" | "sdes" | "dtls";

export type Prack = "supported" | "required" | "off";

/**
 * A header of a SIP message. Names that the user agent writes itself (Via, Contact, CSeq, …) are refused.
 */
export type SipHeader = { name: string, value: string, };

export type Transport = "udp" | "tcp" | "tls" | "ws" | "wss";

/**
 * A Web Call Server, and how a session there introduces itself.
 */
export type WcsServer = { 
/**
 * `wss://host:port` or `ws://host:port`.
 */
url: string, 
/**
 * Which of the server's apps decides; `defaultApp` where absent.
 */
appKey?: string, 
/**
 * For the server's backend: the text of a JSON object. The account's password, where it has no address of its own, is added to
 * it as `token`.
 */
custom?: string, };
