// What the owner reads on stderr: one line for each thing of consequence.

export type Log = (text: string) => void

/** Writes a line with its time. Line ends within are marked, so that nothing can pass for a line of ours. */
export const log: Log = (text) => {
  process.stderr.write(`${new Date().toISOString()} ${text.replaceAll('\n', '\n    ')}\n`)
}
