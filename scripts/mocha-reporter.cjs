/**
 * Mocha's spec reporter, and `N passed, N failed, N skipped` as the very last line. With REQUIRE_ALL=1 a
 * skipped test is a failure, and a run without a single test always is one. CommonJS, because mocha loads
 * reporters with require.
 */
const { Spec } = require('mocha').reporters

class Reporter extends Spec {
  constructor(runner, options) {
    super(runner, options)
    this.skipped = []
    runner.on('pending', (test) => this.skipped.push(test.fullTitle()))
  }

  /** Called by mocha when all is over; what goes to `exit` becomes the exit code, 0 for success. */
  done(failures, exit) {
    const { passes, failures: failed } = this.stats
    const requireAll = process.env.REQUIRE_ALL === '1'
    let faults = failures
    if (requireAll && this.skipped.length > 0) {
      console.log(`Skipped, though REQUIRE_ALL=1 requires every test:\n  ${this.skipped.join('\n  ')}\n`)
      faults += this.skipped.length
    }
    if (passes + failed === 0) {
      console.log('No test ran.\n')
      faults += 1
    }
    console.log(`${passes} passed, ${failed} failed, ${this.skipped.length} skipped`)
    exit(faults)
  }
}

module.exports = Reporter
