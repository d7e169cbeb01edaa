// Events of all kinds, and what a reader makes of them.

import type { StreamEvent } from '../../lib/sse/frame.ts'
import { toJson } from '../../lib/sse/json.ts'
import type { ParsedEvent } from '../event-stream-parser.ts'
import type { Random } from '../random.ts'

export function anyEvent(random: Random): StreamEvent {
  const event: StreamEvent = {}
  if (random.chance(0.5)) event.event = oneLine(random)
  if (random.chance(0.5)) event.id = random.chance(0.5) ? random.below(2 ** 31) : oneLine(random)
  if (random.chance(0.8))
    event.data = random.pick([
      () => random.text(),
      () => random.text(),
      () => ({ text: random.text(), list: [null, random.below(9)] }),
      () => random.below(9),
    ])()
  if (random.chance(0.2)) event.retry = random.below(100_000)
  return event
}

function oneLine(random: Random): string {
  return random.text(5).replace(/[\r\n\0]/g, '') || 'x'
}

/** What a reader has who got these events: by the specification, and not by how they were encoded. */
export function asRead(sent: readonly StreamEvent[]): {
  events: ParsedEvent[]
  lastEventId: string
  retry: number | undefined
} {
  let lastEventId = ''
  let retry: number | undefined
  const events: ParsedEvent[] = []
  for (const { event, id, data, retry: given } of sent) {
    retry = given ?? retry
    if (id !== undefined) lastEventId = String(id).toWellFormed()
    if (event === undefined && data === undefined) continue
    const text = typeof data === 'string' ? data : data === undefined ? '' : toJson(data)!
    events.push({
      event: (event ?? 'message').toWellFormed(),
      data: text.toWellFormed().replace(/\r\n?/g, '\n'),
      id: lastEventId,
    })
  }
  return { events, lastEventId, retry }
}
