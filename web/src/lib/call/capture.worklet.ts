/** Microphone → 16 kHz, 16-bit, 20 ms frames. Each frame goes to the page as an ArrayBuffer of 640 bytes. */

import { FrameCutter, LINE_RATE, StreamResampler } from "../pcm";

class CaptureProcessor extends AudioWorkletProcessor {
  private readonly resampler = new StreamResampler(sampleRate, LINE_RATE);
  private readonly cutter = new FrameCutter();

  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0];
    if (channel) {
      for (const frame of this.cutter.push(this.resampler.push(channel))) {
        this.port.postMessage(frame.buffer, [frame.buffer]);
      }
    }
    return true;
  }
}

registerProcessor("hotline-capture", CaptureProcessor);
