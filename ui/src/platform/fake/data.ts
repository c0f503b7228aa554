import type {
  Account,
  CallStatistics,
  CallView,
  DevicesView,
  GatewayView,
  HistoryEntry,
  SessionView,
  Settings,
  Snapshot,
} from '../../api/types'

/** A calm engine on a machine with devices: one local account and one at a provider. */
export function snapshot(now: number): Snapshot {
  return {
    seq: 100,
    version: '0.1.0',
    sessions: [local()],
    calls: [],
    history: [],
    devices: devices(),
    gateway: gateway(),
    settings: settings(now),
  }
}

export const local = (): SessionView => ({
  sessionId: 's1',
  accountId: 'local',
  name: 'Local',
  aor: 'sip:me@127.0.0.1:5060',
  registrar: 'sip:127.0.0.1:5060',
  connection: 'ESTABLISHED',
  connectionInfo: '200 OK',
  registration: 'REGISTERED',
  registrationInfo: '200 OK, expires in 600 s',
  passwordNeeded: false,
  local: true,
})

export const office = (): SessionView => ({
  ...local(),
  sessionId: 's2',
  accountId: 'office',
  name: 'Office',
  aor: 'sip:nadia.wolff@voice.example.org',
  registrar: 'sip:voice.example.org',
  local: false,
})

export const officeAccount = (): Account => ({
  id: 'office',
  name: 'Office',
  aor: 'sip:nadia.wolff@voice.example.org',
  displayName: 'Nadia Wolff',
  transport: 'tcp',
  register: true,
  expires: 600,
  enabled: true,
})

export const localAccount = (): Account => ({
  id: 'local',
  name: 'Local',
  aor: 'sip:me@127.0.0.1:5060',
  register: true,
  expires: 600,
  enabled: true,
})

const settings = (_now: number): Settings => ({
  audio: { microphone: 'default', speaker: 'default', codecs: ['opus', 'G722', 'PCMA', 'PCMU'] },
  network: { sipPort: 0, rtpPort: 0 },
  gateway: { enabled: true, sipPort: 5060, httpPort: 8088 },
  ui: { theme: 'system' },
  accounts: [localAccount()],
})

export const gateway = (): GatewayView => ({
  running: true,
  sipAddress: '127.0.0.1:5060',
  httpAddress: 'http://127.0.0.1:8088',
  info: '',
  extensions: [{ user: 'me', contact: 'sip:me@127.0.0.1:41202' }],
  services: ['echo', 'tone'],
})

export const devices = (): DevicesView => ({
  machine: 'studio-nuc',
  microphones: [
    { selection: 'device:alsa_input.jabra', name: 'Jabra Evolve2 65', isDefault: true, hardware: true },
    { selection: 'device:alsa_input.pci', name: 'Built-in Audio Analogue Stereo', isDefault: false, hardware: true },
    { selection: 'tone', name: 'Test tone', isDefault: false, hardware: false },
    { selection: 'silence', name: 'Silence', isDefault: false, hardware: false },
  ],
  speakers: [
    { selection: 'device:alsa_output.jabra', name: 'Jabra Evolve2 65', isDefault: true, hardware: true },
    { selection: 'device:alsa_output.pci', name: 'Built-in Audio Analogue Stereo', isDefault: false, hardware: true },
    { selection: 'null', name: 'No speaker', isDefault: false, hardware: false },
  ],
  microphone: { selection: 'default', effective: 'Jabra Evolve2 65', problem: null },
  speaker: { selection: 'default', effective: 'Jabra Evolve2 65', problem: null },
})

export const call = (now: number, part: Partial<CallView> = {}): CallView => ({
  callId: 'c1',
  sessionId: 's1',
  direction: 'outgoing',
  caller: 'sip:me@127.0.0.1:5060',
  callee: 'sip:echo@127.0.0.1:5060',
  remoteName: '',
  status: 'TRYING',
  info: '',
  startedAt: now,
  establishedAt: null,
  muted: false,
  codec: null,
  encryption: 'loopback',
  dtmf: '',
  statistics: null,
  ...part,
})

export const statistics = (part: Partial<CallStatistics> = {}): CallStatistics => ({
  packetsSent: 7412,
  packetsReceived: 7398,
  packetsLost: 9,
  lossPercent: 0.1,
  remoteLossPercent: 0,
  jitterMs: 2.4,
  roundTripMs: 38,
  bufferMs: 40,
  concealedPercent: 0,
  kbitSent: 41,
  kbitReceived: 40,
  microphone: { rms: -24, peak: -11 },
  speaker: { rms: -19, peak: -8 },
  ...part,
})

export function history(now: number): HistoryEntry[] {
  const entry = (minutes: number, part: Partial<HistoryEntry>): HistoryEntry => ({
    callId: `h${minutes}`,
    accountId: 'local',
    direction: 'outgoing',
    remote: 'sip:echo@127.0.0.1:5060',
    remoteName: '',
    status: 'FINISH',
    info: '200 OK',
    startedAt: now - minutes * 60_000,
    seconds: 42,
    ...part,
  })
  const farah = { accountId: 'office', remote: 'sip:+442079460123@voice.example.org', remoteName: 'Farah Siddiqui' }
  return [
    entry(3, {}),
    entry(16, { ...farah, direction: 'incoming', seconds: 754 }),
    entry(47, { ...farah, direction: 'incoming', status: 'FINISH', info: '487 Request Terminated', seconds: null }),
    entry(52, { remote: 'sip:2044@voice.example.org', remoteName: '', accountId: 'office', status: 'BUSY', info: '486 Busy Here', seconds: null }),
    entry(95, { remote: 'sip:4o4@voice.example.org', accountId: 'office', status: 'FAILED', info: '404 Not Found', seconds: null }),
  ]
}
