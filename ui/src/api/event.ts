// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.
/* eslint-disable */

import type { Contact, ContactState, HistoryEntry } from "./directory";
import type { HooksView } from "./hooks";
import type { CallId, ContactId, DataId, ParticipantId, RoomId, SessionId, StreamId } from "./id";
import type { RoomView } from "./room";
import type { Settings } from "./settings";
import type { CallStatus, ConnectionStatus, DataStatus, RegistrationStatus, RoomStatus, SessionDebugStatus, StreamStatus, TransferStatus } from "./status";
import type { SnapshotFile, StreamStatistics, StreamView } from "./stream";
import type { CallStatistics, CallView, DevicesView, GatewayView, Level, SessionView } from "./view";

/**
 * An event with its number. Numbers rise by one; a gap means that the client was too slow and should ask for a snapshot.
 */
export type Envelope = { seq: number, 
/**
 * Milliseconds since 1970.
 */
time: number, } & ({ "event": "ConnectionStatusEvent", status: ConnectionStatus, sessionId: SessionId, info: string, } | { "event": "RegistrationStatusEvent", status: RegistrationStatus, sessionId: SessionId, info: string, } | { "event": "OnCallEvent", callId: CallId, sessionId: SessionId, caller: string, callee: string, info: string, } | { "event": "CallStatusEvent", status: CallStatus, callId: CallId, sessionId: SessionId, 
/**
 * The SIP code and text behind it, or the reason in words.
 */
info: string, } | { "event": "TransferStatusEvent", status: TransferStatus, callId: CallId, sessionId: SessionId, 
/**
 * To whom.
 */
target: string, info: string, } | { "event": "OnTransferEvent", callId: CallId, sessionId: SessionId, target: string, 
/**
 * By whom.
 */
referredBy: string, } | { "event": "StreamStatusEvent", status: StreamStatus, streamId: StreamId, 
/**
 * The stream's name or URL.
 */
name: string, 
/**
 * In the contract's words where it has some: `Stopped by publisher stop`.
 */
info: string, } | { "event": "SnapshotTaken", streamId: StreamId, file?: SnapshotFile, info: string, } | { "event": "DataStatusEvent", status: DataStatus, dataId: DataId, sessionId: SessionId, info: string, } | { "event": "OnDataEvent", sessionId: SessionId, incoming: boolean, 
/**
 * URIs.
 */
from: string, to: string, contentType: string, body: string, } | { "event": "OnStreamEvent", streamId: StreamId, kind: string, 
/**
 * JSON.
 */
payload: string, } | { "event": "SessionDebugStatusEvent", status: SessionDebugStatus, sessionId: SessionId, 
/**
 * The file, where the server names one.
 */
info: string, } | { "event": "BugReportStatusEvent", 
/**
 * The file's name, or `FAILED`.
 */
status: string, info: string, } | { "event": "RoomStatusEvent", status: RoomStatus, roomId: RoomId, 
/**
 * The room's name.
 */
name: string, info: string, } | { "event": "RoomMessage", roomId: RoomId, from: ParticipantId, 
/**
 * Its name, also where it has left.
 */
login: string, 
/**
 * Absent: to all.
 */
to?: ParticipantId, text: string, } | { "event": "RoomReaction", roomId: RoomId, from: ParticipantId, reaction: string, } | { "event": "DtmfReceived", callId: CallId, digit: string, } | { "event": "ErrorEvent", 
/**
 * The hook's name.
 */
hook: string, 
/**
 * The backend's reason, or ours.
 */
info: string, sessionId?: SessionId, callId?: CallId, streamId?: StreamId, } | { "event": "Notice", level: NoticeLevel, info: string, callId?: CallId, } | { "event": "SessionChanged", session: SessionView, } | { "event": "SessionClosed", sessionId: SessionId, } | { "event": "CallChanged", call: CallView, } | { "event": "CallMeasured", callId: CallId, statistics: CallStatistics, } | { "event": "StreamChanged", stream: StreamView, } | { "event": "StreamMeasured", streamId: StreamId, statistics: StreamStatistics, } | { "event": "RoomChanged", room: RoomView, } | { "event": "RoomMeasured", roomId: RoomId, levels: Array<[ParticipantId, Level]>, } | { "event": "MicrophoneLevel", level: Level, } | { "event": "DevicesChanged", devices: DevicesView, } | { "event": "GatewayChanged", gateway: GatewayView, } | { "event": "HistoryAdded", entry: HistoryEntry, } | { "event": "HistoryCleared" } | { "event": "HistoryRemoved", callId: CallId, } | { "event": "MissedCallsChanged", missedCalls: number, } | { "event": "ContactChanged", contact: Contact, } | { "event": "ContactRemoved", contactId: ContactId, } | { "event": "ContactStateChanged", state: ContactState, } | { "event": "HooksChanged", hooks: HooksView, } | { "event": "SettingsChanged", settings: Settings, });

export type NoticeLevel = "info" | "warning" | "error";
