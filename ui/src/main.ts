import { mount } from 'svelte'
import Root from './Root.svelte'
import { choosePlatform } from './platform'
import { App } from './state/app.svelte'
import './theme/tokens.css'
import './theme/base.css'
import './theme/layout.css'

void choosePlatform().then((platform) => {
  const target = document.getElementById('app')
  if (target) mount(Root, { target, props: { app: new App(platform) } })
})
