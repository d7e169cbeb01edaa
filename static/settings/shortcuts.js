// @ts-check
// Keys that work wherever one is on the page: to the next room, to the next with something new, and to the list of all keys.

import { later } from '../parts/parts.js'

const onMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** @param {{ walk: (step: 1 | -1, options: { unread: boolean }) => void }} on `walk`: to the room before or after this one */
export function listenForShortcuts({ walk }) {
  document.addEventListener('keydown', (event) => {
    const { key, altKey, shiftKey, ctrlKey, metaKey, target } = event
    // While an input method is composing, all keys are its own. Safari says so by the key code only.
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || ctrlKey || metaKey) return
    if (document.querySelector('dialog[open]')) return
    const field = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement ? target : null
    if (key === '?' && !altKey && !field) {
      event.preventDefault()
      void showShortcuts()
    }
    if (!altKey || (key !== 'ArrowUp' && key !== 'ArrowDown')) return
    // On a Mac these go from paragraph to paragraph; elsewhere they do nothing in a field.
    if (onMac && field && field.value !== '') return
    event.preventDefault()
    walk(key === 'ArrowUp' ? -1 : 1, { unread: shiftKey })
  })
}

/** The list of all of them. */
export async function showShortcuts() {
  const { showList } = await later(() => import('./shortcut-list.js'))
  showList(onMac)
}
