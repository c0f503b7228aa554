import type { Envelope, Failure, HistoryEntry } from '../api/types'
import { toFailure } from '../platform/types'
import type { App } from './app.svelte'

export const PAGE = 50

/** The list of ended calls as it is looked at: searched, filtered, and as far back as was asked for. */
export class History {
  search = $state('')
  missedOnly = $state(false)
  loading = $state(false)
  failure = $state.raw<Failure | null>(null)
  /** The engine has no older ones for this filter. */
  exhausted = $state(false)
  private fetched = $state.raw<readonly HistoryEntry[]>([])
  /** Answers to a filter that is no longer looked at are dropped. */
  private asked = 0

  constructor(private readonly app: App) {}

  get filtered(): boolean {
    return this.missedOnly || this.search.trim() !== ''
  }

  /** What the mirror holds and what was fetched, newest first, no call twice. */
  get entries(): HistoryEntry[] {
    const held = (this.app.mirror?.history ?? []).filter((entry) => matches(entry, this.search, this.missedOnly))
    const ids = new Set(held.map((entry) => entry.callId))
    return [...held, ...this.fetched.filter((entry) => !ids.has(entry.callId))].sort((a, b) => b.startedAt - a.startedAt)
  }

  setSearch(text: string): void {
    this.search = text
    this.restart()
  }

  setMissedOnly(on: boolean): void {
    this.missedOnly = on
    this.restart()
  }

  async more(): Promise<void> {
    const before = this.entries.at(-1)?.startedAt
    const turn = ++this.asked
    this.loading = true
    this.failure = null
    try {
      const search = this.search.trim()
      const reply = await this.app.ask({
        command: 'getHistory',
        limit: PAGE,
        ...(before === undefined ? {} : { before }),
        ...(this.missedOnly ? { missed: true } : {}),
        ...(search === '' ? {} : { search }),
      })
      if (turn !== this.asked || reply.reply !== 'history') return
      const known = new Set(this.entries.map((entry) => entry.callId))
      this.fetched = [...this.fetched, ...reply.entries.filter((entry) => !known.has(entry.callId))]
      this.exhausted = reply.entries.length < PAGE
    } catch (reason) {
      if (turn === this.asked) this.failure = toFailure(reason)
    } finally {
      if (turn === this.asked) this.loading = false
    }
  }

  take(event: Envelope): void {
    if (event.event === 'HistoryRemoved') this.fetched = this.fetched.filter((entry) => entry.callId !== event.callId)
    if (event.event === 'HistoryCleared') this.forget()
  }

  private restart(): void {
    this.forget()
    if (this.filtered) void this.more()
  }

  private forget(): void {
    this.asked++
    this.fetched = []
    this.exhausted = false
    this.loading = false
    this.failure = null
  }
}

export function matches(entry: HistoryEntry, search: string, missedOnly: boolean): boolean {
  if (missedOnly && !entry.missed) return false
  const text = search.trim().toLowerCase()
  return text === '' || `${entry.remoteName}\n${entry.remote}`.toLowerCase().includes(text)
}
