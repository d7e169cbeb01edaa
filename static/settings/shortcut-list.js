// @ts-check
// The list of all shortcuts of the page, as a dialog.

import { openDialog, part, within } from '../parts/parts.js'
import { say } from '../words/words.js'

/** What is pressed, by the keys' names as in `aria-keyshortcuts`, and what it does. Several sets of keys do the same. @type {[keys: string[], does: string][]} */
const shortcuts = [
  [['Enter'], 'shortcuts.send'],
  [['Shift+Enter'], 'shortcuts.line'],
  [['ArrowUp'], 'shortcuts.edit'],
  [['Escape'], 'shortcuts.escape'],
  [['Ctrl+K'], 'shortcuts.search'],
  [['Alt+ArrowUp', 'Alt+ArrowDown'], 'shortcuts.rooms'],
  [['Alt+Shift+ArrowUp', 'Alt+Shift+ArrowDown'], 'shortcuts.unread'],
  [['?'], 'shortcuts.list'],
]

/** As they are written on the keys. @type {Record<string, string>} */
const signs = { ArrowUp: '↑', ArrowDown: '↓' }
/** @type {Record<string, string>} */
const macSigns = { ...signs, Alt: '⌥', Shift: '⇧', Ctrl: '⌘' }

/** @param {boolean} onMac */
export function showList(onMac) {
  const dialog = part('shortcuts', HTMLDialogElement)
  within(dialog, 'dl', HTMLElement).replaceChildren(
    ...shortcuts.map(([keys, does]) => {
      const row = document.createElement('div')
      const name = document.createElement('dt')
      const pressed = document.createElement('dd')
      name.textContent = say(does)
      for (const combination of keys) {
        const whole = document.createElement('span')
        whole.append(
          ...combination.split('+').map((key) => {
            const element = document.createElement('kbd')
            element.textContent = (onMac ? macSigns : signs)[key] ?? key
            return element
          }),
        )
        pressed.append(whole)
      }
      row.append(name, pressed)
      return row
    }),
  )
  openDialog(dialog)
}
