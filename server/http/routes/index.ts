import type { FastifyInstance } from 'fastify'
import type { Web } from '../web.ts'
import { addComments } from './comments.ts'
import { addCommunities } from './communities.ts'
import { addDelete } from './delete.ts'
import { addDiscards } from './discard.ts'
import { addDrafts } from './drafts.ts'
import { addFeeds } from './feeds.ts'
import { addFollowing } from './following.ts'
import { addFollowingLists } from './following-lists.ts'
import { addHome } from './home.ts'
import { addLive } from './live.ts'
import { addMachines } from './machines.ts'
import { addModeration } from './moderation.ts'
import { addNotificationRoutes } from './notifications.ts'
import { addOutbox } from './outbox.ts'
import { addPeople } from './people.ts'
import { addPicture } from './picture.ts'
import { addProofs } from './proofs.ts'
import { addReactions } from './reactions.ts'
import { addRead } from './read.ts'
import { addReports } from './reports.ts'
import { addRoom } from './room.ts'
import { addRoomForms } from './room-forms.ts'
import { addRoomOwner } from './room-owner.ts'
import { addRoomRemoval } from './room-removal.ts'
import { addSession } from './session.ts'
import { addSettings } from './settings.ts'
import { addShare } from './share.ts'
import { addWrite } from './write.ts'

/** Every route of the site. */
export const ROUTES: readonly ((app: FastifyInstance, web: Web) => void)[] = [
  addRead,
  addFeeds,
  addLive,
  addHome,
  addFollowing,
  addFollowingLists,
  addSession,
  addWrite,
  addDrafts,
  addComments,
  addDiscards,
  addShare,
  addReactions,
  addPeople,
  addProofs,
  addCommunities,
  addDelete,
  addSettings,
  addNotificationRoutes,
  addOutbox,
  addPicture,
  addRoom,
  addRoomForms,
  addRoomOwner,
  addRoomRemoval,
  addModeration,
  addReports,
  addMachines,
]
