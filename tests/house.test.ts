// Holds the house to its plan: floors, sizes, and what may not be written anywhere.

import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { table } from '../lib/config.ts'
import { routes } from '../lib/http/routes.ts'

const top = fileURLToPath(new URL('..', import.meta.url))
const files = new Map(
  readdirSync(join(top, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name, readFileSync(join(top, 'lib', name), 'utf8')]),
)

/** What each file imports of ours. */
const imports = new Map(
  [...files].map(([name, text]) => [
    name,
    [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => normalize(join(dirname(name), path!))),
  ]),
)

// Each floor and what it may stand on. Files of lib itself: the words stand on nothing, the index on everything.
const floors: Record<string, string[]> = {
  words: [],
  sse: ['sse'],
  store: ['store', 'words'],
  chat: ['chat', 'store', 'sse', 'words'],
  http: ['http', 'chat', 'sse', 'words'],
  embed: ['embed', 'http', 'chat', 'store', 'sse', 'words'],
  program: ['program', 'embed', 'http', 'chat', 'store', 'sse', 'words'],
  index: ['index', 'embed', 'sse', 'chat', 'words'],
}

function floorOf(name: string): string {
  if (name.includes('/')) return name.split('/')[0]!
  return ['index.ts', 'collect.ts'].includes(name) ? 'index' : 'words'
}

test('imports go down only', () => {
  assert.ok(imports.size > 10)
  for (const [name, imported] of imports) {
    for (const path of imported) {
      const below = floorOf(name) === 'words' && path === 'errors.ts'
      assert.ok(below || floors[floorOf(name)]!.includes(floorOf(path)), `${name} imports ${path}`)
    }
  }
})

test('no file imports itself by a detour', () => {
  const reachable = (from: string, seen = new Set<string>()): Set<string> => {
    for (const path of imports.get(from) ?? []) if (!seen.has(path)) reachable(path, seen.add(path))
    return seen
  }
  for (const name of imports.keys()) assert.ok(!reachable(name).has(name), `${name} is in a circle`)
})

test('files stay small enough to be read', () => {
  for (const [name, text] of files) assert.ok(text.split('\n').length <= 400, `${name} has more than 400 lines`)
})

test('every file opens by saying what it is for', () => {
  for (const [name, text] of files) assert.match(text, /^(#!.*\n)?\/\/ [^\n]{20}/, name)
})

test('everything that another program may import says what it is', () => {
  for (const [, exported, path] of files
    .get('index.ts')!
    .matchAll(/export (?:type )?\{([^}]+)\} from '\.\/([^']+)'/g)) {
    for (const name of exported!.split(',').map((part) => part.replace('type ', '').trim())) {
      const [line] =
        new RegExp(`\\n([^\\n]*)\\nexport (async )?(function|class|interface|type|const) ${name}\\b`).exec(
          files.get(path!)!,
        ) ?? []
      assert.match(line ?? '', /\*\/\n/, `${name} has no docstring`)
    }
  }
})

test('only the connection imports SQLite, and nothing comes from outside', () => {
  for (const [name, text] of files) {
    if (name !== 'store/connection.ts') assert.doesNotMatch(text, /node:sqlite/, name)
    for (const [, path] of text.matchAll(/^(?:import|export|\}) .*from '([^']+)'/gm))
      assert.match(path!, /^(\.|node:)/, name)
  }
  const { dependencies } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { dependencies?: unknown }
  assert.equal(dependencies, undefined)
})

test('no statement numbers its values, which Node 22 can not bind', () => {
  for (const [name, text] of files)
    if (name.startsWith('store/')) assert.doesNotMatch(text.replaceAll(/\/\/.*/g, ''), /\?\d/, name)
})

