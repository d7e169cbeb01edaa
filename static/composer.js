// @ts-check
// Where one writes: a field that grows with its text, one draft a room, and how long a message may be. What becomes of the
// text is the caller's business.

import { Completion } from './completion.js'
import { say } from './words.js'

const textLengthMax = 4_000 // in code points, as the server counts
const lengthWarning = 200 // how much may be left before the page says so

export class Composer {
  /** @type {Map<string, string>} what was typed and not sent, by room */
  #drafts = new Map()
  #room = ''
  #completion
  #parts

  /**
   * @param {{ form: HTMLFormElement, field: HTMLTextAreaElement, send: HTMLButtonElement, left: HTMLElement }} parts
   * @param {(text: string) => void} written
   * @param {() => Iterable<import('./completion.js').Somebody>} people who may be named
   */
  constructor(parts, written, people) {
    this.#parts = parts
    this.#completion = new Completion(parts.field, { people })
    const submit = () => {
      const text = tidied(parts.field.value)
      if (text === '' || lengthOf(text) > textLengthMax) return
      parts.field.value = ''
      this.#completion.update()
      this.fit()
      this.focus()
      written(text)
    }
    parts.field.addEventListener('input', () => this.fit())
    parts.field.addEventListener('keydown', (event) => {
      // While an input method is composing, Enter chooses a word. Safari says so by the key code only.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return
      event.preventDefault()
      submit()
    })
    parts.form.addEventListener('submit', (event) => {
      event.preventDefault()
      submit()
    })
  }

  /** Puts the draft of one room away and takes out that of another. @param {string} room */
  switchTo(room) {
    const { field } = this.#parts
    if (field.value === '') this.#drafts.delete(this.#room)
    else this.#drafts.set(this.#room, field.value)
    this.#room = room
    field.value = this.#drafts.get(room) ?? ''
    this.#completion.update()
    this.fit()
  }

  /** More people may be named than before. */
  peopleChanged() {
    this.#completion.update()
  }

  /** @param {boolean} shown */
  show(shown) {
    this.#parts.form.hidden = !shown
    if (shown) this.fit()
  }

  focus() {
    this.#parts.field.focus()
  }

  fit() {
    const { field, left, send } = this.#parts
    field.style.height = 'auto'
    field.style.height = `${field.scrollHeight}px`
    const text = tidied(field.value)
    const rest = textLengthMax - lengthOf(text)
    const words = rest > lengthWarning ? '' : rest >= 0 ? say('composer.left', { count: rest }) : say('composer.over', { count: -rest })
    if (left.textContent !== words) left.textContent = words
    left.classList.toggle('problem', rest < 0)
    field.ariaInvalid = rest < 0 ? 'true' : null
    send.disabled = text === '' || rest < 0
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
  return whole.replace(/\r\n?/g, '\n').replace(/[\0-\x08\x0b-\x1f]/g, '').normalize('NFC').replace(/^\n+|\s+$/g, '')
}
