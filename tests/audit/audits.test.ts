// Every audit in its short form: green on natter as it is, and red with each of the faults that it is there to find.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { audits } from './all.ts'

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

test('every audit has a fault that it finds', () => {
  for (const { name, plantable } of audits) assert.ok(plantable.length > 0, name)
})
