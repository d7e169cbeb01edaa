// @ts-check
// Puts a text where it can be pasted from, on plain HTTP too.

/** @param {string} text @returns {Promise<boolean>} whether it is there */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyTheOldWay(text) // on plain HTTP there is no such clipboard
  }
}

/** The text of a field, also within a dialog, where nothing outside of it can be selected. @param {HTMLInputElement | HTMLTextAreaElement} field */
export async function copyFrom(field) {
  field.select()
  try {
    await navigator.clipboard.writeText(field.value)
    return true
  } catch {
    return document.execCommand('copy') // on plain HTTP there is no such clipboard
  }
}

/** @param {string} text */
function copyTheOldWay(text) {
  const focused = document.activeElement
  const field = document.createElement('textarea')
  field.className = 'unseen'
  field.value = text
  document.body.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
  return copied
}
