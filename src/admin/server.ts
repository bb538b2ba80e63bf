/** The gRPC admin server: health, reflection and AdminService, on the loopback interface only. */
import { fileURLToPath } from 'node:url'
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check'
import type { Admission } from '../assistant/admission.js'
import type { ServiceInfo } from '../assistant/info.js'
import { SetupError } from '../errors.js'
import { getInfo } from './info.js'

const HOST = '127.0.0.1'
const SERVICE = 'simpleaudio.admin.v1.AdminService'

export interface AdminServer {
  readonly port: number
  /** Health turns to NOT_SERVING, for probes to see while requests drain. */
  drain(): void
  stop(): void
}

/** @throws SetupError when the port can not be had */
export async function startAdmin(
  port: number,
  info: ServiceInfo,
  admission: Admission,
): Promise<AdminServer> {
  const adminProto = fileURLToPath(new URL('../../src/admin/admin.proto', import.meta.url))
  const definition = loadSync([adminProto, healthProto], { longs: Number, defaults: true })
  const health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' })
  // What fails reaches us as an error; gRPC's own line beside our sentence or in our log helps nobody.
  setLogVerbosity(logVerbosity.NONE)
  const server = new Server()
  server.addService(definition[SERVICE] as ServiceDefinition, { info: getInfo(info, admission) })
  health.addToServer(server)
  new ReflectionService(definition).addToServer(server)
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${HOST}:${port}`, ServerCredentials.createInsecure(), (error, got) => {
      if (!error) return resolve(got)
      const message = `The admin port ${port} on ${HOST} can not be opened (${error.message}): set ADMIN_PORT.`
      reject(new SetupError(message, { cause: error }))
    })
  })
  return {
    port: bound,
    drain: () => {
      health.setStatus('', 'NOT_SERVING')
      health.setStatus(SERVICE, 'NOT_SERVING')
    },
    stop: () => server.forceShutdown(),
  }
}
