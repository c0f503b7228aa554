import type { Command, Reply, Snapshot } from '../../api/types'
import { failure, type FrameListener, type FrameSubscription, type Host, type Listener, type LinkState, type Platform, type Room, type Shown } from '../types'
import { FakeEngine } from './engine'
import { fakePictures } from './frames'
import { scenario } from './scenarios'

/** An engine that is played, for tests and for looking at every state. Not part of a product build. */
export class FakePlatform implements Platform {
  get host(): Host {
    return 'fake'
  }

  readonly commands: Command[] = []
  readonly shown: string[] = []
  readonly poppedOut: string[] = []
  /** Sources that are open without being published. */
  previews = 0
  readonly engine: FakeEngine
  private link: LinkState
  private listener: Listener | null = null

  constructor(name: string) {
    const { snapshot, link, ends, then } = scenario(name, Date.now())
    this.link = link
    this.engine = new FakeEngine(snapshot, (event) => this.listener?.onEvent(event))
    if (ends) this.engine.afterAttach = () => this.engine.end(ends)
    if (then) this.engine.afterAttach = () => then(this.engine)
  }

  async command(command: Command): Promise<Reply> {
    this.commands.push(command)
    if (this.link !== 'attached') throw failure('network', 'The engine cannot be reached')
    return this.engine.carryOut(command)
  }

  async showRecording(path: string): Promise<void> {
    this.shown.push(path)
  }

  attach(listener: Listener): () => void {
    this.listener = listener
    const state: Snapshot = this.engine.snapshot()
    if (this.link === 'attached' || this.link === 'offline') listener.onSnapshot(state)
    listener.onLink(this.link, this.link === 'failed' ? 'settings.toml, line 4: unknown key "mircophone"' : undefined)
    this.engine.start()
    return () => {
      this.listener = null
      this.engine.stop()
    }
  }

  frames(shown: Shown, _room: Room, listener: FrameListener): FrameSubscription {
    const subscription = fakePictures(shown, this.engine.state.streams, listener)
    if ('streamId' in shown) return subscription
    this.previews++
    return { ...subscription, close: () => (subscription.close(), void this.previews--) }
  }

  async released(): Promise<void> {}

  async popOut(streamId: string): Promise<void> {
    this.poppedOut.push(streamId)
  }

  retry(): void {
    this.link = 'attached'
    this.listener?.onSnapshot(this.engine.snapshot())
    this.listener?.onLink(this.link)
  }
}
