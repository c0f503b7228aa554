import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Envelope } from '../src/api/types'
import { call, statistics } from '../src/platform/fake/data'
import { filterLines } from '../src/screens/events/filter'
import { EventLog, MAX_LINES, lineText, toLine } from '../src/state/log.svelte'
import { Notices, readingTime } from '../src/state/notices.svelte'

const event = (body: object, seq = 1): Envelope => ({ seq, time: 0, ...body }) as Envelope
const busy = event({ event: 'CallStatusEvent', status: 'BUSY', callId: 'c1', sessionId: 's1', info: '486 Busy Here' })

describe('the event log', () => {
  it('has event, status, id and info of a line', () => {
    expect(toLine(busy, 7)).toEqual({ key: 7, seq: 1, time: 0, event: 'CallStatusEvent', status: 'BUSY', id: 'c1', info: '486 Busy Here' })
    expect(lineText(toLine(busy, 7))).toBe('1970-01-01T00:00:00.000Z  CallStatusEvent  BUSY  c1  486 Busy Here')
  })

  it('leaves measurements out', () => {
    const log = new EventLog()
    log.add(event({ event: 'CallMeasured', callId: 'c1', statistics: statistics() }))
    log.add(event({ event: 'MicrophoneLevel', level: { rms: -20, peak: -10 } }))
    expect(log.lines).toEqual([])
  })

  it('is bounded and keeps the newest', () => {
    const log = new EventLog()
    for (let seq = 1; seq <= MAX_LINES + 5; seq++) log.add({ ...busy, seq })
    expect(log.lines).toHaveLength(MAX_LINES)
    expect(log.lines.at(-1)?.seq).toBe(MAX_LINES + 5)
  })

  it('tells lines apart after the engine has begun to count anew', () => {
    const log = new EventLog()
    log.add(busy)
    log.add(busy)
    expect(new Set(log.lines.map((line) => line.key)).size).toBe(2)
  })

  it('shows the statuses of the contract, or everything, by words in any order', () => {
    const lines = [
      toLine(busy, 1),
      toLine(event({ event: 'CallChanged', call: call(0) }, 2), 2),
      toLine(event({ event: 'OnCallEvent', callId: 'c2', sessionId: 's1', caller: 'sip:a@b', callee: 'sip:c@d', info: '' }, 3), 3),
    ]
    const seqs = (kind: 'all' | 'contract', words: string): number[] => filterLines(lines, kind, words).map((line) => line.seq)
    expect(seqs('all', '')).toEqual([1, 2, 3])
    expect(seqs('contract', '')).toEqual([1, 3])
    expect(seqs('all', 'BUSY callstatus')).toEqual([1])
    expect(seqs('contract', 'nothing')).toEqual([])
  })
})

describe('notices', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('stay long enough to be read, errors until they are dismissed', () => {
    const notices = new Notices()
    notices.show('info', 'Saved.')
    notices.show('error', 'Failed.')
    vi.advanceTimersByTime(7999)
    expect(notices.toasts).toHaveLength(2)
    vi.advanceTimersByTime(60_000)
    expect(notices.toasts.map((toast) => toast.text)).toEqual(['Failed.'])
    notices.dismiss(notices.toasts[0]?.id ?? 0)
    expect(notices.toasts).toEqual([])
    expect(readingTime('x'.repeat(200))).toBe(20_000)
  })

  it('wait while someone reads', () => {
    const notices = new Notices()
    notices.show('info', 'Saved.')
    const [toast] = notices.toasts
    if (toast) notices.hold(toast)
    vi.advanceTimersByTime(60_000)
    expect(notices.toasts).toHaveLength(1)
  })

  it('count the same message instead of piling it up, and are never more than four', () => {
    const notices = new Notices()
    notices.show('error', 'one')
    notices.show('error', 'one')
    expect(notices.toasts).toMatchObject([{ text: 'one', count: 2 }])
    for (const text of ['two', 'three', 'four', 'five']) notices.show('error', text)
    expect(notices.toasts.map((toast) => toast.text)).toEqual(['two', 'three', 'four', 'five'])
  })
})
