import { flushSync, mount, unmount } from 'svelte'
import { vi } from 'vitest'
import Root from '../src/Root.svelte'
import type { Command } from '../src/api/types'
import { FakePlatform } from '../src/platform/fake'
import { App } from '../src/state/app.svelte'

/** The whole UI in a page, driven by a fake engine. Tests that use it run in jsdom with fake timers. */
export class Page {
  readonly platform: FakePlatform
  readonly app: App
  private readonly root: Record<string, unknown>

  constructor(scenario: string, adapt: (platform: FakePlatform) => void = () => {}) {
    prepare()
    this.platform = new FakePlatform(scenario)
    adapt(this.platform)
    this.app = new App(this.platform)
    this.root = mount(Root, { target: document.body, props: { app: this.app } })
    flushSync()
  }

  close(): void {
    void unmount(this.root)
    document.body.replaceChildren()
  }

  get commands(): Command[] {
    return this.platform.commands
  }

  get names(): string[] {
    return this.commands.map((command) => command.command)
  }

  all(testid: string): HTMLElement[] {
    return [...document.querySelectorAll<HTMLElement>(`[data-testid="${testid}"]`)]
  }

  find(testid: string): HTMLElement | null {
    return this.all(testid)[0] ?? null
  }

  get(testid: string): HTMLElement {
    const element = this.find(testid)
    if (!element) throw new Error(`no ${testid}`)
    return element
  }

  text(testid: string): string {
    return this.get(testid).textContent?.replace(/\s+/g, ' ').trim() ?? ''
  }

  async settle(ms = 0): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms)
    flushSync()
  }

  async click(testid: string, index = 0): Promise<void> {
    const element = this.all(testid)[index]
    if (!element) throw new Error(`no ${testid} ${index}`)
    element.click()
    await this.settle()
  }

  async press(key: string, part: KeyboardEventInit = {}): Promise<void> {
    const target = document.activeElement ?? document.body
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...part }))
    await this.settle()
  }

  async type(testid: string, value: string): Promise<void> {
    const field = this.get(testid) as HTMLInputElement
    field.focus()
    field.value = value
    field.dispatchEvent(new Event('input', { bubbles: true }))
    await this.settle()
  }

  async choose(testid: string, value: string): Promise<void> {
    const field = this.get(testid) as HTMLSelectElement
    field.value = value
    field.dispatchEvent(new Event('change', { bubbles: true }))
    await this.settle()
  }
}

function prepare(): void {
  const matches = { matches: false, addEventListener: () => {}, removeEventListener: () => {} }
  window.matchMedia = () => matches as unknown as MediaQueryList
  globalThis.ResizeObserver = class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  }
  HTMLCanvasElement.prototype.getContext = () => null
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function () {
    this.open = false
  }
}
