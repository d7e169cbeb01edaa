// A data folder as the natter of format 4 left it: see make.ts, which had that natter make it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { temporaryFolder, type Scope } from '../../chat-server.ts'

export async function olderFolder(t: Scope): Promise<string> {
  const data = await temporaryFolder(t)
  writeFileSync(join(data, 'natter.db'), brotliDecompressSync(readFileSync(new URL('format-4.db.br', import.meta.url))))
  return data
}