test('what was attacked is told by subject, in sentences, and never by one case alone', () => {
  const folder = join(top, 'tests/attacks')
  const names = readdirSync(folder)
  assert.ok(names.length > 0)
  for (const name of names) {
    assert.match(name, /^[a-z]+(-[a-z]+)*(\.alone)?\.test\.ts$/, 'a file is named after its subject')
    const text = readFileSync(join(folder, name), 'utf8')
    assert.match(text, /^\/\/ [A-Z][^\n]{20}/, `${name} opens by saying what it is about`)
    // A name with a gap is that of a case of several.
    const told = [...text.matchAll(/^ *(?:test|property)\((['"`])(.+?)\1, /gm)].map(([, , sentence]) => sentence!)
    const cases = told.reduce((sum, sentence) => sum + (sentence.includes('${') ? 3 : 1), 0)
    assert.ok(cases >= 4, `${name} tells ${cases} cases; what was seen is one of a kind, and wants three more`)
    for (const sentence of told)
      assert.ok(sentence.split(' ').length >= 5, `${name}: ${JSON.stringify(sentence)} is no sentence`)
  }
})

// Settings that createChat has no option for, and why.
const notForHosts: Record<string, string> = {
  port: "the server that listens is the host's own",
  host: "the server that listens is the host's own",
}

test('every setting is an option of createChat, or is excepted with a reason', () => {
  const options = files.get('embed/chat-options.ts')!
  for (const name of Object.keys(table)) {
    const isOption = new RegExp(`\n  ${name}\\?: `).test(options)
    assert.notEqual(isOption, name in notForHosts, `${name}: an option in embed/chat-options.ts, or a reason here`)
  }
  for (const name of Object.keys(notForHosts)) assert.ok(name in table, `${name} is no setting any more`)
})

test('every setting has its row in the README', () => {
  const readme = readFileSync(join(top, 'README.md'), 'utf8')
  for (const { flag, environment } of Object.values(table)) {
    assert.ok(readme.includes(`| \`--${flag}\` | \`${environment}\` |`), `--${flag} is not in the README's table`)
  }
})

test('every route has its row in the README', () => {
  const readme = readFileSync(join(top, 'README.md'), 'utf8')
  const rows = readme.split('\n').flatMap((line) => [...line.split(' | ')[0]!.matchAll(/`((?:[A-Z]+ )+)(\/[^`]*)`/g)])
  const told = new Set(
    rows.flatMap(([, methods, path]) =>
      methods!
        .trim()
        .split(' ')
        .map((method) => `${method} ${path}`),
    ),
  )
  for (const { method, path } of routes) {
    const asTold = path.replace('/messages/:message', '/messages/:id')
    assert.ok(told.has(`${method} ${asTold}`), `${method} ${asTold} is not in the README's table`)
  }
})

// What is left of a line without its texts, its regular expressions and its comment.
function codeIn(line: string): string {
  return line
    .replace(/\/\*.*?\*\//g, '')
    .replace(/(['"`])(?:\\.|(?!\1)[^\\])*\1/g, '')
    .replace(/\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\ ])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\])*\/[a-z]*/g, '')
    .replace(/(^|\s)\/\/ .*$/, '')
}

/** The code of each line of a file, without texts of several lines, such as statements of SQL. */
function* codeLines(name: string, text: string): Generator<{ number: number; line: string; code: string }> {
  let inText = false
  for (const [at, line] of text.split('\n').entries()) {
    if (!inText && /^\s*(\/\/|\*|\/\*)/.test(line)) continue
    const from = inText ? line.search(/(?<!\\)`/) + 1 : 0
    if (inText && from === 0) continue
    const parts: string[] = codeIn(line.slice(from)).split('`')
    inText = parts.length > 1
    yield { number: at + 1, line, code: parts[0]! }
  }
  assert.ok(!inText, `${name}: a text seems never to end, so that what follows it is not looked at`)
}

test('lines of code are at most 120 columns wide, unless a text makes them wider', () => {
  const { formatter } = JSON.parse(readFileSync(join(top, 'tests/format/settings.json'), 'utf8'))
  assert.equal(formatter.lineWidth, 120, 'what breaks longer lines, and says so in npm run check')
  // Packages may be being installed meanwhile, and are not ours.
  const names = globSync('{lib,static,tests}/**/*.{ts,js,css}', {
    cwd: top,
    exclude: (name) => name === 'node_modules',
  })
  assert.ok(names.length > 400)
  for (const name of ['server.ts', ...names])
    for (const { number, line, code } of codeLines(name, readFileSync(join(top, name), 'utf8')))
      assert.ok(code.length <= 120, `${name}:${number}: ${line.trim().slice(0, 80)}`)
})
