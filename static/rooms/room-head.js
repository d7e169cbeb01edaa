// @ts-check
// The head of the room that one is in: its sign, name and topic, and how many are here. Writes what it is given.

/** @import { Room } from '../../lib/chat/streams/events.ts' */

import { part, within } from '../parts/parts.js'
import { say } from '../words/words.js'
import { signOf } from './room-list.js'

/** @param {Room | undefined} room @param {string} name what it is called */
export function showRoomHead(room, name) {
  part('room-name', HTMLElement).textContent = name
  document.getElementById('room-sign')?.setAttribute('href', signOf(room))
  const topic = part('room-topic', HTMLElement)
  topic.textContent = topic.title = room?.topic ?? ''
  topic.hidden = !room?.topic
}

/** @param {Room | undefined} room @param {{ count: number | undefined, other: boolean }} here how many, if that is known; of two, whether the other one is */
export function showWhoIsHere(room, { count = 0, other }) {
  const direct = room?.kind === 'direct'
  const known = direct ? other : count > 0
  const place = part('here', HTMLElement)
  place.hidden = !known
  part('people-open', HTMLElement).ariaLabel = known && !direct ? say('presence.people', { count }) : say('people.open')
  if (!known) return
  within(place, '.dot', HTMLElement).hidden = !direct // a number says it, too
  within(place, '.short', HTMLElement).textContent = direct ? '' : String(count)
  within(place, '.words', HTMLElement).textContent = direct ? say('presence.here') : say('presence.count', { count })
}
