// Everyone comes back at once after a restart: each reader must get exactly what it missed, soon, while others go on posting.

import { readFileSync } from 'node:fs'
import { startChat, temporaryFolder, type ChatServer } from '../chat-server.ts'
import type { Audit } from './audit.ts'
import { Crowd } from './crowd.ts'
import { inScope, planted, Writer } from './harness.ts'

const forms = {
  short: { readers: 300, missed: 20 },
  full: { readers: 10_000, missed: 100 },
}

const limits = {
  backMs: 30_000, // for all to be back with all that they missed
  postMs: 1000, // for a post meanwhile
  pauseMs: 400, // between two of them, at the most
  spareFiles: 200, // beside one for each reader
}

const reconnect: Audit = {
  name: 'reconnect',
  plantable: ['cursor-off-by-one'],
  alone: true,
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { missed } = forms[form]
      const chat = await startChat(scope, { data: await temporaryFolder(scope), ...planted(fault) })
      const port = Number(new URL(chat.url).port)
      const files = Math.min(openFilesOf(chat.pid), openFilesOf(process.pid))
      const readers = Math.min(forms[form].readers, files - limits.spareFiles)
      const crowd = await Crowd.start()
      scope.after(() => crowd.end())
      const writer = await Writer.comeIn(chat, { name: 'ada', pauseMs: limits.pauseMs })
      const ids: number[] = []
      const say = async (text: string) => ids.push(Number((await writer.say(text))!.id))
      const faults: string[] = []

      progress(`${readers} readers come`)
      for (let left = readers; left > 0; left -= 1000)
        await crowd.tell({ open: Math.min(left, 1000), port, path: '/events', reading: true })
      await say('all are here')
      const here = await crowd.tell({ until: ids[0]!, withinMs: limits.backMs })
      if (here.open !== readers || here.behind > 0)
        faults.push(
          `of ${readers} readers ${here.open} had come before the restart, ${here.behind} of them without the first message`,
        )
      await crowd.tell({ leave: true })
      for (let number = 0; number < missed; number++) await say(`missed ${number}`)
      await chat.stop()
      await chat.start()

      progress(`${readers} readers come back`)
      const before = writer.said.length
      void writer.start()
      const started = performance.now()
      const back = await crowd.tell({ comeBack: true, port, withinMs: limits.backMs })
      const answeredMs = performance.now() - started
      const upToDate = await crowd.tell({ until: ids.at(-1)!, withinMs: Math.max(1000, limits.backMs - answeredMs) })
      const backMs = performance.now() - started
      await writer.stop()
      if (back.open !== readers || upToDate.behind > 0)
        faults.push(
          `after ${seconds(backMs)} ${upToDate.open} of ${readers} were back, ${upToDate.behind} readers without all that they had missed`,
        )
      const meanwhile = writer.said.slice(before)
      const slowestMs = Math.max(...meanwhile.map(({ ms }) => ms))
      if (slowestMs > limits.postMs) faults.push(`meanwhile a post took ${seconds(slowestMs)}`)
      if (meanwhile.length === 0) faults.push('nothing was posted while they came back')

      for (const { id } of meanwhile) ids.push(Number(id))
      await crowd.tell({ until: ids.at(-1)!, withinMs: limits.backMs })
      const compared = await crowd.tell({ compare: ids })
      if (compared.behind > 0)
        faults.push(`${compared.behind} readers have a gap or a repeat, the first: ${compared.firstError}`)
      if (compared.resets > 0) faults.push(`${compared.resets} readers were reset though nothing was gone`)
      faults.push(...writer.faults, ...incidentsOf(chat))
      return {
        tried: `${readers} readers (of ${files} open files) came back at once after a restart, each ${missed} messages behind, ${meanwhile.length} posts meanwhile`,
        found: `all answered within ${seconds(answeredMs)}, up to date within ${seconds(backMs)}; slowest post ${Math.round(slowestMs)} ms; ${readers - compared.behind} exact`,
        faults,
      }
    }),
}

export default reconnect

function openFilesOf(pid: number): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? 1024)
}

function incidentsOf({ errors }: ChatServer): string[] {
  return errors.split('\n').filter((line) => /incident|failed|MaxListeners/.test(line))
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
