import assert from 'node:assert/strict'
import { Phases } from '#src/build/phases.js'

describe('build/phases', () => {
  const progress = (phase: string, parent: string | null, step: number, steps: number, finished = false) => ({
    phase,
    parent,
    step,
    steps,
    finished,
  })

  it('counts the steps of a phase, and within a step those of the phases in it', () => {
    const phases = new Phases()
    assert.equal(phases.after(progress('build', null, 0, 4)), 0)
    assert.equal(phases.after(progress('build', null, 1, 4)), 0.25)
    assert.equal(phases.after(progress('timing', 'build', 0, 10)), 0.25)
    assert.equal(phases.after(progress('timing', 'build', 5, 10)), 0.375)
    assert.equal(phases.after(progress('tactic', 'timing', 1, 2)), 0.3875)
    assert.equal(phases.after(progress('tactic', 'timing', 2, 2, true)), 0.375)
    assert.equal(phases.after(progress('timing', 'build', 10, 10, true)), 0.25)
    assert.equal(phases.after(progress('build', null, 2, 4)), 0.5)
    assert.equal(phases.after(progress('build', null, 4, 4, true)), 1)
    assert.equal(phases.after(progress('serialise', null, 1, 2)), 0.5, 'the next phase begins again')
  })

  it('stays between 0 and 1 whatever it is told', () => {
    const phases = new Phases()
    assert.equal(phases.after(progress('empty', null, 0, 0)), 0)
    assert.equal(phases.after(progress('late', null, 3, 2)), 1)
    assert.equal(phases.after(progress('orphan', 'never began', 1, 2)), 0.5)
    assert.equal(phases.after(progress('own', 'own', 1, 4)), 0.25)
  })
})
