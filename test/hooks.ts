/** Mocha's root hooks, loaded by .mocharc.json. */
import { stopSharedService } from './service.js'

export const mochaHooks = {
  afterAll: () => stopSharedService(),
}
