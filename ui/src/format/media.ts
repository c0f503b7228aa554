import type { Level } from '../api/types'

/** The floor of the engine's levels, dBFS. */
export const FLOOR_DB = -100

/** dBFS at the left end of a meter. */
export const METER_FLOOR_DB = -60

/** Where a level lies on a meter, 0 to 1. */
export function meterPosition(db: number): number {
  if (!Number.isFinite(db)) return 0
  return Math.min(1, Math.max(0, (db - METER_FLOOR_DB) / -METER_FLOOR_DB))
}

/** What a screen reader says of a level. */
export const levelText = (level: Level | null): string | null =>
  level === null || level.rms <= FLOOR_DB ? null : `${Math.round(level.rms)} dB`.replace('-', '−')

const NAMES: Readonly<Record<string, string>> = {
  opus: 'Opus',
  g722: 'G.722',
  pcma: 'G.711 A-law',
  pcmu: 'G.711 µ-law',
  h264: 'H.264',
}

export const codecName = (name: string): string => NAMES[name.toLowerCase()] ?? name

export const kilohertz = (hertz: number): string => `${hertz / 1000} kHz`

/** `0 %`, `0.4 %`, `12 %`: a digit after the point only where it says something. */
export function percent(value: number): string {
  const rounded = value < 10 ? Math.round(value * 10) / 10 : Math.round(value)
  return `${rounded} %`
}

export const milliseconds = (value: number): string =>
  value > 0 && value < 10 ? `${Math.round(value * 10) / 10} ms` : `${Math.round(value)} ms`

export const kilobits = (value: number): string => `${Math.round(value)} kbit/s`
