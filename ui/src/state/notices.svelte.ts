import type { NoticeLevel } from '../api/types'

export type Toast = { id: number; level: NoticeLevel; text: string; count: number }

/** Messages that lie over the screen. Errors stay until they are dismissed, others long enough to be read. */
export class Notices {
  toasts = $state.raw<readonly Toast[]>([])
  private nextId = 1
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>()

  show(level: NoticeLevel, text: string): void {
    const same = this.toasts.find((toast) => toast.level === level && toast.text === text)
    const toast = same ? { ...same, count: same.count + 1 } : { id: this.nextId++, level, text, count: 1 }
    const others = this.toasts.filter((other) => other.id !== toast.id)
    for (const dropped of others.slice(0, Math.max(0, others.length - MAX_TOASTS + 1))) this.release(dropped.id)
    this.toasts = [...others.slice(1 - MAX_TOASTS), toast]
    this.resume(toast)
  }

  dismiss(id: number): void {
    this.release(id)
    this.toasts = this.toasts.filter((toast) => toast.id !== id)
  }

  /** While someone reads it. */
  hold(toast: Toast): void {
    this.release(toast.id)
  }

  resume(toast: Toast): void {
    this.release(toast.id)
    if (toast.level === 'error') return
    this.timers.set(toast.id, setTimeout(() => this.dismiss(toast.id), readingTime(toast.text)))
  }

  private release(id: number): void {
    clearTimeout(this.timers.get(id))
    this.timers.delete(id)
  }
}

/** Milliseconds: 8 s, and more for long texts. */
export const readingTime = (text: string): number => Math.max(8000, text.length * 100)

const MAX_TOASTS = 4
