/** CSS pixels. */
export type Size = { width: number; height: number }
export type Box = Size & { x: number; y: number }

export const GAP = 8
/** No tile narrower than this: what does not fit goes to another page. */
const LEAST = 132
const WIDEST = 16 / 9
const TALLEST = 4 / 5

type Cells = Size & { across: number }

function shape(width: number, height: number): Size {
  const ratio = width / height
  if (ratio > WIDEST) return { width: height * WIDEST, height }
  if (ratio < TALLEST) return { width, height: width / TALLEST }
  return { width, height }
}

/** As large as `count` equal tiles can be in a room. */
function cells(count: number, room: Size): Cells {
  let best: Cells = { across: 1, width: 0, height: 0 }
  for (let across = 1; across <= count; across++) {
    const rows = Math.ceil(count / across)
    const width = (room.width - (across - 1) * GAP) / across
    const height = (room.height - (rows - 1) * GAP) / rows
    if (width <= 0 || height <= 0) continue
    const cell = shape(width, height)
    if (cell.width * cell.height > best.width * best.height * 1.001) best = { across, ...cell }
  }
  return best
}

/** Rows of equal tiles in the middle of a room; the last row is centred too. */
export function gridOf(count: number, room: Size): Box[] {
  if (count <= 0) return []
  const { across, width, height } = cells(count, room)
  const rows = Math.ceil(count / across)
  const top = (room.height - rows * height - (rows - 1) * GAP) / 2
  return Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / across)
    const inRow = row === rows - 1 ? count - row * across : across
    const left = (room.width - inRow * width - (inRow - 1) * GAP) / 2
    return { x: round(left + (at % across) * (width + GAP)), y: round(top + row * (height + GAP)), width: round(width), height: round(height) }
  })
}

/** How many of `count` tiles a page can show without any of them being too small. */
export function fitting(count: number, room: Size): number {
  for (let shown = count; shown > 1; shown--) {
    const { width, height } = cells(shown, room)
    if (width >= LEAST && height >= LEAST * (9 / 16)) return shown
  }
  return Math.min(1, count)
}

export type Split = { front: Size & { x: number; y: number }; strip: Box }

/** One large place, and a strip for `count` others beside it, or below it where the room is high. `least`: of its width to its height there. */
export function splitOf(count: number, room: Size, least: number = TALLEST): Split {
  if (count === 0) return { front: { x: 0, y: 0, ...room }, strip: { x: room.width, y: 0, width: 0, height: room.height } }
  if (room.width >= room.height * 1.15) {
    // So many that they need two columns.
    const many = count > Math.max(1, Math.floor((room.height + GAP) / (LEAST * (9 / 16) + GAP)))
    const most = many ? Math.max(2 * LEAST + GAP, room.width * 0.28) : Math.max(LEAST, room.width * 0.2)
    const width = round(Math.min(beside(count, { width: most, height: room.height }), 480, room.width * 0.44))
    const rest = room.width - width - GAP
    return { front: { x: 0, y: 0, width: rest, height: room.height }, strip: { x: rest + GAP, y: 0, width, height: room.height } }
  }
  const few = Math.min(Math.max(LEAST * (9 / 16), room.height * 0.24), 220, room.height * 0.4)
  const height = round(Math.max(few, room.height - GAP - room.width / least))
  const rest = room.height - height - GAP
  return { front: { x: 0, y: 0, width: room.width, height: rest }, strip: { x: 0, y: rest + GAP, width: room.width, height } }
}

/** No wider than its tiles: the rest belongs to the large one. */
function beside(count: number, strip: Size): number {
  const shown = fitting(count, strip)
  const { across, width } = cells(shown, strip)
  return across * width + (across - 1) * GAP
}

/** Of a strip: its tiles in one or more lines from its beginning, no larger than it takes. */
export function stripOf(count: number, strip: Box): Box[] {
  const lies = strip.width > strip.height
  const boxes = gridOf(count, strip)
  const first = boxes[0]
  if (!first) return []
  // From the edge, not from the middle: who comes last must not move the others.
  const lift = lies ? 0 : Math.min(...boxes.map(({ y }) => y))
  return boxes.map((box) => ({ ...box, x: round(box.x + strip.x), y: round(box.y + strip.y - lift) }))
}

const round = (value: number): number => Math.round(value * 100) / 100
