/** What a key press means, worked out without touching the page. */
export type KeyAction =
  | { do: 'dial'; digit: string }
  | { do: 'tone'; digit: string }
  | { do: 'erase' }
  | { do: 'clear' }
  | { do: 'call' }
  | { do: 'answer' }
  | { do: 'decline' }
  | { do: 'hangup' }
  | { do: 'mute' }
  | { do: 'hold' }
  | { do: 'swap' }
  | { do: 'merge' }
  | { do: 'transfer' }
  | { do: 'record' }
  | { do: 'quiet' }
  | { do: 'help' }
  | { do: 'close' }
  | { do: 'closePanel' }
  | { do: 'leaveField' }
  | { do: 'meeting'; act: MeetingAct }

/** What is done in the meeting that is shown. */
export type MeetingAct = 'close' | 'sound' | 'picture' | 'share' | 'hand' | 'react' | 'layout' | 'people' | 'chat' | 'invite' | 'full'

export type Press = {
  key: string
  code: string
  ctrl: boolean
  alt: boolean
  meta: boolean
  repeat: boolean
}

/** Where the keyboard is: nowhere in particular, on a control of its own, in the dial field, or where text is typed. */
export type Focus = 'page' | 'control' | 'dialField' | 'text'

export type Situation = {
  focus: Focus
  /** Help, or whatever else lies over the page and closes first. */
  overlay: boolean
  /** What the pad does now. */
  pad: 'dial' | 'tones'
  /** Something that belongs to the call is open beside it, and closes before the call ends. */
  panel: boolean
  /** The meeting's screen, with a room that we are in. */
  meeting: boolean
  /** A call rings here. */
  ringing: boolean
  /** A call of ours can be hung up. */
  call: boolean
  /** Our own calls besides the one shown. */
  others: number
  /** Single letters are not switched off. */
  letters: boolean
  dialText: string
}

export function interpret(press: Press, now: Situation): KeyAction | null {
  if (press.alt && !press.ctrl && !press.meta && press.code === 'KeyA') {
    return now.ringing && !press.repeat ? { do: 'answer' } : null
  }
  if (press.alt && !press.ctrl && !press.meta && press.code === 'KeyD') {
    return press.repeat ? null : { do: 'quiet' }
  }
  if (press.ctrl || press.alt || press.meta) return null
  if (press.key === 'Escape') return press.repeat ? null : escape(now)
  if (now.overlay || now.focus === 'text') return null
  if (now.meeting) return inMeeting(press, now)
  if (press.key === 'Enter') return now.focus === 'control' || press.repeat ? null : { do: 'call' }
  if (now.focus === 'dialField') return null
  return letterless(press, now)
}

/** The nearest thing first: what lies over the page, the text being typed, the call that rings, the call shown. */
function escape(now: Situation): KeyAction | null {
  if (now.overlay) return { do: 'close' }
  if (now.focus === 'text') return { do: 'leaveField' }
  if (now.focus === 'dialField' && now.dialText !== '') return { do: 'clear' }
  if (now.ringing) return { do: 'decline' }
  // A call beside it, or in it, is ended where it is shown.
  if (now.meeting) return { do: 'meeting', act: 'close' }
  if (now.panel) return { do: 'closePanel' }
  if (now.call) return { do: 'hangup' }
  return now.dialText === '' ? null : { do: 'clear' }
}

function inMeeting(press: Press, now: Situation): KeyAction | null {
  if (press.repeat) return null
  if (press.key === '?') return { do: 'help' }
  const act = now.letters ? MEETING[press.key.toLowerCase()] : undefined
  return act ? { do: 'meeting', act } : null
}

const MEETING: Readonly<Record<string, MeetingAct>> = {
  m: 'sound',
  v: 'picture',
  d: 'share',
  r: 'hand',
  e: 'react',
  w: 'layout',
  p: 'people',
  c: 'chat',
  i: 'invite',
  f: 'full',
}

function letterless(press: Press, now: Situation): KeyAction | null {
  const digit = digitOf(press)
  if (digit !== null) {
    if (now.pad === 'dial') return { do: 'dial', digit }
    return press.repeat || digit === '+' ? null : { do: 'tone', digit }
  }
  if (press.key === 'Backspace') return now.pad === 'dial' ? { do: 'erase' } : null
  if (press.repeat) return null
  if (press.key === '?') return { do: 'help' }
  return now.letters ? letter(press.key.toLowerCase(), now) : null
}

function letter(key: string, now: Situation): KeyAction | null {
  if (!now.call) return null
  if (key === 's') return now.others > 0 ? { do: 'swap' } : null
  if (key === 'j') return now.others > 0 ? { do: 'merge' } : null
  return LETTERS[key] ?? null
}

const LETTERS: Readonly<Record<string, KeyAction>> = {
  m: { do: 'mute' },
  h: { do: 'hold' },
  t: { do: 'transfer' },
  r: { do: 'record' },
}

function digitOf(press: Press): string | null {
  return /^[0-9*#+]$/.test(press.key) ? press.key : null
}

/** Kinds of `<input>` that take no text. */
const NOT_TEXT = new Set(['button', 'checkbox', 'radio', 'range', 'reset', 'submit', 'color', 'file'])

export function focusOf(element: Element | null): Focus {
  if (!element || element === document.body) return 'page'
  if (element.matches('[data-dial-field]')) return 'dialField'
  if (element.matches('textarea, select, [contenteditable=""], [contenteditable="true"]')) return 'text'
  if (element instanceof HTMLInputElement) return NOT_TEXT.has(element.type) ? 'control' : 'text'
  if (element.matches('button, a[href], summary, [role="tab"], [tabindex="0"]')) return 'control'
  return 'page'
}
