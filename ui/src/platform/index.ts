import { BrowserPlatform } from './browser'
import { TauriPlatform, isTauri } from './tauri'
import type { Platform } from './types'

/** The engine that belongs to where this page runs. */
export async function choosePlatform(): Promise<Platform> {
  if (__FAKE__) {
    const scenario = new URLSearchParams(window.location.search).get('fake')
    if (scenario !== null) {
      const { FakePlatform } = await import('./fake')
      return new FakePlatform(scenario)
    }
  }
  return isTauri() ? new TauriPlatform() : new BrowserPlatform()
}
