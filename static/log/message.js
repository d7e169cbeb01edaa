// @ts-check
// One message on the screen: who said what and when, that it was edited, the reactions below it, and what has become of one
// that is being sent. Writes only what has changed, so that nobody loses what they have marked or where their focus is; and has
// only the parts that it needs, since hundreds of messages are laid out and painted whenever another comes.

/** @import { Message, Reactions } from '../../lib/chat/streams/events.ts' */
/** @import { Entry } from '../composer/outbox.js' */
/**
 * @typedef {object} Viewer
 * @property {string} me a user's id
 * @property {boolean} mayReact
 * @property {(user: string) => string | undefined} nameOf
 * @property {(link: HTMLAnchorElement, room: string, id: string | undefined) => void} quote writes what that message says
 */

import { format } from '../markdown/markdown.js'
import { foldName } from '../composer/mentions.js'
import { part } from '../parts/parts.js'
import { hueOf, initialOf } from '../people/person.js'
import { listFormat, say, timeFormat, wholeFormat } from '../words/words.js'

/** @type {WeakMap<Element, string>} what each text was made of */
const written = new WeakMap()

/** The parts of a message, in their order; of those in `message-parts` most messages have none. */
const inMessage = ['day', 'new', 'avatar', 'head', 'quote', 'said', 'reactions', 'state', 'choices']
const inHead = ['name', 'tag', 'time']
const inSaid = ['text', 'edited', 'under-way']

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
  const head = partOf(element, '.head')
  const said = partOf(element, '.said')
  element.classList.toggle('own', from.id === viewer.me)
  element.ariaLive = from.id === viewer.me ? 'off' : null // nobody is read what they have just written
  element.classList.toggle(
    'to-me',
    mentions.includes(viewer.me) || (mentions.includes('room') && from.id !== viewer.me),
  )
  element.style.setProperty('--hue', hueOf(from.id))
  write(partOf(element, '.avatar'), initialOf(from.name))
  write(partOf(head, '.name'), from.name)
  have(head, inHead, 'tag', from.unproven === true)
  const quote = have(element, inMessage, 'quote', replyTo !== undefined)
  if (quote) viewer.quote(/** @type {HTMLAnchorElement} */ (quote), room, replyTo)
  writeText(partOf(said, '.text'), text, mentions, viewer)
  const mark = have(said, inSaid, 'edited', edited !== undefined)
  if (mark && edited !== undefined) mark.title = wholeFormat.format(new Date(edited))
  have(said, inSaid, 'under-way', element.classList.contains('changing'))
  writeReactions(element, reactions ?? [], viewer)
  const time = /** @type {HTMLTimeElement} */ (partOf(head, 'time'))
  if (time.dateTime === at) return
  const when = new Date(at)
  time.dateTime = at
  time.replaceChildren(
    ...timeFormat.formatToParts(when).map(({ type, value }) => (type === 'dayPeriod' ? halfOfDay(value) : value)),
  )
  time.title = wholeFormat.format(when)
}

/**
 * Where it stands among others. `day`: its name, if it is the first of it. `grouped`: right after another by the same author.
 * @param {HTMLElement} element @param {{ day: string, firstNew: boolean, grouped: boolean }} place
 */
export function writePlace(element, { day, firstNew, grouped }) {
  element.classList.toggle('grouped', grouped)
  const title = have(element, inMessage, 'day', day !== '')
  if (title) write(title, day)
  have(element, inMessage, 'new', firstNew)
}

/** What becomes of one that is being sent; null once it is a message like any other. @param {HTMLElement} element @param {Entry | null} entry */
export function writeSending(element, entry) {
  const refused = entry !== null && entry.refusal !== null
  if (entry) element.dataset['state'] = refused ? 'failed' : 'pending'
  else delete element.dataset['state']
  const state = have(element, inMessage, 'state', entry !== null)
  if (state) state.ariaLive = refused ? 'polite' : 'off'
  if (state && entry)
    write(
      state,
      entry.refusal !== null
        ? say('message.refused', { why: entry.refusal })
        : say(entry.tries > 1 ? 'message.again' : 'message.sending'),
    )
  have(element, inMessage, 'choices', refused)
}

/**
 * Puts a part in at its place, or takes it out.
 * @param {HTMLElement} whole @param {string[]} names of its parts, in their order @param {string} name @param {boolean} wanted
 * @returns {HTMLElement | undefined} the part, if it is wanted
 */
function have(whole, names, name, wanted) {
  const there = whole.querySelector(`:scope > .${name}`)
  if (!wanted) return void there?.remove()
  if (there instanceof HTMLElement) return there
  const made = /** @type {HTMLElement} */ (
    partOf(part('message-parts', HTMLTemplateElement).content, `.${name}`).cloneNode(true)
  )
  const after = names
    .slice(names.indexOf(name) + 1)
    .map((other) => whole.querySelector(`:scope > .${other}`))
    .find((other) => other !== null)
  whole.insertBefore(made, after ?? null)
  return made
}

/** @param {HTMLElement} element @param {string} text @param {string[]} mentions @param {Viewer} viewer */
function writeText(element, text, mentions, { me, nameOf }) {
  // Whom a text names the server has said. Which of its words name them is found by the names they have.
  const named = mentions.flatMap((id) => {
    const name = id === 'room' ? id : nameOf(id)
    return name === undefined
      ? []
      : [/** @type {const} */ ([foldName(name), id === me || id === 'room' ? 'me' : 'other'])]
  })
  const source = JSON.stringify([text, named])
  if (written.get(element) === source) return
  written.set(element, source)
  const who = new Map(named)
  element.replaceChildren(...format(text, named.length > 0 ? { mention: (name) => who.get(foldName(name)) } : {}))
}

/** @param {HTMLElement} element @param {Reactions[]} reactions @param {Viewer} viewer */
function writeReactions(element, reactions, viewer) {
  const focused = document.activeElement
  const hadFocus = focused !== null && element.querySelector('.reactions')?.contains(focused) === true
  const list = have(element, inMessage, 'reactions', reactions.length > 0)
  const gone = new Map([...(list?.querySelectorAll('button') ?? [])].map((button) => [button.value, button]))
  for (const reaction of reactions) {
    const { emoji, count, me } = reaction
    const button = gone.get(emoji) ?? makePill(emoji)
    if (!gone.delete(emoji)) list?.append(button)
    button.disabled = !viewer.mayReact
    button.ariaPressed = String(me)
    button.ariaLabel = `${emoji} ${count}`
    button.title = namesOf(reaction, viewer)
    write(partOf(button, '.count'), String(count))
  }
  for (const button of gone.values()) button.remove()
  if (hadFocus && !focused.isConnected) (list?.querySelector('button') ?? element).focus()
}

/** Who they are: the first of them, and whoever reads. @param {Reactions} reaction @param {Viewer} viewer */
function namesOf({ count, me, from }, viewer) {
  const known = from.map(({ id, name }) => (id === viewer.me ? say('role.you') : (viewer.nameOf(id) ?? name)))
  const names = me && !from.some(({ id }) => id === viewer.me) ? [say('role.you'), ...known] : known
  if (names.length === 0) return ''
  const others = count - names.length
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

/** @param {ParentNode} element @param {string} selector */
function partOf(element, selector) {
  return /** @type {HTMLElement} */ (element.querySelector(selector)) // all in the templates
}

/** @param {string} value AM or PM, which can be left out where there is no room for it */
function halfOfDay(value) {
  const half = document.createElement('span')
  half.className = 'half'
  half.textContent = value
  return half
}
