import type { Command, DeviceChoice, DeviceView, HookExchange, Reply } from '../../api/types'
import { failure } from '../types'
import { DONE, type FakeEngine } from './engine'
import { snapshot } from './data'

/** Settings, accounts and devices; `null` for all other commands. */
export function settingsCommand(engine: FakeEngine, command: Command): Reply | null {
  switch (command.command) {
    case 'changeSettings':
      engine.state = { ...engine.state, settings: { ...engine.state.settings, ...withoutName(command) } }
      engine.emit({ event: 'SettingsChanged', settings: engine.state.settings })
      return DONE
    case 'setSecret': {
      const { for: of, remember, secret } = command
      if (of.of === 'iceServer') {
        const video = engine.state.settings.video
        const iceServers = video.iceServers.map((server) =>
          server.url === of.url && server.user === of.user ? { ...server, passwordKept: remember === true && secret !== undefined } : server,
        )
        engine.state = { ...engine.state, settings: { ...engine.state.settings, video: { ...video, iceServers } } }
        engine.emit({ event: 'SettingsChanged', settings: engine.state.settings })
      }
      return DONE
    }
    case 'testHook':
      return { reply: 'hookTested', exchange: exchange(command.hooks.url) }
    case 'getHookEvents':
      return { reply: 'hookEvents', events: engine.hookEvents }
    case 'sendHookAgain':
    case 'forgetHookEvents':
      engine.hookEvents = engine.hookEvents.filter((event) => command.id !== undefined && event.id !== command.id)
      engine.state = { ...engine.state, hooks: { waiting: 0, failed: engine.hookEvents.length, oldest: null, problem: null } }
      engine.emit({ event: 'HooksChanged', hooks: engine.state.hooks })
      return DONE
    case 'selectDevices':
      return select(engine, command)
    case 'testMicrophone':
      engine.testing = command.on
      return DONE
    case 'saveAccount': {
      if (!command.account.aor.includes('@')) throw { ...failure('invalid', 'an address is user@domain'), field: 'account.aor' }
      const others = engine.state.settings.accounts.filter((account) => account.id !== command.account.id)
      return accounts(engine, [...others, command.account], { reply: 'account', accountId: command.account.id })
    }
    case 'removeAccount':
      return accounts(engine, engine.state.settings.accounts.filter((account) => account.id !== command.accountId), DONE)
    case 'deleteEverything':
      return deleteEverything(engine)
    default:
      return null
  }
}

const exchange = (url: string): HookExchange => ({
  url: `${url}/ConnectionStatusEvent`,
  requestHeaders: ['idempotency-key: t1'],
  requestBody: '{"status":"ESTABLISHED","info":"This is a test"}',
  status: 200,
  answerHeaders: ['content-type: application/json'],
  answerBody: '{}',
  info: 'the backend took it',
  millis: 12,
})

function accounts(engine: FakeEngine, list: FakeEngine['state']['settings']['accounts'], reply: Reply): Reply {
  engine.state = { ...engine.state, settings: { ...engine.state.settings, accounts: list } }
  engine.emit({ event: 'SettingsChanged', settings: engine.state.settings })
  return reply
}

function select(engine: FakeEngine, { microphone, speaker, ringer }: Extract<Command, { command: 'selectDevices' }>): Reply {
  const devices = engine.state.devices
  const choose = (list: readonly DeviceView[], selection: string): DeviceChoice => {
    const found = list.find((device) => (selection === 'default' ? device.isDefault : device.selection === selection))
    return { selection, effective: found?.name ?? null, problem: null }
  }
  const next = { ...devices }
  if (microphone !== undefined) next.microphone = choose(devices.microphones, microphone)
  if (speaker !== undefined) next.speaker = choose(devices.speakers, speaker)
  if (ringer !== undefined) next.ringer = ringer === '' ? { ...next.speaker, selection: '' } : choose(devices.speakers, ringer)
  engine.state = { ...engine.state, devices: next }
  engine.emit({ event: 'DevicesChanged', devices: next })
  return DONE
}

function deleteEverything(engine: FakeEngine): Reply {
  for (const contact of engine.state.contacts) engine.emit({ event: 'ContactRemoved', contactId: contact.id })
  const { settings } = snapshot(Date.now())
  engine.state = { ...engine.state, contacts: [], history: [], settings }
  engine.emit({ event: 'HistoryCleared' })
  engine.emit({ event: 'SettingsChanged', settings })
  return DONE
}

function withoutName<T extends { command: string }>(command: T): Omit<T, 'command'> {
  const { command: _name, ...rest } = command
  return rest
}
