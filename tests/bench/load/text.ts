// The message that all of them carry: a marker, a number in twelve digits, and words up to about a hundred bytes. The number is
// the time at which it was sent, or any other that tells it from the rest.

/** A byte that is nowhere else in what any of the servers sends, so that counting it is counting messages. */
export const marker = '|'

/** Hexadecimal, behind the marker. */
export const digits = 12

export const textBytes = 100

const words =
  ' somebody says what a person would say in a room where others listen, neither long nor short, but so'.slice(
    0,
    textBytes - 1 - digits,
  )

/** The text of a message with this number; `said` are other words than usual. */
export function textOf(number: number, said = words): string {
  return marker + number.toString(16).padStart(digits, '0') + said
}

/** The number for a message that is sent now: microseconds. */
export function timeNumber(): number {
  return Math.round(performance.now() * 1000)
}

/** What is summed up over all messages, to see whether all came and none twice: the number's last four digits, as bytes. */
export function checkOf(number: number): number {
  return Buffer.from((number % 0x10000).toString(16).padStart(4, '0'), 'latin1').readUInt32BE()
}
