import { Marked } from 'marked'
import markedFootnote from 'marked-footnote'
import { renderMarkdown } from '#shared/markup.ts'
import { TEXT, TOUR } from './posts.ts'
import { ratePerSecond } from './rate.ts'
import type { Benchmark } from './run.ts'

function rendering(name: string, text: string): Benchmark {
  return {
    name: `${name} rendered and sanitised, against marked alone`,
    unit: 'posts/s',
    measure: () => ratePerSecond(() => renderMarkdown(text)),
    limit: () => ratePerSecond(() => new Marked({ gfm: true }).use(markedFootnote()).parse(text)),
  }
}

export const benchmarks = [rendering('prose', TEXT), rendering('a tour of Markdown', TOUR)]
