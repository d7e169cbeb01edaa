// The page's modules as they go over the wire: all that is needed from the start is one script, since some fifty that are asked for and packed
// one by one take half as much again. Reads modules that are written as those of static/ are, and throws on any that is not.

import { posix } from 'node:path'

const { dirname, join, relative } = posix

/** What a module says of others: what it takes at its head, what it asks for later, files that it names, and what it gives. */
const imports = /^import \{ [\w ,]+ \} from '(\.{1,2}\/[\w./-]+\.js)'$/gm
const laterImports = /\bimport\('(\.{1,2}\/[\w./-]+\.js)'\)/g
const addresses = /\bnew URL\((['`])(\.{1,2}\/[^'`]+)\1, import\.meta\.url\)/g
const exports = /^export ((?:async )?(?:function|class|const) (\w+))/gm

/** What looks like one of these and is none. */
const unknownForm = /^[ \t]*(?:import|export)\b(?!\().*|\bimport(?:\(|\.meta).*/m

/** By the path below static/: `chat.js`, `rooms/room-list.js`. */
type Modules = ReadonlyMap<string, string>

/**
 * What a browser gets by which path. A module that is in the page's script is nowhere else: what is imported later finds it there, since a
 * second one would have a state of its own. Only the worker, which shares nothing with the page, has its own of everything.
 * @throws Error if a module imports or exports in a way that is not known here
 */
export function joinModules(modules: Modules, entries: { page: string; worker: string }): Map<string, string> {
  for (const [path, code] of modules) checkForms(path, code)
  const page = inOrder(modules, entries.page)
  const joined = new Map<string, string>()
  for (const [path, code] of modules) {
    if (page.has(path)) continue
    const found = (line: string, spec: string): string =>
      page.has(target(path, spec)) ? line.replace(spec, pathTo(entries.page, path)) : line
    joined.set(path, code.replace(imports, found).replace(laterImports, found))
  }
  for (const entry of [entries.page, entries.worker]) {
    joined.set(entry, [...inOrder(modules, entry)].map((path) => wrap(path, modules.get(path)!, entry)).join(''))
  }
  return joined
}

function checkForms(path: string, code: string): void {
  const unknown = unknownForm.exec(
    [imports, laterImports, addresses, exports].reduce((rest, known) => rest.replace(known, ''), code),
  )
  if (unknown)
    throw new Error(
      `static/${path} has a form of import, export or import.meta that can't be joined: ${unknown[0].trim()}`,
    )
}

// What it imports, and what that imports, each behind its own imports; but nothing that is only imported once it is needed.
function inOrder(modules: Modules, path: string, found = new Set<string>()): Set<string> {
  const code = modules.get(path)
  if (code === undefined) throw new Error(`static/ has no ${path}`)
  for (const [, spec] of code.matchAll(imports))
    if (!found.has(target(path, spec!))) inOrder(modules, target(path, spec!), found)
  return found.add(path)
}

// In a scope of its own, so that it keeps to itself what it does not export. Its lines stay together behind one that names it, by which an error
// is found. One that exports nothing begins the whole, and may wait for something: but the script does not, or what it imports then, and
// what imports from it in turn, would wait for it as well.
function wrap(path: string, code: string, entry: string): string {
  const names = [...code.matchAll(exports)].map(([, , exported]) => exported).join(', ')
  const own = code
    .replace(imports, '')
    .replace(exports, '$1')
    .replace(laterImports, (_, spec: string) => `import('${pathTo(target(path, spec), entry)}')`)
    .replace(
      addresses,
      (_, quote: string, spec: string) =>
        `new URL(${quote}${pathTo(target(path, spec), entry)}${quote}, import.meta.url)`,
    )
  return names
    ? `export const { ${names} } = (() => { // ${path}\n${own}return { ${names} }\n})()\n`
    : `void (async () => { // ${path}\n${own}})()\n`
}

/** The path of what a module calls so. */
const target = (path: string, spec: string): string => join(dirname(path), spec)

/** How a module calls that path. */
function pathTo(wanted: string, from: string): string {
  const path = relative(dirname(from), wanted)
  return path.startsWith('.') ? path : `./${path}`
}
