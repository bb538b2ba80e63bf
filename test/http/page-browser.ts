/** A headless Chromium, driven over its own pipe: https://chromedevtools.github.io/devtools-protocol/ */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

type Values = Record<string, unknown>
interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Values
  readonly result?: Values
  readonly error?: { readonly message: string }
}

const names = [
  process.env.CHROMIUM ?? 'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
]
/** The program, or undefined where there is none: then the tests that need it are skipped (REQUIRE_ALL=1 forbids that). */
export const chromium = names.find((name) => spawnSync(name, ['--version']).status === 0)

/** A browser whose microphone hears a WAV file, once, from when a page opens it. */
export class Browser {
  private readonly process: ChildProcess
  private readonly profile = mkdtempSync(join(tmpdir(), 'chromium-'))
  private readonly pending = new Map<number, (message: Message) => void>()
  private readonly listeners = new Set<(message: Message) => void>()
  private sent = 0
  private rest = ''

  constructor(microphone: string) {
    const flags = [
      ...['--headless=new', '--no-sandbox', '--remote-debugging-pipe', `--user-data-dir=${this.profile}`],
      ...['--no-first-run', '--disable-gpu', '--disable-dev-shm-usage', '--disable-extensions'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
      `--use-file-for-fake-audio-capture=${microphone}%noloop`,
      // A name that is no localhost, as a page on another machine has it.
      '--host-resolver-rules=MAP elsewhere.test 127.0.0.1',
      'about:blank',
    ]
    this.process = spawn(chromium!, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
    const output = this.process.stdio[4] as Readable
    output.setEncoding('utf8').on('data', (text: string) => this.receive(text))
  }

  /** Asks the browser, or the page that `sessionId` names. */
  async send(method: string, params: Values = {}, sessionId?: string): Promise<Values> {
    const id = ++this.sent
    const answered = new Promise<Message>((resolve) => {
      this.pending.set(id, resolve)
    })
    const input = this.process.stdio[3] as Writable
    input.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`)
    const { result, error } = await answered
    assert.ok(!error, `${method}: ${error?.message}`)
    return result ?? {}
  }

  /** @param sessionId whose events are told to `listener`, under their names */
  on(sessionId: string, listener: (method: string, params: Values) => void): void {
    this.listeners.add((message) => {
      if ((message as Values).sessionId === sessionId) listener(message.method!, message.params ?? {})
    })
  }

  async page(): Promise<Page> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    const page = new Page(this, sessionId as string)
    for (const domain of ['Page', 'Runtime', 'Log']) await page.send(`${domain}.enable`)
    return page
  }

  async close(): Promise<void> {
    const ended = once(this.process, 'close')
    await Promise.race([this.send('Browser.close'), ended])
    await ended
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 })
  }

  private receive(text: string): void {
    const messages = (this.rest + text).split('\0')
    this.rest = messages.pop()!
    for (const json of messages) {
      const message = JSON.parse(json) as Message
      if (message.id === undefined) for (const listener of this.listeners) listener(message)
      else this.pending.get(message.id)?.(message)
    }
  }
}

/** A tab. Elements are named by CSS selectors. */
export class Page {
  /** What the console says of errors and warnings, broken security policies among them. */
  readonly complaints: string[] = []

  constructor(
    private readonly browser: Browser,
    private readonly sessionId: string,
  ) {
    browser.on(sessionId, (method, params) => {
      const { entry, exceptionDetails, type } = params as { [name: string]: Values | string | undefined }
      if (method === 'Log.entryAdded') this.complaints.push(JSON.stringify(entry))
      if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(exceptionDetails))
      if (method === 'Runtime.consoleAPICalled' && type !== 'log')
        this.complaints.push(JSON.stringify(params))
    })
  }

  send(method: string, params: Values = {}): Promise<Values> {
    return this.browser.send(method, params, this.sessionId)
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as { result: { value: T }; exceptionDetails?: Values }
    assert.ok(!exceptionDetails, `${expression}: ${JSON.stringify(exceptionDetails)}`)
    return result.value
  }

  /** Resolves with the first value that is true, or fails after a while with what `shown` shows then. */
  async until<T>(expression: string, seconds = 20): Promise<T> {
    for (const end = performance.now() + seconds * 1000; ; await delay(20)) {
      const value = await this.value<T>(expression)
      if (value) return value
      if (performance.now() < end) continue
      assert.fail(`never came: ${expression}\n${await this.value<string>('document.body.innerText')}`)
    }
  }

  /** Opens a page, and waits until it knows its service. */
  async open(url: string, ready = '!document.getElementById("service").textContent.startsWith("…")') {
    await this.send('Page.navigate', { url })
    await this.until(`location.href.startsWith(${JSON.stringify(url)}) && document.readyState === "complete"`)
    await this.until(ready)
  }

  text(selector: string): Promise<string> {
    return this.value(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`)
  }

  /** With the mouse, where the element is. */
  async click(selector: string): Promise<void> {
    const [x, y] = await this.value<[number, number]>(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)})
      element.scrollIntoView({ block: 'center' })
      const { x, y, width, height } = element.getBoundingClientRect()
      return [x + width / 2, y + height / 2]
    })()`)
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 })
  }

  /** A key by its name, as Enter or Tab. */
  async press(key: string): Promise<void> {
    const codes: Record<string, number> = { Tab: 9, Enter: 13, Escape: 27, ' ': 32 }
    const text = { Enter: '\r', ' ': ' ' }[key]
    const event = { key, code: key === ' ' ? 'Space' : key, windowsVirtualKeyCode: codes[key] }
    await this.send('Input.dispatchKeyEvent', { ...event, type: 'keyDown', ...(text ? { text } : {}) })
    await this.send('Input.dispatchKeyEvent', { ...event, type: 'keyUp' })
  }

  /** Presses Tab until the element has the focus. */
  async tabTo(selector: string): Promise<void> {
    for (let i = 0; i < 40; i++) {
      if (await this.value(`document.activeElement?.matches(${JSON.stringify(selector)})`)) return
      await this.press('Tab')
    }
    assert.fail(`${selector} can not be reached with Tab`)
  }

  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text })
  }

  /** Chooses a file, as a user does in the dialog that the element opens. */
  async choose(selector: string, file: string): Promise<void> {
    const { root } = (await this.send('DOM.getDocument')) as { root: { nodeId: number } }
    const { nodeId } = await this.send('DOM.querySelector', { nodeId: root.nodeId, selector })
    await this.send('DOM.setFileInputFiles', { nodeId, files: [file] })
  }

  /** @param look width in CSS pixels, and the colours that the user prefers */
  async screenshot(
    file: string,
    look: { width: number; height: number; scheme: 'light' | 'dark' },
  ): Promise<void> {
    const { width, height, scheme } = look
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await this.send('Emulation.setEmulatedMedia', { features })
    await this.send('Emulation.setScrollbarsHidden', { hidden: true })
    await this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    })
    const { data } = await this.send('Page.captureScreenshot')
    writeFileSync(file, Buffer.from(data as string, 'base64'))
  }
}
