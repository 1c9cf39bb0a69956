/** Counters of the present call, for tests and for support on the telephone. No sound is kept. */

export interface CallDiagnostics {
  /** 20 ms frames sent to the line. */
  framesSent: number;
  /** Frames left out because the network could not take them. */
  framesDropped: number;
  /** Bytes of sound received from the line. */
  bytesReceived: number;
  /** Loudest sample received, 0..1. */
  peak: number;
  /** Loudest sample sent, 0..1. */
  microphonePeak: number;
}

declare global {
  interface Window {
    __hotlineCall?: CallDiagnostics;
  }
}

export function freshDiagnostics(): CallDiagnostics {
  const counters = { framesSent: 0, framesDropped: 0, bytesReceived: 0, peak: 0, microphonePeak: 0 };
  window.__hotlineCall = counters;
  return counters;
}
