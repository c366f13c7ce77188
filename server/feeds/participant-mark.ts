import { createHash } from 'node:crypto'

/** Stands beside the name of somebody in a room, whose address is shown to nobody: short, and the same on each page. */
export function markOf(participant: string | undefined): string {
  return participant === undefined ? '?' : createHash('sha256').update(participant).digest('hex').slice(0, 4)
}
