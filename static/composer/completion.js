// @ts-check
// While one types @ and the beginning of a name, or : and that of an emoji, offers what it may become. The focus stays in the
// text: https://www.w3.org/WAI/ARIA/apg/patterns/combobox/

/** @typedef {{ id: string, name: string, here?: boolean }} Somebody */
/** @typedef {{ text: string, label: string, mark: string, who?: Somebody }} Choice `text` is what is put in */

import { foldName, mentionAtEndOf } from './mentions.js'
import { later } from '../parts/parts.js'
import { hueOf, initialOf } from '../people/person.js'
import { say } from '../words/words.js'

const choicesMax = 8
const everyone = 'room' // as the server reads it
// A colon within a word or a time begins none.
const emojiTyped = /(?<![\p{L}\p{N}:]):([a-z][a-z-]+|\p{Script=Han}+)$/u

export class Completion {
  #field
  #people
  #list = document.createElement('ul')
  /** @type {Choice[]} */
  #choices = []
  #active = -1
  #start = 0
  /** @type {typeof import('../log/emoji.js').findEmoji | undefined} asked for when somebody first looks for one */
  #findEmoji
  #dismissedAt = -1 // where a word begins that nothing shall be offered for

  /** @param {HTMLTextAreaElement} field @param {() => Iterable<Somebody>} people who may be named */
  constructor(field, people) {
    this.#field = field
    this.#people = people
    this.#list.id = 'completion'
    this.#list.className = 'completion'
    this.#list.role = 'listbox'
    this.#list.ariaLabel = say('completion.label')
    this.#list.hidden = true
    // A field of several lines may not be called a combobox.
    field.setAttribute('aria-autocomplete', 'list')
    field.ariaHasPopup = 'listbox'
    field.parentElement?.append(this.#list)

    // Before the field's other listeners: while something is offered, Enter takes it and does not send.
    field.addEventListener('keydown', (event) => this.#pressed(event), { capture: true })
    field.addEventListener('input', (event) => {
      // What an input method has not settled yet is no word.
      if (!(event instanceof InputEvent && event.isComposing)) this.update()
    })
    field.addEventListener('compositionend', () => this.update())
    field.addEventListener('click', () => this.update())
    field.addEventListener('keyup', ({ key }) => {
      if (['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(key)) this.update()
    })
    field.addEventListener('blur', () => this.#close())
    this.#list.addEventListener('pointerdown', (event) => event.preventDefault()) // the focus stays where it is
    this.#list.addEventListener('click', (event) => {
      const option = event.target instanceof Element ? event.target.closest('li') : null
      if (option) this.#take([...this.#list.children].indexOf(option))
    })
  }

  /** The text is another now, or there are other people to choose from. */
  update() {
    const { selectionStart: end, selectionEnd, value } = this.#field
    const typed = end === selectionEnd && document.activeElement === this.#field ? value.slice(0, end) : ''
    const { start, choices, sure } = this.#offered(typed)
    if (start !== this.#dismissedAt) this.#dismissedAt = -1
    if (choices.length === 0 || start === this.#dismissedAt) return this.#close()
    this.#start = start
    this.#choices = choices
    this.#list.replaceChildren(...choices.map(makeOption))
    this.#list.hidden = false
    this.#field.setAttribute('aria-controls', this.#list.id)
    this.#mark(sure ? 0 : -1)
  }

  /** The text is another one, which nobody has typed just now: nothing is offered before they do. */
  renew() {
    this.#dismissedAt = -1
    this.#close()
  }

  /** @param {string} typed up to where one writes @returns {{ start: number, choices: Choice[], sure: boolean }} */
  #offered(typed) {
    const mention = mentionAtEndOf(typed)
    // After a space it may be the rest of a name or of the sentence: Enter shall send, unless one has chosen.
    const people = mention ? this.#peopleNamed(mention.name) : []
    if (mention && people.length > 0) return { start: mention.start, choices: people, sure: !/\s$/.test(mention.name) }
    const emoji = emojiTyped.exec(typed)
    if (emoji && !this.#findEmoji) void this.#askForEmoji()
    const found = emoji ? (this.#findEmoji?.(emoji[1] ?? '', choicesMax) ?? []) : []
    return {
      start: emoji?.index ?? -1,
      choices: found.map(({ emoji: text, names }) => ({ text, label: names[0] ?? '', mark: text })),
      sure: true,
    }
  }

  async #askForEmoji() {
    this.#findEmoji = (await later(() => import('../log/emoji.js'))).findEmoji
    this.update()
  }

  /** @param {string} typed @returns {Choice[]} */
  #peopleNamed(typed) {
    const wanted = foldName(typed)
    const rank = (/** @type {string} */ name) => {
      const folded = foldName(name)
      return folded.startsWith(wanted) ? 0 : folded.split(/[\s._-]+/).some((word) => word.startsWith(wanted)) ? 1 : 2
    }
    const people = [...this.#people()].map((who) => ({ who, rank: rank(who.name) })).filter((one) => one.rank < 2)
    people.sort(
      (one, other) =>
        Number(other.who.here ?? false) - Number(one.who.here ?? false) ||
        one.rank - other.rank ||
        one.who.name.localeCompare(other.who.name),
    )
    const choices = people.map(({ who }) => ({ text: `@${who.name}`, label: who.name, mark: initialOf(who.name), who }))
    const meaning = say('completion.everyone')
    const all = everyone.startsWith(wanted)
      ? [{ text: `@${everyone}`, label: `@${everyone} · ${meaning}`, mark: '@' }]
      : []
    // Everyone comes last, so that nobody calls them by a slip.
    return [...choices.slice(0, choicesMax - all.length), ...all]
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (
      this.#list.hidden ||
      event.isComposing ||
      event.keyCode === 229 ||
      event.shiftKey ||
      event.ctrlKey ||
      event.altKey ||
      event.metaKey
    )
      return
    const { length } = this.#choices
    if (event.key === 'ArrowDown') this.#mark((this.#active + 1) % length)
    else if (event.key === 'ArrowUp') this.#mark((Math.max(this.#active, 0) + length - 1) % length)
    else if ((event.key === 'Enter' || event.key === 'Tab') && this.#active >= 0) this.#take(this.#active)
    else if (event.key === 'Escape') this.#dismiss()
    else return
    event.preventDefault()
    event.stopImmediatePropagation()
  }

  /** @param {number} index */
  #take(index) {
    const choice = this.#choices[index]
    if (!choice) return
    const { selectionStart: end, value } = this.#field
    const space = value[end] === ' ' ? '' : ' '
    this.#field.setRangeText(choice.text + space, this.#start, end, 'end')
    this.#dismiss()
    this.#field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertReplacementText' }))
  }

  #dismiss() {
    this.#dismissedAt = this.#start
    this.#close()
  }

  #close() {
    if (this.#list.hidden) return
    this.#list.hidden = true
    this.#choices = []
    this.#active = -1
    for (const name of ['aria-controls', 'aria-activedescendant']) this.#field.removeAttribute(name)
  }

  /** @param {number} index */
  #mark(index) {
    this.#active = index
    for (const [at, option] of [...this.#list.children].entries()) option.ariaSelected = String(at === index)
    const active = this.#list.children[index]
    if (active) this.#field.setAttribute('aria-activedescendant', active.id)
    else this.#field.removeAttribute('aria-activedescendant')
    active?.scrollIntoView({ block: 'nearest' })
  }
}

/** @param {Choice} choice @param {number} index */
function makeOption({ label, mark, who }, index) {
  const option = document.createElement('li')
  const avatar = document.createElement('span')
  const name = document.createElement('bdi')
  option.id = `completion-${index}`
  option.role = 'option'
  avatar.ariaHidden = 'true'
  avatar.className = who ? 'avatar' : 'sign'
  avatar.textContent = mark
  name.textContent = label
  if (who) option.style.setProperty('--hue', hueOf(who.id))
  option.append(avatar, name)
  if (who?.here) {
    const here = document.createElement('small')
    here.textContent = say('presence.here')
    option.append(here)
  }
  return option
}
