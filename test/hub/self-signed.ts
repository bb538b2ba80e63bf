/** A certificate of localhost that nobody has signed but itself, until 2126, with its key: worth nothing to anyone. */
const pem = (kind: string, der: string): string => `-----BEGIN ${kind}-----\n${der}\n-----END ${kind}-----\n`

export const key = pem(
  'PRIVATE KEY',
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqju6CPWiVZNxOfqXjhRqldo1Rk611HaTVcOvIDJrFS2hRANCAASe' +
    'VA8UjdcYJp8r93uexgGnen3pd+em8nm1ubE0j1x677VaZmQn3HVeXgWmDqM2lnG+0rRnb8cuKLRekbROiDMP',
)
export const cert = pem(
  'CERTIFICATE',
  'MIIBgDCCASWgAwIBAgIUYa0Pqs0yWvuzuLBIGzqfufAr9howCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2' +
    'MTEyNjIyMDYxNloYDzIxMjYxMTAyMjIwNjE2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC' +
    'AASeVA8UjdcYJp8r93uexgGnen3pd+em8nm1ubE0j1x677VaZmQn3HVeXgWmDqM2lnG+0rRnb8cuKLRekbROiDMPo1MwUTAdBgNV' +
    'HQ4EFgQUjnPJe9wEZlqfnGvIGdqNWcsITZMwHwYDVR0jBBgwFoAUjnPJe9wEZlqfnGvIGdqNWcsITZMwDwYDVR0TAQH/BAUwAwEB' +
    '/zAKBggqhkjOPQQDAgNJADBGAiEA3k1U/qcvlwhgp1btECMCuebPGRkG31Lpj3rpcR+/Re4CIQCGQDXtls9fIa0lSyPcTf/9MDSt' +
    '2zCWgUDfie7f8VFDFQ==',
)
