/** How much is said at once: speaking keeps to it, and engines are built for it. */

/**
 * Phonemes of a piece at the voice's own speed or faster; slow speech makes more sound of a phoneme, so its pieces
 * have fewer. The first sound of a piece waits for its last, and activations grow with it: those of 200 phonemes (about
 * 14 s) take 0.4 GB on a CPU, those of 510 would take 0.8 GB.
 */
export const mostPhonemes = 160

/**
 * Frames of a piece, 30 s. Pieces of so many phonemes have 400, and a slow voice's 600; but each of their ids could
 * have 50 frames, or 200 at a quarter of the speed, 8400 in all. A piece that turns out longer than this is halved.
 */
export const mostFrames = 1200
