// Messages to all who read, as many under way as are asked for.

import { setTimeout as sleep } from 'node:timers/promises'
import type { FanOutOrder, LoadReport } from './orders.ts'
import { comesTrue, endPosters, openPosters, PostRequests } from './poster.ts'
import { nothingDue, type Readers } from './readers.ts'
import { Span } from './span.ts'
import { checkOf, textOf, timeNumber } from './text.ts'

const firstPostsMaxMs = 30_000

const requests = new PostRequests()

export async function fanOut(
  { port, pid, posts, readersPerRoom, underWay, warmUpMs, measuredMs }: FanOutOrder,
  readers: Readers,
): Promise<LoadReport> {
  const posters = await openPosters(port, underWay)
  const due = nothingDue(posts.length)
  let sent = 0
  let over = false
  const send = () => {
    while (!over && sent * readersPerRoom - readers.deliveries < underWay * readersPerRoom) {
      const room = sent % posts.length
      const number = timeNumber()
      due[room]!.messages++
      due[room]!.sum = (due[room]!.sum + checkOf(number)) | 0
      posters[sent++ % posters.length]!.send(requests.fill(posts[room]!, textOf(number)))
    }
  }
  readers.reset()
  readers.onDelivery = send
  send()
  await sleep(warmUpMs)
  // The first message to a room costs more: whoever sends it comes into that room.
  await comesTrue(() => sent > posts.length, firstPostsMaxMs)
  readers.delays.forget()
  const before = readers.deliveries
  const span = new Span(pid)
  await sleep(measuredMs)
  const measured = span.end(readers.deliveries - before)
  const delays = readers.delays.percentiles()
  over = true
  await comesTrue(() => readers.deliveries >= sent * readersPerRoom)
  await endPosters(posters)
  // What comes twice may come late.
  await readers.quiet()
  readers.check(due)
  return { ...measured, ...delays }
}
