const FIRST = ['amber', 'birch', 'cedar', 'clover', 'copper', 'coral', 'ember', 'fern', 'harbor', 'hazel', 'indigo', 'juniper', 'linden', 'maple', 'meadow', 'opal', 'pebble', 'quartz', 'river', 'sable', 'tulip', 'willow']
const SECOND = ['bay', 'bridge', 'brook', 'cove', 'field', 'gate', 'grove', 'hill', 'isle', 'lake', 'lane', 'moor', 'peak', 'pond', 'ridge', 'shore', 'spring', 'trail', 'vale', 'wood']

/** A name for a new room that can be said on the telephone, and is not easily guessed. */
export function freshName(): string {
  const [one = 0, two = 0, three = 0] = crypto.getRandomValues(new Uint32Array(3))
  return `${FIRST[one % FIRST.length]}-${SECOND[two % SECOND.length]}-${1000 + (three % 9000)}`
}
