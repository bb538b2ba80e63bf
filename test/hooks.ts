/** Mocha's root hooks, loaded by .mocharc.json. */
import { exchangesChecked, watchFetch } from './http/openapi-check.js'
import { stopSharedService } from './service.js'

export const mochaHooks = {
  beforeAll: watchFetch,
  afterEach: exchangesChecked,
  afterAll: () => stopSharedService(),
}
