import type { FakeEngine } from './engine'

/** They speak in turns. */
export function measureRooms(engine: FakeEngine): void {
  for (const room of engine.state.rooms) {
    if (room.status !== 'JOINED') continue
    const talkers = room.participants.filter(({ audioMuted, kind, participantId }) => !audioMuted && kind !== 'stream' && participantId !== room.own)
    const turn = Math.floor(Date.now() / 5000) % Math.max(1, talkers.length)
    const speaks = talkers[turn]?.participantId
    const levels = room.participants.map(({ participantId, audioMuted }): [string, { rms: number; peak: number }] => {
      const rms = audioMuted ? -100 : participantId === speaks ? -22 + 6 * Math.random() : -62
      return [participantId, { rms, peak: rms + 10 }]
    })
    engine.emit({ event: 'RoomMeasured', roomId: room.roomId, levels })
    if (!engine.lively || room.participants.every(({ active, participantId }) => active === (participantId === speaks))) continue
    const changed = { ...room, participants: room.participants.map((person) => ({ ...person, active: person.participantId === speaks, speaking: person.participantId === speaks })) }
    engine.state = { ...engine.state, rooms: engine.state.rooms.map((other) => (other === room ? changed : other)) }
    engine.emit({ event: 'RoomChanged', room: changed })
  }
}
