// The scripts that are made of the page's modules: that the modules are written in the way that lib/http/page/scripts.ts can read, and that what
// it makes of them is one program, in which nothing is there twice. tests/browser/ shows that it works.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { test } from 'node:test'
import { transformSync } from 'esbuild' // which comes with tsx
import { readFiles } from '../../lib/http/page/page.ts'
import { joinModules } from '../../lib/http/page/scripts.ts'

const { dirname, join } = posix
const folder = new URL('../../static/', import.meta.url)
const written = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
)

/** What a browser gets by which name. */
const served = new Map(
  [...readFiles({ base: '', name: 'natter' })]
    .filter(([path]) => /^static-.*\.js$/.test(path))
    .map(([path, { bytes }]) => [path.replace(/^static-.*?\//, ''), String(Buffer.from(bytes))]),
)

/** The scripts that one asks for, whether at once or later. */
function askedBy(name: string, code: string): string[] {
  return [...code.matchAll(/(?:from |import\(|new URL\()'(\.{1,2}\/[\w./-]+\.js)'/g)].map(([, path]) =>
    join(dirname(name), path!),
  )
}

/** The modules that a script is made of. */
function headsOf(code: string): string[] {
  return [...code.matchAll(/ => \{ \/\/ (.*)$/gm)].map(([, name]) => name!)
}

function exportsOf(code: string): string[] {
  return [...code.matchAll(/^export (?:const \{ (.*) \} =|(?:async )?(?:function|class|const) (\w+))/gm)].flatMap(
    ([, names, name]) => name ?? names!.split(', '),
  )
}

test('a module names what it takes and gives, in lines of their own: so it can be put into one script with others', () => {
  const joined = new Set(['chat.js', 'stream/stream-worker.js'].flatMap((name) => headsOf(served.get(name)!)))
  assert.ok(written.size > 60)
  for (const [name, code] of written) {
    for (const [line] of code.matchAll(/^(?:import\b(?!\().*|.*\bfrom '.*)/gm)) {
      if (/^ ?(\*|\/)/.test(line)) continue // a type, in a comment
      assert.match(line, /^import \{ [\w ,]+ \} from '\.{1,2}\/[\w./-]+\.js'$/, name)
      // Another name for it would be lost with the line.
      if (joined.has(name)) assert.doesNotMatch(line, / as /, name)
    }
    // What has no name here would not be found, and what may change (`let`) would not change where it is taken to.
    for (const [line] of code.matchAll(/^[ \t]*export\b.*/gm))
      assert.match(line, /^export (async function|function|class|const) \w+/, name)
  }
})

test('the page asks for one script, in which all modules are that are needed from the start', () => {
  const script = served.get('chat.js')!

  assert.equal(headsOf(script).at(-1), 'chat.js') // when all others are there
  assert.ok(headsOf(script).length > 40)
  for (const name of ['chat.js', 'stream/stream-worker.js'])
    assert.equal(/^import .*/m.exec(served.get(name)!)?.[0], undefined, name)
  const html = readFileSync(new URL('index.html', folder), 'utf8')
  assert.deepEqual(html.match(/<script type="module".*>/g), ['<script type="module" src="/static/chat.js"></script>'])
})

test('no module of the page is there twice: what comes later takes from the page what the page has', () => {
  const joined = new Set(headsOf(served.get('chat.js')!).slice(0, -1))
  assert.ok(joined.has('parts/parts.js'))
  for (const [name, code] of served) {
    if (name !== 'stream/stream-worker.js') assert.ok(!joined.has(name), name) // it has its own, and knows nothing of the page's
    for (const asked of askedBy(name, code)) assert.ok(served.has(asked), `${name} asks for ${asked}`)
    for (const [, names, from] of code.matchAll(/^import \{ (.*) \} from '(\..*)'$/gm)) {
      for (const taken of names!.split(', '))
        assert.ok(
          exportsOf(served.get(join(dirname(name), from!))!).includes(taken.replace(/ as .*/, '')),
          `${name} takes ${taken} from ${from}`,
        )
    }
  }
})

test('every script is a program that can be read, in which no name means two things', () => {
  for (const code of served.values()) transformSync(code, { format: 'esm' })
  const chat = "import { a } from './parts/a.js'\nimport { b } from './b.js'\nsay(a, b)\n"
  const entries = { page: 'chat.js', worker: 'worker.js' }
  const join = (a: string, b: string) =>
    joinModules(
      new Map([
        ['chat.js', chat],
        ['parts/a.js', a],
        ['b.js', b],
        ['worker.js', ''],
      ]),
      entries,
    )

  transformSync(
    join('const own = 1\nexport const a = own\n', 'const own = 2\nexport const b = own\n').get('chat.js')!,
    { format: 'esm' },
  )
  const bad = join('export const a = 1\nexport const own = 1\n', 'export const b = 1\nexport const own = 2\n')
  assert.throws(() => transformSync(bad.get('chat.js')!, { format: 'esm', logLevel: 'silent' }), /own/)
})

test('what lies in another folder is found from the one script, and from what comes later', () => {
  const modules = new Map([
    ['chat.js', "import { a } from './parts/a.js'\nsay(a)\n"],
    [
      'parts/a.js',
      "export const a = () => [import('../rooms/b.js'), new URL('./c.css', import.meta.url), new URL(`./${a}.json`, import.meta.url)]\n",
    ],
    [
      'rooms/b.js',
      "import { a } from '../parts/a.js'\nimport { d } from './d.js'\nexport const b = () => [a, d, import('../parts/a.js')]\n",
    ],
    ['rooms/d.js', 'export const d = 1\n'],
    ['worker.js', ''],
  ])

  const joined = joinModules(modules, { page: 'chat.js', worker: 'worker.js' })

  assert.match(
    joined.get('chat.js')!,
    /\[import\('\.\/rooms\/b\.js'\), new URL\('\.\/parts\/c\.css', import\.meta\.url\), new URL\(`\.\/parts\/\$\{a\}\.json`, import\.meta\.url\)\]/,
  )
  assert.equal(
    joined.get('rooms/b.js'),
    "import { a } from '../chat.js'\nimport { d } from './d.js'\nexport const b = () => [a, d, import('../chat.js')]\n",
  )
  assert.deepEqual([...joined.keys()].sort(), ['chat.js', 'rooms/b.js', 'rooms/d.js', 'worker.js'])
})

for (const form of [
  "import a from './a.js'",
  "import * as a from './a.js'",
  "import './a.js'",
  "import { a } from 'elsewhere'",
  "import {\n  a,\n} from './a.js'",
  'export default 1',
  'export { a }',
  'export let a = 1',
  "export * from './a.js'",
  'say(import(`./${name}.js`))',
  'say(import.meta.url)',
]) {
  test(`a module that can not be joined is refused, and its form is named: ${form.replaceAll('\n', ' ')}`, () => {
    const modules = new Map([
      ['chat.js', `${form}\n`],
      ['a.js', 'export const a = 1\n'],
      ['worker.js', ''],
    ])
    assert.throws(
      () => joinModules(modules, { page: 'chat.js', worker: 'worker.js' }),
      /static\/chat\.js has a form of import/,
    )
  })
}
