// @ts-check
// Where this chat is among the browser's addresses: it may have a host of its own, or be mounted at a path of another
// site. The only place that knows, so every path that is asked for or shown comes from here.

/** The path that the chat is mounted at, such as /chat; empty where it has the whole host. */
export const base = document.documentElement.dataset['base'] ?? ''

/** What this page keeps in the browser is named after it, so that two chats on one origin don't mix. */
export const scope = `natter${base}`

/** Where the emoji are kept that somebody used last: apart from where that is done, since it is forgotten when they log out. */
export const recentEmojiName = `${scope}.emoji`

export const lobby = 'lobby'
export const home = `${base}/`
export const joinPath = `${base}/join`

/** @param {string} room @param {string} [message] */
export function pathOf(room, message) {
  return `${base}/rooms/${encodeURIComponent(room)}${message === undefined ? '' : `/messages/${message}`}`
}

/** The room that a path leads to, if it leads to one. @param {string} path */
export function roomOf(path) {
  if (path === base || path === home) return lobby
  const slug = path.startsWith(home)
    ? /^rooms\/([^/]+)(?:\/messages\/\d+)?$/.exec(path.slice(home.length))?.[1]
    : undefined
  if (slug === undefined) return undefined
  try {
    return decodeURIComponent(slug)
  } catch {
    return slug // not encoded as it should be: there will be no such room, and the page says so
  }
}

/** The message that a path leads to, if it leads to one; no id is longer, and the server would refuse it. @param {string} path */
export function messageOf(path) {
  return /\/messages\/(\d{1,16})$/.exec(path)?.[1]
}

/**
 * Links to rooms stay real links, which can be copied, and opened in another tab; a plain click on one stays on the page.
 * @param {(path: string) => boolean} enter false: let the browser follow it
 */
export function onRoomLink(enter) {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    const leads = link.origin === location.origin && link.hash === '' && roomOf(link.pathname) !== undefined
    if (leads && enter(link.pathname)) event.preventDefault()
  })
}
