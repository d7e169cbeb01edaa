// A disk that a test can fill: a small file system in memory, with a file on it that takes what room there is.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './chat-server.ts'

export interface SmallDisk {
  readonly folder: string
  /** Takes all room but for these bytes. */
  fill(spareBytes: number): void
  /** Gives it back. */
  free(): void
}

/** Why there can be none on this machine, if so. */
export function whyNoSmallDisk(): string | undefined {
  try {
    smallDisk({ after: (unmount) => (unmount as () => void)() }, 1024 * 1024)
    return undefined
  } catch {
    return 'it needs a small file system of its own, and mounting one needs root on Linux'
  }
}

/** A file system of its own, which is gone after the test. */
export function smallDisk(scope: Scope, bytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'natter-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'none', folder], { stdio: 'ignore' })
  } catch (error) {
    rmdirSync(folder)
    throw error
  }
  scope.after(() => {
    // Lazily: a server that was killed a moment ago may still have its files open.
    execFileSync('umount', ['-l', folder])
    rmdirSync(folder)
  })
  const ballast = join(folder, 'ballast')
  return {
    folder,
    fill(spareBytes) {
      try {
        for (;;) writeFileSync(ballast, Buffer.alloc(64 * 1024), { flag: 'a' })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
      if (spareBytes > 0) truncateSync(ballast, Math.max(0, statSync(ballast).size - spareBytes))
    },
    free() {
      rmSync(ballast, { force: true })
    },
  }
}
