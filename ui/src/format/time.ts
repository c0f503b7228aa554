/** `0:07`, `12:34`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  const rest = String(whole % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

/** ISO 8601 duration for `<time datetime>`. */
export const isoDuration = (seconds: number): string => `PT${Math.max(0, Math.floor(seconds))}S`

/** `14:05` in the user's own way. */
export const clock = (time: number, locale?: string): string =>
  new Date(time).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' })

/** `14:05:09.120`, for logs. */
export function preciseClock(time: number): string {
  const date = new Date(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  const millis = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`
}

/** `14:05` today, the weekday within the last week, else the date. */
export function dayAndClock(time: number, now: number, locale?: string): string {
  const date = new Date(time)
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  if (time >= midnight) return clock(time, locale)
  if (time >= midnight - 6 * 86_400_000) return `${date.toLocaleDateString(locale, { weekday: 'short' })} ${clock(time, locale)}`
  const year = date.getFullYear() === new Date(now).getFullYear() ? {} : ({ year: 'numeric' } as const)
  return date.toLocaleDateString(locale, { day: 'numeric', month: 'short', ...year })
}
