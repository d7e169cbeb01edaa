// One reader who was away for very long, while somebody else goes on asking.

import { Delays } from './delays.ts'
import type { LoadReport, ReplayOrder } from './orders.ts'
import { comesTrue, endPosters, openPosters } from './poster.ts'
import { nothingDue, type Readers } from './readers.ts'
import { Span } from './span.ts'
import { checkOf } from './text.ts'

const longestMs = 60_000
const askedEveryMs = 5
const others = 50 // connections, so that hardly ever one has to wait behind another: natter hangs up on who has 17 under way

/** The delays are those of `/healthz` meanwhile. */
export async function replay(
  { port, pid, protocol, request, messages }: ReplayOrder,
  readers: Readers,
): Promise<LoadReport> {
  const due = nothingDue(1)
  for (let number = 0; number < messages; number++) due[0]!.sum = (due[0]!.sum + checkOf(number)) | 0
  due[0]!.messages = messages
  const others = await askNowAndThen(port)
  const span = new Span(pid)
  let report: LoadReport | undefined
  readers.onDelivery = ({ messages: got }) => {
    if (got >= messages) report ??= { ...span.end(got), ...others.delays.percentiles() }
  }
  await readers.open({ port, protocol, readers: [{ request, rooms: [0] }] })
  await comesTrue(() => report !== undefined, longestMs)
  await others.end()
  await readers.quiet()
  readers.check(due)
  return report!
}

/** Requests of others, each sent when it is due, however late the answers to those before it are. */
async function askNowAndThen(port: number) {
  const posters = await openPosters(port, others)
  const delays = new Delays(1 << 16)
  const sentMs = posters.map((): number[] => [])
  for (const [number, poster] of posters.entries()) {
    poster.onAnswer = () => delays.add(performance.now() - sentMs[number]!.shift()!)
  }
  let next = 0
  const timer = setInterval(() => {
    sentMs[next]!.push(performance.now())
    posters[next]!.send('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    next = (next + 1) % others
  }, askedEveryMs)
  return {
    delays,
    async end() {
      clearInterval(timer)
      await endPosters(posters)
    },
  }
}
