/** A gain that goes on to be set. */
type Louder = { set: (volume: number) => void; close: () => void }

let context: AudioContext | null = null

/** The sound of a stream through a gain: an element alone is no louder than what comes. `null` where the browser has none. */
export function louder(stream: MediaStream): Louder | null {
  try {
    context ??= new AudioContext()
    void context.resume().catch(() => {})
    const source = context.createMediaStreamSource(stream)
    const gain = context.createGain()
    source.connect(gain).connect(context.destination)
    return {
      set: (volume) => (gain.gain.value = volume),
      close: () => {
        source.disconnect()
        gain.disconnect()
      },
    }
  } catch {
    return null
  }
}
