import assert from 'node:assert/strict'
import type { Engine } from '#src/runtime/engine.js'
import { float32, floats, int64, type Session, type SlotUse } from '#src/runtime/session.js'
import type { Gpu } from '#src/runtime/tensorrt/library.js'
import { describeNative } from '../../native/toolchain.js'
import {
  CROSS,
  decoder,
  decoderFeeds,
  int32,
  type Log,
  openTestEngine,
  rowsSeen,
  SLOTS,
  STATE_ROWS,
  signature,
  type TestGraph,
  tensor,
  testGpu,
} from './engines.js'

const zeros = (count: number) => Array<number>(count).fill(0)

/** Runs sequences in consecutive slots; what each has of state afterwards. */
async function step(session: Session, values: number[][], uses: SlotUse[]): Promise<number[][]> {
  const feeds = decoderFeeds(
    values,
    uses.map(({ past }) => past),
  )
  const { y, seen } = await session.run(feeds, uses)
  assert.deepEqual(
    [...(y!.data as Float32Array)],
    values.flat().map((value) => value * value),
  )
  return uses.map((_, row) => rowsSeen(seen!, row))
}

const encoder: TestGraph = {
  body: ['cross = copy audio', 'loud = sum audio'],
  signature: signature(
    [tensor('audio', 'float32', 'batch', CROSS)],
    [tensor('cross', 'float32', 'batch', CROSS), tensor('loud', 'float32', 'batch', 1)],
    {
      resident: ['cross'],
      slots: SLOTS,
      profiles: [{ name: 'windows', sizes: { batch: [1, 1, 2] } }],
    },
  ),
}
const listener: TestGraph = {
  body: [...decoder.body, 'heard = copy cross'],
  signature: {
    ...decoder.signature,
    inputs: [...decoder.signature.inputs, tensor('cross', 'float32', 'batch', CROSS)],
    outputs: [...decoder.signature.outputs, tensor('heard', 'float32', 'batch', CROSS)],
    resident: ['cross'],
  },
}
const windows = (...values: number[]) => ({
  audio: float32(Float32Array.from(values.flatMap((value) => Array<number>(CROSS).fill(value))), [
    values.length,
    CROSS,
  ]),
})

