// @ts-check
// A line that tells of something that has happened to whoever is at the page, and goes again by itself.

const shownMs = 8_000

export class Notice {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #going
  #place

  /** @param {HTMLElement} place holds a paragraph and a button that closes it */
  constructor(place) {
    this.#place = place
    place.querySelector('button')?.addEventListener('click', () => {
      place.hidden = true
    })
  }

  /** @param {string} words */
  say(words) {
    this.#place.hidden = false
    this.#place.querySelector('p')?.replaceChildren(words)
    clearTimeout(this.#going)
    this.#going = setTimeout(() => {
      this.#place.hidden = true
    }, shownMs)
  }
}
