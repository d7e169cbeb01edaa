// The process that loads a server (load.ts): one order at a time, each answered with what was measured.

import { ask } from './asking.ts'
import { fanOut } from './fan-out.ts'
import type { LoadOrder, LoadReport } from './orders.ts'
import { post } from './posting.ts'
import { Readers } from './readers.ts'
import { replay } from './replaying.ts'
import { comeBack } from './returning.ts'

const readers = new Readers()

async function carryOut(order: LoadOrder): Promise<LoadReport | undefined> {
  switch (order.kind) {
    case 'open':
      return void (await readers.open(order).then(() => readers.quiet()))
    case 'fanOut':
      return fanOut(order, readers)
    case 'post':
      return post(order)
    case 'return':
      return comeBack(order, readers)
    case 'replay':
      return replay(order, readers)
    case 'ask':
      return ask(order)
  }
}

process.on('message', async (order: LoadOrder) => {
  try {
    process.send!({ report: await carryOut(order) })
  } catch (error) {
    process.send!({ failed: error instanceof Error ? error.message : String(error) })
  }
})
process.on('disconnect', () => process.exit())