describeNative('runtime/tensorrt/session', () => {
  const log: Log = []
  let gpu: Gpu
  const engines: Engine[] = []
  const sessions: Session[] = []

  async function open(graphs: Record<string, TestGraph>): Promise<Session[]> {
    const engine = await openTestEngine(graphs, gpu)
    engines.push(engine)
    const opened: Session[] = []
    for (const name of Object.keys(graphs)) opened.push(await engine.open(name))
    sessions.push(...opened)
    log.length = 0
    return opened
  }
  const openDecoder = async (change: Partial<TestGraph> = {}) =>
    (await open({ decoder: { ...decoder, ...change } }))[0]!

  before(async () => {
    gpu = await testGpu(log)
  })
  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.dispose()
    for (const engine of engines.splice(0)) await engine.dispose()
    delete process.env.FAKE_CUDA_DELAY_US
  })

  describe('state', () => {
    it('begins as zeros, though every profile has been warmed up', async () => {
      const session = await openDecoder()
      assert.deepEqual(
        await step(
          session,
          [[1], [2]],
          [
            { slot: 2, past: 0 },
            { slot: 3, past: 0 },
          ],
        ),
        [
          [1, ...zeros(7)],
          [2, ...zeros(7)],
        ],
      )
      assert.deepEqual(await step(session, [[3]], [{ slot: 0, past: 0 }]), [[3, ...zeros(7)]])
    })

    it('stays from run to run, slot by slot, through both profiles', async () => {
      const session = await openDecoder()
      assert.deepEqual(await step(session, [[1, 2, 3]], [{ slot: 1, past: 0 }]), [[1, 2, 3, ...zeros(5)]])
      assert.deepEqual(await step(session, [[7, 8]], [{ slot: 2, past: 0 }]), [[7, 8, ...zeros(6)]])
      const both = [
        { slot: 1, past: 3 },
        { slot: 2, past: 2 },
      ]
      assert.deepEqual(await step(session, [[4], [9]], both), [
        [1, 2, 3, 4, ...zeros(4)],
        [7, 8, 9, ...zeros(5)],
      ])
      assert.deepEqual(await step(session, [[5]], [{ slot: 1, past: 4 }]), [[1, 2, 3, 4, 5, ...zeros(3)]])
      assert.deepEqual(await step(session, [[6]], [{ slot: 3, past: 0 }]), [[6, ...zeros(7)]])
    })

    it('may be written again from an earlier row on', async () => {
      const session = await openDecoder()
      await step(session, [[1, 2, 3]], [{ slot: 0, past: 0 }])
      assert.deepEqual(await step(session, [[9]], [{ slot: 0, past: 1 }]), [[1, 9, 3, ...zeros(5)]])
      await assert.rejects(
        step(session, [[4]], [{ slot: 0, past: 3 }]),
        /slot 0 has 2 rows of state, but the run continues 3/,
      )
    })

    it('is never written past its last row', async () => {
      const session = await openDecoder()
      await step(session, [[1, 2, 3, 4, 5, 6]], [{ slot: 0, past: 0 }])
      await assert.rejects(
        step(session, [[7, 8, 9]], [{ slot: 0, past: 6 }]),
        /9 rows of state, but a slot holds 8/,
      )
      await step(session, [[7, 8]], [{ slot: 0, past: 6 }])
      await assert.rejects(step(session, [[9]], [{ slot: 0, past: 8 }]), /9 rows of state/)
    })

    it('holds no more rows than the session was opened for', async () => {
      const engine = await openTestEngine({ decoder }, gpu)
      engines.push(engine)
      const session = await engine.open('decoder', { stateRows: 3 })
      sessions.push(session)
      await step(session, [[1, 2, 3]], [{ slot: 0, past: 0 }])
      await assert.rejects(
        step(session, [[4]], [{ slot: 0, past: 3 }]),
        /4 rows of state, but a slot holds 3/,
      )
    })

    it('is forgotten when its slot is released', async () => {
      const session = await openDecoder()
      await step(session, [[1, 2]], [{ slot: 1, past: 0 }])
      session.release(1)
      await assert.rejects(
        step(session, [[3]], [{ slot: 1, past: 2 }]),
        /slot 1 has 0 rows of state, but the run continues 2/,
      )
      assert.equal((await step(session, [[3]], [{ slot: 1, past: 0 }]))[0]![0], 3)
    })

    it('is not moved by a run that is refused', async () => {
      const session = await openDecoder()
      await step(session, [[1, 2]], [{ slot: 0, past: 0 }])
      for (const [uses, message] of [
        [
          [
            { slot: 0, past: 2 },
            { slot: 2, past: 0 },
          ],
          /slots 0, 2 do not follow one another/,
        ],
        [
          [
            { slot: 3, past: 0 },
            { slot: 4, past: 0 },
          ],
          /slots 3 … 4 are wanted, but the engine has 0 … 3/,
        ],
        [
          [
            { slot: -1, past: 0 },
            { slot: 0, past: 2 },
          ],
          /slots -1 … 0 are wanted/,
        ],
      ] as const)
        await assert.rejects(step(session, [[8], [8]], [...uses]), message)
      await assert.rejects(session.run(decoderFeeds([[8]], [2])), /works on slots, but the run names none/)
      assert.deepEqual(await step(session, [[3]], [{ slot: 0, past: 2 }]), [[1, 2, 3, ...zeros(5)]])
    })
  })

  describe('state of several slots', () => {
    it('is kept where a slot is idle, but for rows behind those that it tells', async () => {
      const session = await openDecoder()
      await step(session, [[1, 2, 3]], [{ slot: 0, past: 0 }])
      await step(session, [[4, 5]], [{ slot: 1, past: 0 }])
      await step(session, [[6]], [{ slot: 2, past: 0 }])
      const idle = [
        { slot: 0, past: 3, idle: true },
        { slot: 1, past: 1, idle: true },
        { slot: 2, past: 1 },
      ]
      assert.deepEqual((await step(session, [[9], [9], [7]], idle))[2], [6, 7, ...zeros(6)])
      const both = [0, 1].map((slot) => ({ slot, past: 3 - 2 * slot }))
      assert.deepEqual(await step(session, [[8], [8]], both), [
        [1, 2, 3, 8, ...zeros(4)],
        [4, 8, ...zeros(6)],
      ])
      await step(session, [[9], [9]], [{ slot: 0, past: 2, idle: true }, both[1]!])
      await assert.rejects(step(session, [[9]], [{ slot: 0, past: 3 }]), /slot 0 has 2 rows of state/)
    })

    it('is not made by idle slots, nor needed of them, where it stays between graphs', async () => {
      const [writer, reader] = (await open({ encoder, decoder: listener })) as [Session, Session]
      await writer.run(windows(5, 6), [
        { slot: 1, past: 0, idle: true },
        { slot: 2, past: 0 },
      ])
      const uses = [
        { slot: 1, past: 0, idle: true },
        { slot: 2, past: 0 },
      ]
      await reader.run(decoderFeeds([[1], [1]], [0, 0]), uses)
      await assert.rejects(
        reader.run(decoderFeeds([[1]], [0]), [{ slot: 1, past: 0 }]),
        /cross of slot 1 was not made/,
      )
    })

    it('is copied from slot to slot, behind the runs before and before those behind', async () => {
      const session = await openDecoder()
      await step(session, [[9, 9, 9, 9]], [{ slot: 2, past: 0 }])
      const first = step(session, [[1, 2, 3]], [{ slot: 0, past: 0 }])
      await new Promise((resolve) => setImmediate(resolve))
      session.copy(0, 2, 2)
      assert.deepEqual(await step(session, [[5]], [{ slot: 2, past: 2 }]), [[1, 2, 5, 9, ...zeros(4)]])
      assert.deepEqual(await first, [[1, 2, 3, ...zeros(5)]])
      session.copy(0, 2, 3)
      await assert.rejects(step(session, [[4]], [{ slot: 2, past: 4 }]), /slot 2 has 3 rows of state/)
      assert.deepEqual(await step(session, [[6]], [{ slot: 0, past: 3 }]), [[1, 2, 3, 6, ...zeros(4)]])
      assert.throws(() => session.copy(1, 2, 1), /slot 1 has 0 rows of state, but 1 are to be copied/)
      assert.throws(() => session.copy(0, 4, 1), /slot 4 is wanted, but the engine has 0 … 3/)
      await session.dispose()
      assert.throws(() => session.copy(0, 2, 1), /the session is closed/)
    })

    it('has room for as many rows as the engine was built for, in each', async () => {
      const session = await openDecoder()
      for (const slot of [0, 3]) assert.equal(session.reserve(slot, STATE_ROWS), true)
      assert.throws(() => session.reserve(0, STATE_ROWS + 1), /9 rows of state, but a slot holds 8/)
      assert.throws(() => session.reserve(4, 1), /slot 4 is wanted/)
    })
  })

  describe('tensors that stay between graphs', () => {
    it('are made in one graph and read in another, slot by slot, and are never the caller’s', async () => {
      const [writer, reader] = (await open({ encoder, decoder: listener })) as [Session, Session]
      const made = await writer.run(windows(5, 6), [
        { slot: 1, past: 0 },
        { slot: 2, past: 0 },
      ])
      assert.deepEqual(Object.keys(made), ['loud'])
      assert.deepEqual([...floats(made, 'loud')], [5 * CROSS, 6 * CROSS])
      assert.deepEqual(log.filter((call) => call === 'download').length, 1)
      await writer.run(windows(9), [{ slot: 0, past: 0 }])
      for (const [slot, value] of [
        [2, 6],
        [0, 9],
        [1, 5],
      ] as const) {
        const heard = floats(await reader.run(decoderFeeds([[1]], [0]), [{ slot, past: 0 }]), 'heard')
        assert.deepEqual(new Set(heard), new Set([value]))
      }
      const uses = [1, 2].map((slot) => ({ slot, past: 1 }))
      const heard = floats(await reader.run(decoderFeeds([[1], [1]], [1, 1]), uses), 'heard')
      assert.deepEqual([heard[0], heard[CROSS - 1], heard[CROSS], heard[2 * CROSS - 1]], [5, 5, 6, 6])
    })

    it('have to be made before they are read, anew after a release', async () => {
      const [writer, reader] = (await open({ encoder, decoder: listener })) as [Session, Session]
      const read = () => reader.run(decoderFeeds([[1]], [0]), [{ slot: 1, past: 0 }])
      await assert.rejects(read(), /cross of slot 1 was not made: the graph before has to run first/)
      await writer.run(windows(5), [{ slot: 1, past: 0 }])
      await read()
      reader.release(1)
      await assert.rejects(read(), /cross of slot 1 was not made/)
    })

    it('have to be the same in both graphs', async () => {
      const other = structuredClone(encoder) as TestGraph
      const inputs = [tensor('audio', 'float32', 'batch', CROSS * 2)]
      const outputs = [tensor('cross', 'float32', 'batch', CROSS * 2), tensor('loud', 'float32', 'batch', 1)]
      const wide = { ...other, signature: { ...other.signature, inputs, outputs } }
      await assert.rejects(
        open({ encoder: wide, decoder: listener }),
        /cross is float32 \[128\] in one graph of the engine and float32 \[64\] in another: run `npm run build-engines/,
      )
    })
  })

  describe('profiles', () => {
    it('are chosen by the sizes of the run, and none is a sentence', async () => {
      const session = await openDecoder()
      await step(session, [[1, 2, 3, 4, 5, 6]], [{ slot: 0, past: 0 }])
      await assert.rejects(
        step(
          session,
          [
            [1, 2],
            [3, 4],
          ],
          [
            { slot: 1, past: 0 },
            { slot: 2, past: 0 },
          ],
        ),
        /no profile takes batch = 2, length = 2: prefill has batch 1 … 1, length 2 … 6; decode has batch 1 … 4, length 1 … 1/,
      )
    })

    it('are the first that fits', async () => {
      const wide = { name: 'wide', sizes: { batch: [1, 1, 4], length: [1, 2, 6] } } as const
      const session = await openDecoder({
        signature: { ...decoder.signature, profiles: [wide, ...decoder.signature.profiles] },
      })
      for (let past = 0; past < 4; past++) await step(session, [[1]], [{ slot: 0, past }])
      assert.ok(!log.includes('replay'), 'the decoding profile comes too late')
    })

    it('may be absent: then all sizes are fixed', async () => {
      const [session] = await open({
        plain: {
          body: ['y = add a b'],
          signature: signature(
            [tensor('a', 'float32', 2, 3), tensor('b', 'float32', 1)],
            [tensor('y', 'float32', 2, 3)],
          ),
        },
      })
      const a = float32(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])
      const fetched = await session!.run({ a, b: float32(Float32Array.of(10), [1]) })
      assert.deepEqual(fetched.y, {
        dtype: 'float32',
        dims: [2, 3],
        data: Float32Array.of(11, 12, 13, 14, 15, 16),
      })
    })
  })

  describe('replay', () => {
    const calls = () => log.filter((call) => call !== 'upload' && call !== 'download')

    it('has recorded all batches that slots are put together in when it is ready', async () => {
      const session = await openDecoder()
      const put: string[] = []
      for (const slots of [[0], [1], [0, 1], [2], [3, 0], [1, 3], [0, 1, 2, 3]]) {
        const [list, ...others] = session.together(slots)
        assert.deepEqual(others, [])
        put.push(list!.join())
        const uses = list!.map((slot) => ({ slot, past: 0, idle: !slots.includes(slot) }))
        await step(
          session,
          list!.map((slot) => [slot]),
          uses,
        )
      }
      assert.deepEqual(put, ['0', '0,1', '0,1', '0,1,2,3', '0,1,2,3', '0,1,2,3', '0,1,2,3'])
      assert.deepEqual(calls(), Array(7).fill('replay'))
      assert.deepEqual(engines[0]!.warnings(), [])
    })

    it('sees new contents each time, in the slots that it was recorded for', async () => {
      const session = await openDecoder()
      const rows: number[] = []
      for (let past = 0; past < STATE_ROWS; past++) {
        rows.push(past + 10)
        const [seen] = await step(session, [[past + 10]], [{ slot: 0, past }])
        assert.deepEqual(seen, [...rows, ...zeros(STATE_ROWS - rows.length)])
      }
      assert.deepEqual(calls(), Array(STATE_ROWS).fill('replay'))
      assert.deepEqual(await step(session, [[5]], [{ slot: 1, past: 0 }]), [[5, ...zeros(7)]])
      assert.equal(calls().length, STATE_ROWS, 'another slot is another recording')
      await step(session, [[6]], [{ slot: 1, past: 1 }])
      await step(session, [[7]], [{ slot: 1, past: 2 }])
      // The first run is over before it is recorded, so that nothing of its own gets in.
      assert.deepEqual(calls().slice(STATE_ROWS), ['synchronize', 'capture', 'replay', 'replay'])
    })

    it('keeps a bounded number of recordings and forgets the one not used for longest', async () => {
      const session = await openDecoder()
      // Four batches of one, three of two, two of three, one of four: more than are kept.
      const kinds = [1, 2, 3, 4].flatMap((batch) =>
        Array.from({ length: SLOTS - batch + 1 }, (_, first) => ({ batch, first })),
      )
      for (let round = 0; round < 2; round++)
        for (const { batch, first } of kinds) {
          const uses = Array.from({ length: batch }, (_, row) => ({ slot: first + row, past: 0 }))
          const values = uses.map(({ slot }) => [slot + 10 * round])
          const seen = await step(session, values, uses)
          for (const [row, { slot }] of uses.entries()) assert.equal(seen[row]![0], slot + 10 * round)
        }
      const before = log.length
      for (let i = 0; i < 3; i++) await step(session, [[1]], [{ slot: 0, past: 0 }])
      assert.deepEqual(calls().slice(-2), ['replay', 'replay'])
      assert.ok(log.slice(before).includes('capture'), 'it was forgotten in between')
    })

    it('gives way to plain runs where it is not possible', async () => {
      const session = await openDecoder({ head: ['uncapturable'] })
      const rows: number[] = []
      for (let past = 0; past < 4; past++) {
        rows.push(past + 1)
        const [seen] = await step(session, [[past + 1]], [{ slot: 0, past }])
        assert.deepEqual(seen, [...rows, ...zeros(STATE_ROWS - rows.length)])
      }
      assert.deepEqual(calls(), [], 'it was tried at the warm-up, and not again')
      const [warning, ...others] = engines[0]!.warnings()
      assert.match(warning!, /^The graph decoder can not be recorded and replayed \(profile decode\): /)
      assert.deepEqual(others, [])
    })

    it('is not tried where TensorRT reads inputs on the host', async () => {
      const { inputs, outputs } = decoder.signature
      const session = await openDecoder({
        body: [...decoder.body, 'z = add tokens shift'],
        host: ['shift'],
        signature: {
          ...decoder.signature,
          inputs: [...inputs, tensor('shift', 'float32', 1)],
          outputs: [...outputs, tensor('z', 'float32', 'batch', 'length')],
        },
      })
      for (let past = 0; past < 4; past++) {
        const shift = float32(Float32Array.of(past * 100), [1])
        const fetched = await session.run({ ...decoderFeeds([[3]], [past]), shift }, [{ slot: 0, past }])
        assert.deepEqual([...floats(fetched, 'z')], [3 + past * 100])
      }
      assert.deepEqual(calls(), [])
    })
  })

  describe('a run', () => {
    it('lets messages in once, and brings only the outputs that are wanted', async () => {
      const session = await openDecoder()
      let turns = 0
      setImmediate(() => turns++)
      const fetched = await session.run(decoderFeeds([[2]], [0]), [{ slot: 0, past: 0 }], ['y'])
      assert.equal(turns, 1)
      assert.deepEqual(Object.keys(fetched), ['y'])
      assert.deepEqual(log, ['upload', 'replay', 'download'])
      await assert.rejects(
        session.run(decoderFeeds([[2]], [1]), [{ slot: 0, past: 1 }], ['fresh']),
        /has no output fresh for its caller/,
      )
    })

    it('copies small tensors together and large ones apart', async () => {
      const [session] = await open({
        mixed: {
          body: ['s = copy a', 't = copy b', 'u = copy c', 'v = copy d'],
          signature: signature(
            [
              tensor('a', 'float32', 3),
              tensor('b', 'float32', 10_000),
              tensor('c', 'float32', 'length'),
              tensor('d', 'int64', 1),
            ],
            [
              tensor('s', 'float32', 3),
              tensor('t', 'float32', 10_000),
              tensor('u', 'float32', 'length'),
              tensor('v', 'int64', 1),
            ],
            { profiles: [{ name: 'any', sizes: { length: [1, 2, 20_000] } }] },
          ),
        },
      })
      const ramp = (length: number) =>
        float32(
          Float32Array.from({ length }, (_, i) => i),
          [length],
        )
      for (const length of [2, 20_000, 5]) {
        const feeds = { a: ramp(3), b: ramp(10_000), c: ramp(length), d: int64([length]) }
        log.length = 0
        const { s, t, u, v } = await session!.run(feeds)
        assert.deepEqual({ a: s, b: t, c: u, d: v }, feeds)
        // d, a and b lie one behind the other, and c behind b; without b they are apart.
        assert.deepEqual(log, ['upload', 'download'])
        const { u: alone, v: last } = await session!.run(feeds, [], ['u', 'v'])
        assert.deepEqual({ c: alone, d: last }, { c: feeds.c, d: feeds.d })
        assert.deepEqual(log.slice(2), ['upload', 'download', 'download'])
      }
    })

    it('gives outputs that later runs leave alone', async () => {
      const session = await openDecoder()
      const first = await session.run(decoderFeeds([[2]], [0]), [{ slot: 0, past: 0 }])
      for (let past = 1; past < 4; past++) await step(session, [[9]], [{ slot: 0, past }])
      assert.deepEqual([[...floats(first, 'y')], rowsSeen(first.seen!)], [[4], [2, ...zeros(7)]])
    })

    it('is prepared while the one before runs, and waits for the one before that to be read', async () => {
      const session = await openDecoder({ head: ['kernel 2'] })
      process.env.FAKE_CUDA_DELAY_US = '2000'
      const run = async (value: number) => {
        const fetched = await session.run(decoderFeeds([[value]], [0]), [{ slot: value, past: 0 }])
        log.push(`read ${value}`)
        assert.deepEqual([[...floats(fetched, 'y')], rowsSeen(fetched.seen!)[0]], [[value * value], value])
      }
      await Promise.all([0, 1, 2, 3].map(run))
      const order = log.filter((call) => !['download', 'capture', 'replay'].includes(call))
      assert.deepEqual(order, [
        'upload',
        'upload',
        'read 0',
        'upload',
        'read 1',
        'upload',
        'read 2',
        'read 3',
      ])
    })

    it('waits for the one before where its context takes other sizes', async () => {
      const session = await openDecoder({ head: ['kernel 5', 'activations 512'] })
      // Prefill has one context, which the stand-in does not let be reshaped while it works.
      const seen = await Promise.all(
        [
          [1, 2],
          [3, 4, 5],
          [6, 7, 8, 9],
        ].map((values, slot) => step(session, [values], [{ slot, past: 0 }])),
      )
      assert.deepEqual(seen.flat(), [
        [1, 2, ...zeros(6)],
        [3, 4, 5, ...zeros(5)],
        [6, 7, 8, 9, ...zeros(4)],
      ])
    })

    it('follows another that is not awaited', async () => {
      const session = await openDecoder()
      const [, second] = await Promise.all([
        step(session, [[1, 2]], [{ slot: 0, past: 0 }]),
        step(session, [[3]], [{ slot: 0, past: 2 }]),
      ])
      assert.deepEqual(second, [[1, 2, 3, ...zeros(5)]])
    })

    it('is refused for feeds that the engine does not take', async () => {
      const session = await openDecoder()
      const good = decoderFeeds([[2]], [0])
      const run = (feeds: typeof good) => session.run(feeds, [{ slot: 0, past: 0 }])
      const { tokens: _, ...fewer } = good
      await assert.rejects(run(fewer), /lacks the input tokens/)
      await assert.rejects(run({ ...good, mask: int32(1) }), /no input mask to feed/)
      await assert.rejects(run({ ...good, past: int32(1) }), /no input past to feed/)
      await assert.rejects(
        run({ ...good, tokens: { dtype: 'int64', dims: [1, 1], data: BigInt64Array.of(1n) } }),
        /tokens is int64 \[1, 1\], but the engine takes float32 \[batch, length\]/,
      )
      await assert.rejects(
        run({ ...good, past_length: int32(0, 0) }),
        /past_length is int32 \[2\], but the engine takes int32 \[batch\] with batch = 1/,
      )
      await assert.rejects(
        run({ ...good, tokens: float32(Float32Array.of(1, 2), [1, 1]) }),
        /tokens is float32 \[1, 1\], but has 2 values/,
      )
      assert.deepEqual(await step(session, [[2]], [{ slot: 0, past: 0 }]), [[2, ...zeros(7)]])
    })

    it('is refused by a closed session', async () => {
      const session = await openDecoder()
      await session.dispose()
      await session.dispose()
      await assert.rejects(step(session, [[1]], [{ slot: 0, past: 0 }]), /the session is closed/)
    })
  })
})
