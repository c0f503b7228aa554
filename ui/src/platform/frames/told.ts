import type { Level } from '../../api/types'

/** What a server says of a channel besides its pictures. */
export type Told =
  | { kind: 'levels'; channel: number; levels: readonly Level[] }
  | { kind: 'problem'; channel: number; problem: string }
  | { kind: 'end'; channel: number; reason: string }

/** `null` for what is nothing of ours. */
export function readTold(text: string): Told | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isRecord(value)) return null
  const { channel, levels, problem, ended, failure } = value
  if (typeof channel !== 'number') return null
  if (Array.isArray(levels) && levels.every(isLevel)) return { kind: 'levels', channel, levels }
  if (typeof problem === 'string') return { kind: 'problem', channel, problem }
  if (ended === true) return { kind: 'end', channel, reason: '' }
  if (isRecord(failure)) return { kind: 'end', channel, reason: String(failure['message'] ?? '') }
  return null
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isLevel = (value: unknown): value is Level => isRecord(value) && typeof value['rms'] === 'number' && typeof value['peak'] === 'number'
