/** What a Web Call Server says, as far as a guest listens. */
export type ServerMessage =
  | { message: 'ping' }
  | { message: 'getUserData'; connection: Record<string, unknown> }
  | { message: 'fail'; info: string; id: string; apiMethod: string }
  | { message: 'setRemoteSDP'; id: string; sdp: string }
  | { message: 'notifyStreamStatusEvent'; id: string; status: string; info: string }
  | { message: 'notifyStreamEvent'; id: string; type: string }
  | { message: 'DataStatusEvent'; operationId: string; accepted: boolean; info: string }
  | { message: 'OnDataEvent'; payload: Record<string, unknown> }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** `null` for what is none of these: other clients are told more. */
export function readMessage(line: string): ServerMessage | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  if (!isObject(value) || !Array.isArray(value['data'])) return null
  const data: unknown[] = value['data']
  const first = isObject(data[0]) ? data[0] : {}
  switch (value['message']) {
    case 'ping':
      return { message: 'ping' }
    case 'getUserData':
      return { message: 'getUserData', connection: first }
    case 'fail':
      return { message: 'fail', info: text(first['info']), id: text(first['id']), apiMethod: text(first['apiMethod']) }
    case 'setRemoteSDP':
      return { message: 'setRemoteSDP', id: text(data[0]), sdp: text(data[1]) }
    case 'notifyStreamStatusEvent':
      return { message: 'notifyStreamStatusEvent', id: text(first['mediaSessionId']), status: text(first['status']), info: text(first['info']) }
    case 'notifyStreamEvent':
      return { message: 'notifyStreamEvent', id: text(first['mediaSessionId']), type: text(first['type']) }
    case 'DataStatusEvent':
      return { message: 'DataStatusEvent', operationId: text(first['operationId']), accepted: first['status'] === 'ACCEPTED', info: text(first['info']) }
    case 'OnDataEvent':
      return isObject(first['payload']) ? { message: 'OnDataEvent', payload: first['payload'] } : null
    default:
      return null
  }
}

export const writeMessage = (message: string, data: unknown = null): string => JSON.stringify({ message, data: [data] })
