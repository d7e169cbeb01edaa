// Reads the settings, wires the parts, listens, stops.

import { createServer, type Server } from 'node:http'
import { isIPv4, type AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { apply } from './chat/apply.ts'
import { Chat } from './chat/chat.ts'
import { help, readSettings, type Settings } from './config.ts'
import { ChatError, StartError } from './errors.ts'
import { bodyLimits } from './http/body.ts'
import { connectionsMax } from './http/connections-max.ts'
import { createCors } from './http/cors.ts'
import { createGuard } from './http/guard.ts'
import { createHandler } from './http/handler.ts'
import { Limits } from './http/limits.ts'
import { readFiles } from './http/page.ts'
import { log } from './log.ts'
import { checkDataFolder } from './store/check.ts'
import { LocalLog } from './store/local-log.ts'

const limits = {
  headersMs: 10_000, // for a request's headers to arrive
  keepAliveMs: 72_000, // longer than proxies keep theirs, or they would send a request into a connection that we just closed
  checkMs: 2000, // how often those are looked at
  spreadMs: 3000, // at the most, over which streams are ended when we stop
  spreadPerStreamMs: 3, // so that few streams make a quick stop
  streamsMs: 8000, // after which we no longer wait for streams to end,
  stopMs: 9000, // whoever has not taken its answer is cut off,
  overMs: 9800, // and the disk is not waited for either: what was answered is on it already
  backlog: 4096, // connections that wait to be taken: after a restart all readers come at once, and who finds no place tries again only seconds later
}

/** The program. It resolves when the server is up, or when it is clear that it won't be. */
export async function main(args: readonly string[], environment: Record<string, string | undefined>): Promise<void> {
  const check = args[0] === 'check'
  try {
    const settings = readSettings(check ? args.slice(1) : args, environment)
    if (settings && check) return sayWhetherWhole(settings.data)
    if (!settings) return void process.stdout.write(`${help}\n`)
    const server = await startServer(settings)
    // First, since whoever reads the line may send a signal at once.
    stopOnSignals(server)
    // Who started us may have stopped listening.
    process.stdout.on('error', () => {})
    process.stdout.write(`natter is listening on ${server.url}\n${whoCanReach(settings.host)}\n`)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`natter can't ${check ? 'check' : 'start'}: ${error.message}\n`)
    process.exitCode = 1
  }
}

// The thread's file is TypeScript beside our own source, and JavaScript in the published package.
const writer = new URL(`./chat/writer${extname(import.meta.url)}`, import.meta.url)

function sayWhetherWhole(data: string): void {
  const { file, events, faults } = checkDataFolder(data, apply)
  if (faults.length === 0) return void process.stdout.write(`${file} is whole: ${events} events\n`)
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  process.stderr.write(`${file} is not whole: ${faults[0]!.replaceAll('\n', ' ')}${more}\n`)
  process.exitCode = 1
}

export interface RunningServer {
  url: string
  /** Ends streams and connections, lets answers under way finish, and lets go of the data folder. */
  stop(): Promise<void>
  /** Removes what `:memory:` kept; for the very end, however it comes. */
  forget(): void
}

/**
 * `ring` is how many of the newest events are kept in memory.
 * @throws StartError in one line if the folder or the port can't be had.
 */
export async function startServer(settings: Settings, { ring }: { ring?: number } = {}): Promise<RunningServer> {
  let serving = false // until then what fails is told in the one line of a StartError
  const events = await LocalLog.open({ folder: settings.data, writer, report: (line) => serving && log(line) })
  try {
    const server = await serve(events, settings, ring)
    serving = true
    return server
  } catch (error) {
    await events.close()
    // Making what is always there failed for a reason that the owner can mend: a full disk.
    throw error instanceof ChatError ? new StartError(`the data folder ${settings.data} can't be used: ${error.message}`) : error
  }
}

async function serve(events: LocalLog, { port, host, urls, allowedOrigins, trustedProxies, postsPerSecond, streamsPerAddress }: Settings, ring: number | undefined): Promise<RunningServer> {
  // What the storage refuses to read it has told of itself.
  const onError = (error: unknown) => error instanceof ChatError || log(`reading failed: ${describe(error)}`)
  const chat = new Chat({ log: events, database: events.database, ring, onError })
  await chat.start()
  const handler = createHandler({
    chat,
    files: readFiles(new URL('../static/', import.meta.url)),
    guard: createGuard({ urls, allowedOrigins, loopback: isLoopback(host) }),
    cors: createCors(allowedOrigins),
    limits: new Limits({ postsPerSecond, streamsPerAddress, report: log }),
    trustedProxies,
    secure: urls.length > 0 && urls.every((url) => url.startsWith('https:')),
    onError: (error, incident) => log(`incident ${incident}: ${describe(error)}`),
  })
  const server = createServer(
    { keepAliveTimeout: limits.keepAliveMs, headersTimeout: limits.headersMs, requestTimeout: 0, connectionsCheckingInterval: limits.checkMs },
    handler,
  )
  // Who comes when there are that many is hung up on at once, and may try again.
  server.maxConnections = connectionsMax() ?? Infinity
  // A body that will be refused for its size is not asked for.
  server.on('checkContinue', (request, response) => {
    if (!(Number(request.headers['content-length']) > bodyLimits.bytes)) response.writeContinue()
    handler(request, response)
  })
  // Any other expectation may be passed over (RFC 9110, 10.1.1); Node would answer it past our handler.
  server.on('checkExpectation', handler)
  await listen(server, port, host)
  return {
    url: urlOf(server, host),
    async stop() {
      handler.stopping = true
      const over = sleep(limits.overMs, undefined, { ref: false })
      const cutOff = setTimeout(() => server.closeAllConnections(), limits.stopMs)
      const spread = Math.min(limits.spreadMs, limits.spreadPerStreamMs * chat.streams)
      await Promise.race([chat.close({ spread }), sleep(limits.streamsMs, undefined, { ref: false })])
      await new Promise((resolve) => server.close(resolve))
      clearTimeout(cutOff)
      await Promise.race([events.close(), over])
    },
    forget: () => events.forget(),
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(new StartError(taken ? `port ${port} is in use; give another with --port` : `it can't listen on ${host}:${port}: ${error.message}`))
    })
    server.listen({ port, host, backlog: limits.backlog }, resolve)
  })
}

function stopOnSignals(server: RunningServer): void {
  let stopping = false
  const stop = async (signal: string) => {
    if (stopping) process.exit(1)
    stopping = true
    log(`${signal}: stopping; once more stops at once`)
    await server.stop()
    process.exit(0)
  }
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop)
  process.on('exit', server.forget)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

function urlOf(server: Server, host: string): string {
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function whoCanReach(host: string): string {
  return isLoopback(host)
    ? 'Only this machine can reach it; --host 0.0.0.0 lets others in.'
    : 'Whoever can reach this machine can come in; --host 127.0.0.1 keeps it to this machine.'
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
