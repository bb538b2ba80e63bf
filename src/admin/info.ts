/** AdminService/Info. */
import type { handleUnaryCall } from '@grpc/grpc-js'
import type { Admission } from '../assistant/admission.js'
import { type ServiceInfo, uptimeSeconds } from '../assistant/info.js'

export function getInfo(info: ServiceInfo, admission: Admission): handleUnaryCall<object, object> {
  return (_call, reply) =>
    reply(null, {
      version: info.version,
      runtime: info.runtime,
      uptimeSeconds: uptimeSeconds(info),
      models: info.models.map(({ name, family, parameters, bytes, loadSeconds, parallel, facts }) => ({
        name,
        family,
        parameters,
        engineBytes: bytes,
        loadSeconds,
        parallel,
        contextTokens: facts.contextTokens,
        kvBytes: facts.stateBytes,
      })),
      requests: admission.size,
    })
}
