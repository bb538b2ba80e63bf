/** An operator's view of the admin server: Info, health and reflection over gRPC. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import { protoPath as healthProto } from 'grpc-health-check'
import { root } from '../root.js'

const require = createRequire(import.meta.url)
const reflectionProto = (version: string) =>
  require.resolve(`@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`)
const definition = loadSync(
  [join(root, 'src/admin/admin.proto'), healthProto, reflectionProto('v1'), reflectionProto('v1alpha')],
  { longs: Number, enums: String, defaults: true, oneofs: true },
)
const method = (service: string, name: string) =>
  (definition[service] as ServiceDefinition)[name] as MethodDefinition<object, object>

export interface AdminInfo {
  readonly version: string
  readonly runtime: string
  readonly uptimeSeconds: number
  readonly models: readonly {
    readonly name: string
    readonly family: string
    readonly parameters: number
    readonly engineBytes: number
    readonly loadSeconds: number
  }[]
  readonly requests: number
}

export class AdminClient {
  private readonly client: Client

  constructor(port: number) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  }

  close(): void {
    this.client.close()
  }

  info(): Promise<AdminInfo> {
    return this.unary('simpleaudio.admin.v1.AdminService', 'Info', {}) as Promise<AdminInfo>
  }

  /** SERVING or NOT_SERVING; rejects with the name of the gRPC status. */
  async health(service: string): Promise<string> {
    return ((await this.unary('grpc.health.v1.Health', 'Check', { service })) as { status: string }).status
  }

  reflectedServices(version: 'v1' | 'v1alpha'): Promise<string[]> {
    const { path, requestSerialize, responseDeserialize } = method(
      `grpc.reflection.${version}.ServerReflection`,
      'ServerReflectionInfo',
    )
    const call = this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    return new Promise((resolve, reject) => {
      call.on('error', reject)
      call.on('data', (answer: { listServicesResponse: { service: { name: string }[] } }) => {
        resolve(answer.listServicesResponse.service.map(({ name }) => name))
        call.end()
      })
      call.write({ listServices: '' })
    })
  }

  private unary(service: string, name: string, request: object): Promise<object> {
    const { path, requestSerialize, responseDeserialize } = method(service, name)
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        (error: ServiceError | null, answer?: object) =>
          answer
            ? resolve(answer)
            : reject(new Error(error ? status[error.code] : 'no answer', { cause: error })),
      )
    })
  }
}
