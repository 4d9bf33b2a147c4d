// Latencies of a run, counted in buckets that widen by 2 %: figures are as good as that, and a run of 100,000 events costs no more to draw
// than one of 100. The maximum is exact.

const FIRST_MS = 0.05; // the first bucket's upper end
const WIDER = Math.log(1.02);
const BUCKETS = 760; // the last one is 170 s

class Histogram {
  constructor() {
    this.counts = new Uint32Array(BUCKETS);
    this.total = 0;
    this.max = 0;
  }

  add(ms) {
    const bucket = ms <= FIRST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / FIRST_MS) / WIDER));
    this.counts[bucket]++;
    this.total++;
    this.max = Math.max(this.max, ms);
  }

  percentile(p) {
    if (p === 100) return this.max;
    let left = Math.max(1, Math.ceil((p / 100) * this.total));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.counts[bucket];
      if (left <= 0) return Math.min(this.max, FIRST_MS * Math.exp(bucket * WIDER));
    }
    return this.max;
  }
}

export class Latencies {
  // sliceMs: how long each point of the chart stands for.
  constructor(sliceMs) {
    this.sliceMs = sliceMs;
    this.all = new Histogram();
    this.parts = [];
  }

  // at: ms since the start of the run.
  add(at, latency) {
    const slice = Math.max(0, Math.floor(at / this.sliceMs));
    (this.parts[slice] ??= new Histogram()).add(latency);
    this.all.add(latency);
  }

  // The values at these percentiles, or null without samples.
  percentiles(wanted) {
    return this.all.total === 0 ? null : wanted.map((p) => this.all.percentile(p));
  }

  // [{at, p50, p99}], at in ms since the start.
  slices() {
    return this.parts.flatMap((part, slice) => [{ at: (slice + 0.5) * this.sliceMs, p50: part.percentile(50), p99: part.percentile(99) }]);
  }
}
