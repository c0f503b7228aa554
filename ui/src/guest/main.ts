import { mount } from 'svelte'
import '../theme/tokens.css'
import '../theme/base.css'
import Guest from './Guest.svelte'
import { GuestMeeting } from './meeting.svelte'
import { linkOf } from './link'

const target = document.getElementById('app')
if (target) mount(Guest, { target, props: { meeting: new GuestMeeting(linkOf(window.location)) } })
