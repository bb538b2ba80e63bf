/** What the hub, or what is between here and it, answers in place of content, as sentences that say what to do. */
import type { Response } from 'undici'
import { SetupError } from '../errors.js'
import type { HubSettings } from './settings.js'

/** Codes of the hub: https://huggingface.co/docs/huggingface_hub (utilities, errors). */
export function refusal(response: Response, id: string, settings: HubSettings): SetupError {
  const { status } = response
  const { endpoint, token } = settings
  const code = response.headers.get('x-error-code')
  const page = `${endpoint}/${id}`
  const tokens = `${endpoint}/settings/tokens`
  const how = `set HF_TOKEN to ${token === null ? 'a' : 'another'} token (${tokens}) that may read it`
  if (code === 'RevisionNotFound')
    return new SetupError(`${page} has no such revision: check what is behind the @.`)
  if (code === 'EntryNotFound')
    return new SetupError(`${page} lacks a file that it lists: run the command again.`)
  if (code === 'GatedRepo')
    return new SetupError(`${page} is gated: open it in a browser, accept its terms, then ${how}.`)
  if (status === 401 && code === null && token !== null)
    return new SetupError(
      `${endpoint} does not know the token that it was given${said(response)}: set HF_TOKEN to one from ${tokens}, or to none for what is public.`,
    )
  if (code === 'RepoNotFound' || status === 401 || status === 404)
    return new SetupError(`There is no model ${page}, or it is private: check the spelling, or ${how}.`)
  if (status === 403)
    return new SetupError(
      `${page} may not be read (403${said(response)}): ${how}, or ask whoever runs the network, if it is not the hub that refuses.`,
    )
  return new SetupError(
    `${page} can not be fetched: the hub answered ${status} ${response.statusText}${said(response)}.`,
  )
}

export const proxyRefusal = (): SetupError =>
  new SetupError(
    'The proxy wants a name and a password, or others: write them into HTTPS_PROXY (and HTTP_PROXY) as http://name:password@proxy.example:3128.',
  )

/** The hub's own words, where it has any that can be shown. */
function said(response: Response): string {
  const words = (response.headers.get('x-error-message') ?? '').replace(/[^\x20-\x7e]/g, '').slice(0, 200)
  return words === '' ? '' : `, "${words.replace(/\.$/, '')}"`
}

/** Milliseconds until a server that is asked too often will answer, as it says: in seconds, or by the clock. */
export function retryAfter({ headers, status }: Response): number | undefined {
  // The hub's own: `"api";r=0;t=55`, of which t is when its window ends. It may be there where the window is not at fault.
  const window = status === 429 ? /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1] : undefined
  const seconds = headers.get('retry-after') ?? window
  if (seconds === undefined) return undefined
  const milliseconds = /^\d+$/.test(seconds) ? Number(seconds) * 1000 : Date.parse(seconds) - Date.now()
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds)
}
