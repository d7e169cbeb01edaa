// What an audit is: a program that tries to catch natter breaking one of its promises, and can.

/** `short` runs within `npm test`, in seconds; `full` within `npm run audit`. */
export type Form = 'short' | 'full'

export interface AuditOptions {
  form: Form
  /** The fault that is planted in the server (see faults.ts), to show that the audit would find it. */
  fault?: string | undefined
  /** Says how far it is. */
  progress: (text: string) => void
}

export interface Verdict {
  /** What was tried and how often, for the table: `200 kills, 61,312 posts`. */
  tried: string
  /** What was measured, for the table: `0 lost, 0 doubled`. */
  found: string
  /** What was wrong, a sentence each; none, and natter has kept its promise. */
  faults: string[]
}

export interface Audit {
  /** As in the table: `crash`. */
  name: string
  /** The planted faults that must turn it red. */
  plantable: readonly string[]
  /** It judges how long something takes, or what is left a moment later, so that nothing else may run beside it. */
  alone?: true
  /** Its short form takes half a minute, and as long again for each fault: it is run by hand (`npm run audit NAME -- --short`), and not within `npm test`. */
  byHand?: true
  /** Why it can't run on this machine, if so. */
  cannotRun?: () => string | undefined
  run(options: AuditOptions): Promise<Verdict>
}
