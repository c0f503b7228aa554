export type RecentRoom = { name: string; at: number }

/** Names of the last rooms, newest first. A matter of this window. */
export class RecentRooms {
  list = $state.raw<readonly RecentRoom[]>(read())

  add(name: string): void {
    this.keep([{ name, at: Date.now() }, ...this.list.filter((other) => other.name !== name)].slice(0, MOST))
  }

  forget(name: string): void {
    this.keep(this.list.filter((other) => other.name !== name))
  }

  private keep(list: readonly RecentRoom[]): void {
    this.list = list
    try {
      localStorage.setItem(KEY, JSON.stringify(list))
    } catch {
      // A page without storage forgets them.
    }
  }
}

const KEY = 'sidetone.meeting.recent'
const MOST = 6

function read(): RecentRoom[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(kept) ? kept.filter(isRecent).slice(0, MOST) : []
  } catch {
    return []
  }
}

const isRecent = (value: unknown): value is RecentRoom =>
  typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' && 'at' in value && typeof value.at === 'number'
