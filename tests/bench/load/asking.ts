// One question after another, by somebody who waits for each answer.

import { Delays } from './delays.ts'
import type { AskOrder, LoadReport } from './orders.ts'
import { comesTrue, endPosters, openPosters } from './poster.ts'
import { Span } from './span.ts'
import { marker } from './text.ts'

const longestMs = 60_000

export async function ask({ port, pid, requests, finds, warmUp }: AskOrder): Promise<LoadReport> {
  const [poster] = await openPosters(port, 1)
  const delays = new Delays(requests.length)
  let next = 0
  let sentMs = 0
  let span: Span | undefined
  let measured: LoadReport | undefined
  let cutOff = 0
  let wrong: string | undefined
  const send = () => {
    if (next === warmUp) span = new Span(pid)
    sentMs = performance.now()
    poster!.send(requests[next++]!)
  }
  poster!.onAnswer = (answer) => {
    if (span) delays.add(performance.now() - sentMs)
    const found = answer.split(marker).length - 1
    const isCutOff = found < finds.most && answer.includes('"more":true')
    if (isCutOff) cutOff++
    else if (found < finds.least || found > finds.most)
      wrong ??= `there are ${found} messages in the answer to ${requests[next - 1]!.split('\r\n')[0]}`
    if (next < requests.length && poster!.refusal === undefined) send()
    else if (span) measured = { ...span.end(next - warmUp), ...delays.percentiles(), cutOff }
  }
  send()
  await comesTrue(() => measured !== undefined || poster!.refusal !== undefined, longestMs)
  await endPosters([poster!])
  if (wrong !== undefined) throw new Error(wrong)
  if (!measured) throw new Error(`only ${next} of ${requests.length} questions were answered in ${longestMs} ms`)
  return measured
}
