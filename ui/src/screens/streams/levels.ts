import type { Level } from '../../api/types'

/** Of sounds that are mixed, about what the mix has; `null` where nothing is known. */
export const loudest = (levels: readonly Level[]): Level | null =>
  levels.length === 0 ? null : { rms: Math.max(...levels.map(({ rms }) => rms)), peak: Math.max(...levels.map(({ peak }) => peak)) }
