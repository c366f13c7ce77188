import { sql } from 'kysely'
import type { IndexDb } from './database.ts'
import type { Hold } from './index-schema.ts'

/** Reactions are read by their post, whatever node they came from: those from a node that is not open are held back. */
export const HOLD_OF_NODE = sql<Hold | null>`CASE WHEN node.status = 'open' THEN NULL ELSE 'closed' END`

/** The condition that the post of a reaction links to the node of comments by way of which it was said. */
export const IS_LINKED = sql<boolean>`EXISTS (
  SELECT 1 FROM node AS feed JOIN entry AS post ON post.node_id = feed.id
  WHERE feed.service = reaction.service AND feed.node = reaction.node AND post.item = reaction.item
    AND post.comments_service = reaction.source_service AND post.comments_node = reaction.source_node)`

/**
 * The condition that a reaction is shown to everybody. Those of a node that was just closed, or that the post no longer
 * links to, are not, though that is still being written; nodes and posts are looked up only for the reactions of nodes
 * with which something goes on.
 */
export const IS_SHOWN = sql<boolean>`(reaction.hold IS NULL AND (
  NOT EXISTS (SELECT 1 FROM node AS changing WHERE changing.emptying IS NOT NULL)
  OR (reaction.source_service, reaction.source_node) NOT IN (
    SELECT changing.service, changing.node FROM node AS changing WHERE changing.emptying IS NOT NULL)
  OR EXISTS (SELECT 1 FROM node AS source WHERE source.service = reaction.source_service
    AND source.node = reaction.source_node AND source.status = 'open' AND (source.kind <> 'comments' OR ${IS_LINKED}))))`

/** Everything that was said by way of an item that is an entry is held back, or shown to those who may read its node. */
export async function holdReactions(index: IndexDb, sourceId: number, hold: Hold | null): Promise<void> {
  const row = await index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(sql<Hold | null>`coalesce(${hold}, ${HOLD_OF_NODE})`.as('held'))
    .where('entry.id', '=', sourceId)
    .executeTakeFirst()
  // It went meanwhile, with what it said.
  if (row === undefined) return
  const { held } = row
  const query = index.updateTable('reaction').set({ hold: held }).where('sourceId', '=', sourceId)
  await query.where('hold', 'is not', held).execute()
}
