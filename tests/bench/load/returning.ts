// Everybody comes back at once, as after a restart, and has missed something.

import { Delays } from './delays.ts'
import type { LoadReport, ReturnOrder } from './orders.ts'
import { comesTrue, endPosters, openPosters, PostRequests } from './poster.ts'
import { nothingDue, type Reader, type Readers } from './readers.ts'
import { Span } from './span.ts'
import { checkOf, textOf } from './text.ts'

const atOnce = 2000 // that are being answered: more than listen(2) has room for would have to try again a second later
const longestMs = 60_000

const requests = new PostRequests()

export async function comeBack(
  { port, pid, protocol, request, post, readers: count, missed, replays }: ReturnOrder,
  readers: Readers,
): Promise<LoadReport> {
  const poster = (await openPosters(port, 1))[0]!
  const say = async (number: number) => {
    poster.send(requests.fill(post, textOf(number)))
    await comesTrue(() => poster.answered === poster.sent)
  }
  // One reader sees what is said, and tells under which id the last message came that all the others have.
  await readers.open({ port, protocol, readers: [{ request, rooms: [0] }] })
  await readers.quiet()
  await say(0)
  await comesTrue(() => readers.deliveries === 1)
  const { cursor } = readers
  if (replays && cursor === undefined) throw new Error('no id came with a message')
  const due = nothingDue(1)
  for (let number = 1; number <= missed; number++) {
    await say(number)
    if (replays) due[0] = { messages: due[0]!.messages + 1, sum: (due[0]!.sum + checkOf(number)) | 0 }
  }
  await comesTrue(() => readers.deliveries === missed + 1)
  readers.close()
  readers.reset()

  const again = replays ? request.replace('\r\n\r\n', `\r\nLast-Event-ID: ${cursor}\r\n\r\n`) : request
  const delays = new Delays(count)
  const span = new Span(pid)
  const came = performance.now()
  readers.onOpen = () => {
    if (!replays) delays.add(performance.now() - came)
  }
  readers.onDelivery = ({ messages }: Reader) => {
    if (messages === due[0]!.messages) delays.add(performance.now() - came)
  }
  await readers.open({ port, protocol, readers: new Array(count).fill({ request: again, rooms: [0] }) }, { atOnce })
  await comesTrue(() => readers.deliveries >= count * due[0]!.messages, longestMs)
  const measured = span.end(count)
  await readers.quiet()
  readers.check(due)
  // And each gets what is said from now on, once.
  readers.onDelivery = () => {}
  const number = missed + 1
  await say(number)
  due[0] = { messages: due[0]!.messages + 1, sum: (due[0]!.sum + checkOf(number)) | 0 }
  await comesTrue(() => readers.deliveries >= count * due[0]!.messages)
  await endPosters([poster])
  await readers.quiet()
  readers.check(due)
  return { ...measured, ...delays.percentiles() }
}
