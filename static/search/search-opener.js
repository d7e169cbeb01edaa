// @ts-check
// Opens the search by its button, Ctrl+K or /, and fetches it for that: most visits do without. Knows nothing of how one searches.

import { later, part } from '../parts/parts.js'

export class SearchOpener {
  /** @type {Promise<import('./search.js').Search> | undefined} */
  #search
  #on

  /**
   * @param {{ may: () => boolean, room: () => import('../../lib/chat/streams/events.ts').Room | undefined, nameOf: (room: string) => string, failed: (error: unknown) => void }} on
   *   `may`: is there something to search now? `room`: the one that may be searched by itself.
   */
  constructor(on) {
    this.#on = on
    part('search-open', HTMLButtonElement).addEventListener('click', () => void this.#open())
    document.addEventListener('keydown', (event) => {
      if (!isCall(event)) return
      event.preventDefault()
      void this.#open()
    })
  }

  /** Somebody else is at the page: what was found is not for them. */
  clear() {
    void this.#search?.then((search) => search.clear())
  }

  async #open() {
    if (!this.#on.may() || document.querySelector('dialog[open]')) return
    const { nameOf, failed } = this.#on
    this.#search ??= later(() => import('./search.js')).then(({ Search }) => new Search({ nameOf, failed }))
    try {
      const search = await this.#search
      search.open(this.#on.room())
    } catch {
      this.#search = undefined // it could not be fetched, and may be the next time
    }
  }
}

/** @param {KeyboardEvent} event */
function isCall({ key, target, ctrlKey, metaKey, altKey, shiftKey, isComposing, keyCode }) {
  if (isComposing || keyCode === 229 || altKey) return false
  if (ctrlKey !== metaKey) return key.toLowerCase() === 'k' && !shiftKey
  const writing =
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  return key === '/' && !ctrlKey && !writing
}
