import type { CallVideoView, CallView, Command, Reply } from '../../api/types'
import { failure } from '../types'
import { call, TLS } from './data'
import { DONE, type FakeEngine } from './engine'

const OPUS = { name: 'opus', sampleRate: 48000 }
export const VIDEO: CallVideoView = {
  requested: false,
  sending: true,
  receiving: true,
  held: false,
  codec: 'H264',
  picture: { codec: 'H264', width: 1280, height: 720 },
  problem: null,
}

/** Commands about calls; `null` for all others. */
export function callCommand(engine: FakeEngine, command: Command): Reply | null {
  switch (command.command) {
    case 'call':
      return place(engine, command.callee, command.sessionId)
    case 'redial':
      return redial(engine)
    case 'answer':
      holdOthers(engine, command.callId)
      return engine.change(command.callId, { status: 'ESTABLISHED', info: '200 OK', establishedAt: Date.now(), codec: OPUS, autoAnswerAt: null, video: engine.find(command.callId).video && (command.video ? VIDEO : null) })
    case 'setCallVideo':
      return engine.change(command.callId, { video: command.on ? VIDEO : null })
    case 'hangup':
      return engine.finish(command.callId)
    case 'redirect':
      return engine.finish(command.callId, { info: `302 Moved Temporarily to ${command.target}` })
    case 'hold':
      for (const callId of together(engine, command.callId)) hold(engine, callId, true)
      return DONE
    case 'unhold':
    case 'swap':
      holdOthers(engine, command.callId)
      for (const callId of together(engine, command.callId)) hold(engine, callId, false)
      return DONE
    case 'merge':
      for (const callId of command.callIds) {
        engine.change(callId, { inConference: true })
        hold(engine, callId, false)
      }
      return DONE
    case 'split':
      engine.change(command.callId, { inConference: false })
      dissolve(engine)
      return hold(engine, command.callId, true)
    case 'transfer':
      return transfer(engine, command.callId, command.target)
    case 'transferAttended':
      engine.later(1400, command.consultationCallId, () => engine.finish(command.consultationCallId))
      return transfer(engine, command.callId, remoteOf(engine.find(command.consultationCallId)))
    case 'acceptTransfer':
      place(engine, (engine.find(command.callId).transferRequested ?? '').replace(/^sip:|@.*$/g, ''))
      return engine.change(command.callId, { transferRequested: null })
    case 'refuseTransfer':
      return engine.change(command.callId, { transferRequested: null })
    case 'startRecording':
      return engine.change(command.callId, { recording: { path: '/home/nadia/Music/Sidetone/call.wav', paused: false, seconds: 0, problem: null } })
    case 'pauseRecording':
      return pause(engine, command.callId, command.paused)
    case 'stopRecording':
      return engine.change(command.callId, { recording: null })
    case 'muteAudio':
      return engine.change(command.callId, { muted: command.muted, ...(command.muted ? {} : { problem: null }) })
    case 'sendDtmf':
      return engine.change(command.callId, { dtmf: engine.find(command.callId).dtmf + command.dtmf })
    default:
      return null
  }
}

const remoteOf = (found: CallView): string => (found.direction === 'incoming' ? found.caller : found.callee)

function place(engine: FakeEngine, callee: string, sessionId = 's1'): Reply {
  if (/\s/.test(callee)) throw { ...failure('invalid', 'a number or address has no spaces'), field: 'callee' }
  const callId = engine.id('c')
  const local = sessionId === 's1'
  const address = callee.includes('@') ? callee : `sip:${callee}@${local ? '127.0.0.1:5060' : 'voice.example.org'}`
  const protection = local ? {} : ({ encryption: 'sdes', suite: 'AES_CM_128_HMAC_SHA1_80', signalling: TLS } as const)
  const emergency = callee === '112' || callee === '911'
  const remoteName = engine.state.contacts.find((contact) => contact.addresses.some((other) => other.address === address))?.name ?? ''
  engine.put(call(Date.now(), { callId, sessionId, callee: address, remoteName, emergency, ...protection }))
  holdOthers(engine, callId)
  engine.later(600, callId, () => engine.change(callId, { status: 'RING', info: '180 Ringing' }))
  engine.later(1600, callId, () => engine.change(callId, { status: 'ESTABLISHED', info: '200 OK', establishedAt: Date.now(), codec: OPUS }))
  return { reply: 'call', callId }
}

function redial(engine: FakeEngine): Reply {
  const last = engine.state.history.find((entry) => entry.direction === 'outgoing')
  if (!last) throw failure('notFound', 'nobody has been called yet')
  return place(engine, last.remote)
}

/** The call itself, and the conference that it is part of. */
function together(engine: FakeEngine, callId: string): string[] {
  const { inConference } = engine.find(callId)
  return engine.state.calls.filter((call) => call.callId === callId || (inConference && call.inConference)).map((call) => call.callId)
}

/** Whoever begins to speak in one call holds the others. */
function holdOthers(engine: FakeEngine, callId: string): void {
  const own = together(engine, callId)
  for (const other of engine.state.calls) {
    if (other.establishedAt !== null && !own.includes(other.callId) && !other.hold.local) hold(engine, other.callId, true)
  }
}

/** One alone is no conference. */
function dissolve(engine: FakeEngine): void {
  const rest = engine.state.calls.filter((call) => call.inConference)
  if (rest.length === 1) engine.change(rest[0]!.callId, { inConference: false })
}

function hold(engine: FakeEngine, callId: string, local: boolean): Reply {
  const found = engine.find(callId)
  const status = local || found.hold.remote ? 'HOLD' : 'ESTABLISHED'
  const moves = status === 'ESTABLISHED'
  const video = found.video && { ...found.video, sending: moves, receiving: moves }
  return engine.change(callId, { hold: { ...found.hold, local }, status, video })
}

function pause(engine: FakeEngine, callId: string, paused: boolean): Reply {
  const { recording } = engine.find(callId)
  return recording ? engine.change(callId, { recording: { ...recording, paused } }) : DONE
}

/** A target with `busy` in it is busy. */
function transfer(engine: FakeEngine, callId: string, target: string): Reply {
  if (target === '' || /\s/.test(target)) throw { ...failure('invalid', 'a number or address has no spaces'), field: 'target' }
  const { sessionId } = engine.find(callId)
  const tell = (status: 'ACCEPTED' | 'TRYING' | 'COMPLETED' | 'FAILED', info: string): void => {
    engine.change(callId, { transfer: { target, status, info } })
    engine.emit({ event: 'TransferStatusEvent', status, callId, sessionId, target, info })
  }
  engine.change(callId, { transfer: { target, status: null, info: '' } })
  engine.later(400, callId, () => tell('ACCEPTED', '202 Accepted'))
  engine.later(900, callId, () => tell('TRYING', '180 Ringing'))
  if (target.includes('busy')) engine.later(2200, callId, () => tell('FAILED', '486 Busy Here'))
  else {
    engine.later(2200, callId, () => tell('COMPLETED', '200 OK'))
    engine.later(2300, callId, () => engine.finish(callId))
  }
  return DONE
}
