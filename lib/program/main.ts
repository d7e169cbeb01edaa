// Reads the settings, opens a chat, listens, stops.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { isIP, isIPv4, type AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { apply } from '../chat/rules/apply.ts'
import { help, readSettings, type Settings } from '../config.ts'
import { ChatError, StartError } from '../errors.ts'
import { bodyLimits } from '../http/body.ts'
import { ownAddressOf } from '../http/limits/client-address.ts'
import { ConnectionShares } from '../http/limits/connection-shares.ts'
import { Connections } from '../http/limits/connections.ts'
import { connectionsMax } from '../http/limits/connections-max.ts'
import type { OwnServer } from '../http/guard.ts'
import { answerUnread } from '../http/unread.ts'
import { log } from '../log.ts'
import { MountedChat } from '../embed/mounted-chat.ts'
import { checkDataFolder } from '../store/check.ts'
import { within } from '../within.ts'

const limits = {
  headersMs: 10_000, // for a request's headers to arrive
  keepAliveMs: 72_000, // longer than proxies keep theirs, or they would send a request into a connection that we just closed
  checkMs: 2000, // how often those are looked at
  stopMs: 9800, // after which connections are not waited for any longer
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
    stopOnSignals(server.stop)
    // Who started us may have stopped listening.
    process.stdout.on('error', () => {})
    process.stdout.write(
      `natter is listening on ${server.url}\n${whoCanReach(settings)}\n${server.ownerLink ? `Nobody owns this place yet. Whoever opens this link first does:\n  ${server.ownerLink}\n` : ''}`,
    )
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`natter can't ${check ? 'check' : 'start'}: ${error.message}\n`)
    process.exitCode = 1
  }
}

function sayWhetherWhole(data: string): void {
  const { file, events, faults } = checkDataFolder(data, apply)
  if (faults.length === 0) return void process.stdout.write(`${file} is whole: ${events} events\n`)
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  process.stderr.write(`${file} is not whole: ${faults[0]!.replaceAll('\n', ' ')}${more}\n`)
  process.exitCode = 1
}

/**
 * Starts a server of our own. `ring` is how many of the newest events are kept in memory.
 * @throws StartError in one line if the folder or the port can't be had.
 */
export async function startServer({ port, host, ...settings }: Settings, { ring }: { ring?: number } = {}) {
  const most = connectionsMax() ?? Infinity
  const shares = new ConnectionShares({
    ...settings,
    connectionsMax: most,
    ownerOf: (socket) => ownAddressOf({ socket }, settings.trustProxy),
    log,
  })
  const own: OwnServer = { loopback: isLoopback(host), names: ownNames(host), connections: new Connections(), shares }
  const chat = await MountedChat.open({ ...settings, base: '', log, server: own, ring })
  // What stands here createChat tells to those who have a server of their own.
  const server = createServer(
    {
      keepAliveTimeout: limits.keepAliveMs,
      headersTimeout: limits.headersMs,
      requestTimeout: 0,
      connectionsCheckingInterval: limits.checkMs,
      requireHostHeader: false, // our handler says why
    },
    chat.handler,
  )
  answerUnread(server, own.connections)
  // Who comes when there are that many is hung up on at once, and may try again.
  server.maxConnections = most
  server.on('connection', (socket) => shares.opened(socket))
  server.on('drop', () => shares.dropped())
  // A body that will be refused for its size is not asked for.
  server.on('checkContinue', (request, response) => {
    if (!(Number(request.headers['content-length']) > bodyLimits.bytes)) response.writeContinue()
    chat.handler(request, response)
  })
  // Any other expectation may be passed over (RFC 9110, 10.1.1); Node would answer it past our handler.
  server.on('checkExpectation', chat.handler)
  try {
    server.listen({ port, host, backlog: limits.backlog })
    await once(server, 'listening')
  } catch (error) {
    await chat.close()
    const { code, message } = error as NodeJS.ErrnoException // the system's own word
    throw new StartError(
      code === 'EADDRINUSE'
        ? `port ${port} is in use; give another with --port`
        : `it can't listen on ${host}:${port}: ${message}`,
    )
  }
  // The system had no room for a connection; whoever wanted it tries again.
  server.on('error', (error) => log(`a connection was not taken: ${error.message}`))
  // A server that listens on a port has an address of this form.
  const address = server.address() as AddressInfo
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
  const ownerPath = await chat.ownerPath().catch((error) => {
    // A disk that is full is no reason not to serve what is there, and the storage has told of itself.
    if (error instanceof ChatError) return undefined
    throw error
  })
  return {
    url,
    // Makes whoever opens it first the owner, while there is none.
    ownerLink: ownerPath && `${settings.urls[0] ?? url}${ownerPath}`,
    // Ends streams and connections, lets answers under way finish, and lets go of the data folder.
    async stop(): Promise<void> {
      const began = performance.now()
      // Streams first: the server waits for its connections.
      await chat.close()
      const closed = new Promise((resolve) => server.close(resolve))
      await within(limits.stopMs - (performance.now() - began), closed)
      server.closeAllConnections()
    },
  }
}

function stopOnSignals(stopServer: () => Promise<void>): void {
  let stopping = false
  const stop = async (signal: string) => {
    if (stopping) process.exit(1)
    stopping = true
    log(`${signal}: stopping; once more stops at once`)
    await stopServer()
    process.exit(0)
  }
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

// The names by which other machines of the network may know this one.
function ownNames(host: string): string[] {
  const given = isIP(host) === 0 ? [host.toLowerCase()] : []
  if (isLoopback(host)) return given
  const name = hostname().toLowerCase()
  const short = name.replace(/\..*/, '')
  return [...new Set([...given, name, short, `${short}.local`])]
}

function whoCanReach({ host, urls }: Pick<Settings, 'host' | 'urls'>): string {
  if (isLoopback(host)) return 'Only this machine can reach it; --host 0.0.0.0 lets others in.'
  const names =
    urls.length > 0 ? '' : ` By its IP addresses or as ${ownNames(host).join(', ')}; --url gives it another name.`
  return `Whoever can reach this machine can come in; --host 127.0.0.1 keeps it to this machine.${names}`
}
