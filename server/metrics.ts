import { Counter, collectDefaultMetrics, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client'
import { COUNTERS, type Labels, type Meters } from './meters.ts'
import { createSlices } from './slices.ts'

/** A value at this moment, of one of the things that a gauge is about. */
export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

/** What is counted and measured, for `/metrics` (OpenMetrics 1.0). */
export interface Metrics extends Meters {
  readonly contentType: string
  write(): Promise<string>
  /** A gauge whose values are read when somebody looks. */
  addGauge(name: string, help: string, read: () => Sample[] | Promise<Sample[]>): void
}

const SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(): Metrics {
  const registry = new Registry<OpenMetricsContentType>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  collectDefaultMetrics({ register: registry })
  const counters = new Map<string, Counter>()
  const requests = new Histogram({
    name: 'canto_http_request_duration_seconds',
    help: 'Time to answer a web request',
    labelNames: ['route', 'method', 'status'],
    buckets: SECONDS,
    registers: [registry],
  })

  function counterOf(name: keyof typeof COUNTERS, labels: Labels): Counter {
    const known = counters.get(name)
    if (known !== undefined) return known
    const labelNames = Object.keys(labels)
    const counter = new Counter({ name: `canto_${name}`, help: COUNTERS[name], labelNames, registers: [registry] })
    counters.set(name, counter)
    return counter
  }

  return {
    contentType: registry.contentType,
    write: () => registry.metrics(),
    count: (name, labels = {}, by = 1) => counterOf(name, labels).inc({ ...labels }, by),
    timeRequest: (labels, seconds) => requests.observe({ ...labels }, seconds),
    addGauge(name, help, read) {
      let gauge: Gauge | undefined
      const samples = async () => {
        const found = await read()
        gauge?.reset()
        const pause = createSlices()
        for (const { labels = {}, value } of found) {
          gauge?.set({ ...labels }, value)
          await pause()
        }
      }
      gauge = new Gauge({ name: `canto_${name}`, help, labelNames: LABELS, registers: [registry], collect: samples })
    },
  }
}

// The library wants to know them beforehand; a gauge uses those it needs.
const LABELS = ['account', 'status', 'kind', 'direction', 'node', 'server', 'how', 'state']
