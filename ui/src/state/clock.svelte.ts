/** A wall clock that ticks every second while something on the screen reads it. */
export class Ticker {
  now = $state(Date.now())

  /** To be called in an effect; returns its end. */
  run(): () => void {
    this.now = Date.now()
    const timer = setInterval(() => (this.now = Date.now()), 1000)
    return () => clearInterval(timer)
  }
}
