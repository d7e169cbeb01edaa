// Two hundred people log in at once, again and again: no more passwords are hashed than may be, and those who talk and read
// meanwhile hardly notice.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startChat, temporaryFolder, type ChatServer, type Listener, type Person, type Scope } from '../chat-server.ts'
import type { Audit, AuditOptions, Verdict } from './audit.ts'
import { inScope, planted } from './harness.ts'

const forms = {
  short: { blocks: 1, blockMs: 1500, atOnce: 125 },
  full: { blocks: 8, blockMs: 6000, atOnce: 200 },
}

const limits = {
  hashedOfThem: 1 + 60, // the one that is hashed and those that wait; the others are told to come back
  pauseMs: 1, // between two posts
  factor: 2, // of the p99 without them
  // A short run has too few posts for a p99: it finds what is out of all proportion.
  slackMs: { short: 60, full: 1 },
}

export default {
  name: 'logins',
  plantable: ['hashed-on-main-thread', 'hashed-without-bound'],
  alone: true,
  run: (options) => inScope((scope) => audit(scope, options)),
} satisfies Audit

async function audit(scope: Scope, { form, fault, progress }: AuditOptions): Promise<Verdict> {
  const { blocks, blockMs, atOnce } = forms[form]
  const chat = await startChat(scope, { data: await temporaryFolder(scope), ...planted(fault) })
  const ada = await chat.comeIn('ada')
  const stream = await (await chat.comeIn('bob')).listen()
  scope.after(() => stream.leave())
  await talk(ada, stream, 500)

  const idle: Talk = { answers: [], receipts: [] }
  const busy: Talk = { answers: [], receipts: [] }
  const answers: Record<string, number> = {}
  let crowds = 0
  for (let block = 0; block < blocks; block++) {
    add(idle, await talk(ada, stream, blockMs))
    const crowd = startCrowd(scope, chat, atOnce)
    add(busy, await talk(ada, stream, blockMs))
    const told = await crowd.stop()
    crowds += told.crowds
    for (const [status, count] of Object.entries(told.answers)) answers[status] = (answers[status] ?? 0) + count
    progress(
      `block ${block + 1}: ${JSON.stringify(told)}, answers' p99 ${p99(idle.answers).toFixed(1)} ms, then ${p99(busy.answers).toFixed(1)}`,
    )
  }

  const faults: string[] = []
  for (const [what, before, then] of [
    ['a post was answered', idle.answers, busy.answers],
    ['a post was read', idle.receipts, busy.receipts],
  ] as const) {
    const most = limits.factor * p99(before) + limits.slackMs[form]
    if (p99(then) > most)
      faults.push(`${what} after ${p99(then).toFixed(1)} ms (p99), without logins ${p99(before).toFixed(1)}`)
  }
  const hashed = answers['401'] ?? 0
  // While those wait nobody else does; a few may come in as some are done.
  if (hashed > (crowds * atOnce) / 2) faults.push(`${hashed} of ${crowds * atOnce} passwords were hashed`)
  if (hashed < crowds * limits.hashedOfThem) faults.push(`only ${hashed} of ${crowds * atOnce} passwords were hashed`)
  for (const status of Object.keys(answers))
    if (status !== '401' && status !== '503') faults.push(`${answers[status]} were answered with ${status}`)
  return {
    tried: `${crowds} times ${atOnce} logins at once, ${busy.answers.length} posts meanwhile`,
    found: `${hashed} passwords hashed; posts' p99 ${p99(busy.answers).toFixed(1)} ms (${p99(idle.answers).toFixed(1)} without), until read ${p99(busy.receipts).toFixed(1)} (${p99(idle.receipts).toFixed(1)})`,
    faults,
  }
}

/** ms from a post to its answer, and to its coming on a stream. */
interface Talk {
  answers: number[]
  receipts: number[]
}

async function talk(person: Person, stream: Listener, ms: number): Promise<Talk> {
  const talk: Talk = { answers: [], receipts: [] }
  for (const ends = performance.now() + ms; performance.now() < ends; ) {
    const started = performance.now()
    await Promise.all([
      person.say('lobby', 'hello').then(() => talk.answers.push(performance.now() - started)),
      stream.next('message').then(() => talk.receipts.push(performance.now() - started)),
    ])
    await sleep(limits.pauseMs)
  }
  return talk
}

function startCrowd(
  scope: Scope,
  chat: ChatServer,
  atOnce: number,
): { stop: () => Promise<{ crowds: number; answers: Record<string, number> }> } {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./login-crowd.ts', import.meta.url)), chat.url, String(atOnce)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  scope.after(() => child.kill('SIGKILL'))
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  return {
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'close')
      return JSON.parse(out)
    },
  }
}

function add(to: Talk, more: Talk): void {
  to.answers.push(...more.answers)
  to.receipts.push(...more.receipts)
}

function p99(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length * 0.99)] ?? Infinity
}
