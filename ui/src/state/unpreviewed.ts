import { tick } from 'svelte'
import type { Failure } from '../api/types'
import type { App } from './app.svelte'

/** Acts when no preview has the camera: most can be open only once. After a failure it is shown again, where it was `on`. */
export async function unpreviewed(app: App, on: boolean, show: (on: boolean) => void, act: () => Promise<Failure | null>): Promise<Failure | null> {
  show(false)
  await tick()
  await app.released()
  const failure = await act()
  if (failure) show(on)
  return failure
}
