/** How the hub is reached, from the variables that its own library (huggingface_hub) knows. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { SetupError } from '../errors.js'

export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly token: string | null
  /** Nothing is asked of the network. */
  readonly offline: boolean
  /** Of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in small letters or capitals; empty texts for none. */
  readonly proxies: { readonly httpProxy: string; readonly httpsProxy: string; readonly noProxy: string }
}

type Environment = Readonly<Record<string, string | undefined>>

/** HF_ENDPOINT, HF_TOKEN or the token file below HF_HOME, HF_HUB_OFFLINE. @throws SetupError for an endpoint that is no URL */
export function readHubSettings(environment: Environment): HubSettings {
  const endpoint = (environment.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '')
  if (!/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : ''))
    throw new SetupError(`HF_ENDPOINT must be a URL such as https://huggingface.co, not "${endpoint}".`)
  const variable = (name: string) => environment[name] ?? environment[name.toUpperCase()] ?? ''
  const proxies = {
    httpProxy: proxy(variable('http_proxy'), 'HTTP_PROXY'),
    httpsProxy: proxy(variable('https_proxy'), 'HTTPS_PROXY'),
    noProxy: variable('no_proxy'),
  }
  return { endpoint, token: tokenOf(environment), offline: isOn(environment.HF_HUB_OFFLINE), proxies }
}

/** A proxy is written with or without http:// before it. */
function proxy(text: string, name: string): string {
  const url = text === '' || text.includes('://') ? text : `http://${text}`
  if (url === '' || (/^https?:/i.test(url) && URL.canParse(url))) return url
  throw new SetupError(`${name} must be a URL such as http://proxy.example:3128, not "${text}".`)
}

const isOn = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? '')

function tokenOf(environment: Environment): string | null {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HOME, XDG_CACHE_HOME } = environment
  const given = HF_TOKEN || HUGGING_FACE_HUB_TOKEN
  if (given) return usable(given, 'HF_TOKEN')
  if (isOn(environment.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return null
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface')
  const path = HF_TOKEN_PATH || join(home, 'token')
  try {
    return usable(readFileSync(path, 'utf8'), path)
  } catch (cause) {
    if (cause instanceof SetupError) throw cause
    return null // no such file: what is public needs none
  }
}

function usable(text: string, where: string): string | null {
  const token = text.trim()
  if (/^[\x21-\x7e]*$/.test(token)) return token || null
  throw new SetupError(`The token in ${where} has characters that a token can not have: copy it again.`)
}
