// @ts-check
// What the page says, in the language of whoever reads it: texts from en.json or zh.json, dates and numbers by Intl. Every
// text that a person reads comes from here; elements of index.html name theirs by data-say. Knows nothing of what it is for.
//
// It asks for the texts as soon as it runs. chat.js waits for them (`sayPage`) before it makes any part, and so no part has to.

import { scope } from '../parts/address.js'

/** @typedef {'en' | 'zh'} Language */
/** @typedef {Partial<Record<Intl.LDMLPluralRule, string>>} Plural a text for each form that the language has */

const storageName = `${scope}.language`
const answerMsMax = 20_000 // a request that hangs longer counts as lost
const retryMsMin = 500
const retryMsMax = 10_000
const attributes = { 'data-say-label': 'aria-label', 'data-say-title': 'title', 'data-say-placeholder': 'placeholder' }

/** The language in use. @type {Language} */
export const language = chosen() ?? languageOf(navigator.languages.find(languageOf) ?? '') ?? 'en'

/** The same for Intl. English is written in many ways, and the browser knows which; Chinese is in simplified letters here. */
export const locale =
  language === 'zh' ? 'zh-CN' : (navigator.languages.find((tag) => languageOf(tag) === 'en') ?? 'en')

document.documentElement.lang = locale

/** @param {Intl.DateTimeFormatOptions} options */
const dateFormat = (options) => new Intl.DateTimeFormat(locale, options)

export const timeFormat = dateFormat({ hour: 'numeric', minute: '2-digit' })
export const dayFormat = dateFormat({ weekday: 'long', day: 'numeric', month: 'long' })
export const dayOfYearFormat = dateFormat({ dateStyle: 'full' })
export const dateOnlyFormat = dateFormat({ dateStyle: 'long' })
export const dateAndTimeFormat = dateFormat({ dateStyle: 'medium', timeStyle: 'short' })
export const wholeFormat = dateFormat({ dateStyle: 'full', timeStyle: 'medium' })

export const listFormat = new Intl.ListFormat(locale)
const numberFormat = new Intl.NumberFormat(locale)
const plurals = new Intl.PluralRules(locale)

/** @type {Map<string, string | Plural>} filled once, before anything is said */
const words = new Map()

const loaded = load()

/** Writes all texts of index.html, once they are there. Before that nothing can be said. */
export async function sayPage() {
  await loaded
  sayAll(document)
}

/**
 * A text, with values in place of what stands in braces. Where it has plural forms, `count` decides. A name that is written
 * from right to left stays apart, and so leaves the sentence around it in order.
 * @param {string} key @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  const found = words.get(key)
  const text = typeof found === 'object' ? (found[plurals.select(Number(values['count']))] ?? found.other) : found
  if (text === undefined) return key
  return text.replace(/\{(\w+)\}/g, (braces, name) => {
    const value = values[name]
    if (value === undefined) return braces
    return typeof value === 'number' ? numberFormat.format(value) : isolated(value)
  })
}

/** Is there such a text in this language? Only of what the server refuses there need not be. @param {string} key */
export function isSaid(key) {
  return words.has(key)
}

/**
 * Writes the texts of all elements that name one: `data-say`, and `data-say-label`, `-title`, `-placeholder` for attributes.
 * Within a text, `{name}` is where the element's own child with `data-value="name"` goes.
 * @param {Document | DocumentFragment} whole
 */
function sayAll(whole) {
  for (const template of whole.querySelectorAll('template')) sayAll(template.content)
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (whole.querySelectorAll('[data-say]'))) {
    const children = new Map([...element.children].map((child) => [child.getAttribute('data-value'), child]))
    // Every second piece is what stood in braces.
    const pieces = say(element.dataset['say'] ?? '').split(/\{(\w+)\}/)
    element.replaceChildren(...pieces.map((piece, index) => (index % 2 === 0 ? piece : (children.get(piece) ?? ''))))
  }
  for (const [named, attribute] of Object.entries(attributes)) {
    for (const element of whole.querySelectorAll(`[${named}]`))
      element.setAttribute(attribute, say(element.getAttribute(named) ?? ''))
  }
}

/** From now on in this language, or in the browser's own. The page is loaded anew, which is seldom and leaves no word behind. @param {Language | undefined} wanted */
export function choose(wanted) {
  try {
    if (wanted) localStorage.setItem(storageName, wanted)
    else localStorage.removeItem(storageName)
  } catch {
    return // storage is forbidden: there is nowhere to keep it, and the browser's own language stays
  }
  location.reload()
}

/** @returns {Language | undefined} what was chosen here, if anything */
export function chosen() {
  try {
    return languageOf(localStorage.getItem(storageName) ?? '')
  } catch {
    return undefined // storage is forbidden
  }
}

/** @param {string} tag such as zh-Hans-CN @returns {Language | undefined} */
function languageOf(tag) {
  return /^zh\b/i.test(tag) ? 'zh' : /^en\b/i.test(tag) ? 'en' : undefined
}

// Without words there is no page, so it asks until it has them, as it does for the rooms.
async function load() {
  for (let pauseMs = retryMsMin; words.size === 0; pauseMs = Math.min(retryMsMax, pauseMs * 2)) {
    try {
      const response = await fetch(new URL(`./${language}.json`, import.meta.url), {
        priority: 'high',
        signal: AbortSignal.timeout(answerMsMax),
      })
      if (!response.ok) throw new Error(String(response.status))
      for (const [key, text] of Object.entries(await response.json())) words.set(key, text)
    } catch {
      // No answer, or one from something in between. By chance, so that a server that comes back is not met by all pages at once.
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())))
    }
  }
}

// Within a sentence from left to right only such letters, or signs that turn the order, can put it into disorder.
/** @param {string} value */
function isolated(value) {
  const turning =
    /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u
  return turning.test(value) ? `\u2068${value}\u2069` : value
}
