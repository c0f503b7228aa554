'use strict'
// The official SDK as pages use it: sessions and streams by numbers, and all that it tells as a list.

const sdk = (() => {
  const log = []
  const all = new Map()
  let last = 0
  const { SESSION_STATUS, STREAM_STATUS, STREAM_EVENT } = Flashphoner.constants
  const tell = (name, more) => log.length < 20000 && log.push({ name, at: Date.now(), ...more })

  Flashphoner.init({ preferredMediaProviders: ['WebRTC'] })

  const plain = (value) => {
    try {
      return JSON.parse(JSON.stringify(value ?? null))
    } catch {
      return null
    }
  }

  function connect(options) {
    const id = ++last
    const session = Flashphoner.createSession(options)
    all.set(id, session)
    for (const status of Object.values(SESSION_STATUS)) {
      session.on(status, (first, second) => {
        if (status === 'INCOMING_CALL') return incoming(id, first)
        if (status === 'ESTABLISHED') session.known = second.sessionId
        const object = status === 'APP_DATA' || status === 'WARN' || status === 'DEBUG' ? first : second
        tell('session', { id, status, object: plain(object), info: object?.info ?? '' })
      })
    }
    return id
  }

  function place() {
    const display = document.createElement('div')
    display.style.cssText = 'width: 160px; height: 120px'
    document.body.append(display)
    return display
  }

  function create(session, options) {
    const display = place()
    return follow(all.get(session).createStream({ display, cacheLocalResources: false, ...options }), display)
  }

  function follow(stream, display) {
    const id = ++last
    stream.shown = display
    all.set(id, stream)
    for (const status of Object.values(STREAM_STATUS)) {
      stream.on(status, (changed) => tell('stream', { id, status, info: changed.getInfo() ?? '', is: changed.status() }))
    }
    stream.on(STREAM_EVENT, (event) => tell('event', { id, type: event.type, payload: plain(event.payload) }))
    return id
  }

  const publish = (session, options) => {
    const id = create(session, options)
    all.get(id).publish()
    return id
  }

  const play = (session, options) => {
    const id = create(session, options)
    all.get(id).play()
    return id
  }

  function watch(id, call) {
    all.set(id, call)
    for (const status of Object.values(Flashphoner.constants.CALL_STATUS)) {
      call.on(status, (changed) => tell('call', { id, status, is: changed.status(), caller: changed.caller(), callee: changed.callee(), visibleName: changed.visibleName() }))
    }
  }

  function displays() {
    const [localVideoDisplay, remoteVideoDisplay] = [0, 0].map(() => document.body.appendChild(document.createElement('div')))
    for (const display of [localVideoDisplay, remoteVideoDisplay]) display.style.cssText = 'width: 320px; height: 180px'
    return { localVideoDisplay, remoteVideoDisplay }
  }

  // From now on the microphone is heard as it is, and the camera sees the clock.
  function perform() {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
    navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
      const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
      const media = audio ? await real({ audio: plain }) : new MediaStream()
      if (video) media.addTrack(clock.capture(640, 360, 30).track)
      return media
    }
    // As the SDK asks for it.
    navigator.getUserMedia = (wanted, got, refused) => void navigator.mediaDevices.getUserMedia(wanted).then(got, refused)
  }

  // What the far end sends, from now on: its sound, and its picture where there is one.
  function attend(id) {
    const object = all.get(id)
    const element = object.shown.querySelector('video, audio')
    const [sound, picture] = ['Audio', 'Video'].map((kind) => element.srcObject[`get${kind}Tracks`]()[0])
    if (sound) object.heard = ear.listen(sound)
    object.seen = []
    if (picture) clock.follow(element, (...shown) => object.seen.push(shown) < 20000)
  }

  const heard = (id) => ear.samples(all.get(id).heard)
  const seen = (id, from) => all.get(id).seen.slice(from)

  function incoming(session, call) {
    const id = ++last
    watch(id, call)
    tell('incoming', { id, session, caller: call.caller(), visibleName: call.visibleName() })
  }

  function dial(session, options) {
    const id = ++last
    const shown = displays()
    const call = all.get(session).createCall({ ...shown, constraints: { audio: true, video: false }, ...options })
    call.shown = shown.remoteVideoDisplay
    watch(id, call)
    call.call()
    return id
  }

  // The session as the server calls it.
  const connection = (id) => all.get(id).known

  function answer(id, options) {
    const shown = displays()
    all.get(id).shown = shown.remoteVideoDisplay
    all.get(id).answer({ ...shown, constraints: { audio: true, video: false }, ...options })
  }

  // A promise of the SDK's: how it ends is told.
  function promised(id, promise) {
    const done = (result) => (value) => tell('promise', { id, result, value: plain(value?.status && value?.id ? null : value) })
    promise.then(done('resolved'), done('rejected'))
  }

  const available = (id) => promised(id, all.get(id).available())
  const send = (id, payload) => promised(id, all.get(id).sendData(payload))

  function shown(id) {
    const video = all.get(id).shown.querySelector('video')
    const tracks = video?.srcObject?.getTracks().map((track) => track.kind) ?? []
    return { width: video?.videoWidth ?? 0, height: video?.videoHeight ?? 0, time: video?.currentTime ?? 0, tracks }
  }

  // Filled in when it is there: scripts of the driver do not wait.
  function statistics(id) {
    all.get(id).getStats((stats) => tell('statistics', { id, stats: plain(stats) }))
  }

  function decode(base64) {
    const image = new Image()
    image.onload = () => tell('image', { width: image.naturalWidth, height: image.naturalHeight })
    image.onerror = () => tell('image', { width: 0, height: 0 })
    image.src = `data:image/png;base64,${base64}`
  }

  const next = () => ++last

  return { log, all, tell, next, place, follow, connect, connection, create, publish, play, dial, answer, available, send, perform, attend, heard, seen, shown, statistics, decode }
})()
