// @ts-check
// A line that tells of something that has happened to whoever is at the page, and goes again by itself.

const shownMs = 8_000

export class Notice {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #going
  /** @type {EventTarget | null} who had the focus before the button got it */
  #before = null
  #place

  /** @param {HTMLElement} place holds a paragraph and a button that closes it */
  constructor(place) {
    this.#place = place
    place.addEventListener('focusin', ({ relatedTarget }) => {
      if (!place.contains(/** @type {Node | null} */ (relatedTarget))) this.#before = relatedTarget
    })
    place.querySelector('button')?.addEventListener('click', () => this.hide())
  }

  /** @param {string} words */
  say(words) {
    this.#place.hidden = false
    this.#place.querySelector('p')?.replaceChildren(words)
    clearTimeout(this.#going)
    this.#going = setTimeout(() => this.hide(), shownMs)
  }

  hide() {
    const focused = this.#place.contains(document.activeElement)
    this.#place.hidden = true
    if (focused && this.#before instanceof HTMLElement) this.#before.focus()
  }
}
