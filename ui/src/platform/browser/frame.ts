import type { Command, Failure, Reply } from '../../api/types'
import type { Up } from '../types'

/** Client to server. */
export type Request = { id: number; command: Command }

/** Server to client: the answer to a request, or what an engine sends by itself. */
export type Frame = { id: number; reply: Reply } | { id: number; failure: Failure } | Up

/** `null` for what is not a frame of ours. */
export function readFrame(text: unknown): Frame | null {
  if (typeof text !== 'string') return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  return isFrame(value) ? value : null
}

function isFrame(value: unknown): value is Frame {
  if (typeof value !== 'object' || value === null) return false
  if ('snapshot' in value) return isObject(value.snapshot) && 'seq' in value.snapshot
  if ('id' in value && typeof value.id === 'number') {
    return ('reply' in value && isObject(value.reply)) || ('failure' in value && isObject(value.failure))
  }
  return 'seq' in value && typeof value.seq === 'number' && 'event' in value
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
