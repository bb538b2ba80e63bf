/** The estimate in words and tables. */

/** Dense tensor-core FLOPs in float16 with float32 sums, bytes a second, bytes: from NVIDIA's data sheets. */
const cards = [
  { name: 'L4', flops: 121e12, bandwidth: 300e9, memory: 24e9 },
  { name: 'RTX 4090', flops: 165e12, bandwidth: 1008e9, memory: 24e9 },
  { name: 'A100 80 GB', flops: 312e12, bandwidth: 2039e9, memory: 80e9 },
  { name: 'H100 SXM', flops: 989e12, bandwidth: 3350e9, memory: 80e9 },
]
/** The part of the roofline that real kernels reach, and the time between two kernels of a replayed graph. */
const EFFICIENCY = 0.6
const KERNEL_SECONDS = 2e-6
/** A spoken exchange: a question of 10 s heard as 40 tokens, a prompt of 256, a reply of 60 tokens or 20 s of sound. */
const exchange = { heardTokens: 40, prompt: 256, replyTokens: 60, speechSeconds: 20, sentenceSeconds: 8 }
const BATCH = 8

/** @typedef {(typeof cards)[number]} Card */
/** @typedef {import('./work.js').Work} Work */
/** @param {Work} work @param {Card} card */
const roofline = (work, card) => Math.max(work.flops / card.flops, work.bytes / card.bandwidth)
/** @param {Work} work @param {Card} card */
const expected = (work, card) => roofline(work, card) / EFFICIENCY + work.kernels * KERNEL_SECONDS

/** @param {number} seconds */
const ms = (seconds) => (seconds * 1e3 < 10 ? (seconds * 1e3).toFixed(2) : (seconds * 1e3).toFixed(0))
/** @param {readonly (string | number)[]} cells */
const row = (...cells) => `| ${cells.join(' | ')} |`

/**
 * @typedef {object} ModelSet
 * @property {string} name
 * @property {ReturnType<typeof import('./work.js').whisperWork>} whisper
 * @property {ReturnType<typeof import('./work.js').llamaWork>} llama
 * @property {ReturnType<typeof import('./work.js').kokoroWork>} kokoro
 */

/** @param {readonly ModelSet[]} sets */
export function describe(sets) {
  return `# What GPUs should make of it: computed, not measured

\`node scripts/estimate.js\` computes this from the checkpoints' shapes; nothing here has run on a GPU. Bytes are those of
weights, of keys and values, and of signals between kernels, in float16. The roofline time is the larger of FLOPs over
the card's dense float16 rate and bytes over its bandwidth. "Expected" takes ${100 * EFFICIENCY} % of the roofline and
${KERNEL_SECONDS * 1e6} µs per kernel of a replayed graph: small models are bound by the number of their kernels, large
ones by memory. Both numbers are assumptions to be replaced by the first measurements (docs/gpu-first-run.md).

${sets.map(section).join('\n')}`
}

/** @param {ModelSet} set */
function section({ name, whisper, llama, kokoro }) {
  const works = [
    [whisper.name, whisper.encoder],
    [whisper.name, whisper.step(1)],
    [whisper.name, whisper.step(BATCH)],
    [llama.name, llama.prefill(exchange.prompt)],
    [llama.name, llama.step(1, 512)],
    [llama.name, llama.step(BATCH, 512)],
    [kokoro.name, kokoro.sentence(exchange.sentenceSeconds)],
  ].map(([model, work]) => ({ model: String(model), work: /** @type {Work} */ (work) }))
  const head = ['model', 'run', 'GB', 'GFLOP', 'kernels', ...cards.map((card) => `${card.name}, ms`)]
  const parts = { whisper, llama, kokoro }
  return `## ${name}

Weights: ${[whisper, llama, kokoro].map((model) => `${model.name} ${(model.weightBytes / 1e9).toFixed(2)} GB`).join(', ')}.
Keys and values: ${(llama.rowBytes / 1024).toFixed(0)} KB a token.

Roofline / expected time of one run:

${row(...head)}
${row(...head.map((_, i) => (i < 2 ? '---' : '--:')))}
${works
  .map(({ model, work }) =>
    row(
      model,
      work.name,
      (work.bytes / 1e9).toPrecision(3),
      (work.flops / 1e9).toPrecision(3),
      work.kernels,
      ...cards.map((card) => `${ms(roofline(work, card))} / ${ms(expected(work, card))}`),
    ),
  )
  .join('\n')}

What follows, from the expected times:

${row('', ...cards.map((card) => card.name))}
${row('---', ...cards.map(() => '--:'))}
${consequences(parts)
  .map(([what, value]) => row(what, ...cards.map(value)))
  .join('\n')}
`
}

/**
 * @param {Pick<ModelSet, 'whisper' | 'llama' | 'kokoro'>} models
 * @returns {[string, (card: Card) => string][]}
 */
function consequences({ whisper, llama, kokoro }) {
  const hearing = (/** @type {Card} */ card, batch = 1) =>
    expected(whisper.encoder, card) + (exchange.heardTokens * expected(whisper.step(batch), card)) / batch
  const speaking = (/** @type {Card} */ card) =>
    expected(kokoro.sentence(exchange.sentenceSeconds), card) / exchange.sentenceSeconds
  const busy = (/** @type {Card} */ card) =>
    hearing(card, BATCH) +
    expected(llama.prefill(exchange.prompt), card) +
    (exchange.replyTokens * expected(llama.step(BATCH, 512), card)) / BATCH +
    exchange.speechSeconds * speaking(card)
  const first = (/** @type {Card} */ card) =>
    hearing(card) +
    expected(llama.prefill(exchange.prompt), card) +
    15 * expected(llama.step(1, 512), card) +
    expected(kokoro.sentence(4), card)
  const left = (/** @type {Card} */ card) =>
    card.memory * 0.9 - whisper.weightBytes - llama.weightBytes - kokoro.weightBytes - 2e9
  const fits = (/** @type {Card} */ card) => left(card) > 0
  const when = (/** @type {(card: Card) => string} */ value) => (/** @type {Card} */ card) =>
    fits(card) ? value(card) : 'does not fit'
  return [
    ['hearing 10 s, real-time factor', when((card) => (hearing(card) / 10).toFixed(4))],
    [
      'tokens a second, one conversation',
      when((card) => (1 / expected(llama.step(1, 512), card)).toFixed(0)),
    ],
    [
      `tokens a second, ${BATCH} conversations`,
      when((card) => (BATCH / expected(llama.step(BATCH, 512), card)).toFixed(0)),
    ],
    ['speaking, real-time factor', when((card) => speaking(card).toFixed(4))],
    ['voices that speak at once', when((card) => Math.floor(1 / speaking(card)).toString())],
    ['question of 10 s to the first sound, ms', when((card) => ms(first(card)))],
    ['spoken exchanges a minute', when((card) => Math.floor(60 / busy(card)).toString())],
    [
      'tokens of keys and values beside the weights (2 GB for activations)',
      when((card) => `${Math.floor(left(card) / llama.rowBytes / 1000)} k`),
    ],
  ]
}
