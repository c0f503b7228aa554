// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

export type * from "./account";
export type * from "./command";
export type * from "./directory";
export type * from "./event";
export type * from "./failure";
export type * from "./hooks";
export type * from "./id";
export type * from "./report";
export type * from "./room";
export type * from "./secret";
export type * from "./settings";
export type * from "./status";
export type * from "./stream";
export type * from "./view";
