// Posts that nobody waits for but who sent them.

import { setTimeout as sleep } from 'node:timers/promises'
import { Delays } from './delays.ts'
import type { LoadReport, PostOrder } from './orders.ts'
import { comesTrue, endPosters, openPosters, PostRequests } from './poster.ts'
import { Span } from './span.ts'
import { textOf, timeNumber } from './text.ts'

const postsMax = 1 << 20 // of which delays are kept
const warmUpMaxMs = 60_000

const requests = new PostRequests()

export async function post({
  port,
  pid,
  posts,
  connections,
  warmUpPosts,
  warmUpMs,
  measuredMs,
}: PostOrder): Promise<LoadReport> {
  const posters = await openPosters(port, connections)
  const delays = new Delays(postsMax)
  let answered = 0
  let sent = 0
  let over = false
  for (const poster of posters) {
    let sentMs = 0
    const send = () => {
      sentMs = performance.now()
      poster.send(requests.fill(posts[sent++ % posts.length]!, textOf(timeNumber())))
    }
    poster.onAnswer = () => {
      answered++
      delays.add(performance.now() - sentMs)
      if (!over) send()
    }
    send()
  }
  await sleep(warmUpMs)
  await comesTrue(() => answered >= warmUpPosts, warmUpMaxMs)
  if (answered < warmUpPosts)
    throw new Error(`after ${warmUpMaxMs} ms only ${answered} of the ${warmUpPosts} first posts were answered`)
  delays.forget()
  const before = answered
  const span = new Span(pid)
  await sleep(measuredMs)
  const measured = span.end(answered - before)
  const percentiles = delays.percentiles()
  over = true
  await endPosters(posters)
  return { ...measured, ...percentiles }
}
