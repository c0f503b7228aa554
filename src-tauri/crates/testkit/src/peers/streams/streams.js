'use strict'
// Streams as pages publish and play them: WHIP and WHEP with nothing but the browser. The picture is the clock of the product's
// bars (16 x 4 cells in the lower third: 48 bits of milliseconds, then their CRC), the sound a tone.

const streams = (() => {
  const log = []
  const all = new Map()
  let last = 0
  const MOST = 20000

  const tell = (name, more = {}) => log.length < MOST && log.push({ name, at: Date.now(), ...more })
  const fail = (id) => (error) => tell('failed', { id, why: String(error) })

  function crc16(bytes) {
    let crc = 0xffff
    for (const byte of bytes) {
      crc ^= byte << 8
      for (let i = 0; i < 8; i++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
    }
    return crc
  }

  function clockBytes(value) {
    const bytes = []
    for (let rest = value, i = 0; i < 6; i++, rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
    const crc = crc16(bytes)
    return [...bytes, crc >> 8, crc & 0xff]
  }

  function drawClock(context, width, height, value) {
    const colours = ['#b4b4b4', '#b4b400', '#00b4b4', '#00b400', '#b400b4', '#b40000', '#0000b4', '#000000']
    colours.forEach((colour, i) => {
      context.fillStyle = colour
      context.fillRect((width * i) / 8, 0, width / 8 + 1, height / 2)
    })
    context.fillStyle = '#fff'
    context.fillRect((width * (value % 2000)) / 2000, 0, Math.max(2, width / 64), height / 2)
    context.fillStyle = '#000'
    context.fillRect(0, height / 2, width, height / 2)
    context.fillStyle = '#fff'
    clockBytes(value).forEach((byte, index) => {
      for (let i = 0; i < 8; i++) {
        if (!(byte & (0x80 >> i))) continue
        const bit = index * 8 + i
        const [x, y] = [bit % 16, 8 + Math.floor(bit / 16)]
        const [left, top] = [Math.floor((width * x) / 16), Math.floor((height * y) / 12)]
        context.fillRect(left, top, Math.floor((width * (x + 1)) / 16) - left, Math.floor((height * (y + 1)) / 12) - top)
      }
    })
  }

  // Of a picture that has been drawn to 160 x 40: the lower third alone.
  function readClock(context) {
    const pixels = context.getImageData(0, 0, 160, 40).data
    const bytes = [0, 0, 0, 0, 0, 0, 0, 0]
    for (let bit = 0; bit < 64; bit++) {
      const [x, y] = [(bit % 16) * 10 + 5, Math.floor(bit / 16) * 10 + 5]
      if (pixels[(y * 160 + x) * 4 + 1] > 127) bytes[bit >> 3] |= 0x80 >> (bit & 7)
    }
    if (crc16(bytes.slice(0, 6)) !== bytes[6] * 256 + bytes[7]) return null
    return bytes.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0)
  }

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
      const canvas = document.createElement('canvas')
      ;[canvas.width, canvas.height] = [options.width, options.height]
      const context = canvas.getContext('2d', { alpha: false })
      const draw = () => drawClock(context, canvas.width, canvas.height, Date.now())
      draw()
      const timer = setInterval(draw, 1000 / options.framesPerSecond)
      stream.stop.push(() => clearInterval(timer))
      const track = canvas.captureStream(options.framesPerSecond).getVideoTracks()[0]
      track.contentHint = 'motion'
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

  // Of each picture that is shown: when, its clock, its size. The first one tells how long it took.
  function follow(stream, video) {
    const canvas = document.createElement('canvas')
    ;[canvas.width, canvas.height] = [160, 40]
    const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false })
    const next = (now, { width, height }) => {
      const at = performance.timeOrigin + now
      context.drawImage(video, 0, (video.videoHeight * 2) / 3, video.videoWidth, video.videoHeight / 3, 0, 0, 160, 40)
      const clock = readClock(context)
      if (!stream.seen.length) tell('first picture', { id: stream.id, clock, width, height, after: at - stream.offered })
      if (stream.seen.length < MOST) stream.seen.push([at, clock, width, height])
      if (all.has(stream.id)) video.requestVideoFrameCallback(next)
    }
    video.requestVideoFrameCallback(next)
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
