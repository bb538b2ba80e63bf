/** How far a build of TensorRT is, from its nested phases. */
import type { BuildProgress } from '../runtime/addon.js'

export class Phases {
  private readonly open = new Map<string, BuildProgress>()

  /** The fraction, 0 to 1, of the outermost phase that the progress belongs to. */
  after(progress: BuildProgress): number {
    if (progress.finished) this.open.delete(progress.phase)
    else this.open.set(progress.phase, progress)
    let root = progress
    for (let parent = root.parent; parent !== null; parent = root.parent) {
      const known = this.open.get(parent)
      if (!known || known === root) break
      root = known
    }
    return root.finished ? 1 : this.fraction(root)
  }

  /** Steps that are done, and the share of the one under way that the phases within have done. */
  private fraction({ phase, step, steps }: BuildProgress): number {
    if (steps <= 0) return 0
    let within = 0
    for (const inner of this.open.values())
      if (inner.parent === phase && inner.phase !== phase) within = Math.max(within, this.fraction(inner))
    return Math.min((step + within) / steps, 1)
  }
}
