// The page's modules as they go over the wire: all that is needed from the start is one script, since some fifty that are asked for and packed
// one by one take half as much again. Reads modules that are written as those of static/ are; tests/static/scripts.test.ts holds them to it.

const imports = /^import .*'\.\/([\w-]+\.js)'$/gm
const exports = /^export ((?:async )?(?:function|class|const) (\w+))/gm

/**
 * What a browser gets by which name. A module that is in the page's script is nowhere else: what is imported later finds it there, since a
 * second one would have a state of its own. Only the worker, which shares nothing with the page, has its own of everything.
 */
export function joinModules(modules: ReadonlyMap<string, string>): Map<string, string> {
  const page = inOrder(modules, 'chat.js')
  const joined = new Map<string, string>()
  for (const [name, code] of modules) {
    if (!page.has(name)) joined.set(name, code.replace(imports, (line, imported) => page.has(imported) ? line.replace(imported, 'chat.js') : line))
  }
  for (const entry of ['chat.js', 'stream-worker.js']) {
    joined.set(entry, [...inOrder(modules, entry)].map((name) => wrap(name, modules.get(name)!)).join(''))
  }
  return joined
}

// What it imports, and what that imports, each behind its own imports; but nothing that is only imported once it is needed.
function inOrder(modules: ReadonlyMap<string, string>, name: string, found = new Set<string>()): Set<string> {
  for (const [, imported] of modules.get(name)!.matchAll(imports)) if (!found.has(imported!)) inOrder(modules, imported!, found)
  return found.add(name)
}

// In a scope of its own, so that it keeps to itself what it does not export. Its lines stay together behind one that names it, by which an error
// is found. One that exports nothing begins the whole, and may wait for something: but the script does not, or what it imports then, and
// what imports from it in turn, would wait for it as well.
function wrap(name: string, code: string): string {
  const names = [...code.matchAll(exports)].map(([, , exported]) => exported).join(', ')
  const own = code.replace(imports, '').replace(exports, '$1')
  return names ? `export const { ${names} } = (() => { // ${name}\n${own}return { ${names} }\n})()\n` : `void (async () => { // ${name}\n${own}})()\n`
}
