// @ts-check
// What a day is called: today, yesterday, and by its date before that.

import { dayFormat, dayOfYearFormat, say } from '../words/words.js'

/** @param {string} at */
export function nameOfDay(at) {
  const date = new Date(at)
  const day = new Date()
  if (date.toDateString() === day.toDateString()) return say('day.today')
  const thisYear = date.getFullYear() === day.getFullYear()
  day.setDate(day.getDate() - 1)
  if (date.toDateString() === day.toDateString()) return say('day.yesterday')
  return (thisYear ? dayFormat : dayOfYearFormat).format(date)
}
