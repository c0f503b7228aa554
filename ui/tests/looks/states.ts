import type { Page } from 'playwright-core'
import { meetingOf, serveGuest, type Meeting } from './guest'

/** A state of a page: its address, and how one comes there. */
export type Look = {
  name: string
  address: string
  width?: number
  height?: number
  /** Of the letters; 2 is 200 %. */
  scale?: number
  /** Looked at in the dark, too. */
  dark?: true
  before?: (page: Page) => Promise<unknown>
  go?: (page: Page) => Promise<unknown>
}

const press = (...testids: string[]) => async (page: Page): Promise<void> => {
  for (const testid of testids) await page.getByTestId(testid).first().click()
}

const meeting = (name: string, ...clicks: string[]): Look => ({ name: [name, ...clicks].join(' '), address: `?fake=${name}`, go: press('open-meeting', ...clicks) })

const LINK = 'guest.html#room=standup&invite=t0k3n'
const PHONE = { width: 390, height: 844 }
const come = (...clicks: string[]) => async (page: Page): Promise<void> => {
  await page.getByTestId('guest-login').fill('Rosa Lund')
  await press('guest-join', ...clicks)(page)
}
const guest = (name: string, told: Meeting, ...clicks: string[]): Look => ({ name: ['guest', name, ...clicks].join(' '), address: LINK, before: (page) => serveGuest(page, told), go: come(...clicks) })
const onPhone = (look: Look): Look => ({ ...look, ...PHONE, name: `${look.name} phone` })

const chatter: Meeting = {
  room: meetingOf(4),
  then: (tell) => {
    tell('MESSAGE', { from: 'Tomás Herrera', text: 'Good morning! The agenda is in https://example.org/standup/2026-03-02' })
    tell('MESSAGE', { from: 'Tomás Herrera', text: 'Can you take the minutes today?', private: true })
    tell('REACTION', { from: 'Liam Chen', reaction: '👏' })
  },
}
const recording = { path: '', paused: false, seconds: 318, problem: null }

const DARK = ['meeting', 'meeting-16', 'meeting-host room-people', 'meeting-chat room-chat', 'meeting-host room-invite', 'meeting-host room-rules', 'settings sharing', 'guest form', 'guest lobby', 'guest 5', 'guest chat guest-chat']

const reports = (name: string, ...clicks: string[]): Look => ({ name: ['reports', name].join(' '), address: '?fake=idle', dark: true, go: press('open-reports', ...clicks) })

const STATES: readonly Look[] = [
  reports('empty'),
  reports('review', 'report-prepare'),
  reports('message', 'report-prepare', 'ladder-message'),
  reports('media', 'report-prepare', 'tab-media'),
  reports('stored', 'report-prepare', 'report-store'),
  onPhone(reports('review', 'report-prepare')),
  meeting('meeting'),
  meeting('meeting-1'),
  meeting('meeting-5'),
  meeting('meeting-9-share'),
  meeting('meeting-16'),
  meeting('meeting-joining'),
  meeting('meeting-lobby'),
  meeting('meeting-back'),
  meeting('meeting-refused'),
  meeting('meeting-lost'),
  meeting('meeting-removed'),
  meeting('meeting-unheard'),
  meeting('meeting-own-share'),
  meeting('meeting-host', 'room-people'),
  { ...meeting('meeting-host', 'room-people'), name: 'meeting-host person', go: press('open-meeting', 'room-people', 'person-more') },
  meeting('meeting-guest', 'room-people'),
  meeting('meeting-chat', 'room-chat'),
  meeting('meeting-host', 'room-invite'),
  meeting('meeting-host', 'room-rules'),
  meeting('meeting-host', 'room-leave'),
  meeting('meeting-5', 'room-share'),
  meeting('meeting-5', 'room-react'),
  { name: 'settings delete', address: '?fake=registered', width: 1000, height: 700, go: press('open-settings', 'delete-everything') },
  { name: 'settings sharing', address: '?fake=sharing', go: openSharing },
  { name: 'guest form', address: LINK },
  { name: 'guest nothing', address: 'guest.html' },
  guest('password', { refused: 'This room wants a password' }),
  guest('lobby', { lobby: true }),
  guest('alone', { room: meetingOf(1) }),
  guest('5', { room: meetingOf(5, { recording }) }),
  guest('5', { room: meetingOf(5) }, 'guest-people'),
  guest('chat', chatter, 'guest-chat'),
  guest('out', { room: meetingOf(3), then: (tell) => tell('REMOVED', 'Removed by Tomás Herrera') }),
]

/** Drawn by the same parts as others: only where pictures are made. */
const ALIKE = ['meeting-1', 'meeting-5', 'meeting-joining', 'meeting-lost', 'meeting-removed', 'meeting-own-share', 'guest nothing', 'guest alone']

export const LOOKS: readonly Look[] = STATES.filter(({ name }) => process.env['LOOKS'] || !ALIKE.includes(name)).map((look) => (DARK.includes(look.name) ? { ...look, dark: true } : look))

async function openSharing(page: Page): Promise<void> {
  await press('open-settings')(page)
  await page.getByRole('tab', { name: 'Network' }).click()
  await page.getByTestId('sharing-save').scrollIntoViewIfNeeded()
  await page.getByTestId('sharing-on').scrollIntoViewIfNeeded()
}

/** Only looked at. */
export const PICTURES: readonly Look[] = [
  ...[1, 2, 5, 9, 16].flatMap((count) => [meeting(`meeting-${count}`), ...(count > 1 ? [meeting(`meeting-${count}-share`)] : [])]),
  ...[1, 2, 5, 9, 16].flatMap((count) => [false, true].filter((share) => !share || count > 1).flatMap((share) => {
    const look = guest(`${count}${share ? ' share' : ''}`, { room: meetingOf(count, { share }) })
    return [look, onPhone(look)]
  })),
  onPhone({ name: 'guest form', address: LINK }),
  onPhone(guest('lobby', { lobby: true })),
  onPhone(guest('chat', chatter, 'guest-chat')),
  onPhone(guest('people', { room: meetingOf(9) }, 'guest-people')),
  ...['meeting', 'meeting-5', 'meeting-16-share', 'meeting-host'].map((name): Look => ({ ...meeting(name), name: `${name} zoom`, width: 640, height: 400, scale: 2 })),
  ...['meeting', 'meeting-5', 'meeting-9-share'].map((name) => onPhone(meeting(name))),
]
