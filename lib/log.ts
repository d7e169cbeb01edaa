// What the owner reads on stderr: one line for each thing of consequence.

import { writeSync } from 'node:fs'

export type Log = (text: string) => void

/** Writes a line with its time. Line ends within are marked, so that nothing can pass for a line of ours. */
export const log: Log = (text) => {
  try {
    writeSync(2, `${new Date().toISOString()} ${text.replaceAll(/\r\n?|\n/g, '\n    ')}\n`)
  } catch {
    // The disk that the log goes to is full, or its reader went away: the line is lost, and must not take the chat with it.
    // `process.stderr` would end the process, or at best never write again.
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
