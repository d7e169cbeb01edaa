// @ts-check
// Notifications, in the settings: whether this browser notifies, why it does not, and the button that turns them on. Only a click on
// it asks for the permission. What a room notifies of is chosen where its people are.

import { keep, kept } from '../state/kept.js'
import { notify, obstacle } from '../state/notifier.js'
import { part } from '../parts/parts.js'
import { say } from '../words/words.js'

export class NotificationSettings {
  #state = part('notifications-state', HTMLElement)
  #turn = part('notifications-turn', HTMLButtonElement)
  #impossible = false

  constructor() {
    this.#turn.addEventListener('click', () => void (this.#isOn ? this.#turnOff() : this.#turnOn()))
  }

  /** How things stand. */
  show() {
    // Without the permission nothing is shown by it, but Chrome on Android tells that it has none of these at all.
    if (obstacle() === '' && Notification.permission === 'default') this.#impossible = notify('') === null
    const why = this.#impossible ? 'missing' : obstacle()
    this.#state.textContent = say(
      why === ''
        ? this.#isOn
          ? 'notifications.on'
          : 'notifications.off'
        : why === 'insecure'
          ? 'notifications.insecure'
          : why === 'denied'
            ? 'notifications.denied'
            : 'notifications.missing',
    )
    this.#turn.hidden = why !== ''
    this.#turn.textContent = say(this.#isOn ? 'notifications.turn_off' : 'notifications.turn_on')
  }

  get #isOn() {
    return obstacle() === '' && kept('notifications') === 'on' && Notification.permission === 'granted'
  }

  async #turnOn() {
    const permission = await Notification.requestPermission()
    // The first one shows what they look like here, and whether there are any.
    if (permission === 'granted') this.#impossible = notify(say('notifications.on'), { tag: 'first' }) === null
    if (permission === 'granted' && !this.#impossible) keep('notifications', 'on')
    this.show()
  }

  #turnOff() {
    keep('notifications', '')
    this.show()
  }
}
