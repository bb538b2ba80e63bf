import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '#src/errors.js'
import { specialTokens, startSequence } from '#src/models/whisper/tokens.js'
import { loadTokenizer } from '#src/text/tokenizer.js'
import { checkpoint } from '../../root.js'
import { folder } from './engine.js'

describe('whisper: special tokens', () => {
  const generation = JSON.parse(readFileSync(join(folder, 'generation_config.json'), 'utf8'))
  const special = specialTokens(loadTokenizer(folder), 51865)

  it('are those of the generation config', () => {
    assert.equal(special.endOfText, generation.eos_token_id)
    assert.equal(special.startOfTranscript, generation.decoder_start_token_id)
    assert.equal(special.startOfPrevious, generation.prev_sot_token_id)
    assert.equal(special.noTimestamps, generation.no_timestamps_token_id)
    assert.equal(special.transcribe, generation.task_to_id.transcribe)
    assert.equal(special.noSpeech, 50362)
    assert.equal(special.firstTimestamp, 50364)
  })

  it('have every language', () => {
    const wanted = Object.entries<number>(generation.lang_to_id).map(([name, id]) => [name.slice(2, -2), id])
    assert.deepEqual(Object.fromEntries(special.languages), Object.fromEntries(wanted))
    assert.deepEqual(startSequence(special, 'de'), [50258, 50261, 50359])
  })

  it('suppress what the generation config suppresses', () => {
    const sorted = (ids: readonly number[]) => ids.toSorted((a, b) => a - b)
    assert.deepEqual(sorted(special.suppressed), sorted(generation.suppress_tokens))
    assert.deepEqual(special.suppressedAtStart, generation.begin_suppress_tokens)
  })

  it('of an English model name no language', () => {
    const english = specialTokens(loadTokenizer(folder), 51864)
    assert.deepEqual([...english.languages.keys()], ['en'])
    assert.deepEqual(startSequence(english, 'en'), [50258])
  })

  it('are missed in the tokenizer of another model', () => {
    const other = loadTokenizer(checkpoint('smollm2-135m-instruct'))
    assert.throws(() => specialTokens(other, 51865), SetupError)
  })
})
