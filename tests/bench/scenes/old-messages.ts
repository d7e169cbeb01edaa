// Asking for what was said long ago: searches and pages of history, one after another.

import { Random } from '../../random.ts'
import { idOf } from '../../audit/filled-folder.ts'
import type { AskOrder } from '../load/orders.ts'
import { many, rateOf, withServer, type Place, type Scene } from '../scene.ts'
import { searches } from '../talk.ts'
import type { Peer } from '../peers.ts'

const seed = 20_261_121 // any, but always the same questions
const asked = 1000
const warmUp = 100
const million = 1_000_000
const pageMessages = 200
const foundMessages = 20 // of a search at most, unless it asks for more

function searchFor(script: keyof typeof searches, named: string): Scene {
  return {
    name: 'search',
    work: `search in ${many(million)} messages for ${named}, each said in one at least (goal: p99 20 ms)`,
    unit: 'answers/s',
    peers: ['natter'],
    oldMessages: million,
    run(peer, place) {
      const random = new Random(seed)
      const paths = Array.from(
        { length: warmUp + asked },
        () => `/search?q=${encodeURIComponent(searches[script](million, random))}`,
      )
      return ask(peer, place, { messages: million, paths, finds: { least: 1, most: foundMessages } })
    },
  }
}

export function historyOf(messages: number): Pick<Scene, 'work' | 'unit' | 'peers' | 'oldMessages' | 'run'> {
  return {
    work: `pages of ${pageMessages} messages from anywhere among ${many(messages)}`,
    unit: 'pages/s',
    peers: ['natter'],
    oldMessages: messages,
    run(peer, place) {
      const random = new Random(seed)
      const paths = Array.from(
        { length: warmUp + asked },
        () => `/rooms/lobby/messages?limit=${pageMessages}&before=${idOf(random.between(pageMessages, messages - 1))}`,
      )
      return ask(peer, place, { messages, paths, finds: { least: pageMessages, most: pageMessages } })
    },
  }
}

async function ask(
  peer: Peer,
  place: Place,
  { messages, paths, finds }: { messages: number; paths: readonly string[]; finds: AskOrder['finds'] },
) {
  const folder = await place.filledFolder(messages)
  return withServer(peer, place.leftovers, folder, async ({ port, pid }, load) => {
    const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    const report = await load.measure({ kind: 'ask', port, pid, requests, finds, warmUp })
    return {
      ...rateOf(report),
      ...(report.cutOff && { note: `${report.cutOff} of ${asked} cut off when their time was over` }),
    }
  })
}

export const oldMessages: readonly Scene[] = [
  searchFor('latin', 'words, phrases and beginnings of words in Latin letters'),
  searchFor('chinese', 'one to four Chinese characters'),
  { name: 'history', ...historyOf(million) },
]
