// @ts-check
// What was chosen in this browser and is kept in it, for all tabs of it. Knows nothing of what it is for.

import { scope } from '../parts/address.js'

/** @param {string} name @returns {string} empty: nothing was chosen */
export function kept(name) {
  try {
    return localStorage.getItem(`${scope}.${name}`) ?? ''
  } catch {
    return '' // storage is forbidden
  }
}

/** Empty: nothing is chosen any more. @param {string} name @param {string} value */
export function keep(name, value) {
  const key = `${scope}.${name}`
  try {
    if (value === '') localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    return // storage is full or forbidden: all stays as it was
  }
  // The browser tells the other tabs only.
  window.dispatchEvent(new StorageEvent('storage', { key }))
}

/** Something else was chosen, here or in another tab. @param {string} name @param {() => void} changed */
export function onKept(name, changed) {
  window.addEventListener('storage', ({ key }) => {
    if (key === null || key === `${scope}.${name}`) changed()
  })
}
