// What the owner reads on stderr: one line for each thing of consequence.

import { writeSync } from 'node:fs'

export type Log = (text: string) => void

/**
 * Writes a line with its time. Line ends within are marked, so that nothing can pass for a line of ours. `process.stderr` would end
 * the process if its reader went away, or at best never write again.
 */
export const log: Log = neverThrowing(
  (text) => void writeSync(2, `${new Date().toISOString()} ${text.replaceAll(/\r\n?|\n/g, '\n    ')}\n`),
)

/** The same log, where an error of its own would end the process. */
export function neverThrowing(inner: Log): Log {
  return (line) => {
    try {
      inner(line)
    } catch {
      // The disk that the log goes to is full, its reader went away, or a host's log has a fault that the host has to see to itself: the
      // line is lost, since there is no other place to say so, and must not take the chat with it.
    }
  }
}

/** The same log, for the first line alone. */
export function once(inner: Log): Log {
  let said = false
  return (line) => {
    if (!said) inner(line)
    said = true
  }
}

/**
 * An error as it goes to the log: its stack, and nothing that it carries beside, since a host's may have a request's headers
 * with it. Of what is no error not even `String` is safe.
 */
export function describe(error: unknown): string {
  if (error instanceof Error) return error.stack ?? error.message
  return typeof error === 'string' ? error : `what was thrown is no Error but a ${typeof error}`
}
