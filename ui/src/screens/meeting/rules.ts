import type { RoomSettings } from '../../api/types'

/** Of a room that nobody has made rules for. */
export const RULES: RoomSettings = { locked: false, lobby: true, mostParticipants: 16, mutedOnEntry: false }

export const LIMITS = [2, 4, 8, 12, 16, 24, 32] as const
