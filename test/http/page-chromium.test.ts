/** The page in a real browser, whose microphone hears a real recording. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pino } from 'pino'
import { Admission } from '#src/assistant/admission.js'
import type { Models } from '#src/assistant/registry.js'
import { createApp } from '#src/http/app.js'
import { HttpServer } from '#src/http/server.js'
import { root } from '../root.js'
import { type Service, sharedService } from '../service.js'
import { transcripts, wordErrorRate } from './client.js'
import { Browser, chromium, type Page } from './page-browser.js'

const clip = (name: string) => join(root, 'test', 'audio', 'clips', name)
const question = 'spk1_snt5.wav'

interface Heard {
  /** Of each piece that was played: where it begins and ends, in seconds of the sound's clock, and how loud it is. */
  readonly pieces: { from: number; to: number; rms: number }[]
  readonly requests: { path: string; body: ChatRequest }[]
}
interface ChatRequest {
  readonly temperature?: number
  readonly messages: {
    role: string
    audio?: { id: string }
    content?: string | { input_audio: { data: string } }[]
  }[]
}

/** Runs before the page does, and notes what it sends and plays. */
const notes = `{
  window.heard = { pieces: [], requests: [] }
  const { start } = AudioBufferSourceNode.prototype
  AudioBufferSourceNode.prototype.start = function (when) {
    if (this.context instanceof AudioContext) {
      const samples = this.buffer.getChannelData(0)
      const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
      heard.pieces.push({ from: when, to: when + this.buffer.duration, rms })
    }
    return start.call(this, when)
  }
  const { fetch } = window
  window.fetch = (path, init) => {
    if (typeof init?.body === 'string') heard.requests.push({ path, body: JSON.parse(init.body) })
    return fetch(path, init)
  }
}`

