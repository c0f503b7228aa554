'use strict'
// Sound that a page gets, as 16-bit samples.

const ear = (() => {
  function listen(track) {
    const stream = new MediaStream([track])
    // Without an element that plays it, Chromium gives no samples of a remote track.
    const element = new Audio()
    element.srcObject = stream
    element.muted = true
    element.play().catch(() => {})
    const context = new AudioContext({ sampleRate: 16000 })
    const taps = context.createScriptProcessor(4096, 1, 1)
    const chunks = []
    taps.onaudioprocess = (event) => chunks.push(new Float32Array(event.inputBuffer.getChannelData(0)))
    context.createMediaStreamSource(stream).connect(taps)
    taps.connect(context.destination)
    return { chunks, element, context }
  }

  // In base64.
  function samples(heard) {
    const length = heard.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const bytes = new Uint8Array(length * 2)
    const view = new DataView(bytes.buffer)
    let at = 0
    for (const chunk of heard.chunks) {
      for (const sample of chunk) {
        view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 32767, true)
        at += 2
      }
    }
    let text = ''
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768))
    return { rate: heard.context.sampleRate, samples: btoa(text) }
  }

  return { listen, samples }
})()
