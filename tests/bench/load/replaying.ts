// One reader who was away for very long, while somebody else goes on asking.

import { Delays } from './delays.ts'
import type { LoadReport, ReplayOrder } from './orders.ts'
import { comesTrue, endPosters, openPosters } from './poster.ts'
import { nothingDue, type Readers } from './readers.ts'
import { Span } from './span.ts'
import { checkOf } from './text.ts'

const longestMs = 60_000
const askedEveryMs = 5

/** The delays are those of `/healthz` meanwhile. */
export async function replay({ port, pid, protocol, request, messages }: ReplayOrder, readers: Readers): Promise<LoadReport> {
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

/** Another's requests, one after another: how much later than due each was answered, so that none counts less because the one before was late. */
async function askNowAndThen(port: number) {
  const poster = (await openPosters(port, 1))[0]!
  const delays = new Delays(1 << 16)
  let dueMs = performance.now()
  let timer: NodeJS.Timeout
  const ask = () => poster.send('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  poster.onAnswer = () => {
    delays.add(performance.now() - dueMs)
    dueMs += askedEveryMs
    timer = setTimeout(ask, Math.max(0, dueMs - performance.now()))
  }
  ask()
  return {
    delays,
    async end() {
      clearTimeout(timer)
      poster.onAnswer = () => {}
      await endPosters([poster])
    },
  }
}
