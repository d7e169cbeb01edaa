// @ts-check
// How a person is shown wherever they appear: the first letter of their name, their colour, what they are here.

/** @import { User } from '../../lib/chat/streams/events.ts' */

import { say } from '../words/words.js'

const segmenter = new Intl.Segmenter()

/** @param {string} name @returns {string} its first letter, however many code points that takes */
export function initialOf(name) {
  const [first] = segmenter.segment(name)
  return first?.segment.toLocaleUpperCase() ?? ''
}

/** The same person has the same colour everywhere and always. @param {string} id */
export function hueOf(id) {
  let hash = 7
  for (const letter of id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 9973
  return String((hash * 137) % 360)
}

/** In words; empty for who has an account like any other. @param {User} user */
export function roleOf({ role, unproven, banned }) {
  if (banned) return say('role.banned')
  if (unproven) return say('role.unproven')
  return role === 'member' ? '' : say(`role.${role}`)
}

/** Can they log in again, or is their name this browser's alone? @param {User | null} user */
export function hasAccount(user) {
  return user !== null && (user.role !== 'guest' || user.account === true)
}
