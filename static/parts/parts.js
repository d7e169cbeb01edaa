// @ts-check
// The parts of index.html, found by their ids, and how its forms and buttons work: one request at a time, and a problem
// told where it arose. Knows nothing of what they are for.

import { Refusal } from './api.js'

const sureMs = 4_000 // how long a button that asks "sure?" waits for the second click

/**
 * @template {HTMLElement} T
 * @param {string} id @param {new () => T} kind
 * @returns {T}
 */
export function part(id, kind) {
  const element = document.getElementById(id)
  if (!(element instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`)
  return element
}

/**
 * @template {Element} T
 * @param {ParentNode} whole @param {string} selector @param {new () => T} kind
 * @returns {T}
 */
export function within(whole, selector, kind) {
  const element = whole.querySelector(selector)
  if (!(element instanceof kind)) throw new Error(`index.html has no ${kind.name} at ${selector}`)
  return element
}

/** Says what went wrong. @param {HTMLElement} place @param {unknown} error */
export function tell(place, error) {
  place.textContent = error instanceof Error ? error.message : ''
  place.hidden = false
}

/** Takes back what was said of an earlier try. @param {HTMLElement} whole */
export function untell(whole) {
  for (const place of whole.querySelectorAll('.problem')) place.toggleAttribute('hidden', true)
  for (const field of whole.querySelectorAll('input')) field.ariaInvalid = null
}

/**
 * A form: what is to be done with the texts of its fields. Problems are told at its `.problem`, and fields are emptied
 * once it is done.
 * @param {HTMLFormElement} form
 * @param {(texts: Record<string, string>) => Promise<void>} work
 * @param {(error: unknown) => void} [failed]
 */
export function onSubmit(form, work, failed) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (form.ariaBusy === 'true') return
    untell(form)
    const fields = [...form.querySelectorAll('input')].filter((field) => field.name !== '' && field.checkVisibility())
    const texts = Object.fromEntries(
      fields.map((field) => [field.name, field.type === 'checkbox' ? String(field.checked) : field.value]),
    )
    const empty = fields.find((field) => field.required && field.value.trim() === '')
    if (empty) {
      empty.focus()
      return
    }
    form.ariaBusy = 'true'
    try {
      await work(texts)
      for (const field of fields) field.value = field.type === 'checkbox' ? field.value : field.defaultValue
    } catch (error) {
      tell(within(form, '.problem', HTMLElement), error)
      const secrets = fields.filter((field) => field.type === 'password')
      const wrong =
        error instanceof Refusal && ['invalid_password', 'unauthorized'].includes(error.code) ? secrets[0] : fields[0]
      if (wrong) wrong.ariaInvalid = 'true'
      wrong?.focus()
      failed?.(error)
    }
    form.ariaBusy = null
  })
}

/**
 * A button that does something at once. `sure`: what it says before it does, if it should ask first.
 * @param {HTMLButtonElement} button @param {HTMLElement} problem
 * @param {() => Promise<void>} work
 * @param {{ sure?: string | (() => string), failed?: (error: unknown) => void }} [options]
 */
export function onClick(button, problem, work, { sure, failed } = {}) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting
  let words = ''
  const calm = () => {
    if (waiting === undefined) return
    clearTimeout(waiting)
    waiting = undefined
    button.textContent = words
    button.classList.remove('sure')
  }
  button.addEventListener('blur', calm)
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return
    problem.hidden = true
    if (sure !== undefined && waiting === undefined) {
      words = button.textContent ?? ''
      button.textContent = typeof sure === 'string' ? sure : sure()
      button.classList.add('sure')
      waiting = setTimeout(calm, sureMs)
      return
    }
    calm()
    button.ariaBusy = 'true' // and not disabled, which would take the focus away
    try {
      await work()
    } catch (error) {
      tell(problem, error)
      failed?.(error)
    }
    button.ariaBusy = null
  })
}

/**
 * An item of a list in a dialog: what it is, a note on it, and perhaps a button that does something with it.
 * @param {string} title @param {string} note @param {string} does empty: no button
 */
export function listed(title, note, does) {
  const item = document.createElement('li')
  const words = document.createElement('span')
  const name = document.createElement('strong')
  const small = document.createElement('small')
  name.textContent = title
  name.dir = 'auto'
  small.textContent = note
  words.append(name, small)
  item.append(words)
  if (does === '') return { item }
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'plain'
  button.textContent = does
  item.append(button)
  return { item, button }
}

/**
 * A module that is not needed from the start. If it can't be had, the server may be of another version by now, which has other files: this
 * one is gone as well, and reload.js loads the page again. Or there is no network, which the page says.
 * @template Module
 * @param {() => Promise<Module>} load
 */
export async function later(load) {
  try {
    return await load()
  } catch (error) {
    const answer = await fetch(new URL('../chat.js', import.meta.url), { method: 'HEAD', cache: 'no-store' }).catch(
      () => null,
    )
    document.dispatchEvent(new Event(answer?.status === 404 ? 'missing' : 'unreachable'))
    throw error
  }
}

/** Closes whatever is open above the page: it may show what whoever looks at the page now shall not see. */
export function closeAll() {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close()
  for (const open of document.querySelectorAll('[popover]:popover-open'))
    if (open instanceof HTMLElement) open.hidePopover()
}

/** Opens a dialog, and closes the drawer that it was opened from. @param {HTMLDialogElement} dialog */
export function openDialog(dialog) {
  const drawer = document.querySelector('[popover]:popover-open')
  if (drawer instanceof HTMLElement) drawer.hidePopover()
  if (!dialog.open) dialog.showModal()
}
