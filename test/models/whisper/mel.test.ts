import assert from 'node:assert/strict'
import { Recording } from '#src/models/whisper/mel.js'
import { floats, type HostTensor } from '#src/runtime/session.js'
import { engine } from './engine.js'
import { clip, largestDifference } from './golden.js'

const signal = new AbortController().signal

describe('whisper: windows of a recording', () => {
  const open = async (audio: Float32Array) => {
    const { mel, config } = await engine('float32')
    return Recording.open(mel, config, audio, signal)
  }
  /** Frames from..to of all bins. */
  const frames = ({ data }: HostTensor, from: number, to: number) =>
    (data as Float32Array).filter((_, i) => i % 3000 >= from && i % 3000 < to)

  it('do not depend on where they begin', async () => {
    const recording = await open(clip('jfk'))
    assert.equal(recording.frames, 1100)
    const whole = (await recording.window(0)).feeds!
    const later = (await recording.window(400)).feeds!
    assert.ok(largestDifference(frames(later.log_mel!, 0, 700), frames(whole.log_mel!, 400, 1100)) < 1e-5)
    assert.deepEqual([whole.frames!.data[0], later.frames!.data[0]], [1100n, 700n])
    assert.equal(floats(whole, 'floor')[0], floats(later, 'floor')[0])
  })

  it('share the floor of the whole recording', async () => {
    const speech = clip('jfk')
    const audio = new Float32Array(40 * 16000)
    audio.set(speech.map((sample) => sample / 100))
    audio.set(speech, 29 * 16000)
    const [quiet, loud] = [await open(audio.subarray(0, 29 * 16000)), await open(audio)]
    const floor = async (recording: Recording) => floats((await recording.window(0)).feeds!, 'floor')[0]!
    // A hundredth of the amplitude is four less in log10 of the power.
    assert.ok(Math.abs((await floor(loud)) - (await floor(quiet)) - 4) < 1e-2)
  })

  it('have nothing to encode where nothing is above the floor', async () => {
    const audio = new Float32Array(70 * 16000)
    audio.set(clip('spk1_snt1'))
    const recording = await open(audio)
    assert.ok((await recording.window(0)).feeds)
    assert.deepEqual(await recording.window(3000), { frames: 3000, feeds: null })
  })
})
