import { describe, expect, it } from "vitest";
import { PlaybackBuffer } from "../src/lib/call/playbackBuffer";

const BLOCK = 128;

function heard(buffer: PlaybackBuffer, blocks: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < blocks; i += 1) {
    const block = new Float32Array(BLOCK);
    buffer.pull(block);
    out.push(...block);
  }
  return out;
}

const ones = (count: number): Float32Array => new Float32Array(count).fill(0.5);

describe("the playback buffer", () => {
  it("is silent while nothing has come", () => {
    expect(heard(new PlaybackBuffer(16_000), 4).every((value) => value === 0)).toBe(true);
  });

  it("plays every sample once and in order", () => {
    const buffer = new PlaybackBuffer(16_000);
    const speech = Float32Array.from({ length: 3_200 }, (_, i) => (i + 1) / 4_000);
    buffer.push(speech);
    const out = heard(buffer, 40).filter((value) => value !== 0);
    expect(out).toEqual([...speech]);
    expect(buffer.seconds).toBe(0);
  });

  it("waits for a head start, then speaks a short remainder all the same", () => {
    const buffer = new PlaybackBuffer(16_000);
    buffer.push(ones(320));
    expect(heard(buffer, 2).every((value) => value === 0)).toBe(true);
    expect(heard(buffer, 20).filter((value) => value === 0.5)).toHaveLength(320);
  });

  it("is silent at once when the answer is cut", () => {
    const buffer = new PlaybackBuffer(48_000);
    buffer.push(ones(16_000));
    expect(heard(buffer, 4).some((value) => value !== 0)).toBe(true);
    buffer.clear();
    expect(heard(buffer, 4).every((value) => value === 0)).toBe(true);
    expect(buffer.seconds).toBe(0);
  });

  it("lasts as long at the loudspeaker's rate", () => {
    const buffer = new PlaybackBuffer(48_000);
    buffer.push(ones(8_000));
    const loud = heard(buffer, 400).filter((value) => Math.abs(value - 0.5) < 0.05);
    expect(Math.abs(loud.length - 24_000)).toBeLessThan(150);
  });

  it("counts what does not fit and keeps what came first", () => {
    const buffer = new PlaybackBuffer(16_000, 1_000);
    buffer.push(Float32Array.from({ length: 1_200 }, (_, i) => (i + 1) / 2_000));
    expect(buffer.dropped).toBe(200);
    expect(heard(buffer, 1)[0]).toBeCloseTo(1 / 2_000, 6);
  });
});
