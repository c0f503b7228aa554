'use strict'
// The clock of the product's bars: 16 x 4 cells in the lower third, 48 bits of milliseconds, then their CRC.

const clock = (() => {
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

  // A track of such pictures, and what ends it.
  function capture(width, height, framesPerSecond) {
    const canvas = document.createElement('canvas')
    ;[canvas.width, canvas.height] = [width, height]
    const context = canvas.getContext('2d', { alpha: false })
    const draw = () => drawClock(context, width, height, Date.now())
    draw()
    const timer = setInterval(draw, 1000 / framesPerSecond)
    const track = canvas.captureStream(framesPerSecond).getVideoTracks()[0]
    track.contentHint = 'motion'
    return { canvas, track, stop: () => clearInterval(timer) }
  }

  // Of each picture that a video shows: of which frame of the page it is, its clock, its size, and when it was looked at: a busy
  // page looks later than its frame began, and sees a newer picture. `tell` gives it, and says whether there is to be a next one.
  function follow(video, tell) {
    const canvas = document.createElement('canvas')
    ;[canvas.width, canvas.height] = [160, 40]
    const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false })
    const next = (now, { width, height }) => {
      context.drawImage(video, 0, (video.videoHeight * 2) / 3, video.videoWidth, video.videoHeight / 3, 0, 0, 160, 40)
      const time = readClock(context)
      const looked = Date.now()
      if (tell(performance.timeOrigin + now, time, width, height, looked)) video.requestVideoFrameCallback(next)
    }
    video.requestVideoFrameCallback(next)
  }

  return { capture, follow }
})()
