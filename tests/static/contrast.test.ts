// The colours of the page, as base.css has them: that all text can be read on whatever it stands on, in light and dark, and better still
// where somebody wants high contrast. By the numbers of WCAG 2.2: https://www.w3.org/TR/WCAG22/#contrast-minimum

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

type Colour = [red: number, green: number, blue: number] // linear, from 0 to 1

const css = readFileSync(new URL('../../static/styles/base.css', import.meta.url), 'utf8').replace(/\/\*[^]*?\*\//g, '')

/** What is declared for the whole page where these attributes are on it; what comes later wins. */
function rolesOf(theme: string, contrast: string): Map<string, string> {
  const roles = new Map<string, string>()
  for (const [, attributes, block] of css.matchAll(/^:root((?:\[[^\]]+\])*) \{([^}]*)\}/gm)) {
    const needed = [...attributes!.matchAll(/\[data-(\w+)='(\w+)'\]/g)]
    if (!needed.every(([, name, value]) => value === (name === 'theme' ? theme : contrast))) continue
    for (const [, name, value] of block!.matchAll(/(--[\w-]+):\s*([^;]+)/g)) roles.set(name!, value!)
  }
  return roles
}

function fromHex(hex: string): Colour {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit) : hex.slice(1).match(/../g)!
  return digits.map((digit) => linear(parseInt(digit, 16) / 255)) as Colour
}

function linear(share: number): number {
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}

/** https://www.w3.org/TR/css-color-4/#ok-lab; what a screen can't show is cut off. */
function fromOklch(lightness: number, chroma: number, hue: number): Colour {
  const [a, b] = [chroma * Math.cos((hue * Math.PI) / 180), chroma * Math.sin((hue * Math.PI) / 180)]
  const [l, m, s] = [
    lightness + 0.3963377774 * a + 0.2158037573 * b,
    lightness - 0.1055613458 * a - 0.0638541728 * b,
    lightness - 0.0894841775 * a - 1.291485548 * b,
  ].map((part) => part ** 3) as Colour
  const rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ]
  return rgb.map((part) => Math.min(1, Math.max(0, part))) as Colour
}

function luminance([red, green, blue]: Colour): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function ratio(one: Colour, other: Colour): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** What stands on what, as the sheets have it. */
const texts: Record<string, string[]> = {
  '--ground': ['--ink', '--ink-quiet', '--accent', '--accent-hover', '--danger'],
  '--ground-side': ['--ink', '--ink-quiet'],
  '--ground-hover': ['--ink', '--ink-quiet', '--danger'],
  '--ground-field': ['--ink', '--ink-quiet', '--accent', '--danger'],
  '--accent-soft': ['--ink', '--ink-quiet', '--accent', '--accent-hover', '--danger'],
  '--accent': ['--on-accent'],
  '--accent-hover': ['--on-accent'],
  '--danger': ['--on-danger'],
  '--danger-hover': ['--on-danger'],
}

/** What one has to see without being text: borders of fields, the ring around what has the focus, the state of the connection. */
const signs: Record<string, string[]> = {
  '--ground': ['--line-field', '--accent', '--waiting', '--danger'],
  '--ground-side': ['--line-field', '--accent'],
  '--ground-field': ['--line-field', '--accent'],
}

for (const theme of ['light', 'dark']) {
  for (const contrast of ['normal', 'more']) {
    const roles = rolesOf(theme, contrast)
    const needed = contrast === 'more' ? { text: 7, sign: 4.5 } : { text: 4.5, sign: 3 }

    /** A role is a colour of the palette, or is one itself. */
    const colour = (name: string): Colour => {
      const value = roles.get(name)
      const [, of] = /^var\((--[\w-]+)\)$/.exec(value ?? '') ?? []
      if (of !== undefined) return colour(of)
      assert.match(value ?? '', /^#([0-9a-f]{3}|[0-9a-f]{6})$/, name)
      return fromHex(value!)
    }
    const person = (role: string, hue: number): Colour => {
      const [lightness, chroma] = roles.get(role)!.split(' ').map(Number) as [number, number]
      return fromOklch(lightness, chroma, hue)
    }

    test(`what is written can be read: ${theme}, ${contrast} contrast`, () => {
      for (const [ground, inks] of Object.entries(texts)) {
        for (const ink of inks)
          assert.ok(
            ratio(colour(ink), colour(ground)) >= needed.text,
            `${ink} on ${ground}: ${ratio(colour(ink), colour(ground))}`,
          )
      }
    })

    test(`what has to be seen can be seen: ${theme}, ${contrast} contrast`, () => {
      for (const [ground, inks] of Object.entries(signs)) {
        for (const ink of inks)
          assert.ok(
            ratio(colour(ink), colour(ground)) >= needed.sign,
            `${ink} on ${ground}: ${ratio(colour(ink), colour(ground))}`,
          )
      }
    })

    test(`a person can be read in any colour: ${theme}, ${contrast} contrast`, () => {
      for (let hue = 0; hue < 360; hue++) {
        for (const [what, on] of [
          ['on the ground', colour('--ground')],
          ['where a message is marked', colour('--accent-soft')],
          ['in the avatar', person('--person-soft', hue)],
        ] as const) {
          assert.ok(
            ratio(person('--person-ink', hue), on) >= needed.text,
            `hue ${hue} ${what}: ${ratio(person('--person-ink', hue), on)}`,
          )
        }
      }
    })
  }
}

test('the four differ, and dark is dark', () => {
  const grounds = ['light', 'dark'].map((theme) => rolesOf(theme, 'normal').get('--ground'))
  assert.notEqual(grounds[0], grounds[1])
  for (const theme of ['light', 'dark']) assert.notDeepEqual(rolesOf(theme, 'normal'), rolesOf(theme, 'more'))
  assert.equal(Math.round(ratio(fromHex('#000'), fromHex('#ffffff'))), 21)
  assert.equal(ratio(fromHex('#767676'), fromHex('#fff')).toFixed(2), '4.54')
})
