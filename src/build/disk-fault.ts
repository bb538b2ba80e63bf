/** What a disk can refuse, as a sentence for whoever can mend it. */
import { SetupError } from '../errors.js'

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left',
  EDQUOT: 'the quota is used up',
  EFBIG: 'its file system takes no files of this size',
  EROFS: 'it is mounted for reading only',
  EACCES: 'permissions do not allow it',
  EPERM: 'permissions do not allow it',
  EIO: 'the disk does not answer',
}

/**
 * The error for what could not be put into `folder`; an error of another kind as it is.
 * @param what begins the sentence: "The engine"
 * @param again what is said of the next try
 */
export function diskFault(error: unknown, what: string, folder: string, again: string): unknown {
  const { code = '', path } = error as NodeJS.ErrnoException
  if (!Object.hasOwn(reasons, code)) return error
  const where = path === undefined ? '' : `, ${path}`
  return new SetupError(
    `${what} can not be put into ${folder} (${code}${where}): ${reasons[code]}. Mend that and run the same command again${again}.`,
    { cause: error },
  )
}
