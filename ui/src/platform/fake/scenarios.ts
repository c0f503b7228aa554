import type { CallView, Snapshot } from '../../api/types'
import type { LinkState } from '../types'
import { call, local, localAccount, office, officeAccount, snapshot, statistics } from './data'
import type { FakeEngine } from './engine'
import { contacts, contactStates, history } from './people'
import { incoming, phoneScenario, talking } from './phone'
import { meetingScenario } from './rooms'
import { streamScenario } from './streams'

/** One state of the product to look at: its snapshot, what happens next, and whether the engine answers. */
export type Scenario = { snapshot: Snapshot; link: LinkState; ends?: CallView; then?: (engine: FakeEngine) => void }

const NOT_YET = { connection: null, registration: null, connectionInfo: '', registrationInfo: '' } as const

/** `?fake=NAME`; an unknown name gives `registered`. */
export function scenario(name: string, now: number): Scenario {
  const two = withOffice(now)
  const one = snapshot(now)
  switch (name) {
    case 'first':
      return at({ ...one, sessions: [{ ...local(), ...NOT_YET }] })
    case 'idle':
      return at(one)
    case 'ringing':
      return at({ ...two, calls: [call(now, { sessionId: 's2', callee: 'sip:+442079460123@voice.example.org', status: 'RING', info: '180 Ringing', encryption: 'none' })] })
    case 'incoming':
      return at({ ...two, calls: [incoming(now)] })
    case 'incall':
      return at({ ...two, calls: [talking(now)] })
    case 'echo':
      return at({ ...one, calls: [call(now, { status: 'ESTABLISHED', info: '200 OK', establishedAt: now - 37_000, codec: { name: 'opus', sampleRate: 48000 }, statistics: statistics({ roundTripMs: 1 }) })] })
    case 'busy':
      return { ...at(two), ends: ended(now, 'BUSY', '486 Busy Here') }
    case 'failed':
      return { ...at(two), ends: ended(now, 'FAILED', '404 Not Found') }
    case 'offline':
      return { ...at(two), link: 'offline' }
    case 'connecting':
      return { ...at(one), link: 'connecting' }
    case 'stopped':
      return { ...at(one), link: 'failed' }
    case 'refused':
      return { ...at(one), link: 'refused' }
    case 'password':
      return at({ ...two, sessions: [local(), { ...office(), registration: 'UNREGISTERED', registrationInfo: '401 Unauthorized', passwordNeeded: true }] })
    case 'trouble':
      return at(troubled(two))
    case 'sharing':
      return at(shared(one))
    default:
      return phoneScenario(name, now, two) ?? streamScenario(name, now, two) ?? meetingScenario(name, now, two) ?? at(two)
  }
}

export const at = (state: Snapshot): Scenario => ({ snapshot: state, link: 'attached' })

function withOffice(now: number): Snapshot {
  const base = snapshot(now)
  return {
    ...base,
    sessions: [local(), office()],
    history: history(now),
    contacts: contacts(),
    contactStates: contactStates(),
    settings: { ...base.settings, accounts: [localAccount(), officeAccount()] },
  }
}

const ended = (now: number, status: 'BUSY' | 'FAILED', info: string): CallView =>
  call(now, { callId: 'c9', sessionId: 's2', callee: 'sip:2044@voice.example.org', encryption: 'none', status, info })

function shared(state: Snapshot): Snapshot {
  const { gateway } = state.settings
  const fingerprint = Array.from({ length: 32 }, (_, at) => ((at * 73 + 41) % 256).toString(16).toUpperCase().padStart(2, '0')).join(':')
  return {
    ...state,
    settings: { ...state.settings, gateway: { ...gateway, sharing: { ...gateway.sharing, on: true, public: 'meet.example.org' } } },
    gateway: { ...state.gateway, sharing: { urls: ['https://192.168.1.20:8443', 'https://[fd00:1c2:3::20]:8443'], port: 8443, public: 'https://meet.example.org', fingerprint, info: '' } },
  }
}

function troubled(state: Snapshot): Snapshot {
  const info = 'port 5060 is taken by another program, using 5062'
  return {
    ...state,
    sessions: [
      { ...local(), connection: 'DISCONNECTED', connectionInfo: 'no answer for 32 s', registration: 'UNREGISTERED', registrationInfo: '408 Request Timeout, trying again' },
      { ...office(), registration: 'AUTHENTICATION_FAIL', registrationInfo: '403 Forbidden' },
    ],
    gateway: { ...state.gateway, sipAddress: '127.0.0.1:5062', info },
    devices: {
      ...state.devices,
      microphone: { selection: 'device:alsa_input.jabra', effective: 'Built-in Audio Analogue Stereo', problem: 'Jabra Evolve2 65 is not plugged in' },
      speaker: { selection: 'default', effective: null, problem: 'no speaker was found' },
      speakers: state.devices.speakers.filter((device) => !device.hardware),
    },
  }
}
