/** What the line has said and the loudspeaker has not: a ring of samples at the line's rate. */

import { LINE_RATE, StreamResampler } from "../pcm";

/** Longest answer held, seconds; the gateway may send faster than it is spoken. */
const CAPACITY_S = 120;
/** Held back before speaking starts, so that a late frame is not heard as a gap. */
const HEAD_START_S = 0.06;
/** A shorter remainder is spoken after this long. */
const PATIENCE_S = 0.12;
const PULL_SAMPLES = 160;

export class PlaybackBuffer {
  private readonly ring: Float32Array<ArrayBuffer>;
  private read = 0;
  private held = 0;
  private speaking = false;
  private waited = 0;
  private resampler: StreamResampler;
  private ready = new Float32Array(0);
  /** Samples that did not fit. */
  dropped = 0;

  constructor(
    readonly outputRate: number,
    capacity: number = LINE_RATE * CAPACITY_S,
  ) {
    this.ring = new Float32Array(capacity);
    this.resampler = new StreamResampler(LINE_RATE, outputRate);
  }

  /** Seconds still to be heard. */
  get seconds(): number {
    return this.held / LINE_RATE + this.ready.length / this.outputRate;
  }

  push(samples: Float32Array): void {
    for (const sample of samples) {
      if (this.held === this.ring.length) {
        this.dropped += 1;
        continue;
      }
      this.ring[(this.read + this.held) % this.ring.length] = sample;
      this.held += 1;
    }
  }

  /** The caller spoke over the answer: nothing of it is heard any more. */
  clear(): void {
    this.held = 0;
    this.read = 0;
    this.speaking = false;
    this.waited = 0;
    this.ready = new Float32Array(0);
    this.resampler = new StreamResampler(LINE_RATE, this.outputRate);
  }

  /** Fills ``out`` at the output rate; what is not there yet is silence. */
  pull(out: Float32Array): void {
    out.fill(0);
    if (!this.speaking && !this.mayStart(out.length)) return;
    let filled = 0;
    while (filled < out.length) {
      if (!this.ready.length) {
        if (!this.held) {
          this.speaking = false;
          return;
        }
        this.ready = this.resampler.push(this.take(PULL_SAMPLES));
        continue;
      }
      const count = Math.min(this.ready.length, out.length - filled);
      out.set(this.ready.subarray(0, count), filled);
      this.ready = this.ready.subarray(count);
      filled += count;
    }
  }

  private mayStart(requested: number): boolean {
    if (!this.held) {
      this.waited = 0;
      return false;
    }
    this.waited += requested / this.outputRate;
    if (this.held / LINE_RATE < HEAD_START_S && this.waited < PATIENCE_S) return false;
    this.speaking = true;
    this.waited = 0;
    return true;
  }

  private take(count: number): Float32Array {
    const taken = new Float32Array(Math.min(count, this.held));
    for (let i = 0; i < taken.length; i += 1) taken[i] = this.ring[(this.read + i) % this.ring.length] ?? 0;
    this.read = (this.read + taken.length) % this.ring.length;
    this.held -= taken.length;
    return taken;
  }
}
