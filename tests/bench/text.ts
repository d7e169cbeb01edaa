// The message that all of them carry: a marker, the time at which it was sent, and words up to about a hundred bytes.

/** A byte that is nowhere else in what any of the servers sends, so that counting it is counting messages. */
export const marker = '|'

/** Digits of the time behind the marker: microseconds, in hexadecimal. */
export const timeDigits = 12

export const textBytes = 100

const words = ' somebody says what a person would say in a room where others listen, neither long nor short, but so'.slice(0, textBytes - 1 - timeDigits)

/** The text of a message that is sent now. */
export function textOf(nowMs: number): string {
  return marker + Math.round(nowMs * 1000).toString(16).padStart(timeDigits, '0') + words
}
