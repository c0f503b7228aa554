import { Channel, invoke } from '@tauri-apps/api/core'
import type { Command, Reply } from '../../api/types'
import { FrameSocket } from '../frames/socket'
import { FrameWay } from '../frames/way'
import { popOutHash } from '../popout'
import { Sequence } from '../sequence'
import { isSnapshot, toFailure, type FrameListener, type FrameSubscription, type Listener, type Platform, type Room, type Shown, type Up } from '../types'

export const isTauri = (): boolean => '__TAURI_INTERNALS__' in window

/** The engine in the same process, over the shell's IPC. */
export class TauriPlatform implements Platform {
  readonly host = 'tauri'
  private readonly way = new FrameWay(() => invoke<string>('frames'), {
    open: () => invoke('open_frames'),
    ask: (request) => invoke('ask_frames', { request }),
    next: () => invoke<ArrayBuffer>('next_frame'),
    close: () => invoke('close_frames'),
  })
  private readonly pictures = new FrameSocket(() => this.way.place(), (url) => this.way.open(url))
  private restart: () => void = () => {}

  command(command: Command): Promise<Reply> {
    return ask<Reply>('command', { command })
  }

  showRecording(path: string): Promise<void> {
    return ask<void>('show_recording', { path })
  }

  attach(listener: Listener): () => void {
    let current = 0
    let failed = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const start = (): void => {
      clearTimeout(timer)
      const mine = ++current
      const sequence = new Sequence(listener, start)
      const channel = new Channel<Up>()
      channel.onmessage = (up) => {
        if (mine !== current) return
        if (isSnapshot(up)) {
          failed = false
          void this.way.probe()
          listener.onLink('attached')
        }
        sequence.take(up)
      }
      if (!failed) listener.onLink('connecting')
      invoke('attach', { channel }).catch((reason: unknown) => {
        if (mine !== current) return
        failed = true
        listener.onLink('failed', toFailure(reason).message)
        timer = setTimeout(start, RETRY_MS)
      })
    }
    this.restart = start
    start()
    return () => {
      current++
      clearTimeout(timer)
    }
  }

  frames(shown: Shown, room: Room, listener: FrameListener): FrameSubscription {
    return this.pictures.subscribe(shown, room, listener)
  }

  released(): Promise<void> {
    return this.pictures.released()
  }

  popOut(streamId: string, name: string): Promise<void> {
    return ask<void>('pop_out', { streamId, hash: popOutHash(streamId), title: name })
  }

  closePopOut(): Promise<void> {
    return ask<void>('close_pop_out', {})
  }

  retry(): void {
    this.restart()
  }
}

async function ask<T>(name: string, payload: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(name, payload)
  } catch (reason) {
    throw toFailure(reason)
  }
}

const RETRY_MS = 2000
