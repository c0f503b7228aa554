export type GuestPanelName = 'people' | 'chat'

/** How a guest looks at the meeting. */
export class GuestShow {
  layout = $state<'grid' | 'speaker'>('grid')
  pinned = $state<string | null>(null)
  panel = $state<GuestPanelName | null>(null)

  changeLayout(): void {
    this.layout = this.layout === 'grid' ? 'speaker' : 'grid'
    this.pinned = null
  }

  pin(key: string): void {
    this.pinned = this.pinned === key ? null : key
    if (this.pinned !== null) this.layout = 'speaker'
  }

  toggle(panel: GuestPanelName): void {
    this.panel = this.panel === panel ? null : panel
  }
}
