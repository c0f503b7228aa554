import { isContract, lineText, type LogLine } from '../../state/log.svelte'

export type Kind = 'contract' | 'all'

/** Every word must occur somewhere in the line. */
export function filterLines(lines: readonly LogLine[], kind: Kind, words: string): readonly LogLine[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  if (kind === 'all' && wanted.length === 0) return lines
  return lines.filter((line) => {
    if (kind === 'contract' && !isContract(line) && line.event !== 'Notice' && line.event !== 'DtmfReceived') return false
    const text = lineText(line).toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}
