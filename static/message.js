// @ts-check
// One message on the screen: who said what and when, that it was edited, the reactions below it, and what has become of one
// that is being sent. Writes only what has changed, so that nobody loses what they have marked or where their focus is.

/** @import { Message } from '../lib/chat/events.ts' */
/** @import { Entry } from './outbox.js' */
/**
 * @typedef {object} Viewer
 * @property {string} me a user's id
 * @property {boolean} mayReact
 * @property {(user: string) => string | undefined} nameOf
 * @property {(link: HTMLAnchorElement, room: string, id: string | undefined) => void} quote writes what that message says
 */

import { format } from './markdown.js'
import { foldName } from './mentions.js'
import { hueOf, initialOf } from './person.js'
import { listFormat, say, timeFormat, wholeFormat } from './words.js'

const namesMax = 20 // of who has reacted, one by one

/** @type {WeakMap<Element, string>} what each text was made of */
const written = new WeakMap()

/** @param {HTMLTemplateElement} template */
export function makeMessage(template) {
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true))
  return /** @type {HTMLElement} */ (copy.firstElementChild) // the template holds exactly one
}

/**
 * @param {HTMLElement} element
 * @param {Pick<Message, 'room' | 'from' | 'text' | 'at' | 'replyTo' | 'mentions' | 'edited' | 'reactions'>} message @param {Viewer} viewer
 */
export function writeMessage(element, { room, from, text, at, replyTo, mentions = [], edited, reactions }, viewer) {
  element.classList.toggle('own', from.id === viewer.me)
  element.classList.toggle('to-me', mentions.includes(viewer.me) || (mentions.includes('room') && from.id !== viewer.me))
  element.style.setProperty('--hue', hueOf(from.id))
  write(partOf(element, '.avatar'), initialOf(from.name))
  write(partOf(element, '.name'), from.name)
  partOf(element, '.tag').hidden = from.unproven !== true
  viewer.quote(/** @type {HTMLAnchorElement} */ (partOf(element, '.quote')), room, replyTo)
  writeText(partOf(element, '.text'), text, mentions, viewer)
  const mark = partOf(element, '.edited')
  mark.hidden = edited === undefined
  mark.title = edited === undefined ? '' : wholeFormat.format(new Date(edited))
  writeReactions(partOf(element, '.reactions'), Object.entries(reactions ?? {}), viewer)
  const time = /** @type {HTMLTimeElement} */ (partOf(element, 'time'))
  if (time.dateTime === at) return
  const when = new Date(at)
  time.dateTime = at
  time.replaceChildren(...timeFormat.formatToParts(when).map(({ type, value }) => type === 'dayPeriod' ? halfOfDay(value) : value))
  time.title = wholeFormat.format(when)
}

/** What becomes of one that is being sent; null once it is a message like any other. @param {HTMLElement} element @param {Entry | null} entry */
export function writeSending(element, entry) {
  const refused = entry !== null && entry.refusal !== null
  if (entry) element.dataset['state'] = refused ? 'failed' : 'pending'
  else delete element.dataset['state']
  const state = partOf(element, '.state')
  state.hidden = !entry
  if (entry) write(state, entry.refusal !== null ? say('message.refused', { why: entry.refusal }) : say(entry.tries > 1 ? 'message.again' : 'message.sending'))
  partOf(element, '.choices').hidden = !refused
}

/** @param {HTMLElement} element @param {string} text @param {string[]} mentions @param {Viewer} viewer */
function writeText(element, text, mentions, { me, nameOf }) {
  // Whom a text names the server has said. Which of its words name them is found by the names they have.
  const named = mentions.flatMap((id) => {
    const name = id === 'room' ? id : nameOf(id)
    return name === undefined ? [] : [/** @type {const} */ ([foldName(name), id === me || id === 'room' ? 'me' : 'other'])]
  })
  const source = JSON.stringify([text, named])
  if (written.get(element) === source) return
  written.set(element, source)
  const who = new Map(named)
  element.replaceChildren(...format(text, named.length > 0 ? { mention: (name) => who.get(foldName(name)) } : {}))
}

/** @param {HTMLElement} list @param {[emoji: string, users: string[]][]} reactions @param {Viewer} viewer */
function writeReactions(list, reactions, { me, mayReact, nameOf }) {
  list.hidden = reactions.length === 0
  const there = new Map([...list.querySelectorAll('button')].map((button) => [button.value, button]))
  for (const [emoji, users] of reactions) {
    const button = there.get(emoji) ?? list.appendChild(makePill(emoji))
    there.delete(emoji)
    button.disabled = !mayReact
    button.ariaPressed = String(users.includes(me))
    button.ariaLabel = `${emoji} ${users.length}`
    button.title = namesOf(users, (user) => user === me ? say('role.you') : nameOf(user))
    write(partOf(button, '.count'), String(users.length))
  }
  for (const button of there.values()) {
    const focused = button === document.activeElement
    button.remove()
    if (focused) (list.querySelector('button') ?? /** @type {HTMLElement | null} */ (list.closest('[tabindex]')))?.focus()
  }
}

/** Who they are, as far as that is known. @param {string[]} users @param {(user: string) => string | undefined} nameOf */
function namesOf(users, nameOf) {
  const names = users.map(nameOf).filter((name) => name !== undefined).slice(0, namesMax)
  if (names.length === 0) return ''
  const others = users.length - names.length
  return listFormat.format(others > 0 ? [...names, say('reactions.others', { count: others })] : names)
}

/** @param {string} emoji */
function makePill(emoji) {
  const button = document.createElement('button')
  const count = document.createElement('span')
  button.type = 'button'
  button.value = emoji
  count.className = 'count'
  button.append(emoji, count)
  return button
}

/** @param {HTMLElement} element @param {string} text */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/** @param {HTMLElement} element @param {string} selector */
function partOf(element, selector) {
  return /** @type {HTMLElement} */ (element.querySelector(selector)) // all in the template
}

/** @param {string} value AM or PM, which can be left out where there is no room for it */
function halfOfDay(value) {
  const half = document.createElement('span')
  half.className = 'half'
  half.textContent = value
  return half
}
