import type { Command, Reply, ReportContents, ReportMessage, ReportView } from '../../api/types'
import { failure } from '../types'
import { DONE, type FakeEngine } from './engine'

const BEGAN = Date.UTC(2026, 10, 24, 11, 2, 40)
const CALL = 'c1'

function message(after: number, incoming: boolean, summary: string, repeated = false): ReportMessage {
  const first = /^\d/.test(summary) ? `SIP/2.0 ${summary}` : `${summary} sip:bob@pbx.example SIP/2.0`
  const text = `${first}\r\nVia: SIP/2.0/UDP 192.0.2.10:5060\r\nFrom: <sip:ann@pbx.example>;tag=1\r\nTo: <sip:bob@pbx.example>\r\nCall-ID: 7a91\r\nCSeq: 2 INVITE\r\nContent-Length: 0\r\n\r\n`
  return { at: BEGAN + after, gateway: false, incoming, transport: 'UDP', local: '192.0.2.10:5060', remote: '198.51.100.20:5060', summary, callId: '7a91', cseq: '2 INVITE', repeated, text }
}

/** A call whose far end falls silent after 27 seconds. */
export function report(view: Partial<ReportView> = {}): ReportContents {
  const samples = Array.from({ length: 60 }, (_, second) => ({
    at: BEGAN + second * 1000,
    subject: CALL,
    packetsSent: second * 50,
    packetsReceived: Math.min(second, 27) * 50,
    lossPercent: 0,
    remoteLossPercent: 0,
    jitterMs: 2,
    roundTripMs: 31,
    microphone: -28,
    speaker: second < 27 ? -30 : -100,
  }))
  return {
    format: 1,
    report: {
      file: '',
      createdAt: BEGAN + 60_000,
      words: '',
      from: '',
      size: 0,
      verdicts: [
        {
          kind: 'oneWayAudio',
          blame: 'farEnd',
          at: BEGAN + 27_000,
          subject: CALL,
          info: 'no RTP from the far end after 11:03:07 UTC, and ours went out',
          advice: 'ask the far end whether its microphone is on; if it is, a firewall or NAT between you keeps its packets back',
        },
      ],
      ...view,
    },
    version: '0.1.0',
    system: 'linux x86_64',
    messages: [
      message(0, false, 'INVITE'),
      message(500, false, 'INVITE', true),
      message(530, true, '100 Trying'),
      message(560, true, '407 Proxy Authentication Required'),
      message(570, false, 'ACK'),
      message(580, false, 'INVITE'),
      message(900, true, '180 Ringing'),
      message(2400, true, '200 OK'),
      message(2410, false, 'ACK'),
      message(59_000, false, 'BYE'),
      message(59_040, true, '200 OK'),
    ],
    events: [
      { at: BEGAN, kind: 'CallStatusEvent', subject: CALL, status: 'TRYING', info: '' },
      { at: BEGAN + 2400, kind: 'CallStatusEvent', subject: CALL, status: 'ESTABLISHED', info: '200 OK' },
      { at: BEGAN + 32_000, kind: 'CallProblem', subject: CALL, status: 'nothingReceived', info: 'nothing arrives from the far end' },
    ],
    samples,
    facts: [
      { section: 'settings', text: '{\n  "audio": { "microphone": "default" }\n}' },
      { section: 'devices', text: '{\n  "machine": "desk"\n}' },
    ],
    hasScreenshot: false,
  }
}

/** Bug reports; `null` for all other commands. */
export function reportCommand(engine: FakeEngine, command: Command): Reply | null {
  switch (command.command) {
    case 'prepareBugReport':
      return { reply: 'report', report: report() }
    case 'submitBugReport': {
      const stored = report({ file: `report-${engine.id('r')}.zip`, words: command.words, size: 48_000 })
      engine.reports = [stored, ...engine.reports]
      engine.emit({ event: 'BugReportStatusEvent', status: stored.report.file, info: '' })
      return { reply: 'reportStored', report: stored.report }
    }
    case 'getBugReports':
      return { reply: 'reports', reports: engine.reports.map((stored) => stored.report) }
    case 'readBugReport': {
      const found = engine.reports.find((stored) => stored.report.file === command.file)
      if (!found) throw failure('notFound', `there is no bug report "${command.file}"`)
      return { reply: 'report', report: found }
    }
    case 'removeBugReport':
      engine.reports = engine.reports.filter((stored) => stored.report.file !== command.file)
      return DONE
    default:
      return null
  }
}
