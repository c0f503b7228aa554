import type { Command, Envelope, Failure, FailureCode, Level, Reply, Snapshot, StreamSources } from '../api/types'

/** Which program shows this UI. */
export type Host = 'tauri' | 'browser' | 'fake'

/**
 * Whether the engine can be talked to. `refused`: it never could, most likely for want of a valid link; `failed`: it
 * says itself why it cannot.
 */
export type LinkState = 'connecting' | 'attached' | 'offline' | 'refused' | 'failed'

/** What an engine sends up: its whole state, or one numbered event. */
export type Up = { snapshot: Snapshot } | Envelope

export type Listener = {
  onSnapshot: (snapshot: Snapshot) => void
  /** In order and without gaps after the last snapshot. */
  onEvent: (event: Envelope) => void
  /** `reason`: in the engine's words, where it gave one. */
  onLink: (state: LinkState, reason?: string) => void
}

/** Pixels of the screen that a picture is shown on. */
export type Room = { width: number; height: number }

/** What is to be seen and heard of: a stream, or sources before they are published. */
export type Shown = { readonly streamId: string } | { readonly sources: StreamSources }

/** Of a picture on its way. */
export type PictureFacts = {
  width: number
  height: number
  /** As the stream has it. */
  fullWidth: number
  fullHeight: number
  /** Clockwise, before it is shown. */
  quarterTurns: number
  /** Milliseconds since 1970, by the engine's clock. */
  capturedAt: number
  number: number
}

/** I420 of BT.601 in limited range, scaled down to the room. */
export type StreamPicture = PictureFacts & { data: Uint8Array<ArrayBuffer> }

/** What this page has decoded by itself. Whoever has it closes the frame. */
export type DecodedPicture = PictureFacts & { frame: VideoFrame }

export type AnyPicture = StreamPicture | DecodedPicture

export type FrameListener = {
  onPicture: (picture: AnyPicture) => void
  /** Nothing more comes; `reason` is empty where the stream has just ended. */
  onEnd: (reason: string) => void
  /** How loud each sound is that we publish, in the order of its sources, ten times a second while it changes. */
  onLevels?: (levels: readonly Level[]) => void
  /** What is wrong with sources that are not published yet; empty when all is well again. */
  onProblem?: (problem: string) => void
}

export type FrameSubscription = {
  resize(room: Room): void
  /** So many pictures are drawn, or left out for newer ones: as many others may come. */
  drawn(pictures?: number): void
  /** Of sources: these from now on. What stays is not opened again. */
  change(sources: StreamSources): void
  /** Sources are closed too; see `released`. */
  close(): void
}

/** The only door from the UI to its engine. */
export type Platform = {
  readonly host: Host
  /** Rejects with a `Failure`, never with anything else. */
  command(command: Command): Promise<Reply>
  /** Shows a call's recording in its folder, where the host can; rejects with a `Failure`. */
  showRecording?(path: string): Promise<void>
  /** Calls back until the returned function is called; finds its way back after a loss by itself. */
  attach(listener: Listener): () => void
  /** The newest pictures, as fast as they are drawn. */
  frames(shown: Shown, room: Room, listener: FrameListener): FrameSubscription
  /** Resolves when every camera, screen and microphone is closed that was open for sources which nobody looks at any more. */
  released(): Promise<void>
  /** Shows a stream in a small window of its own, where the host can; rejects with a `Failure`. */
  popOut?(streamId: string, name: string): Promise<void>
  /** Closes the small window that this page is in. */
  closePopOut?(): Promise<void>
  /** Try to reach the engine now instead of waiting for the next attempt. */
  retry(): void
}

export const isSnapshot = (up: Up): up is { snapshot: Snapshot } => 'snapshot' in up

export const failure = (code: FailureCode, message: string): Failure => ({ code, message })

/** A host may reject with its own kinds of error; the UI sees only failures. */
export function toFailure(reason: unknown): Failure {
  if (isFailure(reason)) return reason
  const message = reason instanceof Error ? reason.message : String(reason)
  return failure('stopped', message)
}

function isFailure(value: unknown): value is Failure {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    'message' in value &&
    typeof value.message === 'string'
  )
}
