import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import type { Layout, Views } from './views.ts'
import { createWords } from './words.ts'

const eta = new Eta({
  views: fileURLToPath(new URL('.', import.meta.url)),
  cache: true,
  functionHeader: 'const w = it.w, t = w.t',
})

/** The whole page. Everything is escaped but fields of type SafeHtml. */
export function render<Name extends keyof Views>(name: Name, view: Views[Name]): string {
  const { layout }: { layout: Layout } = view
  const w = createWords(layout.language)
  const body = eta.render(`./pages/${name}`, { ...view, w })
  return eta.render('./layout', { ...layout, w, body })
}
