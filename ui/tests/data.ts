import type { CallView, Command, Envelope, Reply, Snapshot } from '../src/api/types'
import { failure, type LinkState, type Listener, type Platform } from '../src/platform/types'
import { snapshot } from '../src/platform/fake/data'
import { App } from '../src/state/app.svelte'

/** An app whose engine answers as it is told, and writes down what it was asked. */
export function bench(part: Partial<Snapshot> = {}): Bench {
  return new Bench({ ...snapshot(0), ...part })
}

export class Bench implements Platform {
  readonly host = 'fake'
  readonly frames = () => ({ resize: () => {}, drawn: () => {}, change: () => {}, close: () => {} })
  readonly released = () => Promise.resolve()
  readonly commands: Command[] = []
  readonly app: App
  /** By the command's name; `done` for all others. */
  readonly replies = new Map<Command['command'], (command: Command) => Reply>()
  private listener: Listener | null = null
  private seq = 100

  constructor(private readonly state: Snapshot) {
    this.app = new App(this)
    this.app.start()
  }

  get names(): string[] {
    return this.commands.map((command) => command.command)
  }

  async command(command: Command): Promise<Reply> {
    this.commands.push(command)
    return this.replies.get(command.command)?.(command) ?? { reply: 'done' }
  }

  refuse(name: Command['command'], message: string): void {
    this.replies.set(name, () => {
      throw failure('invalid', message)
    })
  }

  attach(listener: Listener): () => void {
    this.listener = listener
    const link: LinkState = 'attached'
    listener.onSnapshot(this.state)
    listener.onLink(link)
    return () => (this.listener = null)
  }

  retry(): void {}

  send(body: object): void {
    this.listener?.onEvent({ seq: ++this.seq, time: Date.now(), ...body } as Envelope)
  }

  change(call: CallView): void {
    this.send({ event: 'CallChanged', call })
  }
}
