// Readers who come back, and get what they missed.

import { many, rateOf, withServer, type Scene } from '../scene.ts'

const readers = 10_000
const missed = 100
const oldMessages = 1_000_000

const everybody: Scene = {
  name: 'return',
  work: `${many(readers)} readers come back at once, each ${missed} messages behind, until all have them`,
  unit: 's',
  rounds: 1,
  incomparable: true,
  run: (peer, { leftovers }) =>
    withServer(peer, leftovers, undefined, async (server, load) => {
      const { port, pid, protocol, replays = false } = server
      const [request, post] = [server.readRequest('lobby'), server.postRequest('lobby')]
      const report = await load.measure({
        kind: 'return',
        port,
        pid,
        protocol,
        request,
        post,
        readers,
        missed,
        replays,
      })
      return {
        ...rateOf(report),
        value: report.seconds,
        note: replays
          ? `${many(Math.round((readers * missed) / report.seconds))} events/s`
          : 'without what they missed',
      }
    }),
}

const wholeLog: Scene = {
  name: 'replay',
  work: `replay of ${many(oldMessages)} messages to one reader; the delays are those of \`/healthz\` meanwhile`,
  unit: 'events/s',
  peers: ['natter'],
  oldMessages,
  run: async (peer, place) =>
    withServer(
      peer,
      place.leftovers,
      await place.filledFolder(oldMessages),
      async ({ port, pid, protocol, readRequest }, load) => {
        const request = readRequest('lobby').replace('?room=', '?since=all&room=')
        return rateOf(await load.measure({ kind: 'replay', port, pid, protocol, request, messages: oldMessages }))
      },
    ),
}

export const comingBack: readonly Scene[] = [everybody, wholeLog]
