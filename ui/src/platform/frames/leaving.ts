/** Channels whose devices the engine is closing. */
export class Leaving {
  private readonly channels = new Map<number, ReturnType<typeof setTimeout>>()
  private waiting: (() => void)[] = []

  constructor(private readonly onEmpty: () => void) {}

  get isEmpty(): boolean {
    return this.channels.size === 0
  }

  add(channel: number): void {
    this.channels.set(channel, setTimeout(() => this.delete(channel), PATIENCE_MS))
  }

  delete(channel: number): void {
    clearTimeout(this.channels.get(channel))
    if (this.channels.delete(channel) && this.isEmpty) this.tell()
  }

  clear(): void {
    for (const timer of this.channels.values()) clearTimeout(timer)
    this.channels.clear()
    this.tell()
  }

  done(): Promise<void> {
    return this.isEmpty ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve))
  }

  private tell(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
    this.onEmpty()
  }
}

/** A device that takes longer to close hangs, and is not waited for. */
const PATIENCE_MS = 3000
