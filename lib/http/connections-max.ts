// How many connections this process can hold at once. One more than it may open files, and it could neither open a file of its
// own nor tell anybody why.

import { readFileSync } from 'node:fs'

const reserve = 64 // files for the database, its log and its threads, the page, and what Node keeps open itself

/** Undefined where the system sets no limit or doesn't tell. Takes about a millisecond, or some where there is no /proc. */
export function connectionsMax(): number | undefined {
  const files = openFilesMax()
  return files === undefined ? undefined : Math.max(files - reserve, Math.ceil(files / 2))
}

function openFilesMax(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    // No Linux: Node's own report knows it too. Asking DNS for the names of connections would take seconds.
    Object.assign(process.report, { excludeNetwork: true })
    // Of what it holds the types say nothing.
    const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } }
    const soft = Number(userLimits?.open_files?.soft)
    return soft > 0 ? soft : undefined
  }
}
