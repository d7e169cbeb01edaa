// The disk is full: posts are refused and say why, all else goes on, nothing answered is lost, and writing goes on by itself
// once there is room. The data folder lies on a small file system of its own, which a ballast file fills.

import { join } from 'node:path'
import { runServer, startChat, type ChatServer, type Scope } from '../chat-server.ts'
import { smallDisk, whyNoSmallDisk, type SmallDisk } from '../small-disk.ts'
import type { Audit, AuditOptions, Verdict } from './audit.ts'
import { inScope, Reader, Writer } from './harness.ts'
import { compareWithHistory } from './history.ts'
import { storagePlanted } from './storage-faults.ts'
import { soon } from './until.ts'

const forms = {
  short: { fills: 2, writers: 2 },
  full: { fills: 40, writers: 8 },
}

const limits = {
  diskBytes: 16 * 1024 * 1024, // the database, its write-ahead log and room to spare
  refusalsPerFill: 20, // seen before there is room again
  answersBetween: 20, // seen before it is full again
  answersPerFill: 500, // of each writer; the write-ahead log has pages of its own to fill once more, but never for so many
}

export default {
  name: 'disk-full',
  plantable: ['answered-on-full-disk'],
  cannotRun: whyNoSmallDisk,
  run: (options) => inScope((scope) => audit(scope, options)),
} satisfies Audit

async function audit(scope: Scope, { form, fault, progress }: AuditOptions): Promise<Verdict> {
  const { fills, writers: count } = forms[form]
  const disk = smallDisk(scope, limits.diskBytes)
  const data = join(disk.folder, 'data')
  const chat = await startChat(scope, { data, flags: ['--disk-reserve', '0'], ...storagePlanted({ fault }) })
  const readers = [await Reader.open(chat), await Reader.open(chat)]
  scope.after(() => readers.forEach((reader) => reader.leave()))
  const writers = await Promise.all(
    Array.from({ length: count }, (_, at) => Writer.comeIn(chat, { name: `writer${at}` })),
  )
  for (const writer of writers) void writer.start()
  const faults: string[] = []
  const answered = () => writers.reduce((sum, { said }) => sum + said.length, 0)
  const refused = () => writers.reduce((sum, { refusals }) => sum + (refusals.get('storage_full') ?? 0), 0)

  for (
    let fill = 0;
    fill < fills && faults.length === 0 && writers.every((writer) => writer.faults.length === 0);
    fill++
  ) {
    const before = answered()
    await soon(
      () => answered() >= before + limits.answersBetween || disturbed(writers),
      'posts answered while there is room',
      faults,
    )
    disk.fill(Math.floor(Math.random() * 64 * 1024))
    const [full, refusedBefore] = [answered(), refused()]
    const tooMany = () => answered() > full + limits.answersPerFill * count
    await soon(
      () => refused() >= refusedBefore + limits.refusalsPerFill || tooMany() || disturbed(writers),
      'posts refused while the disk is full',
      faults,
    )
    if (tooMany()) faults.push(`${answered() - full} posts were answered with 201 on the full disk`)
    // By chance it may have had a last page; fill it to the brim.
    disk.fill(0)
    faults.push(...(await whileFull(chat, readers, fill)))
    disk.free()
    progress(`${fill + 1} of ${fills} times full: ${answered()} posts answered, ${refused()} refused`)
  }
  disk.free()
  const resumed = answered()
  if (!disturbed(writers))
    await soon(() => answered() > resumed + limits.answersBetween, 'posts answered after there is room again', faults)
  await Promise.all(writers.map((writer) => writer.stop()))
  faults.push(...writers.flatMap((writer) => writer.faults))
  for (const [code, times] of writers.flatMap(({ refusals }) => [...refusals]))
    if (code !== 'storage_full') faults.push(`${times} posts got ${code}`)
  const cuts = readers.reduce((sum, { connections }) => sum + connections - 1, 0)
  if (cuts > 0) faults.push(`streams were cut ${cuts} times`)
  const lines = chat.errors.split('\n').length - 1
  if (lines > 4 * fills) faults.push(`${lines} lines in the log for ${fills} times full`)

  if (faults.length === 0) {
    faults.push(...(await startsOnFullDisk(chat, disk, data)))
    faults.push(...(await compareWithHistory(chat, { writers, readers })))
  }
  return {
    tried: `full ${fills} times, ${count} writers`,
    found: `${answered()} answered, all kept; ${refused()} refused with storage_full`,
    faults,
  }
}

function disturbed(writers: readonly Writer[]): boolean {
  return writers.some((writer) => writer.faults.length > 0)
}

// What must go on: life signs, reading, new streams; and what is refused must say why.
async function whileFull(chat: ChatServer, readers: readonly Reader[], fill: number): Promise<string[]> {
  const faults: string[] = []
  const say = () => chat.claiming('nobody').send('POST', '/rooms/lobby/messages', { text: 'no room for this' })
  let post = await say()
  // A large group that did not fit leaves the log as long as it could make it, and a few small ones still find room there.
  for (let more = 0; post.status === 201 && more < limits.answersPerFill; more++) post = await say()
  const problem = (await post.json()) as { code?: string }
  if (post.status !== 503 || problem.code !== 'storage_full')
    faults.push(`a post on the full disk got ${post.status} ${problem.code}`)
  if (post.headers.get('content-type') !== 'application/problem+json')
    faults.push(`a refusal came as ${post.headers.get('content-type')}`)
  for (const path of ['/healthz', '/', '/rooms', '/rooms/lobby/messages']) {
    const { status } = await chat.fetch(path)
    if (status !== 200) faults.push(`GET ${path} got ${status} on the full disk`)
  }
  const late = await Reader.open(chat, { path: '/events?since=all' })
  if (!(await late.reached(readers[0]!.cursor)))
    faults.push(`in round ${fill} a new stream on the full disk did not get what there was`)
  late.leave()
  return faults
}

// Stopped, and killed, on the full disk; what can't start there says so in one line; with room everything is there. After
// `kill -9` it may start even so: it has all its files, and can be read.
async function startsOnFullDisk(chat: ChatServer, disk: SmallDisk, data: string): Promise<string[]> {
  const faults: string[] = []
  for (const end of ['stop', 'kill'] as const) {
    disk.fill(0)
    const code = await chat[end]()
    if (end === 'stop' && code !== 0) faults.push(`stopping on the full disk ended with ${code}`)
    disk.fill(0)
    for (const folder of [join(disk.folder, 'new'), ...(end === 'stop' ? [data] : [])]) {
      const { code, err } = await runServer(['--port', '0', '--data', folder])
      if (code !== 1 || !/^natter can't start: [^\n]+\n$/.test(err))
        faults.push(`started on the full disk it ended with ${code} and said ${JSON.stringify(err)}`)
    }
    disk.free()
    await chat.start()
  }
  return faults
}
