/** A message in a room is taken back by a message that says so: its archive keeps it. */
export { queueRoomRetraction } from '../rooms/queue-room.ts'
