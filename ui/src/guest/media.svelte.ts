import { t } from '../locales'

/** The guest's own camera, microphone and screen. */
export class OwnMedia {
  face = $state.raw<MediaStream | null>(null)
  screen = $state.raw<MediaStream | null>(null)
  camera = $state('')
  microphone = $state('')
  withCamera = $state(true)
  audioMuted = $state(false)
  videoMuted = $state(false)
  devices = $state.raw<readonly MediaDeviceInfo[]>([])
  problem = $state('')
  /** Without TLS a browser gives neither camera nor microphone. */
  readonly possible = window.isSecureContext && navigator.mediaDevices !== undefined
  readonly canShare = this.possible && 'getDisplayMedia' in navigator.mediaDevices

  /** What can be had; without a camera, sound alone. */
  async open(): Promise<void> {
    this.close()
    if (!this.possible) {
      this.problem = t('guest.noTls')
      return
    }
    this.problem = ''
    const audio = this.microphone === '' ? true : { deviceId: { exact: this.microphone } }
    const video = !this.withCamera ? false : { ...(this.camera === '' ? {} : { deviceId: { exact: this.camera } }), width: { ideal: 1280 }, height: { ideal: 720 } }
    this.face = (await this.ask({ audio, video })) ?? (video ? await this.ask({ audio }) : null)
    this.apply()
    const all = await navigator.mediaDevices.enumerateDevices().catch(() => [])
    this.devices = all.filter(({ deviceId }) => deviceId !== '')
  }

  /** `null` where the user thought better of it. */
  async share(): Promise<MediaStream | null> {
    try {
      this.screen = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true })
    } catch {
      this.screen = null
    }
    return this.screen
  }

  endShare(): void {
    for (const track of this.screen?.getTracks() ?? []) track.stop()
    this.screen = null
  }

  mute(kind: 'audio' | 'video', muted: boolean): void {
    if (kind === 'audio') this.audioMuted = muted
    else this.videoMuted = muted
    this.apply()
  }

  close(): void {
    for (const track of this.face?.getTracks() ?? []) track.stop()
    this.face = null
  }

  private apply(): void {
    for (const track of this.face?.getTracks() ?? []) track.enabled = !(track.kind === 'audio' ? this.audioMuted : this.videoMuted)
  }

  private async ask(wanted: MediaStreamConstraints): Promise<MediaStream | null> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(wanted)
      if (wanted.video || !this.withCamera) this.problem = ''
      return stream
    } catch (reason) {
      this.problem = problemOf(reason)
      return null
    }
  }
}

function problemOf(reason: unknown): string {
  const name = reason instanceof DOMException ? reason.name : ''
  if (name === 'NotAllowedError') return t('guest.notAllowed')
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return t('guest.notFound')
  if (name === 'NotReadableError') return t('guest.notReadable')
  return t('guest.noMedia', { info: reason instanceof Error ? reason.message : String(reason) })
}
