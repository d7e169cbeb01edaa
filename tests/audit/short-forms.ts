// The audits in their short forms as tests: green on natter as it is, and red with each of the faults that they are there to find.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Audit } from './audit.ts'

export function testShortForms(audits: readonly Audit[]): void {
  for (const audit of audits) {
    const skip = audit.cannotRun?.() ?? false
    const progress = () => {}

    test(`the audit ${audit.name} finds nothing`, { skip }, async () => {
      const { tried, faults } = await audit.run({ form: 'short', fault: undefined, progress })
      assert.deepEqual(faults, [], tried)
    })

    for (const fault of audit.plantable) {
      test(`the audit ${audit.name} finds ${fault}`, { skip }, async (t) => {
        const { tried, found, faults } = await audit.run({ form: 'short', fault, progress })
        assert.notDeepEqual(faults, [], `${tried}: ${found}`)
        t.diagnostic(faults.map((text) => text.slice(0, 200)).join('; '))
      })
    }
  }
}
