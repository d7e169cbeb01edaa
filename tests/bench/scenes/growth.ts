// What each thing costs when there is ten, a thousand, a million times as much of something else.

import { many, type Scene } from '../scene.ts'
import { fanOutToRoom, postTo } from './live.ts'
import { historyOf } from './old-messages.ts'

const readers = [10, 100, 1000, 10_000].map(
  (size): Scene => ({
    name: 'grow-readers',
    ...fanOutToRoom(size, 16),
    peers: ['http', 'natter'],
    rounds: 2,
    grows: { what: 'a delivery, by the readers of a room, 16 messages under way', size },
  }),
)

const rooms = [1, 100, 10_000].map(
  (size): Scene => ({
    name: 'grow-rooms',
    work: `posts over 32 connections to ${size === 1 ? 'one room' : `${many(size)} rooms in turn`}`,
    ...postTo(size),
    peers: ['http', 'natter'],
    rounds: 2,
    grows: { what: 'a post, by the rooms that are posted to', size },
  }),
)

const history = [1000, 10_000, 100_000, 1_000_000, 10_000_000].map(
  (size): Scene => ({
    name: 'grow-history',
    ...historyOf(size),
    rounds: 2,
    long: size > 1_000_000, // five minutes to make them, and five gigabytes
    grows: { what: 'a page of history, by the messages of its room', size },
  }),
)

export const growth: readonly Scene[] = [...readers, ...rooms, ...history]
