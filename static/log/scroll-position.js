// @ts-check
// Where one has scrolled to among the messages: at the end, where one stays when more come, or further up, where nothing may move.
// Asks for more messages near the first and the last that are shown. Does not know what a message is.

import { part } from '../parts/parts.js'

const nearEnd = 60 // pixels from the end that still count as being at it
const nearEdge = 800 // pixels from the start or the end at which more messages are asked for

export class ScrollPosition {
  #older = false
  #newer = false
  #following = true
  #lastTop = 0
  #scroller = part('log', HTMLElement)
  #on

  /** @param {{ more: (side: 'older' | 'newer') => void, followed: () => void }} on `followed`: one has come to the end, or has left it */
  constructor(on) {
    this.#on = on
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    // Whatever changes the height (a message, the keyboard of a phone, a longer draft): who was at the end stays there.
    const sizes = new ResizeObserver(() => {
      if (this.#following) this.stick()
    })
    sizes.observe(this.#scroller)
    sizes.observe(part('messages', HTMLElement))
  }

  /** Is whoever reads at the end, and stays there when something comes? */
  get following() {
    return this.#following
  }

  /** Are there messages before the first that is shown? */
  get older() {
    return this.#older
  }

  /** Are there messages after the last that is shown? Then its end is not the end. */
  get newer() {
    return this.#newer
  }

  /** Another room, or the same one afresh. */
  begin() {
    this.#older = this.#newer = false
    this.#following = true
  }

  /** @param {{ older: boolean, newer: boolean }} more are there such messages beside those that are shown? */
  bound({ older, newer }) {
    this.#older = older
    this.#newer = newer
    if (newer) this.#following = false
  }

  toEnd() {
    this.#following = true
    this.stick()
  }

  /** Scrolls down to the end. */
  stick() {
    this.move(this.#scroller.scrollHeight)
  }

  /** Scrolls down, or up if it is negative. @param {number} pixels */
  move(pixels) {
    this.#scroller.scrollTop += Math.round(pixels) // a browser may cut off a fraction, and after many pages that would show
    this.#lastTop = this.#scroller.scrollTop
  }

  /** Leaves the end, to bring this into the middle. @param {HTMLElement} element */
  reveal(element) {
    this.#following = false
    element.scrollIntoView({ block: 'center' })
    this.#lastTop = this.#scroller.scrollTop
  }

  askForMore() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller
    if (this.#older && scrollTop < nearEdge) this.#on.more('older')
    if (this.#newer && scrollHeight - scrollTop - clientHeight < nearEdge) this.#on.more('newer')
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller
    const was = this.#following
    // Growing at the end also moves the end away. Only who moves up has left it.
    if (scrollHeight - scrollTop - clientHeight < nearEnd) this.#following = !this.#newer
    else if (scrollTop < this.#lastTop) this.#following = false
    this.#lastTop = scrollTop
    if (was !== this.#following) this.#on.followed()
    this.askForMore()
  }
}
