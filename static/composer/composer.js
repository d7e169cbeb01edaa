// @ts-check
// Where one writes: a field that grows with its text, one draft a room, how long a message may be, and what is answered or changed by
// it. What becomes of the text is the caller's business.

/** @import { Draft } from './drafts.js' */

import { later, part } from '../parts/parts.js'
import { say } from '../words/words.js'

const textLengthMax = 4_000 // in code points, as the server counts
const lengthWarning = 200 // how much may be left before the page says so

export class Composer {
  #room = ''
  /** @type {Set<string>} the rooms in which a change is being saved */
  #saving = new Set()
  /** @type {import('./completion.js').Completion | undefined} from when one first writes */
  #completion
  #drafts
  #quotes
  #people
  #form = part('composer', HTMLFormElement)
  #field = part('text', HTMLTextAreaElement)
  #send = part('send', HTMLButtonElement)
  #on

  /**
   * @param {{ drafts: import('./drafts.js').Drafts, quotes: import('../log/quotes.js').Quotes, people: import('../people/room-people.js').RoomPeople }} parts
   *   `people`: who may be named
   * @param {{ written: (text: string, replyTo: string | undefined) => void, changed: (id: string, text: string) => Promise<boolean>,
   *   emptied: (id: string) => void, editLast: () => void, editing: (id: string | undefined) => void }} on
   *   `changed`: resolves with whether it is saved. `emptied`: a message was changed to nothing. `editing`: this one is being changed
   */
  constructor({ drafts, quotes, people }, on) {
    this.#drafts = drafts
    this.#quotes = quotes
    this.#people = people
    this.#on = on
    this.#field.addEventListener('focus', () => void this.#complete())
    this.#field.addEventListener('input', () => {
      this.#note()
      this.fit()
    })
    this.#field.addEventListener('keydown', (event) => {
      // While an input method is composing, keys choose a word. Safari says so by the key code only.
      if (event.isComposing || event.keyCode === 229) return
      if (this.#pressed(event)) event.preventDefault()
    })
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#submit()
    })
    part('about-cancel', HTMLButtonElement).addEventListener('click', () => {
      this.cancel()
      this.focus()
    })
  }

  /** Puts the draft of one room away and takes out that of another. @param {string} room */
  switchTo(room) {
    this.#room = room
    this.refresh()
  }

  /** Answers a message from now on, keeping what was written so far. @param {string} id */
  reply(id) {
    this.#put({ text: this.#draft.text, replyTo: id })
    this.focus()
  }

  /** Changes a message from now on; what was written so far comes back after that. @param {{ id: string, text: string }} message */
  edit({ id, text }) {
    if (this.#saving.has(this.#room)) return
    this.#put({ ...this.#draft, edit: { id, text } })
    this.focus()
    this.#field.setSelectionRange(text.length, text.length)
  }

  /** Of what the message is about, the last that was chosen. @returns {boolean} whether there was such a thing */
  cancel() {
    const { text, replyTo, edit } = this.#draft
    if (!edit && replyTo === undefined) return false
    this.#put(edit && replyTo !== undefined ? { text, replyTo } : { text })
    return true
  }

  /** That message needs no change any more: it is saved, or gone. @param {string} room @param {string} id */
  endEdit(room, id) {
    const { edit, ...draft } = this.#drafts.of(room)
    if (edit?.id !== id) return
    this.#drafts.put(room, draft)
    if (room === this.#room) this.refresh()
  }

  /** Writes the draft of this room into the field. */
  refresh() {
    const { text, replyTo, edit } = this.#draft
    this.#field.value = edit ? edit.text : text
    part('about', HTMLElement).hidden = !edit && replyTo === undefined
    part('about-what', HTMLElement).textContent = edit
      ? say('composer.editing')
      : replyTo === undefined
        ? ''
        : say('composer.replying')
    this.#quotes.write(part('about-quote', HTMLAnchorElement), this.#room, edit ? undefined : replyTo)
    this.#on.editing(edit?.id)
    this.#send.title = this.#send.ariaLabel = say(edit ? 'composer.save' : 'composer.send')
    this.#completion?.renew()
    this.fit()
  }

  /** More people may be named than before. */
  peopleChanged() {
    this.#completion?.update()
  }

  /** @param {boolean} shown */
  show(shown) {
    this.#form.hidden = !shown
    if (shown) this.fit()
  }

  focus() {
    this.#field.focus()
  }

  fit() {
    const field = this.#field
    const left = part('text-left', HTMLElement)
    field.style.height = 'auto'
    field.style.height = `${field.scrollHeight}px`
    const text = tidied(field.value)
    const rest = textLengthMax - lengthOf(text)
    const words =
      rest > lengthWarning
        ? ''
        : rest >= 0
          ? say('composer.left', { count: rest })
          : say('composer.over', { count: -rest })
    if (left.textContent !== words) left.textContent = words
    left.classList.toggle('problem', rest < 0)
    field.ariaInvalid = rest < 0 ? 'true' : null
    field.readOnly = this.#saving.has(this.#room)
    this.#form.ariaBusy = field.readOnly ? 'true' : null
    this.#send.disabled = rest < 0 || (text === '' && !this.#draft.edit)
  }

  get #draft() {
    return this.#drafts.of(this.#room)
  }

  /** @param {Draft} draft */
  #put(draft) {
    this.#drafts.put(this.#room, draft)
    this.refresh()
  }

  /** What stands in the field is the draft. */
  #note() {
    const { value } = this.#field
    const { edit, ...draft } = this.#draft
    this.#drafts.put(this.#room, edit ? { ...draft, edit: { id: edit.id, text: value } } : { ...draft, text: value })
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether that key has done something */
  #pressed({ key, shiftKey, ctrlKey, altKey, metaKey }) {
    if (key === 'Enter' && !shiftKey) {
      void this.#submit()
      return true
    }
    if (shiftKey || ctrlKey || altKey || metaKey) return false
    if (key === 'Escape') return this.cancel()
    if (key !== 'ArrowUp' || this.#field.value !== '' || this.#draft.edit) return false
    this.#on.editLast()
    return true
  }

  async #complete() {
    if (this.#completion) return
    const { Completion } = await later(() => import('./completion.js'))
    if (this.#completion) return // the focus went and came meanwhile
    this.#completion = new Completion(this.#field, () => this.#people.in(this.#room))
    this.#completion.update() // somebody may have begun a word already
  }

  async #submit() {
    const text = tidied(this.#field.value)
    const { replyTo, edit } = this.#draft
    if (lengthOf(text) > textLengthMax || this.#saving.has(this.#room)) return
    if (edit) return this.#save(edit.id, text)
    if (text === '') return
    this.#put({ text: '' })
    this.focus()
    this.#on.written(text, replyTo)
  }

  /** @param {string} id @param {string} text */
  async #save(id, text) {
    if (text === '') return this.#on.emptied(id)
    const room = this.#room
    this.#saving.add(room)
    this.fit()
    const saved = await this.#on.changed(id, text)
    this.#saving.delete(room)
    if (saved) this.endEdit(room, id)
    else if (room === this.#room) this.fit()
  }
}

/** @param {string} text */
function lengthOf(text) {
  return [...text].length
}

/**
 * The text as the server will keep it, so that the message on the stream is recognised as the one that was sent.
 * @param {string} typed
 */
function tidied(typed) {
  // Half a surrogate pair can be pasted; as UTF-8 it could not be sent.
  const whole = typed.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD')
  // Not by an expression such as \s+$, which tries each of a hundred thousand spaces in the middle up to their end.
  return whole
    .replace(/\r\n?/g, '\n')
    .replace(/[\0-\x08\x0b-\x1f]/g, '')
    .normalize('NFC')
    .replace(/^\n+/, '')
    .trimEnd()
}
