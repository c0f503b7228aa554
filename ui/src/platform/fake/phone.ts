import type { CallProblemKind, CallView, Snapshot } from '../../api/types'
import { VIDEO } from './calls'
import { call, statistics, TLS } from './data'
import type { Scenario } from './scenarios'

const HELD = { local: true, remote: false }
const held = { status: 'HOLD', hold: HELD } as const

/** States of a busy phone; `null` for a name that is none of them. */
export function phoneScenario(name: string, now: number, base: Snapshot): Scenario | null {
  const farah = talking(now)
  const marta = second(now)
  const of = (...calls: CallView[]): Scenario => ({ snapshot: { ...base, calls }, link: 'attached' })
  if (name.startsWith('problem-')) return of(troubled(farah, name.slice(8) as CallProblemKind))
  switch (name) {
    case 'several':
      return of({ ...farah, ...held }, marta, incoming(now))
    case 'waiting':
      return of(farah, incoming(now))
    case 'held':
      return of({ ...farah, ...held })
    case 'held-by-them':
      return of({ ...farah, status: 'HOLD', hold: { local: false, remote: true } })
    case 'held-by-both':
      return of({ ...farah, status: 'HOLD', hold: { local: true, remote: true } })
    case 'two':
      return of({ ...farah, ...held }, marta)
    case 'conference':
      return of({ ...farah, inConference: true }, { ...marta, inConference: true })
    case 'conference-held':
      return of({ ...farah, inConference: true }, { ...marta, inConference: true, muted: true, status: 'HOLD', hold: { local: false, remote: true } }, { ...third(now), ...held })
    case 'transferring':
      return of({ ...farah, transfer: { target: 'sip:2044@voice.example.org', status: 'TRYING', info: '180 Ringing' } })
    case 'transfer-failed':
      return of({ ...farah, ...held, transfer: { target: 'sip:2044@voice.example.org', status: 'FAILED', info: '486 Busy Here' } })
    case 'transfer-asked':
      return of({ ...farah, transferRequested: 'sip:+442079460177@voice.example.org' })
    case 'recording':
      return of({ ...farah, recording: { path: '/home/nadia/Music/Sidetone/2026-03-02 14.05 Farah Siddiqui.wav', paused: false, seconds: 42, problem: null } })
    case 'recording-problem':
      return of({ ...farah, recording: { path: '/home/nadia/Music/Sidetone/2026-03-02 14.05 Farah Siddiqui.wav', paused: false, seconds: 318, problem: 'the disk is full; what was recorded so far is kept' } })
    case 'secure':
      return of({ ...farah, encryption: 'dtls', suite: 'AEAD_AES_256_GCM', signalling: TLS, divertedBy: 'sip:2000@voice.example.org' })
    case 'video':
      return of({ ...farah, video: VIDEO })
    case 'video-asked':
      return of({ ...farah, video: { ...VIDEO, requested: true, sending: false } })
    case 'video-problem':
      return of({ ...farah, video: { ...VIDEO, receiving: false, picture: null, problem: 'the camera gives no pictures: look whether another program uses it' } })
    case 'video-incoming':
      return of({ ...incoming(now), video: { ...VIDEO, requested: true, sending: false, receiving: false, picture: null } })
    case 'early':
      return of({ ...farah, status: 'SESSION_PROGRESS', info: '183 Session Progress', establishedAt: null })
    case 'emergency':
      return of({ ...farah, callee: 'sip:112@voice.example.org', remoteName: '', emergency: true })
    case 'auto-answer':
      return of({ ...incoming(now), autoAnswerAt: now + 9000, divertedBy: 'sip:2000@voice.example.org' })
    case 'dnd':
      return { snapshot: withDnd(base), link: 'attached' }
    case 'mwi':
      return { snapshot: withMail(base), link: 'attached' }
    case 'messages':
      return { ...of(), then: (engine) => talkByText(engine.emit.bind(engine)) }
    default:
      return null
  }
}

export const talking = (now: number): CallView =>
  call(now, {
    callId: 'c2',
    sessionId: 's2',
    callee: 'sip:+442079460123@voice.example.org',
    remoteName: 'Farah Siddiqui',
    status: 'ESTABLISHED',
    info: '200 OK',
    establishedAt: now - 754_000,
    encryption: 'none',
    signalling: TLS,
    codec: { name: 'G722', sampleRate: 16000 },
    dtmf: '402#',
    statistics: statistics(),
  })

const second = (now: number): CallView =>
  call(now, {
    callId: 'c3',
    sessionId: 's2',
    direction: 'incoming',
    caller: 'sip:2044@voice.example.org',
    callee: 'sip:nadia.wolff@voice.example.org',
    remoteName: 'Marta Okonkwo',
    status: 'ESTABLISHED',
    info: '200 OK',
    establishedAt: now - 71_000,
    encryption: 'sdes',
    suite: 'AES_CM_128_HMAC_SHA1_80',
    signalling: TLS,
    codec: { name: 'opus', sampleRate: 48000 },
    statistics: statistics({ speaker: { rms: -70, peak: -60 } }),
  })

const third = (now: number): CallView => ({ ...second(now), callId: 'c5', caller: 'sip:+420255550142@voice.example.org', remoteName: 'Tomáš Dvořák' })

export const incoming = (now: number): CallView =>
  call(now, {
    callId: 'c4',
    sessionId: 's2',
    direction: 'incoming',
    caller: 'sip:jonas.berg@voice.example.org',
    callee: 'sip:nadia.wolff@voice.example.org',
    remoteName: 'Jonas Berg',
    status: 'RING',
    encryption: 'none',
    signalling: TLS,
  })

const INFOS: Readonly<Record<CallProblemKind, string>> = {
  silentMicrophone: 'Jabra Evolve2 65 gives no sound. Check its mute switch, or choose another microphone.',
  speakingWhileMuted: 'The microphone is muted, and you speak.',
  nothingReceived: 'No audio has come for 4 s.',
  nothingArrives: 'The other side reports that no audio arrives.',
  reconnecting: 'The network has changed. The call is being moved to it.',
  peerGone: 'The other side has not answered for 32 s.',
}

const troubled = (base: CallView, kind: CallProblemKind): CallView => ({
  ...base,
  muted: kind === 'speakingWhileMuted',
  problem: { kind, info: INFOS[kind] },
})

const withDnd = (base: Snapshot): Snapshot => ({ ...base, settings: { ...base.settings, calls: { ...base.settings.calls, doNotDisturb: true } } })

function withMail(base: Snapshot): Snapshot {
  const [first, ...others] = base.sessions
  const waiting = { waiting: true, new: 3, old: 12, mailbox: '*97' }
  return { ...base, missedCalls: 2, sessions: [first!, ...others.map((session) => ({ ...session, messagesWaiting: waiting }))] }
}

function talkByText(emit: (body: Parameters<import('./engine').FakeEngine['emit']>[0]) => void): void {
  const say = (from: string, to: string, incoming: boolean, body: string): void =>
    emit({ event: 'OnDataEvent', sessionId: 's2', incoming, from, to, contentType: 'text/plain', body })
  const [me, jonas, marta] = ['sip:nadia.wolff@voice.example.org', 'sip:jonas.berg@voice.example.org', 'sip:2044@voice.example.org']
  say(jonas, me, true, 'Can you take the Dvořák case? He asks about invoice 2210-118.')
  say(me, jonas, false, 'Yes, put him through.')
  say(jonas, me, true, 'Thanks. He will call you in a minute; the order is in the shared folder under transport/2210.')
  say(marta, me, true, 'Lunch at one?')
}
