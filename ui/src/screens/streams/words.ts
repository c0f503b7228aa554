import type { Quality, StreamSources, StreamView, VideoSourceView } from '../../api/types'
import type { Tone } from '../../components/Mark.svelte'
import { t } from '../../locales'
import { isUrl } from '../../state/streams.svelte'

export type Told = { tone: Tone; words: string; code: string | null; info: string }

const TONES = { PUBLISHING: 'good', PLAYING: 'good', PAUSED: 'warning', UNPUBLISHED: 'off', STOPPED: 'off', FAILED: 'bad' } as const

/** What a stream's status means. */
export function describeStream(stream: StreamView): Told {
  const { status: code, info, retryAt } = stream
  if (retryAt !== null) return { tone: 'waiting', words: t('stream.status.retry'), code, info }
  if (code === null) return { tone: 'waiting', words: t('stream.status.none'), code, info }
  return { tone: TONES[code], words: t(`stream.status.${code}`), code, info }
}

export const QUALITY_TONES: Readonly<Record<Quality, Tone>> = { unknown: 'off', good: 'good', fair: 'warning', poor: 'bad' }

/** A published stream shows its picture before anybody is told of it. */
export const showsPicture = ({ direction, sources, video }: StreamView): boolean => (direction === 'published' ? sources?.video !== undefined : video !== null)

/** A whole room has no sources that could be chosen. */
export const isRoom = ({ sources }: StreamView): boolean => sources?.video === 'room'

/** A URL's host and last part say which stream it is. */
export function shortName(name: string): string {
  if (!isUrl(name)) return name
  try {
    const url = new URL(name)
    return `${url.pathname.split('/').filter(Boolean).at(-1) ?? ''} · ${url.host}`.replace(/^ · /, '')
  } catch {
    return name
  }
}

/** A source of pictures in words. */
export function pictureName(selection: string, found: readonly VideoSourceView[]): string {
  const known = found.find((source) => source.selection === selection)
  if (known) return known.name
  if (selection === 'default') return t('stream.video.default')
  if (selection === 'bars') return t('stream.video.bars')
  const path = /^(?:file|image):(.*)$/s.exec(selection)?.[1]
  return path === undefined ? selection : (path.split(/[\\/]/).at(-1) || t('stream.video.noFile'))
}

/** What is wrong with sources, by their names instead of by what selects them. */
export function problemWords(problem: string, found: readonly VideoSourceView[]): string {
  return found.reduce((text, { selection, name }) => (selection.includes(':') ? text.replaceAll(selection, name) : text), problem)
}

/** What players get, in one sentence. */
export function summary({ video, inset, audio }: StreamSources, found: readonly VideoSourceView[]): string {
  const heard = audio.filter((input) => input.gain > 0).length
  const sound = heard === 0 ? t('stream.sum.silent') : t('stream.sum.sound', { count: heard })
  if (video === undefined) return t('stream.sum.soundOnly', { sound })
  const main = pictureName(video, found)
  if (!inset) return t('stream.sum.one', { main, sound })
  return t('stream.sum.two', { main, inset: pictureName(inset.source, found), sound })
}
