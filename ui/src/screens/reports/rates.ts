import type { ReportContents, ReportEvent, ReportSample } from '../../api/types'

/** Packets a second between two figures. */
export type Point = { readonly at: number; readonly sent: number | null; readonly received: number | null }

export type Timeline = { readonly subject: string; readonly points: readonly Point[]; readonly most: number; readonly marks: readonly ReportEvent[] }

const rate = (now: number | null, before: number | null, seconds: number): number | null =>
  now === null || before === null ? null : Math.max(0, (now - before) / seconds)

/** The media of each call and stream, in the order of their beginning, with what happened to it. */
export function timelines({ samples, events }: Pick<ReportContents, 'samples' | 'events'>): Timeline[] {
  const bySubject = new Map<string, ReportSample[]>()
  for (const sample of samples) bySubject.set(sample.subject, [...(bySubject.get(sample.subject) ?? []), sample])
  return [...bySubject].map(([subject, own]) => {
    const points = own.slice(1).map((sample, index): Point => {
      const before = own[index] ?? sample
      const seconds = Math.max(0.1, (sample.at - before.at) / 1000)
      return {
        at: sample.at,
        sent: rate(sample.packetsSent, before.packetsSent, seconds),
        received: rate(sample.packetsReceived, before.packetsReceived, seconds),
      }
    })
    const most = Math.max(1, ...points.flatMap(({ sent, received }) => [sent ?? 0, received ?? 0]))
    return { subject, points, most, marks: events.filter((event) => event.subject === subject) }
  })
}

/** An SVG path through the values; a gap where one is not known. */
export function path(points: readonly Point[], most: number, value: (point: Point) => number | null, width: number, height: number): string {
  const first = points[0]?.at ?? 0
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - first)
  let pen = 'M'
  const steps: string[] = []
  for (const point of points) {
    const y = value(point)
    if (y === null) {
      pen = 'M'
      continue
    }
    steps.push(`${pen}${(((point.at - first) / span) * width).toFixed(1)} ${(height - (y / most) * height).toFixed(1)}`)
    pen = 'L'
  }
  return steps.join('')
}
