// Faults planted in a server, to see the audits turn red. Preloaded with `node --import` into the unchanged `server.ts`, in
// each of its threads; `NATTER_FAULT` names the fault. Each wraps a part of natter from outside.

const faults: Record<string, () => Promise<void> | void> = {
}

const name = process.env['NATTER_FAULT'] ?? ''
const plant = faults[name]
if (name !== '' && !plant) throw new Error(`there is no fault ${name}`)
await plant?.()
