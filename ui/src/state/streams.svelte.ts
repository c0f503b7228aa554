import type { AudioInput, Command, Envelope, Failure, SnapshotFile, StreamSources, StreamView, VideoSettings, VideoSourceView } from '../api/types'
import { t } from '../locales'
import { toFailure } from '../platform/types'
import type { App } from './app.svelte'
import { streamHasEnded } from './mirror'

export type Snapped = {
  file: SnapshotFile | null
  info: string
  number: number
  /** A small picture of it, as `data:`, once it was drawn. */
  small?: string
}

/** What is to be published, and what became of what was. */
export class Streams {
  name = $state('')
  token = $state('')
  sources = $state.raw<StreamSources>({ video: 'bars', audio: [{ source: 'default', gain: 1 }] })
  /** `null`: as stored. */
  settings = $state.raw<VideoSettings | null>(null)
  playName = $state('')
  playToken = $state('')
  /** The session at whose Web Call Server it is; empty: elsewhere. */
  server = $state('')
  /** Cameras, screens and windows, as they were last looked for. */
  found = $state.raw<readonly VideoSourceView[]>([])
  /** The last ones that ended, newest first, until they are dismissed. */
  ended = $state.raw<readonly StreamView[]>([])
  snapshots = $state.raw<Readonly<Record<string, Snapped>>>({})
  private taken = 0
  /** Of streams that were silenced. */
  private readonly volumes = new Map<string, number>()

  constructor(private readonly app: App) {}

  take(event: Envelope): void {
    if (event.event === 'StreamChanged' && event.stream.roomId === undefined && streamHasEnded(event.stream)) {
      const others = this.ended.filter((stream) => stream.streamId !== event.stream.streamId)
      this.ended = [event.stream, ...others].slice(0, KEPT)
      this.forgetSnapshot(event.stream.streamId)
      this.volumes.delete(event.stream.streamId)
    }
    if (event.event === 'SnapshotTaken') {
      const snapped = { file: event.file ?? null, info: event.info, number: ++this.taken }
      this.snapshots = { ...this.snapshots, [event.streamId]: snapped }
    }
  }

  async look(): Promise<void> {
    try {
      const reply = await this.app.ask({ command: 'getVideoSources' })
      if (reply.reply === 'videoSources') this.found = reply.sources
    } catch (reason) {
      this.app.complain(toFailure(reason).message)
    }
  }

  async publish(): Promise<Failure | null> {
    const { name, token, sources, settings } = this
    if (name.trim() === '') return nameless()
    const command = { command: 'publishStream', name: name.trim(), sources, ...(isUrl(name) ? secret(token) : {}), ...(settings ? { settings } : {}), ...at(this.server) } as const
    return this.begin(command, () => {
      this.name = ''
      this.token = ''
    })
  }

  /** What the form asks for. */
  async playAsked(): Promise<Failure | null> {
    const { playName: name, playToken: token } = this
    if (name.trim() === '') return nameless()
    const failure = await this.play(name, isUrl(name) ? token : '', this.server)
    if (failure === null) {
      this.playName = ''
      this.playToken = ''
    }
    return failure
  }

  play(name: string, token = '', server = ''): Promise<Failure | null> {
    return this.begin({ command: 'playStream', name: name.trim(), ...secret(token), ...at(server) })
  }

  /** As it was. A token is not kept: a server that wants one says so. */
  again({ direction, name, sources, sessionId }: StreamView): Promise<Failure | null> {
    if (direction === 'played') return this.play(name, '', sessionId ?? '')
    return this.begin({ command: 'publishStream', name, sources: sources ?? this.sources, ...at(sessionId ?? '') })
  }

  stop({ streamId, direction }: StreamView): Promise<boolean> {
    return this.app.perform(direction === 'published' ? { command: 'unPublishStream', streamId } : { command: 'stopStream', streamId })
  }

  pause({ streamId, status }: StreamView): Promise<boolean> {
    return this.app.perform({ command: 'pauseStream', streamId, paused: status !== 'PAUSED' })
  }

  snapshot({ streamId }: StreamView): Promise<boolean> {
    return this.app.perform({ command: 'snapshot', streamId })
  }

  record({ streamId, recording }: StreamView): Promise<boolean> {
    return this.app.perform({ command: 'recordStream', streamId, on: recording === null })
  }

  retry({ streamId }: StreamView): Promise<boolean> {
    return this.app.perform({ command: 'retryStream', streamId })
  }

  change({ streamId }: StreamView, part: Omit<Extract<Command, { command: 'changeStream' }>, 'command' | 'streamId'>): Promise<boolean> {
    return this.app.perform({ command: 'changeStream', streamId, ...part })
  }

  /** And as loud as before. */
  silence(stream: StreamView): Promise<boolean> {
    const { streamId, volume } = stream
    if (volume > 0) this.volumes.set(streamId, volume)
    return this.change(stream, { volume: volume > 0 ? 0 : (this.volumes.get(streamId) ?? 1) })
  }

  dismiss(streamId: string): void {
    this.ended = this.ended.filter((stream) => stream.streamId !== streamId)
  }

  forgetSnapshot(streamId: string): void {
    const { [streamId]: _gone, ...rest } = this.snapshots
    this.snapshots = rest
  }

  private async begin(command: Command, done = (): void => {}): Promise<Failure | null> {
    try {
      await this.app.ask(command)
      done()
      return null
    } catch (reason) {
      return toFailure(reason)
    }
  }
}

export const withSound = (sources: StreamSources, at: number, part: Partial<AudioInput>): StreamSources => ({
  ...sources,
  audio: sources.audio.map((input, index) => (index === at ? { ...input, ...part } : input)),
})

export const isUrl = (name: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(name.trim())

const nameless = (): Failure => ({ code: 'invalid', field: 'name', message: t('streams.name.missing') })
const secret = (token: string): { token?: string } => (token === '' ? {} : { token })
const KEPT = 4

const at = (sessionId: string): { sessionId?: string } => (sessionId === '' ? {} : { sessionId })
