// Every regular expression of ours is linear: none takes long over a long text, whatever the text is. The expressions are found in the sources, so
// that a new one is tried as well. What takes 20 ms here would hold up everybody.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const top = fileURLToPath(new URL('../..', import.meta.url))
const characters = 16 * 1024
const mostMs = 20

// What each of them is tried with, beside the characters that stand in it.
const common = [
  'a',
  'A',
  '0',
  ' ',
  '\t',
  '\n',
  '%',
  '-',
  '_',
  '.',
  ':',
  ',',
  ';',
  '/',
  '@',
  '"',
  '京',
  '\u0301',
  '😀',
  '[',
  ']',
  '(',
  ')',
  '=',
  '*',
  '`',
  '>',
]
const endings = ['', '!', '\n\0']

/** The expressions that stand in a source as literals. */
function literalsIn(code: string): RegExp[] {
  const plain = code.replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, '').replace(/\s\/\/ .*$/gm, '')
  const found = plain.matchAll(
    /(?<=[(,=:[!&|?{};>]\s*|return |^\s*)\/(?![/*])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)/gm,
  )
  return Array.from(found).flatMap(([, source, flags]) => {
    try {
      return [new RegExp(source!, flags)]
    } catch {
      // Two slashes of a text: what is an expression can be read as one.
      return []
    }
  })
}

/** The characters that an expression names, then others. */
function alphabetOf({ source }: RegExp): string[] {
  const written = source
    .replace(/\\u\{?([0-9a-f]{4,5})\}?|\\x([0-9a-f]{2})/gi, (_, long, short) =>
      String.fromCodePoint(parseInt(long ?? short, 16)),
    )
    .replace(/\\[a-zA-Z](?:\{[^}]*\})?|[\\^$|?+{}]/g, '')
  return [...new Set([...[...written].slice(0, 16), ...common])]
}

function took(expression: RegExp, text: string): number {
  const began = performance.now()
  if (expression.global) text.replace(expression, '')
  else expression.test(text)
  return performance.now() - began
}

/** Over an eighth of the length one that is not linear takes at the least this, and another hardly ever. */
const suspiciousMs = mostMs / 8 / 8 / 2

/** The longest time, of all texts that are tried: one character or two over and over, behind a beginning and before an end that may not fit. */
function slowest(expression: RegExp): { ms: number; text: string } {
  const alphabet = alphabetOf(expression)
  let worst = { ms: 0, text: '' }
  const attempt = (start: string, pump: string, end: string) => {
    const textOf = (length: number) => start + pump.repeat(length / pump.length) + end
    // One that is slow is known by one text.
    if (worst.ms > mostMs || took(expression, textOf(characters / 8)) < suspiciousMs) return
    const text = textOf(characters)
    // The machine's own pauses are no fault of the expression.
    const ms = Math.min(took(expression, text), took(expression, text), took(expression, text))
    if (ms > worst.ms) worst = { ms, text }
  }
  const starts = [
    '',
    ...alphabet.filter((sign) => /[^a-z0-9\s]/i.test(sign)).slice(0, 2),
    expression.source.replace(/^\^|\\/g, '').slice(0, 3),
  ]
  for (const pump of alphabet) for (const end of endings) for (const start of starts) attempt(start, pump, end)
  for (const one of alphabet.slice(0, 16))
    for (const other of alphabet.slice(0, 16)) if (one !== other) attempt('', one + other, '\0')
  return worst
}

const sources = ['lib', 'static']
  .flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|js)$/.test(name))
      .map((name) => ({ name: `${folder}/${name}`, code: readFileSync(join(top, folder, name), 'utf8') })),
  )
  .map(({ name, code }) => ({ name, code, literals: literalsIn(code) }))

/** Those that are put together when their module is loaded, by name of the module. */
const made = new Map<string, RegExp[]>()

before(async () => {
  const Own = RegExp
  for (const { name, code } of sources) {
    // The entries of threads and programs have nothing of the kind, and can't be loaded here; the page's modules want a page, but for a few.
    if (!/new RegExp\(/.test(code)) continue
    const seen: RegExp[] = []
    const counted = new Proxy(Own, {
      construct(target, values: [string | RegExp, string?]) {
        const expression = new target(...values)
        seen.push(expression)
        return expression
      },
    })
    globalThis.RegExp = counted
    try {
      await import(join(top, name))
    } finally {
      globalThis.RegExp = Own
    }
    made.set(name, seen)
  }
})

test('expressions are found, those that are put together as well', () => {
  assert.ok(sources.flatMap(({ literals }) => literals).length > 100)
  assert.ok([...made.values()].flat().length >= 5)
})

test('one that is not linear would be found', () => {
  for (const expression of [/^\s*(\S+?)(?:%\S+)?\s*$/, /\s+$/, /(?:a|b)*c(?:a|b)*d/])
    assert.ok(slowest(expression).ms > mostMs, String(expression))
})

for (const { name, code, literals } of sources) {
  if (!/new RegExp\(/.test(code) && literals.length === 0) continue
  test(`no text is long in ${name}`, () => {
    for (const expression of [...literals, ...(made.get(name) ?? [])]) {
      const { ms, text } = slowest(expression)
      assert.ok(
        ms <= mostMs,
        `${expression} takes ${ms.toFixed(0)} ms over ${JSON.stringify(text.slice(0, 12))} … ${JSON.stringify(text.slice(-4))}`,
      )
    }
  })
}
