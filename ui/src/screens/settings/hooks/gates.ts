import type { TextKey } from '../../../locales'

/** What waits for the backend, or ends by its word, by the hook's name. */
export const GATES: readonly (readonly [string, TextKey])[] = [
  ['call', 'hooks.may.call'],
  ['OnCallEvent', 'hooks.may.OnCallEvent'],
  ['answer', 'hooks.may.answer'],
  ['hold', 'hooks.may.hold'],
  ['transfer', 'hooks.may.transfer'],
  ['sendDtmf', 'hooks.may.sendDtmf'],
  ['publishStream', 'hooks.may.publishStream'],
  ['playStream', 'hooks.may.playStream'],
  ['pauseStream', 'hooks.may.pauseStream'],
  ['snapshot', 'hooks.may.snapshot'],
  ['StreamKeepAliveEvent', 'hooks.may.StreamKeepAliveEvent'],
  ['OnDataEvent', 'hooks.may.OnDataEvent'],
]
