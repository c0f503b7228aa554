import type {
  Account,
  CallStatistics,
  CallView,
  DevicesView,
  GatewayView,
  SessionView,
  Settings,
  SignallingView,
  Snapshot,
} from '../../api/types'

/** A calm engine on a machine with devices: one local account and one at a provider. */
export function snapshot(_now: number): Snapshot {
  return {
    seq: 100,
    version: '0.1.0',
    sessions: [local()],
    calls: [],
    streams: [],
    rooms: [],
    history: [],
    missedCalls: 0,
    contacts: [],
    contactStates: [],
    devices: devices(),
    gateway: gateway(),
    hooks: { waiting: 0, failed: 0, oldest: null, problem: null },
    settings: settings(),
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
  signalling: { transport: 'udp', remote: '127.0.0.1:5060', secure: false, info: 'not encrypted, stays on this machine' },
  messagesWaiting: null,
  server: null,
  retryAt: null,
})

export const office = (): SessionView => ({
  ...local(),
  sessionId: 's2',
  accountId: 'office',
  name: 'Office',
  aor: 'sip:nadia.wolff@voice.example.org',
  registrar: 'sip:voice.example.org',
  local: false,
  signalling: TLS,
})

export const TLS: SignallingView = {
  transport: 'tls',
  remote: '192.0.2.17:5061',
  secure: true,
  info: 'TLS 1.3, certificate of voice.example.org by Example Trust CA',
}

export const account = (part: Pick<Account, 'id' | 'name' | 'aor'> & Partial<Account>): Account => ({
  register: true,
  expires: 600,
  enabled: true,
  mediaEncryption: 'automatic',
  sdesOverPlain: false,
  ice: false,
  rtcpMux: false,
  dtmf: 'automatic',
  prack: 'supported',
  sessionExpires: 1800,
  outbound: true,
  mwi: true,
  publishPresence: false,
  autoAnswerByHeader: false,
  incomingTransfer: 'ask',
  noAnswerSeconds: 20,
  anonymous: false,
  headers: [],
  ...part,
})

export const officeAccount = (): Account =>
  account({
    id: 'office',
    name: 'Office',
    aor: 'sip:nadia.wolff@voice.example.org',
    displayName: 'Nadia Wolff',
    transport: 'tls',
    voicemail: '*97',
  })

export const localAccount = (): Account => account({ id: 'local', name: 'Local', aor: 'sip:me@127.0.0.1:5060' })

const settings = (): Settings => ({
  audio: {
    microphone: 'default',
    speaker: 'default',
    ringer: '',
    preferredMicrophones: [],
    preferredSpeakers: [],
    echoCancellation: true,
    noiseSuppression: true,
    gainControl: true,
    dtmfTones: true,
    codecs: ['opus', 'G722', 'PCMA', 'PCMU'],
  },
  network: { sipPort: 0, rtpPort: 0, dns: [] },
  gateway: { enabled: true, sipPort: 5060, httpPort: 8088, streamToken: false, sharing: { on: false, port: 8443, public: '', certificate: '', key: '' } },
  ui: { theme: 'system' },
  hooks: {
    url: '',
    appKey: 'defaultApp',
    authentication: 'none',
    user: '',
    secretKept: false,
    timeoutMs: 2000,
    methods: [],
    policies: {},
    keepAliveSeconds: 30,
  },
  calls: {
    doNotDisturb: false,
    callWaiting: true,
    holdMusic: 'tune',
    dialPlan: [],
    emergencyNumbers: [],
    recordingTone: false,
    recordings: '',
    keepHistoryDays: 0,
  },
  video: {
    camera: 'default',
    codecs: ['H264', 'VP8'],
    width: 1280,
    height: 720,
    framesPerSecond: 30,
    minKbit: 150,
    maxKbit: 2500,
    startKbit: 1000,
    hint: 'automatic',
    simulcast: false,
    folder: '',
    iceServers: [],
    relayOnly: false,
  },
  accounts: [localAccount()],
})

export const gateway = (): GatewayView => ({
  running: true,
  sipAddress: '127.0.0.1:5060',
  httpAddress: 'http://127.0.0.1:8088',
  sharing: null,
  info: '',
  extensions: [{ user: 'me', contact: 'sip:me@127.0.0.1:41202' }],
  services: ['echo', 'tone'],
  streams: [],
  clients: [],
  clientCount: 0,
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
  ringer: { selection: '', effective: 'Jabra Evolve2 65', problem: null },
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
  hold: { local: false, remote: false },
  inConference: false,
  transfer: null,
  transferRequested: null,
  recording: null,
  problem: null,
  suite: null,
  signalling: local().signalling,
  divertedBy: '',
  autoAnswerAt: null,
  emergency: false,
  video: null,
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
  video: null,
  ...part,
})
