// For what can't be wrapped from outside: another line in a file of natter's, before it is loaded.

import { registerHooks } from 'node:module'

/** In a file that nobody has imported yet, as `lib/http/body.ts`. @throws when it is loaded and has no such line */
export function otherSource(file: string, line: string, other: string): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!url.endsWith(`/${file}`)) return loaded
      const source = String(loaded.source)
      if (!source.includes(line)) throw new Error(`${file} has no ${line}`)
      return { ...loaded, source: source.replace(line, other) }
    },
  })
}
