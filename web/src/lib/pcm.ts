/** Sound as numbers: 16-bit little-endian PCM, resampling, 20 ms frames. No browser API in here. */

export const LINE_RATE = 16_000;
/** Samples in one 20 ms frame on the line. */
export const FRAME_SAMPLES = LINE_RATE / 50;

/** Floats of -1..1 to 16-bit samples; louder is clipped. */
export function floatToPcm16(samples: Float32Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) {
    const value = Math.max(-1, Math.min(1, samples[i] ?? 0));
    out[i] = Math.round(value < 0 ? value * 0x8000 : value * 0x7fff);
  }
  return out;
}

/** Little-endian 16-bit bytes to floats of -1..1. A last odd byte is half a sample, and dropped. */
export function pcm16ToFloat(bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes);
  const out = new Float32Array(Math.floor(bytes.byteLength / 2));
  for (let i = 0; i < out.length; i += 1) out[i] = view.getInt16(i * 2, true) / 0x8000;
  return out;
}

/** The loudest sample, 0..1. */
export function peakOf(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

const ZERO_CROSSINGS = 8;
const TABLE_STEPS = 256;

/** One wing of a Blackman-windowed sinc, from its centre outwards. */
function sincTable(): Float32Array {
  const table = new Float32Array(ZERO_CROSSINGS * TABLE_STEPS + 2);
  for (let i = 0; i < table.length; i += 1) {
    const x = i / TABLE_STEPS;
    if (x >= ZERO_CROSSINGS) continue;
    const window = 0.42 + 0.5 * Math.cos((Math.PI * x) / ZERO_CROSSINGS) + 0.08 * Math.cos((2 * Math.PI * x) / ZERO_CROSSINGS);
    table[i] = (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)) * window;
  }
  return table;
}

/**
 * Changes the sample rate of a stream, chunk by chunk, without a click between chunks.
 *
 * Band-limited (windowed sinc), so that going down to 16 kHz folds no hiss into the speech band.
 * Delay: 8 zero crossings of the lower rate, 0.5 ms at 16 kHz.
 */
export class StreamResampler {
  private readonly table = sincTable();
  private readonly cutoff: number;
  private readonly reach: number;
  private readonly step: number;
  private history: Float32Array<ArrayBuffer>;
  /** Where the next output sample lies in ``history``, in input samples. */
  private position: number;

  constructor(
    readonly inputRate: number,
    readonly outputRate: number,
  ) {
    // A little below the lower Nyquist limit, for the filter's slope.
    this.cutoff = inputRate > outputRate ? (outputRate / inputRate) * 0.94 : 1;
    this.reach = Math.ceil(ZERO_CROSSINGS / this.cutoff);
    this.step = inputRate / outputRate;
    this.history = new Float32Array(this.reach);
    this.position = this.reach;
  }

  push(chunk: Float32Array): Float32Array<ArrayBuffer> {
    if (this.inputRate === this.outputRate) return Float32Array.from(chunk);
    const input = new Float32Array(this.history.length + chunk.length);
    input.set(this.history);
    input.set(chunk, this.history.length);
    const last = input.length - this.reach;
    const out = new Float32Array(Math.max(0, Math.ceil((last - this.position) / this.step)));
    let made = 0;
    while (this.position < last && made < out.length) {
      out[made] = this.at(input, this.position);
      made += 1;
      this.position += this.step;
    }
    const drop = Math.max(0, Math.min(Math.floor(this.position) - this.reach, input.length));
    this.history = input.slice(drop);
    this.position -= drop;
    return out.subarray(0, made);
  }

  private at(input: Float32Array, position: number): number {
    const first = Math.max(0, Math.ceil(position - this.reach));
    const end = Math.min(input.length - 1, Math.floor(position + this.reach));
    let sum = 0;
    for (let i = first; i <= end; i += 1) {
      const x = Math.abs(i - position) * this.cutoff * TABLE_STEPS;
      const left = Math.floor(x);
      if (left >= ZERO_CROSSINGS * TABLE_STEPS) continue;
      const a = this.table[left] ?? 0;
      const b = this.table[left + 1] ?? 0;
      sum += (input[i] ?? 0) * (a + (b - a) * (x - left));
    }
    return sum * this.cutoff;
  }
}

/** Cuts a stream of samples into frames of one size. */
export class FrameCutter {
  private readonly frame: Float32Array<ArrayBuffer>;
  private filled = 0;

  constructor(readonly size: number = FRAME_SAMPLES) {
    this.frame = new Float32Array(size);
  }

  push(samples: Float32Array): Int16Array<ArrayBuffer>[] {
    const frames: Int16Array<ArrayBuffer>[] = [];
    for (const sample of samples) {
      this.frame[this.filled] = sample;
      this.filled += 1;
      if (this.filled === this.size) {
        frames.push(floatToPcm16(this.frame));
        this.filled = 0;
      }
    }
    return frames;
  }
}
