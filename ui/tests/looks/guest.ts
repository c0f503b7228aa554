import type { Page } from 'playwright-core'
import type { RoomView } from '../../src/api/types'
import { people, room, screenOf } from '../../src/platform/fake/roomPeople'

type Told = (name: string, info: unknown) => void
/** What the page of guests is told when it has asked to come in. */
export type Meeting = { room?: RoomView; lobby?: true; refused?: string; then?: (tell: Told) => void }

export const OWN = 'p1'

export const meetingOf = (count: number, part: { share?: boolean } & Partial<RoomView> = {}): RoomView => {
  const { share, ...rest } = part
  const all = people(count).map((person, at) => ({ ...person, host: at === 1, guest: at === 0, ...(at === 0 ? { login: 'Rosa Lund', streams: [] } : {}) }))
  const participants = share ? all.map((person, at) => (at === 1 ? { ...person, streams: [...person.streams, screenOf('p2')] } : person)) : all
  return room(Date.now(), { participants, ...rest })
}

/** A server for the page of guests, and pictures where there is no network. */
export async function serveGuest(page: Page, meeting: Meeting): Promise<void> {
  await page.addInitScript(PEERS)
  await page.routeWebSocket(/.*/, (socket) => {
    const say = (message: string, data: unknown): void => socket.send(JSON.stringify({ message, data: [data] }))
    const tell: Told = (name, info) => say('OnDataEvent', { operationId: 'x', payload: { roomName: 'standup', name, info } })
    socket.onMessage((line) => {
      const { message, data } = JSON.parse(String(line)) as { message: string; data: [Record<string, unknown> | null] }
      const first = data[0] ?? {}
      if (message === 'connection') say('getUserData', { authToken: 'a' })
      if (message === 'playStream') {
        socket.send(JSON.stringify({ message: 'setRemoteSDP', data: [first['mediaSessionId'], String(first['name'])] }))
        say('notifyStreamStatusEvent', { mediaSessionId: first['mediaSessionId'], status: 'PLAYING', info: '' })
      }
      if (message !== 'sendData') return
      const { command } = first['payload'] as { command: string }
      if (command === 'join' && meeting.lobby) return tell('LOBBY', {})
      const refused = command === 'join' ? meeting.refused : undefined
      say('DataStatusEvent', { operationId: first['operationId'], status: refused === undefined ? 'ACCEPTED' : 'FAILED', info: refused ?? '' })
      if (command !== 'join' || refused !== undefined) return
      tell('ROOM', meeting.room)
      meeting.then?.(tell)
    })
  })
}

/** Peers that are answered with the name of a stream, and give its picture. */
const PEERS = `
  window.RTCPeerConnection = class {
    connectionState = 'connected'
    addTransceiver() {}
    getReceivers() { return [] }
    async createOffer() { return { sdp: 'offer' } }
    async setLocalDescription() {}
    async setRemoteDescription({ sdp }) {
      const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 })
      const context = canvas.getContext('2d')
      const hue = [...sdp].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7)
      const draw = () => {
        context.fillStyle = sdp.endsWith('screen') ? '#f4f6fa' : 'hsl(' + hue + ' 30% 55%)'
        context.fillRect(0, 0, 640, 360)
        context.fillStyle = 'hsl(' + hue + ' 40% 25%)'
        if (sdp.endsWith('screen')) for (let row = 0; row < 9; row++) context.fillRect(40, 40 + row * 32, 300 + ((row * 97) % 240), 12)
        else for (const [y, r] of [[150, 70], [400, 160]]) { context.beginPath(); context.arc(320, y, r, 0, 7); context.fill() }
      }
      draw()
      setInterval(draw, 200)
      const [track] = canvas.captureStream(5).getVideoTracks()
      this.ontrack?.({ track })
    }
    close() {}
  }
`
