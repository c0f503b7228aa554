import type { Account, CallView, HistoryEntry, SessionView, StreamView } from '../api/types'
import type { Mirror } from './mirror'

/** Rings here and waits for an answer. */
export const isWaiting = (call: CallView): boolean =>
  call.direction === 'incoming' && call.establishedAt === null

export const isTalking = (call: CallView): boolean => call.establishedAt !== null

export const waitingCalls = (mirror: Mirror): CallView[] => mirror.calls.filter(isWaiting)

export const ownCalls = (mirror: Mirror): CallView[] => mirror.calls.filter((call) => !isWaiting(call))

/** Talked to now: established, and not held by us. */
export const isActive = (call: CallView): boolean => isTalking(call) && !call.hold.local

export const activeCalls = (mirror: Mirror): CallView[] => mirror.calls.filter(isActive)

export const conferenceCalls = (mirror: Mirror): CallView[] => mirror.calls.filter((call) => call.inConference)

/** Those of a meeting are on its own screen. */
export const ownStreams = (mirror: Mirror): StreamView[] => mirror.streams.filter(({ roomId }) => roomId === undefined)

/** The call in front: the chosen one while it lives, else the newest that is not held, else the newest. */
export function shownCall(mirror: Mirror, chosen: string | null): CallView | null {
  const calls = ownCalls(mirror)
  const free = calls.filter((call) => !call.hold.local)
  return calls.find((call) => call.callId === chosen) ?? free.at(-1) ?? calls.at(-1) ?? null
}

/** Behind a call's id: our own picture in it. */
export const OWN_PICTURE = '.self'

/** What was recorded before a problem is kept, and no more is added. */
export const isRecording = (call: CallView): boolean => call.recording !== null && call.recording.problem === null

/** dBFS above which a party is said to speak. */
const SPEECH_DB = -45

export const isSpeaking = (call: CallView): boolean =>
  isActive(call) && !call.hold.remote && (call.statistics?.speaker.rms ?? -100) > SPEECH_DB

export const sessionName = (mirror: Mirror | null, sessionId: string): string =>
  mirror?.sessions.find((session) => session.sessionId === sessionId)?.name ?? ''

/** An account that does not register says nothing to its link before its first call. */
export const speaksOnlyInCalls = (account: Account | null): boolean => account?.register === false

/** Sessions whose link answers, or has had no reason to. A call over another may be tried, and says why it failed. */
export const readySessions = (mirror: Mirror): SessionView[] =>
  mirror.sessions.filter(({ accountId, connection }) => {
    const account = mirror.settings.accounts.find((other) => other.id === accountId) ?? null
    return connection === 'ESTABLISHED' || (connection === null && speaksOnlyInCalls(account))
  })

/** What the left column lists: every session, and every account that has none. */
export type AccountRow = { accountId: string; name: string; session: SessionView | null; account: Account | null }

export function accountRows(mirror: Mirror): AccountRow[] {
  const accounts = new Map(mirror.settings.accounts.map((account) => [account.id, account]))
  const rows: AccountRow[] = mirror.sessions.map((session) => ({
    accountId: session.accountId,
    name: session.name,
    session,
    account: accounts.get(session.accountId) ?? null,
  }))
  for (const account of mirror.settings.accounts) {
    if (rows.some((row) => row.accountId === account.id)) continue
    rows.push({ accountId: account.id, name: account.name, session: null, account })
  }
  return rows
}

/** The session to call a number back through: the one of the account that it came over. */
export const sessionOf = (mirror: Mirror, entry: HistoryEntry): SessionView | null =>
  mirror.sessions.find((session) => session.accountId === entry.accountId) ?? null

/** The latest entry that `redial` would call. */
export const lastCalled = (mirror: Mirror): HistoryEntry | null =>
  mirror.history.find((entry) => entry.direction === 'outgoing') ?? null

export const lastDialled = (mirror: Mirror): string | null => lastCalled(mirror)?.remote ?? null
