/**
 * What the service needs before anything can be installed. Written so that Node 12 parses it: see setup.js.
 */

/** The platforms that onnxruntime-node brings a library for. */
const platforms = ['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64', 'win32 arm64']

/** @returns {string | undefined} one sentence if this Node (`process.version`) is older than 20.19 */
export function nodeFault(version) {
  const [major, minor] = version.slice(1).split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return undefined
  return `simple-audio-service needs Node 20.19 or newer, and this is Node ${version.slice(1)}: install a current one from https://nodejs.org.`
}

/** @returns {string | undefined} one sentence if ONNX Runtime has no library for this platform */
export function platformFault(platform, arch) {
  const name = `${platform} ${arch}`
  if (platforms.includes(name)) return undefined
  return `simple-audio-service does not run on ${name}: it needs one of ${platforms.join(', ')}.`
}
