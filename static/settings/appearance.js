// @ts-check
// How the page looks and which language it speaks, in the settings: chosen for this browser. theme.js follows what is chosen of the looks.

import { keep, kept } from '../state/kept.js'
import { choose, chosen } from '../words/words.js'

/** @type {WeakSet<HTMLElement>} those that do what is chosen */
const ready = new WeakSet()

/** Shows what is chosen. @param {HTMLElement} whole */
export function showAppearance(whole) {
  if (!ready.has(whole)) listen(whole)
  for (const radio of whole.querySelectorAll('input')) radio.checked = radio.value === kept(radio.name)
  const language = chosen() ?? ''
  for (const button of whole.querySelectorAll('button')) button.ariaPressed = String(button.value === language)
}

/** @param {HTMLElement} whole */
function listen(whole) {
  ready.add(whole)
  // Whoever looks for their language knows it by its own name.
  for (const name of whole.querySelectorAll('bdi'))
    name.textContent =
      new Intl.DisplayNames(name.lang, { type: 'language' }).of(name.lang === 'zh-CN' ? 'zh-Hans' : name.lang) ?? ''
  whole.addEventListener('change', ({ target }) => {
    if (target instanceof HTMLInputElement) keep(target.name, target.value)
  })
  // Buttons, and no radios: going through them by keyboard must not load the page anew each time.
  whole.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null
    if (button && button.ariaPressed !== 'true')
      choose(button.value === 'en' || button.value === 'zh' ? button.value : undefined)
  })
}
