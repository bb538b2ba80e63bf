/** What of this machine's processor decides which form of a graph is the fastest. */
import { existsSync, readFileSync } from 'node:fs'

/**
 * Whether it multiplies matrices of int8 in a unit of its own (AMX), as ONNX Runtime then does. Linux tells; where
 * nothing does the answer is no, with which every graph is as right, if not as fast.
 * @param cpuinfo where the system describes its processors
 */
export const hasInt8Matrices = (cpuinfo = '/proc/cpuinfo'): boolean =>
  existsSync(cpuinfo) && /^flags\s*:.*\bamx_int8\b/m.test(readFileSync(cpuinfo, 'utf8'))
