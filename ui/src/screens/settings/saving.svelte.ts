import type { Command, Failure } from '../../api/types'
import { t } from '../../locales'
import { toFailure } from '../../platform/types'
import type { App } from '../../state/app.svelte'

/** A form on its way to the engine, and what the engine had against it. */
export class Saving {
  busy = $state(false)
  failure = $state.raw<Failure | null>(null)

  constructor(private readonly app: App) {}

  async send(command: Command): Promise<boolean> {
    const done = await this.run(async () => {
      await this.app.ask(command)
      return null
    })
    if (done) this.app.notices.show('info', t('settings.saved'))
    return done
  }

  /** What gives or throws a failure; true where it does neither. */
  async run(act: () => Promise<Failure | null>): Promise<boolean> {
    this.busy = true
    this.failure = null
    try {
      this.failure = await act()
    } catch (reason) {
      this.failure = toFailure(reason)
    } finally {
      this.busy = false
    }
    return this.failure === null
  }

  /** The failure's message where it names this field; the engine may name it with its object, `account.aor`. */
  of(field: string): string {
    return lastPart(this.failure?.field) === field ? (this.failure?.message ?? '') : ''
  }

  /** The message where none of these fields is the one to blame. */
  rest(fields: readonly string[]): string {
    const named = lastPart(this.failure?.field)
    return named !== null && fields.includes(named) ? '' : (this.failure?.message ?? '')
  }
}

const lastPart = (field: string | undefined): string | null => field?.split('.').at(-1) ?? null
