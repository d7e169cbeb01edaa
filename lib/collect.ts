// For the tests of programs that embed natter: what a stream sent, as values.

/** An event as a reader of the stream has it. */
export interface CollectedEvent {
  /** `message` where the stream names none. */
  event: string
  data: string
  /** Empty where the stream gave none so far. */
  id: string
}

/**
 * Reads an event stream until `count` events came, leaving out pings, and lets go of it: of
 * `eventStreamResponse(new Request('http://test/'), hub, ['topic'])`, or of what `fetch` gave. It reads what natter writes, and is
 * no parser for any server's stream.
 * @throws Error if the stream ends before
 */
export async function collect(stream: Response | AsyncIterable<Uint8Array>, count: number): Promise<CollectedEvent[]> {
  const events: CollectedEvent[] = []
  if (count === 0) return events
  const decoder = new TextDecoder()
  let rest = ''
  let id = ''
  for await (const bytes of stream instanceof Response ? stream.body! : stream) {
    const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      const fields = block.split('\n').map((line) => /^([^:]*): (.*)$/s.exec(line) ?? ['', '', ''])
      const values = (name: string) => fields.filter((field) => field[1] === name).map((field) => field[2]!)
      id = values('id').at(-1) ?? id
      const event = values('event')[0] ?? 'message'
      if (values('data').length === 0 || event === 'ping') continue
      events.push({ event, data: values('data').join('\n'), id })
      if (events.length === count) return events
    }
  }
  throw new Error(`the stream ended after ${events.length} of ${count} events`)
}
