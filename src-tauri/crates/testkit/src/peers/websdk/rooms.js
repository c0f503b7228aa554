'use strict'
// The room module of the SDK as pages use it. It brings an SDK of its own, which is the page's then.

const Flashphoner = window.RoomApi ? RoomApi.sdk : window.Flashphoner

const rooms = (() => {
  const names = (room) => room.getParticipants().map((participant) => ({
    login: participant.name(),
    streams: participant.getStreams().map((stream) => stream.streamName()),
  }))

  // A session; its number.
  function connect(urlServer, username, more) {
    const id = sdk.next()
    const connection = RoomApi.connect({ urlServer, username, ...more })
    sdk.all.set(id, connection)
    for (const status of ['ESTABLISHED', 'DISCONNECTED', 'FAILED']) connection.on(status, () => sdk.tell('session', { id, status }))
    return id
  }

  // A room; its number.
  function join(session, name) {
    const id = sdk.next()
    const room = sdk.all.get(session).join({ name })
    sdk.all.set(id, room)
    const { STATE, JOINED, LEFT, PUBLISHED, FAILED, MESSAGE } = RoomApi.events
    room.on(STATE, () => sdk.tell('room', { id, event: STATE, participants: names(room) }))
    for (const event of [JOINED, LEFT]) room.on(event, (participant) => sdk.tell('room', { id, event, login: participant.name() }))
    room.on(PUBLISHED, (participant) => {
      const streams = participant.getStreams().map((stream) => stream.streamName())
      sdk.tell('room', { id, event: PUBLISHED, login: participant.name(), streams })
    })
    room.on(MESSAGE, ({ from, text }) => sdk.tell('room', { id, event: MESSAGE, login: from.name(), text }))
    room.on(FAILED, (room, info) => sdk.tell('room', { id, event: FAILED, info }))
    return id
  }

  const publish = (room, options) => {
    const display = sdk.place()
    return sdk.follow(sdk.all.get(room).publish({ display, cacheLocalResources: false, ...options }), display)
  }

  const participant = (room, login) => sdk.all.get(room).getParticipants().find((other) => other.name() === login)

  function play(room, login, at) {
    const display = sdk.place()
    return sdk.follow(participant(room, login).getStreams()[at].play(display), display)
  }

  const say = (room, login, text) => void participant(room, login).sendMessage(text, () => sdk.tell('unsent', { room, login }))
  const leave = (room) => {
    const told = (result) => () => sdk.tell('room', { id: room, event: result })
    sdk.all.get(room).leave().then(told('left'), told('stayed'))
  }

  return { connect, join, publish, play, say, leave, names: (room) => names(sdk.all.get(room)) }
})()
