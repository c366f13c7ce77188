import { BOUNDS, type ReadingBounds } from '#server/feeds/reading-bounds.ts'

/** Does something with bounds that a test can reach. */
export async function withBounds(bounds: Partial<ReadingBounds>, act: () => Promise<void>): Promise<void> {
  const usual = { ...BOUNDS }
  Object.assign(BOUNDS, bounds)
  try {
    await act()
  } finally {
    Object.assign(BOUNDS, usual)
  }
}
