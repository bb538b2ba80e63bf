/** The scheduler on a network whose next token depends on every row (toy.ts): what a test counts are runs, not seconds. */
import assert from 'node:assert/strict'
import { MessageChannel } from 'node:worker_threads'
import { Scheduler } from '#src/models/llama/scheduler.js'
import { alone, hash, promptOf, ToyReply, type ToyRun, ToySession, type ToyStyle } from './toy.js'

const CHUNK = 8
const CONTEXT = 128

interface Ask {
  prompt: readonly number[]
  style?: Partial<ToyStyle>
  replies?: number
}

interface Memory {
  slots?: number
  sharedRows?: number
  /** Whether numbers depend on the pieces that rows are computed in: all requests are then to be reproducible. */
  rounds?: boolean
}

describe('models/llama/scheduler', () => {
  let session: ToySession
  let scheduler: Scheduler
  let reproducible: boolean
  let onRun: (run: ToyRun, index: number) => void

  function open({ slots = 4, sharedRows, rounds = false }: Memory = {}): void {
    onRun = () => {}
    reproducible = rounds
    session = new ToySession({
      slots,
      stateRows: CONTEXT,
      rounds,
      ...(sharedRows ? { sharedRows } : {}),
      onRun: (run, index) => onRun(run, index),
    })
    scheduler = new Scheduler(session, { slots, context: CONTEXT, chunk: CHUNK })
  }
  afterEach(() => scheduler.dispose())

  /** Asks for replies, whose tokens are as they are alone. */
  function ask({ prompt, style = {}, replies: count = 1 }: Ask) {
    const styles = Array.from({ length: count }, (_, i) => ({ maxTokens: 6, ...style, seed: prompt[0]! + i }))
    const replies = styles.map((one) => new ToyReply(one))
    const controller = new AbortController()
    const cached: number[] = []
    const done = scheduler.run({
      prompt,
      replies,
      maxTokens: styles[0]!.maxTokens,
      reproducible,
      signal: controller.signal,
      started: (tokens) => cached.push(tokens),
    })
    const wanted = styles.map((one) => alone(prompt, one, reproducible ? CHUNK : undefined))
    const checked = done.then(() => {
      for (const [i, { tokens }] of replies.entries()) assert.deepEqual(tokens, wanted[i])
      assert.equal(cached.length, 1)
    })
    // Whoever is not looked at is looked at by its test later.
    checked.catch(() => {})
    const cancel = (reason?: unknown) => controller.abort(reason)
    return { done, checked, replies, cached, cancel, wanted }
  }
  const isPrompt = (run: ToyRun) => run.rows > 1 || run.uses[0]!.past === 0
  const slotsOf = ({ uses }: ToyRun) => uses.filter(({ idle }) => !idle).map(({ slot }) => slot)
  const promptRows = () => session.runs.filter(isPrompt).reduce((sum, { rows }) => sum + rows, 0)

  for (const [name, sharedRows] of [
    ['shared memory', 1024],
    ['slots of their own', undefined],
  ] as const)
    describe(`with ${name}`, () => {
      beforeEach(() => open(sharedRows ? { sharedRows } : {}))

      it('serves all running sequences at each step', async () => {
        const asked = [10, 20, 30, 40].map((seed) =>
          ask({ prompt: promptOf(seed, 17), style: { maxTokens: 14 } }),
        )
        await Promise.all(asked.map(({ checked }) => checked))
        const steps = session.runs.filter((run) => !isPrompt(run))
        assert.ok(steps.length <= 25, `${steps.length} steps for 4 replies of 14 tokens`)
        assert.deepEqual(Math.max(...steps.map((run) => slotsOf(run).length)), 4)
      })

      it('reads a prompt between steps, never more than a chunk while somebody writes', async () => {
        const first = ask({ prompt: promptOf(10, 3), style: { maxTokens: 30 } })
        let second: ReturnType<typeof ask> | undefined
        onRun = (_, index) => {
          if (index === 3) second = ask({ prompt: promptOf(20, 90) })
        }
        await first.checked
        await second!.checked
        const begin = session.runs.findIndex((run, i) => i > 3 && isPrompt(run))
        const during = session.runs.slice(begin, begin + 22)
        assert.deepEqual(
          during.map(isPrompt),
          during.map((_, i) => i % 2 === 0),
        )
        assert.ok(during.every((run) => run.rows <= CHUNK))
      })

      it('computes a prompt once for all its replies, more than there are slots', async () => {
        const prompt = promptOf(10, 50)
        const asked = ask({ prompt, replies: 10, style: { maxTokens: 9, rows: 'sometimes' } })
        await asked.checked
        assert.deepEqual(asked.cached, [0])
        assert.equal(promptRows(), prompt.length)
        assert.ok(session.counts.copied >= 3, `${session.counts.copied} copies`)
      })

      it('goes on behind the rows of what has been written, replies included', async () => {
        const prompt = promptOf(10, 30)
        const first = ask({ prompt, style: { maxTokens: 20 } })
        await first.checked
        const before = promptRows()
        const turn = [...prompt, ...first.replies[0]!.tokens, ...promptOf(3, 9)]
        const second = ask({ prompt: turn })
        await second.checked
        assert.deepEqual([first.cached, second.cached], [[0], [30 + 19]])
        assert.equal(promptRows() - before, 1 + 9)
      })

      it('computes the last token of a prompt that it has seen', async () => {
        const prompt = promptOf(10, 40)
        await ask({ prompt }).checked
        const again = ask({ prompt })
        await again.checked
        assert.deepEqual(again.cached, [39])
        const shorter = ask({ prompt: prompt.slice(0, 30) })
        await shorter.checked
        assert.deepEqual(shorter.cached, [29])
      })

      it('waits for a prompt that is being read by somebody else, instead of reading it twice', async () => {
        const prompt = promptOf(10, 60)
        const asked = [
          ask({ prompt: [...prompt, 1] }),
          ask({ prompt: [...prompt, 2] }),
          ask({ prompt: [...prompt, 3] }),
        ]
        await Promise.all(asked.map(({ checked }) => checked))
        assert.equal(promptRows(), 61)
        assert.deepEqual(
          asked.map(({ cached }) => cached[0]),
          [0, 60, 60],
        )
      })

      it('keeps a prompt for others though a conversation goes on behind it', async () => {
        const prompt = promptOf(10, 40)
        await ask({ prompt: [...prompt, 1, 2, 3] }).checked
        for (const more of [4, 5, 6]) {
          const other = ask({ prompt: [...prompt, more, more] })
          await other.checked
          assert.deepEqual(other.cached, [40])
        }
        const first = ask({ prompt: [...prompt, 1, 2, 3] })
        await first.checked
        assert.deepEqual(first.cached, [42])
      })

      it('goes on in a slot behind the rows that are its own, of which others may have more', async () => {
        const prompt = promptOf(10, 20)
        const running = ask({ prompt: [...prompt, 2, 3], style: { maxTokens: 40 } })
        // Leaves one row more than the next prompt begins with.
        await ask({ prompt: [...prompt, 1], style: { maxTokens: 1 } }).checked
        const other = ask({ prompt: [...prompt, 2, 9, 9] })
        await other.checked
        assert.deepEqual(other.cached, [20])
        await running.checked
      })

      it('goes on in the only slot there is, though it wants little of what is there', async () => {
        open({ slots: 1, ...(sharedRows ? { sharedRows } : {}) })
        const prompt = promptOf(10, 100)
        await ask({ prompt }).checked
        const other = ask({ prompt: [...prompt.slice(0, 40), 1, 2, 3] })
        await other.checked
        assert.deepEqual(other.cached, [40])
      })

      it('forgets what was not used for longest when slots are needed', async () => {
        const prompts = [10, 20, 30, 40].map((seed) => promptOf(seed, 20))
        for (const prompt of prompts) await ask({ prompt }).checked
        await ask({ prompt: prompts[0]! }).checked
        await ask({ prompt: promptOf(50, 20) }).checked
        const cached = []
        for (const prompt of [prompts[2]!, prompts[3]!, prompts[0]!, prompts[1]!]) {
          const again = ask({ prompt })
          await again.checked
          cached.push(again.cached[0])
        }
        assert.deepEqual(cached, [19, 19, 19, 0])
      })

      it('gives a slot away at the step behind a cancellation, and to those in order', async () => {
        const reason = new Error('enough')
        const asked = [10, 20, 30, 40].map((seed) =>
          ask({ prompt: promptOf(seed, 4), style: { maxTokens: 60 } }),
        )
        const next = ask({ prompt: promptOf(50, 4) })
        const last = ask({ prompt: promptOf(60, 4) })
        onRun = (_, index) => {
          if (index === 20) asked[2]!.cancel(reason)
        }
        await assert.rejects(asked[2]!.done, (error) => error === reason)
        const { tokens } = asked[2]!.replies[0]!
        assert.deepEqual(tokens, asked[2]!.wanted[0]!.slice(0, tokens.length))
        await next.checked
        const [first] = session.runs.slice(21).filter((run) => slotsOf(run).includes(2))
        assert.deepEqual(
          [first!.rows, first!.uses[0]!.past],
          [4, 0],
          'what its slot does next is another prompt',
        )
        assert.ok(session.runs.indexOf(first!) <= 24)
        assert.equal(last.cached.length, 0)
        for (const one of [asked[0]!, asked[1]!, asked[3]!, last]) await one.checked
      })

      it('ends what waits or is being read when it is cancelled', async () => {
        const running = [10, 20, 30].map((seed) =>
          ask({ prompt: promptOf(seed, 4), style: { maxTokens: 60 } }),
        )
        const reading = ask({ prompt: promptOf(40, 100) })
        const waiting = ask({ prompt: promptOf(50, 4) })
        onRun = (_, index) => {
          if (index === 12) waiting.cancel()
          if (index === 14) reading.cancel()
        }
        await assert.rejects(waiting.done, { name: 'AbortError' })
        await assert.rejects(reading.done, { name: 'AbortError' })
        assert.deepEqual([waiting.cached, reading.cached], [[], []])
        for (const { checked } of running) await checked
        const begun = await scheduler
          .run({
            prompt: [1],
            replies: [new ToyReply({ seed: 1, maxTokens: 1 })],
            maxTokens: 1,
            signal: AbortSignal.abort(),
            started: () => {},
          })
          .catch((error: Error) => error.name)
        assert.equal(begun, 'AbortError')
      })

      it('ends the sequences of a run that fails, and no others', async () => {
        const [one, two] = [10, 20].map((seed) =>
          ask({ prompt: promptOf(seed, 10), style: { maxTokens: 30 } }),
        )
        let reading: ReturnType<typeof ask> | undefined
        onRun = (run, index) => {
          if (index === 8) reading = ask({ prompt: promptOf(30, 60) })
          if (reading && run.rows > 1 && run.uses[0]!.past > 20) throw new Error('it broke')
        }
        await one!.checked
        await assert.rejects(reading!.done, /it broke/)
        await two!.checked
        onRun = () => {}
        const again = ask({ prompt: promptOf(30, 60) })
        await again.checked
        assert.deepEqual(again.cached, [0], 'rows of a run that failed are not trusted')

        const many = [40, 50].map((seed) => ask({ prompt: promptOf(seed, 10), style: { maxTokens: 30 } }))
        onRun = (run) => {
          if (slotsOf(run).length === 2) throw new Error('it broke')
        }
        for (const { done } of many) await assert.rejects(done, /it broke/)
        onRun = () => {}
        await ask({ prompt: promptOf(40, 10) }).checked
      })

      it('ends a whole request with what one of its replies throws', async () => {
        const other = ask({ prompt: promptOf(10, 10), style: { maxTokens: 30 } })
        const onToken = (_: number, count: number) => {
          if (count === 4) throw new Error('no such token')
        }
        const failing = ask({ prompt: promptOf(20, 10), replies: 3, style: { onToken, maxTokens: 30 } })
        await assert.rejects(failing.done, /no such token/)
        await other.checked
        await ask({ prompt: promptOf(20, 12), replies: 3 }).checked
      })

      it('reads prompts by turns: the shortest does not wait for the long, nor the oldest for ever', async () => {
        const long = ask({ prompt: promptOf(10, 96), style: { maxTokens: 1 } })
        const shorts: { asked: number; told: number }[] = []
        onRun = (_, index) => {
          if (index % 2 !== 0 || index > 20) return
          const short = { asked: session.runs.length, told: 0 }
          shorts.push(short)
          ask({
            prompt: promptOf(20 + 10 * index, 6),
            style: { maxTokens: 1, onToken: () => (short.told = session.runs.length) },
          })
        }
        await long.checked
        for (const { asked, told } of shorts) assert.ok(told - asked <= 2, `${told - asked} runs`)
        assert.ok(shorts.length > 9)
        assert.ok(session.runs.length <= 2 * (96 / CHUNK), `${session.runs.length} runs`)
      })

      for (const [during, pieces, order] of [
        ['L', 1, 'LwS'],
        ['w', 1, 'wS'],
        ['L', 3, 'LwSwLwSwLwS'],
        ['w', 3, 'wSwLwSwLwS'],
      ] as const)
        it(`begins a short prompt of ${pieces} behind the run that it comes in: ${order}`, async () => {
          const writer = ask({ prompt: promptOf(10, 3), style: { maxTokens: 60 } })
          let long: ReturnType<typeof ask> | undefined
          let short: ReturnType<typeof ask> | undefined
          let longSlot: number | undefined
          let [came, told] = [0, 0]
          const kind = (run: ToyRun) => (!isPrompt(run) ? 'w' : run.uses[0]!.slot === longSlot ? 'L' : 'S')
          onRun = (run, index) => {
            if (index === 3) long = ask({ prompt: promptOf(20, 90), style: { maxTokens: 1 } })
            else if (long && isPrompt(run)) longSlot ??= run.uses[0]!.slot
            if (short || longSlot === undefined || kind(run) !== during) return
            came = index
            short = ask({
              prompt: promptOf(30, pieces * CHUNK - 2),
              style: { maxTokens: 1, onToken: () => (told = session.runs.length) },
            })
          }
          await writer.checked
          await Promise.all([long!.checked, short!.checked])
          assert.equal(session.runs.slice(came, told).map(kind).join(''), order)
        })

      it('sees what came as a message during a run before it chooses the next', async () => {
        const { port1, port2 } = new MessageChannel()
        const short = new Promise<ReturnType<typeof ask>>((resolve) => {
          port2.once('message', () => resolve(ask({ prompt: promptOf(30, 4), style: { maxTokens: 1 } })))
        })
        const long = ask({ prompt: promptOf(20, 90), style: { maxTokens: 1 } })
        onRun = (_, index) => {
          if (index === 1) port1.postMessage('short')
        }
        await Promise.all([long.checked, (await short).checked])
        port1.close()
        const slots = session.runs.filter(isPrompt).map(({ uses }) => uses[0]!.slot)
        assert.deepEqual(
          slots.slice(0, 3).map((slot) => slot === slots[0]),
          [true, true, false],
        )
      })

      it('gives no request a second slot before others have their first', async () => {
        const many = ask({ prompt: promptOf(10, 10), replies: 12, style: { maxTokens: 20 } })
        let one: ReturnType<typeof ask> | undefined
        let before = -1
        onRun = (_, index) => {
          if (index === 4) one = ask({ prompt: promptOf(20, 10), style: { maxTokens: 5 } })
          if (one?.replies.every(({ ended }) => ended) && before < 0)
            before = many.replies.filter(({ ended }) => ended).length
        }
        await many.checked
        await one!.checked
        assert.ok(before >= 1 && before <= 4, `${before} of the others were complete before it`)
      })

      it('closes: ends all, and then its session', async () => {
        const asked = [10, 20].map((seed) => ask({ prompt: promptOf(seed, 20), style: { maxTokens: 60 } }))
        const closed = new Promise<void>((resolve, reject) => {
          onRun = (_, index) => {
            if (index === 6) scheduler.dispose().then(resolve, reject)
          }
        })
        for (const { done } of asked) await assert.rejects(done, /closed/)
        await closed
        assert.ok(session.disposed)
        assert.equal(session.runs.length, 7)
      })

      it('refuses what can never fit', async () => {
        const never = (prompt: readonly number[], maxTokens: number) =>
          scheduler.run({
            prompt,
            replies: [new ToyReply({ seed: 1, maxTokens })],
            maxTokens,
            signal: new AbortController().signal,
            started: () => {},
          })
        await assert.rejects(never(promptOf(1, 100), 29), /100 and 29 tokens in a context of 128/)
        await assert.rejects(never([], 1), /a prompt of 0/)
        await ask({ prompt: promptOf(1, 100), style: { maxTokens: 28 } }).checked
      })
    })

  describe('with little memory', () => {
    it('lets the newest wait, whose reply does not notice', async () => {
      // Each takes 64 rows in the end, and 16, then 32, in the beginning; 160 are there.
      open({ sharedRows: 160 })
      const asked = [10, 20, 30, 40].map((seed) =>
        ask({ prompt: promptOf(seed, 10), style: { maxTokens: 40 } }),
      )
      await Promise.all(asked.map(({ checked }) => checked))
      assert.ok(session.counts.refused > 0)
      assert.ok(
        session.runs.some((run) => run.rows === CHUNK && run.uses[0]!.past > 8),
        'none was computed again',
      )
    })

    it('forgets what is kept before it lets anybody wait', async () => {
      open({ sharedRows: 96 })
      await ask({ prompt: promptOf(10, 30) }).checked
      await ask({ prompt: promptOf(20, 20) }).checked
      const third = ask({ prompt: promptOf(30, 20) })
      await third.checked
      const kept = ask({ prompt: promptOf(20, 20) })
      await kept.checked
      assert.deepEqual(kept.cached, [19], 'the older one went first')
      assert.ok(session.counts.refused > 0)
    })

    it('goes on in the place of what it begins with where both have no room', async () => {
      open({ sharedRows: CONTEXT })
      const prompt = promptOf(10, 60)
      await ask({ prompt, style: { maxTokens: 4 } }).checked
      const other = ask({ prompt: [...prompt.slice(0, 55), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] })
      await other.checked
      assert.deepEqual(other.cached, [0], 'it needs more room than both have')
      const again = ask({ prompt: [...prompt.slice(0, 50), 1, 2, 3], style: { maxTokens: 2 } })
      await again.checked
      assert.deepEqual(again.cached, [50])
    })

    it('goes on in a place that is far too large only where no smaller one could be had', async () => {
      const cached = async (memory: Memory) => {
        open({ slots: 1, ...memory })
        const prompt = promptOf(10, 100)
        await ask({ prompt }).checked
        const short = ask({ prompt: [...prompt.slice(0, 18), 1, 2], style: { maxTokens: 2 } })
        await short.checked
        return short.cached
      }
      assert.deepEqual(await cached({ sharedRows: 1024 }), [0])
      assert.deepEqual(await cached({}), [18])
    })

    it('does not try each of many replies for which there is no room', async () => {
      open({ sharedRows: 96 })
      // There is room for one of them at a time.
      await ask({ prompt: promptOf(10, 50), replies: 30, style: { maxTokens: 4 } }).checked
      const { refused } = session.counts
      assert.ok(refused > 0 && refused < 4 * session.runs.length, `${refused} in ${session.runs.length} runs`)
    })

    it('gives one that is alone all there is, at the cost of computing it again', async () => {
      open({ sharedRows: CONTEXT })
      await ask({ prompt: promptOf(10, 12), style: { maxTokens: CONTEXT - 12 } }).checked
      assert.ok(session.counts.refused > 0)
    })

    it('says so where even one alone finds no room', async () => {
      open({ sharedRows: 100 })
      await assert.rejects(ask({ prompt: promptOf(10, 70) }).done, {
        name: 'ServiceError',
        message: /70 tokens find no room .*KV_MEMORY/,
      })
      await ask({ prompt: promptOf(10, 60), style: { maxTokens: 3 } }).checked
    })

    it('lets small ones pass a large one, but not for ever', async () => {
      open({ sharedRows: 192 })
      const running = ask({ prompt: promptOf(10, 70), style: { maxTokens: 57 } })
      let large: ReturnType<typeof ask> | undefined
      const small: ReturnType<typeof ask>[] = []
      let before = -1
      onRun = (run, index) => {
        if (index === 9) large = ask({ prompt: promptOf(20, 100), style: { maxTokens: 2 } })
        if (index < 10) return
        if (before < 0 && run.rows === CHUNK)
          before = small.filter(({ replies }) => replies.every(({ ended }) => ended)).length
        if (small.length < 40)
          small.push(ask({ prompt: promptOf(30 + 10 * small.length, 5), style: { maxTokens: 2 } }))
      }
      await running.checked
      await large!.checked
      await Promise.all(small.map(({ checked }) => checked))
      // One more may begin together with it, and be done before its first chunk.
      assert.ok(before === 8 || before === 9, `${before} small ones passed it`)
    })
  })

  it('asks for whole rows only where they are wanted', async () => {
    open()
    await ask({ prompt: promptOf(10, 1), style: { maxTokens: 10 } }).checked
    assert.ok(session.runs.every(({ outputs }) => !outputs.includes('logits')))
    open()
    await ask({ prompt: promptOf(10, 1), style: { maxTokens: 10, rows: 'always' } }).checked
    assert.equal(session.runs.length, 10)
    assert.ok(session.runs.every(({ outputs }) => outputs.join() === 'logits'))
    open()
    const asked = [10, 20].map((seed) =>
      ask({ prompt: promptOf(seed, 1), style: { maxTokens: 20, rows: 'sometimes' } }),
    )
    await Promise.all(asked.map(({ checked }) => checked))
    const again = session.runs.filter(({ outputs }) => outputs.includes('logits'))
    assert.ok(again.length > 5 && again.length < 20)
    for (const run of again) assert.deepEqual(run.uses, session.runs[session.runs.indexOf(run) - 1]!.uses)
  })

  describe('where numbers depend on the pieces that they were computed in', () => {
    it('takes rows of others for a reproducible reply only in the same pieces', async () => {
      open({ rounds: true })
      const prompt = promptOf(10, 44)
      const first = ask({ prompt, replies: 3, style: { maxTokens: 9 } })
      await first.checked
      assert.equal(promptRows(), 44, 'its own replies share the last piece, too')
      const again = ask({ prompt })
      const turn = ask({ prompt: [...prompt, ...first.replies[0]!.tokens, 1, 2, 3] })
      const shorter = ask({ prompt: prompt.slice(0, 30) })
      for (const { checked } of [again, turn, shorter]) await checked
      assert.deepEqual([again.cached, turn.cached, shorter.cached], [[40], [40], [24]])
    })

    it('gives a reproducible reply its rows back by steps', async () => {
      open({ sharedRows: 160, rounds: true })
      const asked = [10, 20, 30, 40].map((seed) =>
        ask({ prompt: promptOf(seed, 10), style: { maxTokens: 40 } }),
      )
      await Promise.all(asked.map(({ checked }) => checked))
      assert.ok(session.counts.refused > 0)
    })
  })

  describe('whatever comes', () => {
    const totals = { refused: 0, copied: 0, idle: 0, forgotten: 0, cancelled: 0, cached: 0, failed: 0 }
    for (let seed = 0; seed < 40; seed++)
      it(`gives every reply what it is alone (${seed})`, async () => {
        const random = (most: number, ...what: number[]) => hash(seed, ...what) % most
        const shared = random(2, 1) === 0
        const slots = 1 + random(6, 2)
        const rounds = random(2, 6) === 0
        open({ slots, rounds, ...(shared ? { sharedRows: CONTEXT + random(300, 3) } : {}) })
        const failing = random(3, 4) === 0 ? 20 + random(100, 5) : -1
        const works = Array.from({ length: 25 }, (_, i) => {
          const own = promptOf(1000 * seed + i, random(40, i, 10))
          const common = promptOf(seed + random(3, i, 11), random(60, i, 12))
          const prompt = [...common, ...own, i]
          const maxTokens = 1 + random(Math.min(40, CONTEXT - prompt.length), i, 13)
          const rows = ([undefined, 'always', 'sometimes'] as const)[random(3, i, 14)]
          const style = { maxTokens, stops: random(2, i, 15) === 0, ...(rows ? { rows } : {}) }
          const replies = random(4, i, 16) === 0 ? 1 + random(8, i, 17) : 1
          const cancelAt = random(4, i, 18) === 0 ? random(200, i, 19) : -1
          return { at: random(120, i, 20), cancelAt, ask: { prompt, style, replies } }
        })
        const asked = new Map<(typeof works)[number], ReturnType<typeof ask>>()
        const turn = (index: number) => {
          for (const work of works) {
            if (work.at <= index && !asked.has(work)) asked.set(work, ask(work.ask))
            if (work.cancelAt >= 0 && work.cancelAt <= index) asked.get(work)?.cancel(new Error('left'))
          }
        }
        onRun = (_, index) => {
          turn(index)
          if (index === failing) throw new Error('it broke')
        }
        // When nothing runs, what comes next comes at once.
        for (let index = 0; asked.size < works.length; index++) {
          turn(session.runs.length + index)
          await Promise.allSettled([...asked.values()].map(({ done }) => done))
        }
        for (const [work, one] of asked) {
          const failure: unknown = await one.done.then(
            () => null,
            (error: unknown) => error,
          )
          if (failure === null) await one.checked
          else {
            assert.match(String(failure), /left|it broke/)
            if (/left/.test(String(failure))) assert.ok(work.cancelAt >= 0)
            else totals.failed++
            totals.cancelled++
            for (const [i, { tokens }] of one.replies.entries())
              assert.deepEqual(tokens, one.wanted[i]!.slice(0, tokens.length))
          }
          assert.ok(one.cached.every((count) => count >= 0 && count < work.ask.prompt.length))
          totals.cached += one.cached[0] ?? 0
        }
        for (const name of ['refused', 'copied', 'idle', 'forgotten'] as const)
          totals[name] += session.counts[name]
      })
    after(() => {
      for (const [name, count] of Object.entries(totals))
        assert.ok(count > 20 || name === 'failed', `${count} ${name}`)
    })
  })
})
