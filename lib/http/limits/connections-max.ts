// How many connections this process can hold at once. One more than it may open files, and it could neither open a file of its
// own nor tell anybody why.

const reserve = 64 // files for the database, its log and its threads, the page, and what Node keeps open itself

/** Undefined where the system sets no limit or doesn't tell. Takes some milliseconds. */
export function connectionsMax(): number | undefined {
  // Asking DNS for the names of connections would take seconds.
  Object.assign(process.report, { excludeNetwork: true })
  // Of what it holds the types say nothing.
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } }
  const files = Number(userLimits?.open_files?.soft)
  return files > 0 ? Math.max(files - reserve, Math.ceil(files / 2)) : undefined
}
