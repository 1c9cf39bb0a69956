import { describe, expect, it } from "vitest";
import { FRAME_SAMPLES, FrameCutter, floatToPcm16, pcm16ToFloat, peakOf, StreamResampler } from "../src/lib/pcm";

function sine(hertz: number, rate: number, seconds: number): Float32Array {
  return Float32Array.from({ length: rate * seconds }, (_, i) => 0.8 * Math.sin((2 * Math.PI * hertz * i) / rate));
}

function inChunks(resampler: StreamResampler, samples: Float32Array, size: number): Float32Array {
  const out: number[] = [];
  for (let i = 0; i < samples.length; i += size) out.push(...resampler.push(samples.subarray(i, i + size)));
  return Float32Array.from(out);
}

function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}

/** Crossings from below zero: the number of periods. */
function periods(samples: Float32Array): number {
  let count = 0;
  for (let i = 1; i < samples.length; i += 1) if ((samples[i - 1] ?? 0) < 0 && (samples[i] ?? 0) >= 0) count += 1;
  return count;
}

describe("PCM", () => {
  it("loud samples are clipped, not wrapped", () => {
    expect([...floatToPcm16(Float32Array.from([2, -2, 0, 1, -1]))]).toEqual([32767, -32768, 0, 32767, -32768]);
  });

  it("bytes are read as little-endian and an odd last byte is dropped", () => {
    const samples = pcm16ToFloat(Uint8Array.from([0x00, 0x40, 0x00, 0xc0, 0x7f]).buffer);
    expect([...samples]).toEqual([0.5, -0.5]);
    expect(peakOf(samples)).toBe(0.5);
  });
});

describe("the resampler", () => {
  for (const rate of [48_000, 44_100, 96_000, 8_000]) {
    it(`keeps a tone's pitch, length and loudness from ${rate} Hz to 16 kHz`, () => {
      const out = inChunks(new StreamResampler(rate, 16_000), sine(440, rate, 1), 128);
      expect(Math.abs(out.length - 16_000)).toBeLessThan(40);
      expect(Math.abs(periods(out) - 440)).toBeLessThan(3);
      expect(rms(out.subarray(200))).toBeCloseTo(0.8 / Math.SQRT2, 2);
    });
  }

  it("gives the same samples whatever the chunk size", () => {
    const tone = sine(700, 48_000, 0.2);
    const small = inChunks(new StreamResampler(48_000, 16_000), tone, 128);
    const large = inChunks(new StreamResampler(48_000, 16_000), tone, 4_800);
    expect(small.length).toBe(large.length);
    small.forEach((value, i) => expect(value).toBeCloseTo(large[i] ?? NaN, 5));
  });

  it("lets no tone above the speech band fold into it", () => {
    const out = inChunks(new StreamResampler(48_000, 16_000), sine(11_000, 48_000, 0.5), 128);
    expect(rms(out.subarray(100))).toBeLessThan(0.01);
  });

  it("goes up to the loudspeaker's rate without adding an image tone", () => {
    const out = inChunks(new StreamResampler(16_000, 48_000), sine(1_000, 16_000, 0.5), 160);
    const ideal = sine(1_000, 48_000, 0.5);
    let worst = 0;
    for (let i = 1_000; i < out.length - 100; i += 1) worst = Math.max(worst, Math.abs((out[i] ?? 0) - (ideal[i] ?? 0)));
    expect(worst).toBeLessThan(0.02);
  });

  it("hands equal rates through untouched", () => {
    const tone = sine(300, 16_000, 0.05);
    expect([...new StreamResampler(16_000, 16_000).push(tone)]).toEqual([...tone]);
  });
});

describe("the frame cutter", () => {
  it("makes frames of 20 ms and keeps the rest for the next one", () => {
    const cutter = new FrameCutter();
    expect(cutter.push(new Float32Array(FRAME_SAMPLES - 1))).toHaveLength(0);
    const frames = cutter.push(new Float32Array(FRAME_SAMPLES + 2));
    expect(frames.map((frame) => frame.byteLength)).toEqual([640, 640]);
    expect(cutter.push(new Float32Array(FRAME_SAMPLES - 2))).toHaveLength(0);
    expect(cutter.push(new Float32Array(1))).toHaveLength(1);
  });

  it("loses no sample and changes no order", () => {
    const ramp = Float32Array.from({ length: 1_000 }, (_, i) => i / 1_000);
    const cutter = new FrameCutter(100);
    const out: number[] = [];
    for (let i = 0; i < ramp.length; i += 37) for (const f of cutter.push(ramp.subarray(i, i + 37))) out.push(...f);
    expect(out).toEqual([...floatToPcm16(ramp)]);
  });
});
