// An event stream's bytes as a browser understands them, written line by line from
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export interface ParsedEvent {
  /** The event's type; `message` where the stream names none. */
  event: string
  data: string
  /** The last event id when this event was dispatched. */
  id: string
}

export class EventStreamParser {
  /** What a reader would send as Last-Event-ID now. */
  lastEventId = ''
  /** The reconnection time, once the stream has set one. */
  retry: number | undefined
  #decoder = new TextDecoder('utf-8') // "UTF-8 decode" strips one leading BOM
  #rest = ''
  #afterCarriageReturn = false
  #data = ''
  #type = ''
  #id = ''

  /** Takes a chunk of any size and returns the events it completes. */
  push(chunk: Uint8Array): ParsedEvent[] {
    this.#rest += this.#decoder.decode(chunk, { stream: true })
    const events: ParsedEvent[] = []
    for (;;) {
      // A CR ends its line at once; an LF that comes right behind it, maybe in the next chunk, is its second half.
      if (this.#afterCarriageReturn && this.#rest !== '') {
        this.#afterCarriageReturn = false
        if (this.#rest.startsWith('\n')) this.#rest = this.#rest.slice(1)
      }
      const found = /[\r\n]/.exec(this.#rest)
      if (!found) return events
      const line = this.#rest.slice(0, found.index)
      this.#rest = this.#rest.slice(found.index + 1)
      this.#afterCarriageReturn = found[0] === '\r'
      const event = this.#line(line)
      if (event) events.push(event)
    }
  }

  #line(line: string): ParsedEvent | undefined {
    if (line === '') return this.#dispatch()
    if (line.startsWith(':')) return undefined
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'event') this.#type = value
    else if (field === 'data') this.#data += value + '\n'
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'retry' && /^[0-9]+$/.test(value)) this.retry = Number(value)
    return undefined
  }

  #dispatch(): ParsedEvent | undefined {
    this.lastEventId = this.#id
    const [data, type] = [this.#data, this.#type]
    this.#data = this.#type = ''
    if (data === '') return undefined
    return { event: type || 'message', data: data.slice(0, -1), id: this.lastEventId }
  }
}
