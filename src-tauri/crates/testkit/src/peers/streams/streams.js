'use strict'
// Streams as pages publish and play them: WHIP and WHEP with nothing but the browser. The picture is the clock of `clock.js`, the
// sound a tone.

const streams = (() => {
  const log = []
  const all = new Map()
  let last = 0
  const MOST = 20000

  const tell = (name, more = {}) => log.length < MOST && log.push({ name, at: Date.now(), ...more })
  const fail = (id) => (error) => tell('failed', { id, why: String(error) })

  function open(kind, options) {
    const id = ++last
    const pc = new RTCPeerConnection({ iceServers: options.iceServers ?? [], bundlePolicy: 'max-bundle' })
    const stream = { id, kind, options, pc, resource: null, tag: null, status: 0, answer: '', stop: [] }
    all.set(id, stream)
    pc.addEventListener('connectionstatechange', () => tell('state', { id, state: pc.connectionState }))
    pc.addEventListener('iceconnectionstatechange', () => tell('ice', { id, state: pc.iceConnectionState }))
    return stream
  }

  const headers = (stream, more) => ({
    ...(stream.options.token ? { Authorization: `Bearer ${stream.options.token}` } : {}),
    ...more,
  })

  // All candidates are in the offer: they are of this machine and known at once.
  async function gathered(pc) {
    await new Promise((done) => {
      if (pc.iceGatheringState === 'complete') return done()
      setTimeout(done, 2000)
      pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && done())
    })
  }

  async function connect(stream) {
    const { id, pc, options } = stream
    const started = Date.now()
    await pc.setLocalDescription()
    await gathered(pc)
    stream.offered = Date.now()
    const answer = await fetch(options.url, {
      method: 'POST',
      headers: headers(stream, { 'Content-Type': 'application/sdp' }),
      body: pc.localDescription.sdp,
    })
    const text = await answer.text()
    stream.status = answer.status
    if (answer.status !== 201) {
      tell('refused', { id, status: answer.status, text })
      return pc.close()
    }
    stream.resource = new URL(answer.headers.get('Location'), answer.url).href
    stream.tag = answer.headers.get('ETag')
    stream.answer = text
    tell('answered', { id, resource: stream.resource, tag: stream.tag, link: answer.headers.get('Link'), after: Date.now() - started })
    await pc.setRemoteDescription({ type: 'answer', sdp: text })
  }

  function publish(options) {
    const stream = open('publish', options)
    const tracks = []
    let audio = null
    if (options.codec) {
      const { canvas, track, stop } = clock.capture(options.width, options.height, options.framesPerSecond)
      stream.stop.push(stop)
      tracks.push(track)
      stream.canvas = canvas
    }
    if (options.pitch) {
      audio = new AudioContext({ sampleRate: 48000 })
      const [tone, gain, out] = [audio.createOscillator(), audio.createGain(), audio.createMediaStreamDestination()]
      tone.frequency.value = options.pitch
      gain.gain.value = 0.25
      tone.connect(gain).connect(out)
      tone.start()
      stream.tone = tone
      tracks.push(out.stream.getAudioTracks()[0])
      stream.stop.push(() => audio.close())
    }
    const media = new MediaStream(tracks)
    for (const track of tracks) {
      const encodings = track.kind === 'video' ? layers(options) : undefined
      const transceiver = stream.pc.addTransceiver(track, { direction: 'sendonly', streams: [media], sendEncodings: encodings })
      if (track.kind === 'video') prefer(transceiver, options.codec)
    }
    connect(stream).catch(fail(stream.id))
    return stream.id
  }

  function layers({ simulcast, kbit }) {
    const maxBitrate = kbit ? kbit * 1000 : undefined
    if (!simulcast) return [{ maxBitrate }]
    return [
      { rid: 'l', scaleResolutionDownBy: 2, maxBitrate: kbit ? kbit * 250 : undefined },
      { rid: 'h', scaleResolutionDownBy: 1, maxBitrate },
    ]
  }

  function prefer(transceiver, codec) {
    const wanted = `video/${codec}`.toLowerCase()
    const codecs = RTCRtpSender.getCapabilities('video').codecs
    const chosen = codecs.filter(({ mimeType }) => mimeType.toLowerCase() === wanted)
    if (!chosen.length) throw new Error(`this browser has no ${codec}`)
    transceiver.setCodecPreferences([...chosen, ...codecs.filter(({ mimeType }) => mimeType.toLowerCase() === 'video/rtx')])
  }

  function play(options) {
    const stream = open('play', options)
    const video = document.createElement('video')
    Object.assign(video, { autoplay: true, playsInline: true, muted: true })
    // A video that is not in the page is not drawn.
    document.body.append(video)
    stream.stop.push(() => video.remove())
    stream.video = video
    stream.seen = []
    stream.pc.addTransceiver('video', { direction: 'recvonly' })
    const audio = stream.pc.addTransceiver('audio', { direction: 'recvonly' })
    if (options.jitterTarget !== undefined) audio.receiver.jitterBufferTarget = options.jitterTarget
    const media = new MediaStream()
    video.srcObject = media
    stream.pc.addEventListener('track', ({ track }) => {
      media.addTrack(track)
      if (track.kind === 'video') follow(stream, video)
      else listen(stream, new MediaStream([track]))
      video.play().catch(() => {})
    })
    connect(stream).catch(fail(stream.id))
    return stream.id
  }

  // The first picture tells how long it took.
  function follow(stream, video) {
    clock.follow(video, (at, time, width, height, looked) => {
      if (!stream.seen.length) tell('first picture', { id: stream.id, clock: time, width, height, after: at - stream.offered })
      if (stream.seen.length < MOST) stream.seen.push([at, time, width, height, looked])
      return all.has(stream.id)
    })
  }

  function listen(stream, media) {
    const audio = new AudioContext({ sampleRate: 48000 })
    const analyser = audio.createAnalyser()
    analyser.fftSize = 8192
    analyser.smoothingTimeConstant = 0
    audio.createMediaStreamSource(media).connect(analyser)
    stream.analyser = analyser
    stream.stop.push(() => audio.close())
  }

  function sound({ analyser }) {
    if (!analyser) return null
    const samples = new Float32Array(analyser.fftSize)
    analyser.getFloatTimeDomainData(samples)
    const level = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
    const bins = new Float32Array(analyser.frequencyBinCount)
    analyser.getFloatFrequencyData(bins)
    let best = 1
    for (let i = 2; i < bins.length - 1; i++) if (bins[i] > bins[best]) best = i
    // Between the bins: a parabola through the three highest.
    const [a, b, c] = [bins[best - 1], bins[best], bins[best + 1]]
    const shift = a - 2 * b + c ? (0.5 * (a - c)) / (a - 2 * b + c) : 0
    return { level, pitch: Number.isFinite(shift) ? ((best + shift) * 48000) / 8192 : 0 }
  }

  function state(id, from) {
    const stream = all.get(id)
    const { pc, seen } = stream
    return {
      status: stream.status,
      resource: stream.resource,
      tag: stream.tag,
      connection: pc.connectionState,
      sound: sound(stream),
      total: seen?.length ?? 0,
      pictures: seen?.slice(from) ?? [],
    }
  }

  const KINDS = ['outbound-rtp', 'inbound-rtp', 'remote-inbound-rtp', 'candidate-pair', 'codec']

  async function statistics(id) {
    const report = await all.get(id).pc.getStats()
    return [...report.values()].filter(({ type }) => KINDS.includes(type))
  }

  // RFC 9725 section 4.3.3: new credentials by PATCH; everything else of the descriptions stays.
  async function restart(id) {
    const stream = all.get(id)
    const { pc } = stream
    pc.restartIce()
    await pc.setLocalDescription()
    await gathered(pc)
    const lines = pc.localDescription.sdp.split('\r\n')
    const first = lines.findIndex((line) => line.startsWith('m='))
    const second = lines.findIndex((line, index) => index > first && line.startsWith('m='))
    const section = lines.slice(first, second < 0 ? undefined : second)
    const keep = /^(m=|a=mid:|a=ice-ufrag:|a=ice-pwd:|a=candidate:|a=end-of-candidates)/
    const group = lines.filter((line) => line.startsWith('a=group:BUNDLE'))
    const body = [...group, ...section.filter((line) => keep.test(line)), ''].join('\r\n')
    const answer = await fetch(stream.resource, {
      method: 'PATCH',
      headers: headers(stream, { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '"*"' }),
      body,
    })
    const text = await answer.text()
    tell('patched', { id, status: answer.status, text, tag: answer.headers.get('ETag') })
    if (answer.status !== 200) return
    const value = (name) => text.match(new RegExp(`^a=${name}:(.*)$`, 'm'))[1].trim()
    const candidates = text.split(/\r?\n/).filter((line) => line.startsWith('a=candidate:'))
    const sdp = stream.answer
      .replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '')
      .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${value('ice-ufrag')}`)
      .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${value('ice-pwd')}`)
      .replace(/^(a=mid:.*\r\n)/m, `$1${candidates.map((line) => `${line}\r\n`).join('')}`)
    stream.tag = answer.headers.get('ETag')
    await pc.setRemoteDescription({ type: 'answer', sdp })
  }

  // Leaves the session to notice by itself where `politely` is false.
  async function stop(id, politely) {
    const stream = all.get(id)
    all.delete(id)
    for (const end of stream.stop) end()
    stream.pc.close()
    if (!politely || !stream.resource) return null
    const answer = await fetch(stream.resource, { method: 'DELETE', headers: headers(stream) })
    tell('deleted', { id, status: answer.status })
    return answer.status
  }

  const muted = (id, kind, on) => {
    for (const { track } of all.get(id).pc.getSenders()) if (track?.kind === kind) track.enabled = !on
  }

  const codecs = () => RTCRtpSender.getCapabilities('video').codecs.map(({ mimeType }) => mimeType.replace('video/', ''))

  return { log, publish, play, state, statistics, stop, muted, codecs, restart: (id) => restart(id).catch(fail(id)) }
})()
