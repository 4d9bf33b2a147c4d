// Latencies of a run: percentiles, and what a chart needs.

export class Latencies {
  constructor() {
    this.samples = []; // [ms since the start of the run, latency in ms]
  }

  add(at, latency) {
    this.samples.push([at, latency]);
  }

  // The values at these percentiles, or null without samples.
  percentiles(wanted) {
    if (this.samples.length === 0) return null;
    const sorted = Float64Array.from(this.samples, ([, latency]) => latency).sort();
    return wanted.map((p) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))]);
  }

  // Medians and 99th percentiles per slice of time: [{at, p50, p99}].
  slices(width) {
    const parts = new Map();
    for (const [at, latency] of this.samples) {
      const slice = Math.floor(at / width);
      if (!parts.has(slice)) parts.set(slice, []);
      parts.get(slice).push(latency);
    }
    return [...parts].sort(([a], [b]) => a - b).map(([slice, values]) => {
      values.sort((a, b) => a - b);
      return { at: (slice + 0.5) * width, p50: values[Math.floor((values.length - 1) / 2)], p99: values[Math.ceil(values.length * 0.99) - 1] };
    });
  }
}
