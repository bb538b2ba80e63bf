/** A model's repository on the hub, at one commit. */
import type { HubClient } from './client.js'

export interface RemoteFile {
  /** Within the repository. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  readonly digest: FileDigest
}

/** SHA-256 of a large file; the git object name of a small one, which is a SHA-1 with a header. */
export interface FileDigest {
  readonly kind: 'sha256' | 'git'
  /** Lower-case. */
  readonly hex: string
}

export interface Repository {
  readonly id: string
  readonly commit: string
  readonly files: ReadonlyMap<string, RemoteFile>
}

/** Asks the hub for the files of a model. @throws SetupError when there is none, or the answer is not the hub's */
export async function openRepository(
  hub: HubClient,
  id: string,
  revision: string,
  signal: AbortSignal,
): Promise<Repository> {
  const path = `/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`
  const answer = (await hub.json(path, id, signal)) as Answer | null
  const { sha, siblings } = answer ?? {}
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) throw hub.noHub()
  const files = siblings.flatMap((sibling) => remoteFile(sibling) ?? [])
  return { id, commit: sha, files: new Map(files.map((file) => [file.path, file])) }
}

/** Where a file's content is. */
export const contentPath = ({ id, commit }: Repository, { path }: RemoteFile): string =>
  `/${id}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`

interface Answer {
  sha?: unknown
  siblings?: (Sibling | null)[]
}

interface Sibling {
  rfilename?: unknown
  size?: unknown
  blobId?: unknown
  lfs?: { sha256?: unknown; size?: unknown } | null
}

/** Bytes of the longest name, which leaves room for what is put behind it until the file is whole. */
const LONGEST_NAME = 200

/** What is listed without a digest, or by a name that no terminal should show or no disk takes, is as good as not there. */
function remoteFile(sibling: Sibling | null): RemoteFile | null {
  const { rfilename, size, blobId, lfs } = sibling ?? {}
  const large = typeof lfs?.sha256 === 'string'
  const hex = large ? lfs.sha256 : blobId
  const bytes = large ? (lfs.size ?? size) : size
  const known =
    typeof rfilename === 'string' &&
    !/[\p{Cc}\p{Cf}\\]/u.test(rfilename) &&
    rfilename.split('/').every((part) => Buffer.byteLength(part) <= LONGEST_NAME) &&
    Number.isSafeInteger(bytes) &&
    Number(bytes) >= 0 &&
    typeof hex === 'string' &&
    (large ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(hex)
  if (!known) return null
  return { path: rfilename, size: Number(bytes), digest: { kind: large ? 'sha256' : 'git', hex } }
}