describe('the page in Chromium', function () {
  this.timeout(120_000)
  let service: Service
  let browser: Browser
  let page: Page
  before(async function () {
    if (!chromium) this.skip()
    service = await sharedService()
    browser = new Browser(clip(question))
    page = await open(service.url)
  })
  after(() => browser?.close())

  async function open(url: string): Promise<Page> {
    const opened = await browser.page()
    await opened.send('Page.addScriptToEvaluateOnNewDocument', { source: notes })
    await opened.open(`${url}/`)
    return opened
  }
  const state = (name: string, at = page) =>
    at.until(`document.querySelector('#talk').dataset.state === '${name}'`, 60)
  const heard = () => page.value<Heard>('heard')
  const stages = (selector: string) =>
    page.value<string[]>(`[...document.querySelectorAll('${selector} dt')].map((stage) => stage.innerText)`)

  /** Without gaps, in time, and loud enough to be heard. */
  function assertSound(pieces: Heard['pieces']): void {
    assert.ok(pieces.length > 0, `${pieces.length} pieces`)
    for (const [i, { from }] of pieces.entries())
      if (i > 0) assert.ok(Math.abs(from - pieces[i - 1]!.to) < 1e-4, `a gap before piece ${i}`)
    assert.ok(pieces.some(({ rms }) => rms > 0.02))
    assert.ok(pieces.at(-1)!.to - pieces[0]!.from > 0.5)
  }

  it('presses, speaks, hears an answer, and sees what was said', async () => {
    await page.value('document.querySelector("#temperature").focus()')
    await page.type('0')
    await page.value('document.querySelector("#max-tokens").focus()')
    await page.type('12')
    await page.click('#microphone')
    await page.until('document.querySelector("#seconds").innerText === "3 s"')
    await page.click('#microphone')
    await state('answering')
    await state('idle')
    const { pieces, requests } = await heard()
    assertSound(pieces)
    assert.equal(requests.length, 1)
    const { path, body } = requests[0]!
    assert.deepEqual([path, body.temperature], ['v1/chat/completions', 0])
    const [part] = body.messages[0]!.content as { input_audio: { data: string } }[]
    const wav = Buffer.from(part!.input_audio.data, 'base64')
    const [channels, rate, bits] = [wav.readUInt16LE(22), wav.readUInt32LE(24), wav.readUInt16LE(34)]
    assert.deepEqual([wav.toString('latin1', 0, 4), channels, rate, bits], ['RIFF', 1, 16_000, 16])
    await page.until('document.querySelector(".own .said")', 30)
    const words = await page.text('.own .words')
    assert.equal(wordErrorRate(transcripts[question]!, words), 0, words)
    assert.ok((await page.text('.turn:not(.own) .said')).length > 5)
    assert.deepEqual((await stages('.turn')).sort(), ['first sound', 'first words', 'heard', 'whole'])
  })

  it('goes on by keyboard alone: types, and stops a long answer', async () => {
    await page.value('(heard.pieces.length = 0, heard.requests.length = 0, document.activeElement.blur())')
    await page.tabTo('#message')
    await page.type('say: It goes on.')
    await page.press('Enter')
    await state('answering')
    await state('idle')
    assert.equal(await page.text('.turn:last-child .words'), 'It goes on.')
    const { pieces, requests } = await heard()
    assertSound(pieces)
    const [asked, answered, now] = requests[0]!.body.messages
    assert.equal(wordErrorRate(transcripts[question]!, asked!.content as string), 0)
    assert.match(answered!.audio!.id, /^audio_/)
    assert.equal(now!.content, 'say: It goes on.')

    await page.type(`say: ${'And this goes on for a long while. '.repeat(20)}`)
    await page.press('Enter')
    await page.until('/Speaking/.test(document.querySelector("#state").innerText)', 40)
    await page.press('Escape')
    await state('idle')
    await page.tabTo('#anew')
    await page.press('Enter')
    assert.equal(await page.value('document.querySelectorAll(".turn").length'), 0)
    await page.tabTo('#microphone')
    await page.press(' ')
    await page.until('/Listening/.test(document.querySelector("#state").innerText)')
    await page.press('Escape')
    await state('idle')
  })

  it('transcribes a file that is chosen, and one that is dropped', async () => {
    await page.choose('#transcribe-file', clip('spk1_snt4.wav'))
    await page.until('document.querySelector("#transcript dt")', 40)
    assert.match(await page.text('#transcript p'), /^A thin stripe/)
    assert.deepEqual(await stages('#transcript'), ['heard'])
    await page.value(`(() => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['no sound'], 'letter.mp3'))
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }))
    })()`)
    await page.until('document.querySelector("#transcript.wrong")')
    assert.equal(await page.text('#transcript'), 'It is in no format that this service knows.')
    page.complaints.splice(0) // of the browser, which notes every answer of 400
  })

  it('speaks a text', async () => {
    await page.value('(heard.pieces.length = 0, document.querySelector("#text").select())')
    await page.type('The tea is nearly ready.')
    await page.click('#say')
    await page.until('document.querySelectorAll("#spoken dt").length === 2', 40)
    await page.until('document.querySelector("#say").innerText === "Speak"', 40)
    assertSound((await heard()).pieces)
    assert.deepEqual((await stages('#spoken')).sort(), ['first sound', 'whole'])
  })

  it('plays sound that comes apart in the middle of a sample', async () => {
    const length = await page.value<number>(`import('/page/player.js').then(({ Playback }) => {
      heard.pieces.length = 0
      const playback = new Playback()
      for (const bytes of [1, 300_000, 0, 1, 2]) playback.push(new Uint8Array(bytes))
      playback.stop()
      return playback.over.then(() => heard.pieces.reduce((sum, { from, to }) => sum + to - from, 0) * 24_000)
    })`)
    assert.equal(Math.round(length), 150_002)
  })

  it("offers the service's voices", async () => {
    const voices = await page.value<string[]>(
      '[...document.querySelectorAll("#voice option")].map((o) => o.value)',
    )
    const { models } = (await (await fetch(`${service.url}/health`)).json()) as {
      models: { voices?: string[] }[]
    }
    assert.deepEqual(voices.sort(), models.flatMap(({ voices: known }) => known ?? []).sort())
  })

  it('has had nothing to complain of', () => {
    assert.deepEqual(page.complaints, [])
  })

  it('says where there is no microphone, and takes a recording instead', async () => {
    const other = await open(`http://elsewhere.test:${service.port}`)
    assert.equal(await other.value('isSecureContext'), false)
    assert.ok(await other.value('document.querySelector("#microphone").disabled'))
    assert.match(await other.text('#no-microphone'), /localhost or over HTTPS/)
    assert.doesNotMatch(await other.text('#turns'), /microphone/)
    await other.value('document.querySelector("#max-tokens").focus()')
    await other.type('8')
    await other.choose('#question-file', clip('spk1_snt1.wav'))
    await state('answering', other)
    await other.until('document.querySelector(".own .said")', 60)
    assert.match(await other.text('.own .said'), /small dog/)
    await other.click('#microphone')
    await state('idle', other)
    assert.deepEqual(other.complaints, [])
  })

  it('runs nothing that was written into it, and asks nobody else', async () => {
    const other = await open(service.url)
    const broken = await other.value<string[]>(`new Promise((resolve) => {
      const broken = []
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        broken.push(effectiveDirective)
        if (broken.length === 3) resolve(broken.sort())
      })
      fetch('https://example.org/').catch(() => {})
      document.body.append(Object.assign(new Image(), { src: 'https://example.org/a.png' }))
      try { document.body.innerHTML += '<b>bold</b>' } catch {}
    })`)
    assert.deepEqual(broken, ['connect-src', 'img-src', 'require-trusted-types-for'])
  })

  it('asks for the key, keeps it for the tab alone, and says when the service is gone', async () => {
    const info = { name: 'any', facts: { voices: ['af_heart'], sampleRate: 24_000 } }
    const models = { whisper: { info }, llama: { info }, kokoro: { info } } as unknown as Models
    const app = createApp({
      models,
      admission: new Admission(1, 0),
      logger: pino({ level: 'silent' }),
      info: { version: '1', runtime: 'none', models: [], readyAt: 0 },
      limits: {
        maxAudioSeconds: 1,
        maxBody: 1000,
        maxReplyTokens: 1,
        maxSpokenTokens: 1,
        maxSpeechCharacters: 9,
        intents: true,
      },
      apiKey: 'sk-right',
      corsOrigins: [],
      requestsPerMinute: null,
      strictModels: false,
    })
    const server = await HttpServer.listen(app, '127.0.0.1', 0, pino({ level: 'silent' }))
    const other = await open(`http://127.0.0.1:${server.port}`)
    try {
      await other.until('document.querySelector("#key-dialog").open')
      assert.match(await other.text('#key-reason'), /API key/)
      await other.type('sk-wrong')
      await other.press('Enter')
      await other.until('/Incorrect/.test(document.querySelector("#key-reason").innerText)')
      await other.type('sk-right')
      await other.press('Enter')
      await other.until('!document.querySelector("#key-dialog").open')
      const kept = 'JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])'
      assert.equal(await other.value(kept), '[{"api-key":"sk-right"},{},""]')
    } finally {
      await server.drain()
    }
    await other.value('document.querySelector("#message").focus()')
    await other.type('Hello?')
    await other.press('Enter')
    await other.until('document.querySelector(".words.wrong")')
    assert.match(await other.text('.words.wrong'), /can not be reached/)
  })
})
