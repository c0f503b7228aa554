import { mount } from 'svelte'
import Root from './Root.svelte'
import { choosePlatform } from './platform'
import { poppedOutStream } from './platform/popout'
import PopOut from './screens/streams/PopOut.svelte'
import { App } from './state/app.svelte'
import './theme/tokens.css'
import './theme/base.css'
import './theme/layout.css'

void choosePlatform().then((platform) => {
  const target = document.getElementById('app')
  if (!target) return
  const app = new App(platform)
  const streamId = poppedOutStream(window.location)
  if (streamId === null) mount(Root, { target, props: { app } })
  else mount(PopOut, { target, props: { app, streamId } })
})
